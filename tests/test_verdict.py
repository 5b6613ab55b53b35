"""What a server's first words mean; each of them on the wire is in test_greeting.py."""

import pytest

from voice.links.verdict import SHOWN_CHARACTERS, Answer, clock, first_event, one_line, parsed, upgraded

NOON_S = 1_795_003_200.0
NOON = "Wed, 18 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("off_s", "ok", "said"),
    [
        (0, True, "this machine's clock and the server's agree"),
        (60, True, "this machine's clock and the server's agree"),
        (61, False, "this machine's clock is 61 s ahead"),
        (-3600, False, "this machine's clock is 3600 s behind"),
    ],
)
def test_clocks(off_s: float, ok: bool, said: str) -> None:
    told = clock(NOON, NOON_S + off_s)
    assert told is not None and (told.ok, told.said) == (ok, said)


@pytest.mark.parametrize("date", ["", "noon", "Wed, 99 Nov 2026 12:00:00 GMT"])
def test_a_date_that_is_none(date: str) -> None:
    assert clock(date, NOON_S) is None


def test_a_line_is_short_harmless_and_without_what_we_keep_secret() -> None:
    assert one_line("a\r\n\x1b[31m b\u202e") == "a [31m b"
    assert len(one_line("x" * 10_000)) == SHOWN_CHARACTERS
    secrets = {"Authorization": "Bearer hidden", "api-key": "secret", "empty": ""}
    assert one_line("it said: Bearer hidden, hidden, secret", secrets) == "it said: ********, ********, ********"


def test_the_head_of_an_answer() -> None:
    assert parsed(b"HTTP/1.1 401 Not now\r\nX-A:  b: c \r\nx-A: d\r\n\r\n") == Answer(401, {"x-a": "d"})
    for head in (b"HTTP/1.1", b"HTTP/1.1 99 \r\n", b"HTTP/1.1 4040 \r\n", b"HTTP/1.1 -10 \r\n", b"HTTP/1.1  200\r\n"):
        assert parsed(head) is None


def test_the_key_of_a_websocket_is_checked() -> None:
    # The example of RFC 6455, section 1.3.
    accept = {"sec-websocket-accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}
    assert upgraded(Answer(101, accept), "dGhlIHNhbXBsZSBub25jZQ==", {}).ok
    assert not upgraded(Answer(101, accept), "another", {}).ok


@pytest.mark.parametrize(
    ("opcode", "payload", "said"),
    [
        (1, b'{"type":"session.created"}', "the first event is session.created"),
        (1, b'{"type":"error","error":{"type":"t","message":"m"}}', "error t: m"),
        (1, b'{"type":"error","error":{"code":7,"message":"m"}}', "error 7: m"),
        (1, b'{"error":"words"}', "error: words"),
        (1, b"{}", "what it says is not an event"),
        (2, b'{"type":"session.created"}', "what it says is not an event"),
        (8, b"\x03\xf0", "it closes at once with 1008"),
        (8, b"\x03", "it closes at once with 1005"),
        (8, b"\x03\xf0\xff\xfeno", "it closes at once with 1008: \ufffd\ufffdno"),
    ],
)
def test_first_events(opcode: int, payload: bytes, said: str) -> None:
    told = first_event(opcode, payload, {})
    assert told.said == said and told.ok == said.startswith("the first event") == (not told.fix)
