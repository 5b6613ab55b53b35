"""The line and the keys of the screen, through prompt_toolkit's own parser of a terminal's bytes."""

import asyncio
import signal

import pytest

from tests.support.screened import desk
from tests.support.until import until
from voice.devices.typed import LONGEST, Key
from voice.report import Meters
from voice.terminal.entry import WAITING

ESCAPE, UP, LEFT, BACKSPACE = "\x1b", "\x1b[A", "\x1b[D", "\x7f"
PASTE = "\x1b[200~{}\x1b[201~"


@pytest.mark.parametrize(
    ("typed", "want"),
    [
        ("hello there\r", "hello there"),
        ("  question\r", "question"),
        ("my name\r", "my name"),
        ("quit\r", "quit"),
        ("지금 몇 시야\r", "지금 몇 시야"),
        (f"helo{LEFT}l\r", "hello"),
        (f"hellox{BACKSPACE}\r", "hello"),
        (PASTE.format("one\ntwo\r\nthree\x1b[31m") + "\r", "one two  three [31m"),
        (PASTE.format("q") + "\r", "q"),
        (PASTE.format("x" * 3 * LONGEST) + "\r", "x" * LONGEST),
    ],
)
async def test_a_line_is_what_was_typed_or_pasted(typed: str, want: str) -> None:
    async with desk() as at:
        at.press(typed)
        await until(lambda: at.lines)
        assert at.lines == [want]
        assert Key.END not in at.keys and at.keys.count(Key.MUTE) % 2 == 0


@pytest.mark.parametrize(
    ("pressed", "want"),
    [(ESCAPE, Key.STOP), ("\r", Key.STOP), (" ", Key.TALK), ("m", Key.MUTE), ("q", Key.END), ("q\r", Key.END), ("\x04", Key.END)],
)
async def test_a_key_on_an_empty_line(pressed: str, want: Key) -> None:
    async with desk() as at:
        at.press(pressed)
        await until(lambda: at.keys)
        assert at.keys == [want] and at.lines == []


async def test_enter_is_the_key_of_push_to_talk() -> None:
    async with desk(push_to_talk=True) as at:
        at.press("\r")
        await until(lambda: at.keys)
        assert at.keys == [Key.TALK]


async def test_escape_interrupts_and_leaves_the_line_alone() -> None:
    async with desk() as at:
        at.press("not yet")
        await at.shows("not yet")
        at.press(ESCAPE)
        await until(lambda: at.keys)
        at.press("!\r")
        await until(lambda: at.lines)
        assert (at.keys, at.lines) == ([Key.STOP], ["not yet!"])


async def test_an_arrow_is_no_escape_and_brings_back_the_line_before() -> None:
    async with desk() as at:
        at.press("again\r")
        await until(lambda: at.lines)
        while at.screen.entry.buffer.text != "again":
            at.press(UP)  # prompt_toolkit knows the line before once it has drawn the empty one
            await asyncio.sleep(0.01)
        at.press("\r")
        await until(lambda: len(at.lines) == 2)
        assert at.lines == ["again", "again"] and at.keys == []


async def test_who_is_muted_is_not_heard_for_typing_a_word() -> None:
    async with desk() as at:
        at.screen.picture.meters(Meters(muted=True))
        at.press("make\r")
        await until(lambda: at.lines)
        assert at.lines == ["make"] and at.keys == []


async def test_lines_that_nobody_takes_stay_where_they_were_typed() -> None:
    async with desk() as at:
        entry = at.screen.entry
        for _ in range(WAITING):
            entry._lines.put_nowait("before")
        entry.buffer.insert_text("one more")
        entry._enter(None)  # type: ignore[arg-type]
        assert entry.buffer.text == "one more"


async def test_ctrl_c_is_the_signal_that_it_always_is() -> None:
    got: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: got.append(number))
    try:
        async with desk() as at:
            at.press("\x03")
            await until(lambda: got)
    finally:
        signal.signal(signal.SIGINT, before)
    assert got == [signal.SIGINT]


async def test_a_keyboard_that_has_gone_ends_the_conversation() -> None:
    async with desk() as at:
        at.keyboard.close()
        await until(lambda: at.keys)
        assert at.keys == [Key.END]
