"""Services by name (`--provider`): where they are, which variable holds their key, how they speak. The table is data/providers.toml.

A key is looked for under the provider's own names only: one service's key is never sent to another.
"""

import logging
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from voice.errors import ConfigError, UsageError

log = logging.getLogger(__name__)

LONGEST_KEY = 16_384
"""Characters; the longest tokens in use (signed ones with claims) have some thousand."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A service."""

    name: str
    realtime_url: str | None
    """A complete ws(s):// address but for the model, perhaps with a query; None if it has no Realtime service."""
    chat_url: str | None
    """The base address of /chat/completions, without a slash at the end; None if it has none."""
    key_names: tuple[str, ...] = ()
    """Variables that may hold its key, in the order of preference; empty if it needs none."""
    auth: str = "bearer"
    """"bearer" (`Authorization: Bearer KEY`) or "api-key" (`api-key: KEY`)."""
    dialect: str = "ga"
    """What its Realtime service speaks: a name in `protocol/dialect.py`, or "auto" (its first event tells)."""
    recorded: bool = False
    """Whether its dialect was made from recordings that others have published. All else was made from documents."""
    key_optional: bool = False
    """It can be set up with a key, and usually is not."""
    realtime_model: str | None = None
    """Asked for where nobody names one; "": none is, the service has its own."""

    def realtime(self) -> str:
        """The Realtime address. Raises: UsageError if there is none."""
        if self.realtime_url is None:
            raise UsageError(f"'{self.name}' has no Realtime service; these have: {', '.join(_with('realtime_url'))}")
        return self.realtime_url

    def chat(self) -> str:
        """The chat base address. Raises: UsageError if there is none."""
        if self.chat_url is None:
            raise UsageError(f"'{self.name}' has no chat service; these have: {', '.join(_with('chat_url'))}")
        return self.chat_url

    def headers(self, key: str | None) -> dict[str, str]:
        """What a request carries to be let in; nothing without a key. Never to be logged."""
        if key is None:
            return {}
        return {"api-key": key} if self.auth == "api-key" else {"Authorization": f"Bearer {key}"}


def names() -> tuple[str, ...]:
    """Every provider's name, in the table's order."""
    return tuple(_table())


def key_names(name: str) -> tuple[str, ...]:
    """The variables that may hold the key of the service of that name. Raises: KeyError for an unknown one."""
    return tuple(_table()[name].get("key_names", ()))


def provider(name: str, environ: Mapping[str, str] = os.environ) -> Provider:
    """The service of that name. `environ` tells the host of a service that has none of its own (azure).

    Raises: UsageError for an unknown name or a missing host.
    """
    if name not in _table():
        raise UsageError(f"no provider '{name}': choose one of {', '.join(names())}, or give its address with --url")
    row = dict(_table()[name])
    host_name, usual = row.pop("host_name", None), row.pop("host", "")
    if host_name is not None:
        host = _host(environ.get(host_name) or usual, name, host_name)
        row |= {part: row[part].format(host=host) for part in ("realtime_url", "chat_url") if part in row}
    return Provider(**{"name": name, "realtime_url": None, "chat_url": None, **row, "key_names": key_names(name)})


def key_of(service: Provider, environ: Mapping[str, str] = os.environ) -> str | None:
    """Its key: from NAME or from the file that NAME_FILE names, for each of its names in turn; None if there is none.

    Raises: ConfigError for a file that cannot be read, or something that cannot be a key. Warns of a file that everybody can read.
    """
    found = (key_named(name, environ) for name in service.key_names)
    return next((key for key in found if key is not None), None)


def needed_key(service: Provider, environ: Mapping[str, str] = os.environ) -> str | None:
    """As `key_of`; None only if the service can do without. Raises: ConfigError with the names of the variables."""
    key = key_of(service, environ)
    if key is None and service.key_names and not service.key_optional:
        name = service.key_names[0]
        raise ConfigError(f"no key for '{service.name}': set {name}, or {name}_FILE to the path of a file with the key in it")
    return key


def key_for(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The key for an address that somebody gives; None if there is none. Raises: ConfigError."""
    return key_named(key_name_for(url), environ)


def key_name_for(url: str) -> str:
    """The variable that holds the key for an address: the provider's own if one of the table is there, else OPENAI_API_KEY, the name that
    programs use for any service of this protocol."""
    return next((key_names(name)[0] for name, _ in _at(url) if key_names(name)), "OPENAI_API_KEY")


def dialect_at(url: str) -> str | None:
    """What the provider whose Realtime service is at an address speaks; None if none of the table is there."""
    return next((str(row.get("dialect", "ga")) for _, row in _at(url) if "realtime_url" in row), None)


def _at(url: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The rows of services at the host of an address."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    for name, row in _table().items():
        usual = str(row.get("host", ""))
        hosts = {urlsplit(row.get(part, "").replace("{host}", usual)).hostname for part in ("realtime_url", "chat_url")}
        if host is not None and host in hosts and not _is_local(row):
            yield name, row


def key_named(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """The key in the variable `name`, or in the file that `name`_FILE names; None if both are unset or empty. Raises: ConfigError."""
    if value := environ.get(name, "").strip():
        return _checked(value, name)
    if path := environ.get(f"{name}_FILE", "").strip():
        return _checked(_read(Path(os.path.expanduser(path)), f"{name}_FILE"), f"the file that {name}_FILE names")
    return None


def readable_by_all(path: Path) -> bool:
    """Whether every user of this machine may read the file; False where files have no such modes (Windows)."""
    return os.name == "posix" and bool(path.stat().st_mode & stat.S_IROTH)


def _read(path: Path, variable: str) -> str:
    where = f"{variable} names '{path}', which"
    try:
        # Not a pipe or a device: opening one may wait for ever.
        if not path.is_file():
            raise ConfigError(f"{where} is {'not a plain file' if path.exists() else 'not there'}")
        with path.open("rb") as file:
            text = file.read(LONGEST_KEY + 2).decode()
        if readable_by_all(path):
            log.warning("%s every user of this machine can read: chmod 600 '%s'", where, path)
    except OSError as exc:
        raise ConfigError(f"{where} cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError:
        # Without the cause: it quotes the bytes.
        raise ConfigError(f"{where} has no text in it") from None
    if not text.strip():
        raise ConfigError(f"{where} is empty")
    return text.strip()


def _checked(key: str, where: str) -> str:
    """Raises: ConfigError, without the key, for one that would break a header."""
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(f"what is in {where} is no key: it has spaces, line ends or signs that no key has, or is too long")
    return key


def _host(value: str, name: str, variable: str) -> str:
    """The host in an endpoint's address, or the bare host. Raises: UsageError."""
    try:
        parts = urlsplit(value if "//" in value else f"//{value}")
        host = parts.netloc if parts.hostname and parts.port != 0 and "@" not in parts.netloc else ""
    except ValueError:
        host = ""
    if not host or not host.isprintable() or " " in host:
        said = f", which is '{value}' now" if value and value.isprintable() and "@" not in value else ""
        raise UsageError(f"'{name}' needs the address of your resource: set {variable}{said} to https://NAME.example")
    return host


def _is_local(row: Mapping[str, Any]) -> bool:
    """Any server may be on this machine, not only that of the table."""
    return str(row.get("chat_url", "")).startswith("http://127.")


def _with(part: str) -> tuple[str, ...]:
    return tuple(name for name, row in _table().items() if part in row)


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    return MappingProxyType(tomllib.loads(resources.files("voice.data").joinpath("providers.toml").read_text("utf-8")))
