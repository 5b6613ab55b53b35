"""The command `voice`: parses, prints, exits.

The commands are in voice/commands, one a file; each imports what it needs when it runs, so that `voice --help` is quick. Results go to
stdout, everything else to stderr. Exit codes: 0 done, 1 failure, 2 usage or unreadable input, 69 something is not there,
78 configuration, 130 Ctrl-C.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from voice import __version__
from voice.commands import config, devices, doctor, replay, serve, talk
from voice.commands.printing import printable
from voice.errors import VoiceError

INTERRUPTED = 130
COMMANDS = (serve, talk, replay, devices, doctor, config)
"""In the order of the help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    options = parser().parse_args(arguments)
    _log_to_stderr(options.verbose)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): not an error; what is left must not be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (VoiceError, BaseExceptionGroup) as exc:
        failure = _first(exc)
        if not isinstance(failure, VoiceError):
            raise
        print(f"voice: {printable(str(failure))}", file=sys.stderr)
        return failure.exit_code


def _log_to_stderr(verbose: bool) -> None:
    import logging

    level = logging.DEBUG if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)


def _first(exc: BaseException) -> BaseException:
    """What a task group has wrapped."""
    while isinstance(exc, BaseExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="voice", description="Talk to any model by voice: from a terminal, a page or a WAV file.")
    parser.add_argument("--version", action="version", version=f"voice {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log every event to stderr")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
