"""What a server's first words mean, and what to do about them: pure, for `links/greeting.py`."""

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import msgspec

from voice.links.redact import MASK

SHOWN_CHARACTERS = 200
CLOCK_OFF_S = 60.0
"""Signed requests and short-lived secrets bear a few minutes at most."""
ACCEPT_SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
"""Opcodes of WebSocket frames."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a step has to tell; see `Step`."""

    ok: bool
    said: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an HTTP answer, and the beginning of its body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: bytes = b""


class _Problem(msgspec.Struct):
    message: str = ""
    code: str | int | None = None
    type: str | None = None


class _Said(msgspec.Struct):
    """An error, as a body or as an event; or an event's type."""

    error: _Problem | str | None = None
    type: str = ""


def one_line(text: str, secrets: Mapping[str, str] | None = None) -> str:
    """Text from outside as one short line that no terminal obeys, without what we keep secret, should the server repeat it."""
    for value in (secrets or {}).values():
        for secret in (value, value.rpartition(" ")[2]):
            text = text.replace(secret, MASK) if secret else text
    return " ".join("".join(character if character.isprintable() else " " for character in text[: 4 * SHOWN_CHARACTERS]).split())[
        :SHOWN_CHARACTERS
    ]


def parsed(head: bytes) -> Answer | None:
    """The head of an answer, up to its empty line; None if it is none."""
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) < 2 or not words[1].isdecimal() or len(words[1]) != 3:
        return None
    return Answer(
        int(words[1]), {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    )


def upgraded(answer: Answer, nonce: str, headers: Mapping[str, str]) -> Told:
    """The answer to a request for a WebSocket. `headers`: ours, which are never repeated."""
    if answer.status != 101:
        return _refused(answer, headers, "a Realtime server")
    want = base64.b64encode(hashlib.sha1((nonce + ACCEPT_SALT).encode(), usedforsecurity=False).digest()).decode()
    if answer.headers.get("sec-websocket-accept") != want:
        return Told(False, "it agrees to a WebSocket, but not to ours", "a proxy or a cache stands between: try another network")
    return Told(True, "101, a WebSocket")


def fetched(answer: Answer, headers: Mapping[str, str]) -> Told:
    """The answer to a plain request."""
    if answer.status != 200 or _is_page(answer):
        return _refused(answer, headers, "an API")
    return Told(True, "200")


def _refused(answer: Answer, headers: Mapping[str, str], wanted: str) -> Told:
    """What a status means, and what to do."""
    status = answer.status
    said = f"{status}{_words_of(answer, headers)}"
    if status == 401:
        return Told(
            False, said, "the key is refused: is it complete, and this provider's own?" if headers else "it wants a key, and none is set"
        )
    if status == 403:
        return Told(
            False, said, "the key is known but may not do this: check its rights, the account and the region; a firewall may say it too"
        )
    if status == 404:
        return Told(False, said, "nothing is served at this path: is the address complete, does the model exist?")
    if status == 429:
        after = one_line(answer.headers.get("retry-after", ""))
        return Told(
            False, said, "too many requests, or the quota is used up: " + (f"wait {after} s" if after else "wait, or check the account")
        )
    if status == 426:
        return Told(False, said, "it wants a newer protocol: is this the right path?")
    if 300 <= status < 400:
        return Told(
            False, f"{status}, it points to {one_line(answer.headers.get('location', '').partition('?')[0], headers)}", "give that address"
        )
    if status >= 500:
        return Told(False, said, "the server has failed: try again later; if it lasts, ask who runs it")
    if 200 <= status < 300:
        page = "a web page" if _is_page(answer) else "an answer"
        return Told(False, f"{status}, {page} instead of {wanted}", "is the path right? a log-in page of the network looks like this too")
    return Told(False, said, "the server does not take the request: is this the right address?")


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"


def _words_of(answer: Answer, headers: Mapping[str, str]) -> str:
    """The server's own words, if its body has the form of the service."""
    begin, end = answer.body.find(b"{"), answer.body.rfind(b"}")
    if _is_page(answer):
        return ", a web page"
    try:
        error = msgspec.json.decode(answer.body[begin : end + 1], type=_Said).error
    except (msgspec.MsgspecError, RecursionError):
        return ""
    message = error if isinstance(error, str) else error.message if error else ""
    return f": {one_line(message, headers)}" if message else ""


def unix_time(date: str) -> float | None:
    """What a `Date` header says, in Unix seconds; None if it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        # The last two: a date that a system cannot count to.
        return None


def clock(date: str, wall_s: float) -> Told | None:
    """This machine's clock (Unix time) against the server's `Date`; None if that is none."""
    server_s = unix_time(date)
    if server_s is None:
        return None
    off_s = wall_s - server_s
    if abs(off_s) <= CLOCK_OFF_S:
        return Told(True, "this machine's clock and the server's agree")
    return Told(
        False,
        f"this machine's clock is {abs(off_s):.0f} s {'ahead' if off_s > 0 else 'behind'}",
        "set it (NTP): certificates and secrets depend on it",
    )


def first_event(opcode: int, payload: bytes, headers: Mapping[str, str]) -> Told:
    """The first message of a session."""
    if opcode == CLOSE:
        code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
        reason = one_line(payload[2:].decode("utf-8", "replace"), headers)
        return Told(False, f"it closes at once with {code}{f': {reason}' if reason else ''}", "does the model exist, may this key use it?")
    try:
        event = msgspec.json.decode(payload, type=_Said) if opcode == TEXT else _Said()
    except (msgspec.MsgspecError, RecursionError):
        event = _Said()
    if event.error:
        problem = event.error if isinstance(event.error, _Problem) else _Problem(event.error)
        return Told(
            False,
            one_line(f"error {problem.code or problem.type or ''}".rstrip() + f": {problem.message}", headers),
            "the session is refused: check key, model and account",
        )
    if not event.type:
        return Told(False, "what it says is not an event", "another service speaks there: is the path right?")
    return Told(True, f"the first event is {one_line(event.type, headers)}")
