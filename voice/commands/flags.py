"""What the commands share: the types of their flags, and flags that take their default from the configuration."""

import argparse

TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import."""

if TYPE_CHECKING:
    from voice.config import Config

SYNTHESIZERS = ("auto", "espeak", "flite", "piper")


def add_config(parser: argparse.ArgumentParser) -> None:
    """The flag --config, for a command that calls `settle`."""
    parser.add_argument("--config", metavar="FILE", help="read the configuration there and nowhere else")


def settle(options: argparse.Namespace) -> "Config":
    """Give every flag that was left out (None) its value from the environment or a file; a flag's `dest` is its setting's name.

    Raises: UsageError for a flag that cannot be, ConfigError for a variable or a file.
    """
    from pathlib import Path

    from voice.config import TYPES, load

    flags = {name: value for name, value in vars(options).items() if name in TYPES}
    config = load(flags, file=Path(options.config) if options.config else None)
    for name in flags:
        setattr(options, name, getattr(config.settings, name))
    return config


class Joined(argparse.Action):
    """An option that may be given several times: its values with blanks between."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option_string: str | None = None
    ) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, f"{before} {values}" if before else values)


def port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: 0 to 65535")
    return int(text)


def count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


def moment(text: str) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time like 2026-11-20T10:00") from exc
