"""Short-lived secrets for pages, `ek_<payload>.<mac>`, checked without a store. Pure: time, names and keys come in.

The payload is base64url of deflated JSON. It is signed (HMAC-SHA256 over the text as it stands, so that no two texts mean the same) and not
encrypted: a page may read its secret, as it may read the session that it is for. Whoever has the signing key can check it: every
node of a service with the same server key takes the secrets of the others.
"""

import base64
import hashlib
import hmac
import zlib
from enum import Enum
from typing import Any

import msgspec

from voice.errors import ProtocolError

PREFIX = "ek_"
SHORTEST_S, USUAL_S, LONGEST_S = 10, 600, 7200
"""What `expires_after.seconds` may be, as on the paid service."""
LONGEST_SECRET = 7000
"""Characters. It travels in a header line, and aiohttp's server takes 8190 of one."""
LARGEST_PAYLOAD_BYTES = 1 << 20
_PURPOSE = b"voice client secrets 1"


class Grant(msgspec.Struct, frozen=True):
    """What a secret opens."""

    exp: int
    """Unix seconds: from then on it starts no session. One that runs goes on."""
    jti: str
    """Which secret it is."""
    scope: str = "realtime"
    """The kind of session: "realtime" or "transcription"."""
    session: dict[str, Any] = {}
    """Settings that the session starts with, as in `session.update`."""
    user: str = ""
    """Who it was made for, by the name that the owner of the server knows; "": it does not say."""


class Fault(Enum):
    """Why a secret opens nothing."""

    FORGED = "it is not one of ours"
    EXPIRED = "it has expired"


def signing_key(server_key: str) -> bytes:
    """The key that secrets are signed with, out of the one that lets programs in: neither tells the other."""
    return hmac.digest(server_key.encode(), _PURPOSE, "sha256")


def mint(grant: Grant, key: bytes) -> str:
    """The secret of a grant. Raises: ProtocolError if its session is too large for a header."""
    payload = _text(zlib.compress(msgspec.json.encode(grant), 9))
    secret = f"{PREFIX}{payload}.{_mac(payload, key)}"
    if len(secret) > LONGEST_SECRET:
        message = f"Invalid 'session': it is too long for a secret by {len(secret) - LONGEST_SECRET} characters (compressed)."
        raise ProtocolError(f"{message} Send the rest with session.update.", "string_above_max_length", "session")
    return secret


def opened(secret: str, key: bytes, wall_s: float) -> Grant | Fault:
    """What a secret opens at this Unix time. Takes any text."""
    payload, _, mac = secret.removeprefix(PREFIX).partition(".")
    if not secret.startswith(PREFIX) or len(secret) > LONGEST_SECRET or not secret.isascii():
        return Fault.FORGED
    if not hmac.compare_digest(mac, _mac(payload, key)):
        return Fault.FORGED
    # Ours from here on: nobody else could have signed it.
    try:
        data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        grant = msgspec.json.decode(zlib.decompressobj().decompress(data, LARGEST_PAYLOAD_BYTES), type=Grant)
    except (ValueError, zlib.error, msgspec.MsgspecError, RecursionError):
        # Signed by another version of us.
        return Fault.FORGED
    return Fault.EXPIRED if wall_s >= grant.exp else grant


def _mac(payload: str, key: bytes) -> str:
    return _text(hmac.digest(key, payload.encode(), hashlib.sha256))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
