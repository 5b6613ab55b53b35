"""Who may come in: the checks before a WebSocket is opened, or a secret is made.

A browser sends a page's Origin with a WebSocket, and CORS does not apply to it. So a page of another origin is refused, unless it was allowed, and
so is a name in `Host` that is not ours while we are on loopback (a page whose name was made to point here, DNS rebinding). Where a server key
is set, every session needs it, or a secret made with it. Where none is set (loopback only), any `Authorization` will do.
"""

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from voice.errors import UsageError
from voice.policy.secrets import PREFIX, Fault, Grant, opened

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
KEY_PROTOCOL = "openai-insecure-api-key."
"""Browsers cannot set headers: they offer this, with the secret behind it, as a subprotocol."""


@dataclass(frozen=True, slots=True)
class Door:
    """What is asked of those who come."""

    signing_key: bytes = field(repr=False)
    """What secrets are signed with."""
    bound_host: str = "127.0.0.1"
    key: str | None = field(default=None, repr=False)
    """What programs have to show; None: nothing, which is for loopback only."""
    origins: frozenset[str] = frozenset()
    """Of pages that may come besides our own, as `origin_of` gives them."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Let in. `grant`: what a secret brought along; None for who showed the key, or had to show nothing."""

    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """Not let in: an HTTP status, a sentence and a code."""

    status: int
    message: str
    code: str


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin_of(given: str) -> str:
    """An origin as browsers send it (lower case, no default port), of what a person allows. Raises: UsageError."""
    try:
        parts = urlsplit(given.lower())
        port = parts.port
    except ValueError:
        port = 0
        parts = urlsplit("")
    plain = not parts.username and parts.path in ("", "/") and not parts.query and not parts.fragment and given.isprintable()
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not plain or " " in given or "*" in given:
        raise UsageError(
            f"--allow-origin '{given}' is no origin: give it as https://shop.example or http://localhost:3000, one for each page"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = port is None or port == (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{host}" if usual else f"{parts.scheme}://{host}:{port}"


def stranger(host: str | None, door: Door) -> str | None:
    """Why a request with this `Host` is refused, in a sentence; None if it is not. Browsers always send one; who sends none is no page.

    On loopback only names of this machine are ours, and those of allowed origins: what a proxy in front passes on.
    """
    if host is None or not is_loopback(door.bound_host):
        return None
    name = _name(host)
    if is_loopback(name) or name in {urlsplit(origin).hostname for origin in door.origins}:
        return None
    return f"This server is on loopback only and does not answer to the name '{host[:80]}'."


def refusal(origin: str | None, host: str | None, door: Door, scheme: str = "http") -> str | None:
    """Why a request with this `Origin` is refused, in a sentence; None if it is not. `scheme`: what this server speaks."""
    if origin is None or origin.lower() in door.origins or (host is not None and origin.lower() == f"{scheme}://{host}".lower()):
        return None
    return f"A page of the origin '{origin[:80]}' may not use this server."


def credential(authorization: str | None, api_key: str | None = None, protocols: Iterable[str] = ()) -> str | None:
    """What a visitor shows, of the headers `Authorization` and `api-key` and the subprotocols offered; None: nothing."""
    kind, _, value = (authorization or "").strip().partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        return _basic(value)
    if api_key:
        return api_key.strip()
    offered = (name.strip() for line in protocols for name in line.split(","))
    return next((name.removeprefix(KEY_PROTOCOL) for name in offered if name.startswith(KEY_PROTOCOL)), None)


def admission(shown: str | None, door: Door, wall_s: float) -> Pass | Denial:
    """Whether this credential opens a session at this Unix time."""
    if shown is not None and shown.startswith(PREFIX):
        grant = opened(shown, door.signing_key, wall_s)
        if isinstance(grant, Grant):
            return Pass(grant)
        if grant is Fault.EXPIRED:
            return Denial(401, "This client secret has expired: ask for a new one.", "token_expired")
    if door.key is None or (shown is not None and _same(shown, door.key)):
        return Pass()
    if not shown:
        return Denial(401, "This server wants a key: send it as 'Authorization: Bearer KEY'.", "invalid_api_key")
    return Denial(401, "The key is not one that this server knows.", "invalid_api_key")


def _same(shown: str, key: str) -> bool:
    """In a time that does not tell how much of it is right."""
    return hmac.compare_digest(shown.encode(errors="surrogatepass"), key.encode())


def _basic(value: str) -> str:
    """The password, or the name if there is no password."""
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return password or name


def _name(host: str) -> str:
    """The name in a `Host` header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
