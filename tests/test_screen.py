"""The screen as a terminal gets it: what is drawn, when, and what is left behind."""

import asyncio
import re

import pytest

from tests.support.drawing import TURN
from tests.support.screened import desk
from tests.support.until import still, until
from voice.devices.typed import Key
from voice.protocol.captions import Caption
from voice.report import Meters

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
HOSTILE = "a\x1b[2Jb\x1b]0;owned\x07c\x9b31md\u202ee"


async def test_words_stand_at_the_bottom_and_scroll_up_when_they_are_over() -> None:
    async with desk() as at:
        at.screen.picture.state("listening")
        at.screen.picture.saying((Caption(0, "you", "what time", partial=True),))
        await at.shows("what time ...")
        at.screen.picture.result(TURN)
        await at.shows("It is half past ten in the evening.")
        at.screen.picture.state("speaking")
        await at.shows("speaking")
    seen = COLOUR.sub("", at.drawn)
    assert "you:   what time is it in Seoul\r\n" in seen and "turn 520  delta 610  sound 690 ms\r\n" in seen
    assert seen.rindex("speaking") > seen.rindex("sound 690 ms\r\n"), "the bottom is drawn again below it"


async def test_what_is_said_while_it_closes_is_on_the_terminal_when_it_has_closed() -> None:
    async with desk() as at:
        at.screen.picture.note("a note at the very end")
        at.screen.close()
    assert at.drawn.count("a note at the very end") == 1
    erased = at.drawn[at.drawn.rindex("\x1b[J") :]
    assert "> " not in erased and "\x1b[?25l" not in erased, "no line to type in, and the cursor is there"


async def test_nothing_is_drawn_while_nothing_changes_and_not_ten_times_a_second_of_the_same() -> None:
    async with desk() as at:
        at.screen.picture.state("listening")
        at.screen.picture.meters(Meters(microphone_dbfs=-30.0))
        await at.shows("listening")
        size = await still(lambda: len(at.drawn))
        for step in range(40):
            at.screen.picture.meters(Meters(microphone_dbfs=-30.0 - step / 100, buffered_ms=step))
            await asyncio.sleep(0.01)
        assert len(at.drawn) == size, "the same bars"


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (20, 24), (80, 5), (20, 5), (8, 2), (1, 1), (300, 3)])
async def test_any_size_and_another_one_in_the_midst(columns: int, rows: int) -> None:
    async with desk(columns=columns, rows=rows) as at:
        for index, words in enumerate(("hello", "안녕하세요 반갑습니다 " * 20, HOSTILE, "x" * 3_000)):
            at.screen.picture.saying((Caption(index, "you", words), Caption(index, "voice", words, True, True)))
            at.screen.picture.meters(Meters(-20.0, -20.0, 20.0, False, 300.0, index, 0, "lost", "there", True))
            at.press(words[:200])
            at.screen.picture.note(words)
            await until(lambda: not at.screen.picture.waiting)
            at.size = type(at.size)(rows=max(1, 30 - rows), columns=max(1, 100 - columns))
            at.screen._app._on_resize()
            at.screen.picture.result(TURN | {"index": index, "user_text": words})
            await until(lambda: not at.screen.picture.waiting)


async def test_what_comes_from_outside_gives_the_terminal_no_orders() -> None:
    async with desk() as at:
        before = len(at.drawn)
        at.screen.picture.note(HOSTILE)
        at.screen.picture.saying((Caption(0, "you", HOSTILE, partial=True), Caption(0, "voice", HOSTILE, True, True)))
        await at.shows("owned")
        at.screen.picture.result(TURN | {"user_text": HOSTILE, "assistant_text": HOSTILE, "status": HOSTILE})
        at.screen.picture.stray(HOSTILE)
        at.screen.picture.note("the end of it")
        await at.shows("the end of it")
        at.press(f"\x1b[200~{HOSTILE}\x1b[201~")
        await until(lambda: "owned" in at.screen.entry.buffer.text)
        assert at.screen.entry.buffer.text.isprintable()
    drawn = at.drawn[before:]
    assert "\x1b]0" not in drawn and "\x07" not in drawn and "\x9b" not in drawn and "\u202e" not in drawn
    assert "\x1b[2Jb" not in drawn


async def test_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    async def drawn() -> set[str]:
        async with desk() as at:
            at.screen.picture.result(TURN)
            at.screen.picture.state("speaking")
            await at.shows("speaking")
        codes = {code for found in COLOUR.findall(at.drawn) for code in found[2:-1].split(";")}
        return {code for code in codes if code[:1] in "349" and len(code) == 2 or len(code) == 3}

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert await drawn()
    monkeypatch.setenv("NO_COLOR", "1")
    assert await drawn() == set()


async def test_a_terminal_with_few_signs() -> None:
    async with desk(ascii_only=True) as at:
        at.screen.picture.state("listening")
        at.screen.picture.result(TURN)
        await at.shows("* listening")
        await until(lambda: "##########==--  turn 520" in COLOUR.sub("", at.drawn))
    assert at.drawn.isascii()


async def test_a_line_on_stderr_is_a_note() -> None:
    async with desk() as at:
        at.screen.stray(asyncio.get_running_loop(), "ALSA lib pcm.c: underrun\x07")
        await at.shows("ALSA lib pcm.c: underrun")
    assert "\x07" not in at.drawn


async def test_what_is_typed_is_seen_at_once_and_the_keys_are_named_before() -> None:
    async with desk() as at:
        await at.shows("quit")
        at.press("hello")
        await until(lambda: at.screen.entry.buffer.text == "hello")
        await at.shows("hello")
        at.press("\r")
        await until(lambda: at.lines == ["hello"])
        assert Key.STOP not in at.keys
