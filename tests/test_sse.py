"""The parser of server-sent events: the standard's own examples, and the same events however the bytes are cut."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.protocol.sse import SseEvent, SseParser

KOREAN = (
    "\ufeff: ping\r\n"
    'data: {"text":"안녕하세요 👋🏽"}\r\n\r\n'
    "event: error\rdata: 오류\rdata: 둘째 줄\r\r"
    "id: 7\nretry: 10\ndata:  한 칸\n\n"
    ": OPENROUTER PROCESSING\n\n"
    "data: [DONE]\n\n"
)
WANT = [
    SseEvent('{"text":"안녕하세요 👋🏽"}'),
    SseEvent("오류\n둘째 줄", "error"),
    SseEvent(" 한 칸"),
    SseEvent("[DONE]"),
]


def parse(*chunks: bytes, max_event_bytes: int = 1 << 20) -> list[SseEvent]:
    parser = SseParser(max_event_bytes)
    return [event for chunk in chunks for event in parser.push(chunk)] + parser.flush()


@pytest.mark.parametrize(
    ("stream", "want"),
    [
        # The examples of the standard, section 9.2.6.
        ("data: YHOO\ndata: +2\ndata: 10\n\n", [SseEvent("YHOO\n+2\n10")]),
        (": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", ["first event", "second event", " third event"]),
        ("data\n\ndata\ndata\n\n", ["", "\n"]),
        ("data:test\n\ndata: test\n\n", ["test", "test"]),
        ("event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n", [SseEvent("73857293", "add"), SseEvent("2153", "remove")]),
        # A name without data is no event, and does not name the next one.
        ("event: lost\n\ndata: x\n\n", ["x"]),
        ("datax: no\n data: no\nDATA: no\n\n", []),
        ("\n\n\n", []),
        ("", []),
        ("data: a:b: c\n\n", ["a:b: c"]),
        # Without the blank line, and without the line's end.
        ("data: 1\n\ndata: [DONE]\n", ["1", "[DONE]"]),
        ("data: 1\n\ndata: [DONE]", ["1", "[DONE]"]),
        ("<html>\n<body>no</body>\n", []),
        # A BOM is one at the beginning only.
        ("\ufeffdata: x\n\n", ["x"]),
        ("\ufeffdata\n\n", [""]),
        ("data: x\n\n\ufeffdata: y\n\n", ["x"]),
    ],
)  # fmt: skip
def test_what_a_stream_means(stream: str, want: list[SseEvent | str]) -> None:
    assert parse(stream.encode()) == [SseEvent(item) if isinstance(item, str) else item for item in want]


def test_every_cut_in_two_gives_the_same_events() -> None:
    data = KOREAN.encode()
    assert parse(data) == WANT
    for at in range(len(data) + 1):
        assert parse(data[:at], data[at:]) == WANT, at


def test_byte_by_byte_and_with_nothing_between_gives_the_same_events() -> None:
    assert parse(*(data for byte in KOREAN.encode() for data in (bytes([byte]), b""))) == WANT


def test_an_event_comes_with_the_cr_that_ends_it() -> None:
    parser = SseParser()
    assert parser.push(b"data: a\r\r") == [SseEvent("a")]
    assert parser.push(b"\ndata: b\r\n\r") == [SseEvent("b")]
    assert parser.push(b"") == []
    assert parser.push(b"\n") == [] and parser.flush() == []


def test_an_event_comes_as_soon_as_its_blank_line_is_there() -> None:
    parser = SseParser()
    assert parser.push(b"data: a\n") == []
    assert parser.push(b"\nda") == [SseEvent("a")]
    assert parser.push(b"ta: b\n\n") == [SseEvent("b")]


def test_bytes_that_are_not_utf8_cost_their_character_only() -> None:
    assert parse(b"data: a\xff\xc3\n\ndata: b\n\n") == [SseEvent("a\ufffd\ufffd"), SseEvent("b")]


def test_comments_are_counted() -> None:
    parser = SseParser()
    assert parser.push(b": ping\n\n:\n: OPENROUTER PROCESSING\n\n") == []
    assert parser.comments == 3


PIECE = st.sampled_from(
    [
        "data: ",
        "data:",
        "data",
        "event: ",
        ": comment",
        "id: 1",
        "\r\n",
        "\n",
        "\r",
        "\n\n",
        " ",
        "[DONE]",
        "{}",
        "안녕",
        "👋🏽",
        "\ufeff",
        "x" * 40,
    ]
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(PIECE, max_size=30).map("".join), st.lists(st.integers(0, 400), max_size=8), st.sampled_from([1 << 20, 30]))
def test_any_stream_in_any_pieces_gives_the_same_events(text: str, cuts: list[int], bound: int) -> None:
    data = text.encode()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:stop] for start, stop in zip(places, places[1:], strict=False)]
    assert parse(*pieces, max_event_bytes=bound) == parse(data, max_event_bytes=bound)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1, max_size=5),
    st.sampled_from(["\r\n", "\n", "\r"]),
)
def test_what_is_written_is_read(lines: list[str], end: str) -> None:
    stream = "".join(f"data: {line}{end}" for line in lines) + end
    assert parse(stream.encode()) == [SseEvent("\n".join(lines))]


@pytest.mark.parametrize("endless", [b"x" * 100, b": ping" * 20, b"data: x\n" * 40, b"data: " + b"x" * 100 + b"\n\n"])
def test_what_is_too_long_ends_the_reading(endless: bytes) -> None:
    parser = SseParser(max_event_bytes=50)
    assert parser.push(b"data: before\n\n" + endless) == [SseEvent("before")]
    assert parser.too_long
    assert parser.push(b"\n\ndata: behind\n\n") == [] and parser.flush() == []


def test_what_just_fits_is_read() -> None:
    parser = SseParser(max_event_bytes=50)
    assert parser.push(b"data: " + b"x" * 44 + b"\n\n") == [SseEvent("x" * 44)]
    assert not parser.too_long


def test_memory_is_bounded_and_time_grows_with_the_bytes_only() -> None:
    parser = SseParser()
    tracemalloc.start()
    try:
        for _ in range(1000):
            parser.push(b"x" * 10_000)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert parser.too_long
    # A line that comes byte by byte would take minutes if each byte were to copy it, or to search it again.
    slow = SseParser()
    for _ in range(300_000):
        slow.push(b"x")
    assert slow.push(b"\ndata: y\n\n") == [SseEvent("y")]
