"""Who may come in: the checks before a WebSocket is opened. A browser sends a page's Origin with it, and CORS does not apply to it.

On loopback without credentials any `Authorization` will do; a page of another origin is refused, and so is a name that is not ours in
`Host` (a page whose name was made to point here, DNS rebinding).
"""

import ipaddress
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def stranger(host: str | None, bound_host: str) -> str | None:
    """Why a request with this `Host` is refused, in a sentence; None if it is not. Browsers always send one; who sends none is no page."""
    if host is None or not is_loopback(bound_host) or is_loopback(_name(host)):
        return None
    return f"This server is on loopback only and does not answer to the name '{host[:80]}'."


def refusal(origin: str | None, host: str | None, scheme: str = "http") -> str | None:
    """Why a WebSocket with this `Origin` is refused, in a sentence; None if it is not. `scheme`: what this server speaks."""
    if origin is None or (host is not None and origin.lower() == f"{scheme}://{host}".lower()):
        return None
    return f"A page of the origin '{origin[:80]}' may not use this server."


def _name(host: str) -> str:
    """The name in a `Host` header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
