"""Lines from standard input."""

import asyncio
import os

import pytest

from voice.devices.typed import LONGEST, typed_lines


async def lines_of(*pieces: bytes) -> list[str]:
    """What is read from a pipe into which these are written, one after the other."""
    reader, writer = os.pipe()
    found = []
    try:
        async with asyncio.timeout(30):
            source = typed_lines(reader)
            asking = asyncio.ensure_future(anext(source, None))
            for piece in pieces:
                os.write(writer, piece)
                await asyncio.sleep(0.01)
            os.close(writer)
            while (line := await asking) is not None:
                found.append(line)
                asking = asyncio.ensure_future(anext(source, None))
    finally:
        os.close(reader)
    return found


@pytest.mark.parametrize(
    ("pieces", "want"),
    [
        ([b"what time is it\n"], ["what time is it"]),
        ([b"one\ntwo\n", b"three"], ["one", "two", "three"]),
        ([b"\n", b"\n"], ["", ""]),
        (["지금 몇 시야\n".encode()[:5], "지금 몇 시야\n".encode()[5:]], ["지금 몇 시야"]),
        ([b"\xff\xfe bad\n"], ["\ufffd\ufffd bad"]),
        ([b"\x1b\n"], ["\x1b"]),
        ([], []),
    ],
)
async def test_lines_however_they_are_cut(pieces: list[bytes], want: list[str]) -> None:
    assert await lines_of(*pieces) == want


async def test_a_line_without_an_end_is_bounded() -> None:
    found = await lines_of(*[b"a" * 4_096] * 10, b"\n")
    assert [len(line) for line in found] == [LONGEST]


async def test_nothing_is_typed_where_there_is_no_input() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    os.close(reader)
    assert [line async for line in typed_lines(reader)] == []
