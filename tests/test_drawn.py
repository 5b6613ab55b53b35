"""How a conversation looks, as strings: what a terminal of so many columns and rows shows."""

import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.drawing import TURN, text
from voice.printing import width
from voice.protocol.captions import NO_TURN, Caption
from voice.protocol.floor import State
from voice.report import Meters
from voice.terminal import drawn
from voice.terminal.drawn import (
    PLAIN,
    SIGNS,
    STYLES,
    Line,
    View,
    bar,
    hint_line,
    note_lines,
    spoken,
    status_lines,
    summary_line,
    turn_lines,
    waterfall_lines,
)

HOSTILE = "a\x1b[2J\x1b]0;owned\x07b\x9b31m\u202ec\r\nd\x00\u2028e\ud800"


@pytest.mark.parametrize(
    ("columns", "want"),
    [
        (
            80,
            [
                "",
                "you:   what time is it in Seoul",
                "voice: It is half past ten in the evening.",
                "       ▮▮▮▮▮▮▮▮▮▮▪▪▫▫  turn 520  delta 610  sound 690 ms",
            ],
        ),
        (
            40,
            [
                "",
                "you:   what time is it in Seoul",
                "voice: It is half past ten in the",
                "       evening.",
                "       ▮▮▮▮▮▮▮▮▮▮▪▪▫▫ 690 ms",
            ],
        ),
        (20, ["", "you: what time is it", "in Seoul", "voice: It is half", "past ten in the", "evening.", "▮▮▮▮▮▮▮▮▮▮▪▫▫ 690 ms"]),
    ],
)
def test_a_turn(columns: int, want: list[str]) -> None:
    assert text(turn_lines(TURN, (), columns)) == want


@pytest.mark.parametrize(
    ("changes", "heard", "want"),
    [
        ({}, None, ["you:   what time is it in Seoul", "voice: It is half past ten in the evening."]),
        (
            {"heard_ms": 900, "status": "cancelled"},
            Caption(0, "voice", "It is half", True, True, True),
            ["you:   what time is it in Seoul", "voice: It is half (interrupted at 0.9 of 2.0 s, words estimated)"],
        ),
        (
            {"heard_ms": 900},
            Caption(0, "voice", "It is half", True, False, True),
            ["you:   what time is it in Seoul", "voice: It is half (interrupted at 0.9 of 2.0 s)"],
        ),
        (
            {"heard_ms": 0, "status": "cancelled"},
            Caption(0, "voice", "", True, False, True),
            ["you:   what time is it in Seoul", "voice: (interrupted at 0.0 of 2.0 s)"],
        ),
        (
            {"heard_ms": 0, "reply_ms": 0, "status": "cancelled", "assistant_text": ""},
            None,
            ["you:   what time is it in Seoul", "voice: (interrupted)"],
        ),
        (
            {"heard_ms": 0, "reply_ms": 0, "status": "no_reply", "assistant_text": ""},
            None,
            ["you:   what time is it in Seoul", "voice: (no reply)"],
        ),
        (
            {"heard_ms": 0, "reply_ms": 0, "status": "failed", "assistant_text": ""},
            None,
            ["you:   what time is it in Seoul", "voice: (failed)"],
        ),
        ({"user_text": ""}, None, ["voice: It is half past ten in the evening."]),
        ({"user_text": "", "assistant_text": "", "reply_ms": 0, "heard_ms": 0}, None, []),
        (
            {"index": 1},
            Caption(0, "voice", "Of another turn."),
            ["you:   what time is it in Seoul", "voice: It is half past ten in the evening."],
        ),
    ],
)
def test_what_was_heard_of_a_turn(changes: dict[str, object], heard: Caption | None, want: list[str]) -> None:
    turn = TURN | {"waterfall": {"turn_ms": None, "delta_ms": None, "sound_ms": None}} | changes
    assert text(turn_lines(turn, (heard,) if heard else (), 80))[1:] == want


