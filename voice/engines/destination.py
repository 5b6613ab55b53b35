"""A Realtime server to talk to: where it is, its key and how that is shown, its dialect. Found by an address or by a service's name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from voice.engines.providers import dialect_at, key_for, needed_key, provider
from voice.errors import UsageError

AUTO = "auto"
ASKED: Mapping[str, Mapping[str, str]] = {"beta": {"OpenAI-Beta": "realtime=v1"}}
"""Headers without which a server that has this dialect, too, speaks another."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A Realtime server, and how to speak to it."""

    url: str
    """ws(s):// or http(s)://; a bare host gets `/v1/realtime`."""
    api_key: str | None = field(default=None, repr=False)
    auth: str = "bearer"
    """How the key is sent (see `Provider.auth`)."""
    dialect: str = AUTO
    """What is spoken there: a name in `protocol/dialect.py`, or "auto" (its first event tells)."""
    model: str | None = None
    """Asked for where nobody names one; "": none is."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What a handshake has besides the key."""
        return ASKED.get(self.dialect, {})


def at_address(url: str, environ: Mapping[str, str] = os.environ, dialect: str | None = None) -> Destination:
    """The server at an address, with the key that is set for it. Raises: ConfigError (the key), UsageError (the dialect)."""
    return Destination(url, key_for(url, environ), dialect=checked(dialect) or dialect_at(url) or AUTO)


def at_service(name: str, environ: Mapping[str, str] = os.environ, dialect: str | None = None) -> Destination:
    """The Realtime server of a service. Raises: UsageError (no such service, or it has none), ConfigError (no key)."""
    service = provider(name, environ)
    url = service.realtime()
    return Destination(url, needed_key(service, environ), service.auth, checked(dialect) or service.dialect, service.realtime_model)


def destination(url: str | Destination | None, service: str | None, dialect: str | None, api_key: str | None) -> Destination | None:
    """What a program names; None if it names no server. An address gets the key that the program gives; a service also one from the environment.

    Raises: UsageError, ConfigError (no key for the service).
    """
    if isinstance(url, Destination):
        checked(url.dialect)
        return url
    if url is not None and service is not None:
        raise UsageError("url and provider both say where to go: leave one out")
    if url is not None:
        return Destination(url, api_key, dialect=checked(dialect) or dialect_at(url) or AUTO)
    if service is None:
        return None
    if api_key is None:
        return at_service(service, dialect=dialect)
    chosen = provider(service)
    return Destination(chosen.realtime(), api_key, chosen.auth, checked(dialect) or chosen.dialect, chosen.realtime_model)


def checked(dialect: str | None) -> str | None:
    """A dialect's name as it is. Raises: UsageError if there is none of that name."""
    if dialect is None or dialect == AUTO:
        return dialect
    # Here: whoever dials has no need of it, and a session loads while the handshake is under way.
    from voice.protocol.dialect import DIALECTS

    if dialect not in DIALECTS:
        raise UsageError(f"no dialect '{dialect}': choose one of {AUTO}, {', '.join(DIALECTS)}")
    return dialect