@pytest.mark.parametrize(
    ("times", "columns", "want"),
    [
        ((500, 600, 700), 80, ["       ▮▮▮▮▮▮▮▮▮▮▪▪▫▫  turn 500  delta 600  sound 700 ms"]),
        ((500, 600, 8_000), 80, ["       ▮▮▪" + "▫" * 34 + "  turn 500  delta 600  sound 8000 ms"]),
        ((None, 600, 700), 80, ["       ▪▪▪▪▪▪▪▪▪▪▪▪▫▫  delta 600  sound 700 ms"]),
        ((500, 450, 430), 80, ["       ▮▮▮▮▮▮▮▮▮  turn 500  delta 450  sound 430 ms"]),
        ((-20, -10, 5), 80, ["         turn -20  delta -10  sound 5 ms"]),
        ((500, 600, None), 80, []),
        ((500, 600, 700), 10, ["▮▮▪ 700 ms"]),
        ((500, 600, 700), 3, ["▮ 700 ms"]),
    ],
)
def test_a_waterfall(times: tuple[int | None, ...], columns: int, want: list[str]) -> None:
    assert text(waterfall_lines(dict(zip(("turn_ms", "delta_ms", "sound_ms"), times, strict=True)), columns)) == want


SPEAKING = View(
    "speaking",
    (Caption(1, "you", "tell me a story"), Caption(1, "voice", "Once upon a time there was a king who had three daughters.", True, True)),
    Meters(-30.0, -20.0, erle_db=34.2, needed_ms=300.0, recording="there"),
)


@pytest.mark.parametrize(
    ("columns", "rows", "want"),
    [
        (
            80,
            10,
            [
                "╌" * 48,
                "you:   tell me a story",
                "voice: Once upon a time there was a king who had three daughters.",
                "",
                "▸ speaking      ◉ recording  mic ▮▮▮▮▮▯▯▯  out ▮▮▮▮▮▮▯▯  echo -34 dB",
                "words estimated  stops on 300 ms of speech  link up  0 underruns",
            ],
        ),
        (
            40,
            4,
            [
                "you:   tell me a story",
                "voice: Once upon a time there was a king",
                "       who had three daughters.",
                "▸ speaking      ◉ recording  echo -34 dB",
            ],
        ),
        (20, 4, ["you: tell me a story", "voice: ... king who", "had three daughters.", "▸ speaking  link up"]),
        (20, 1, ["▸ speaking  link up"]),
        (20, 0, []),
    ],
)
def test_what_stands_at_the_bottom(columns: int, rows: int, want: list[str]) -> None:
    assert text(status_lines(SPEAKING, columns, rows)) == want


def test_a_state_that_is_too_long_is_cut() -> None:
    assert text(status_lines(View("speaking"), 6, 1)) == ["▸ spea"]


@pytest.mark.parametrize(
    ("meters", "says", "not_said"),
    [
        (Meters(), "0 underruns", "half-duplex"),
        (Meters(underruns=1), "1 underrun ", "0 underruns"),
        (Meters(half_duplex=True, erle_db=30.0), "half-duplex", "echo"),
        (Meters(needed_ms=math.inf), "half-duplex", "stops on"),
        (Meters(link="lost"), "link lost", "link up"),
        (Meters(recording="dir"), "recording", "dir"),
        (Meters(muted=True), "muted", "recording"),
        (Meters(erle_db=-3.0), "echo -0 dB", "half-duplex"),
    ],
)
def test_what_is_said_of_the_moment(meters: Meters, says: str, not_said: str) -> None:
    lines = " ".join(text(status_lines(View("speaking", (), meters), 200, 4))) + " "
    assert says in lines and not_said not in lines


def test_every_state_has_a_sign_a_word_and_a_style() -> None:
    for state in State:
        assert text(status_lines(View(state.value), 80, 3))[-1].startswith(f"{SIGNS[state.value]} {state.value}")
        assert state.value in STYLES
    assert len(set(SIGNS.values())) == len(SIGNS), "not by colour alone"


@pytest.mark.parametrize(("level", "full"), [(None, 0), (-100.0, 0), (-60.0, 0), (-59.0, 1), (-33.0, 4), (-6.0, 8), (0.0, 8)])
def test_a_level(level: float | None, full: int) -> None:
    assert bar(level) == "▮" * full + "▯" * (8 - full)


def test_words_while_the_user_speaks_are_not_over() -> None:
    view = View("listening", (Caption(NO_TURN, "you", "what ti", partial=True),))
    assert text(status_lines(view, 60, 3))[0] == "you:   what ti ..."
    assert view.told(5) == view, "they belong to no turn yet"
    assert SPEAKING.told(1).captions == () and SPEAKING.told(0) == SPEAKING


def test_what_the_keys_do() -> None:
    assert text([hint_line(View(), 80)]) == ["space talk  m mute  esc stop  q quit"]
    assert text([hint_line(View(meters=Meters(muted=True)), 80)]) == ["space talk  m open  esc stop  q quit"]
    assert text([hint_line(View(), 24)]) == ["space talk  m mute"] and hint_line(View(), 4) == []


def test_the_end() -> None:
    assert summary_line({"turns": 1, "reconnects": 0, "audio_in_ms": 2_500}) == "1 turn, 2.5 s of sound"
    assert summary_line({"turns": 2, "reconnects": 1, "audio_in_ms": 60_000}) == "2 turns, 60.0 s of sound, 1 reconnect"


def test_our_own_signs_are_one_column_wide_on_every_terminal_and_have_a_plain_form() -> None:
    """Where East Asian characters are usual, terminals may show ambiguous ones as two columns."""
    signs = {*SIGNS.values(), *(getattr(drawn, name) for name in ("FULL", "EMPTY", "TURN", "DELTA", "SOUND", "RECORDING", "RULE"))}
    assert {unicodedata.east_asian_width(sign) for sign in signs} == {"N"}
    assert all(sign.translate(PLAIN).isascii() for sign in signs)


def everything(said: str, columns: int, rows: int) -> dict[str, list[Line]]:
    """All that can be drawn of some words."""
    captions = (Caption(0, "you", said, partial=True), Caption(0, "voice", said, True, True, True))
    turn: dict[str, Any] = TURN | {"user_text": said, "assistant_text": said, "heard_ms": 900, "status": f"cancelled {said}"}
    view = View("speaking", captions, Meters(-20.0, -30.0, 12.0, False, 250.0, 3, 80, "lost", said, True))
    return {
        "turn": turn_lines(turn, (captions[1],), columns),
        "note": note_lines(said, columns),
        "status": status_lines(view, columns, rows),
        "hint": [hint_line(view, columns)],
        "spoken": spoken("voice", said, columns, "(estimated)"),
    }


@given(
    st.text(max_size=80) | st.text(alphabet="ab 한국어字\u0301😀\x1b\r", max_size=200),
    st.integers(8, 100),
    st.integers(1, 30),
)
def test_nothing_is_too_wide_too_high_or_obeyed(said: str, columns: int, rows: int) -> None:
    for name, lines in everything(said, columns, rows).items():
        for line in lines:
            shown = "".join(piece for _, piece in line)
            assert width(shown) <= columns, (name, shown)
            assert shown.replace("\u2007", " ").isprintable(), (name, shown)
            assert {style for style, _ in line} <= {"", *STYLES}
        if name == "status":
            assert 1 <= len(lines) <= rows


def test_what_a_terminal_would_obey_is_not_drawn() -> None:
    for name, lines in everything(HOSTILE, 80, 10).items():
        shown = "".join(text(lines))
        assert shown.isprintable() and "\x1b" not in shown and "\u202e" not in shown, name
        assert name in ("status", "hint") or "owned" in shown
