"""Keys that mean one thing alone and another in a word; a space bar that is tapped or held. As tables of what comes when."""

import pytest

from voice.devices.typed import Key
from voice.terminal.keys import Keys, Seen

TALK, MUTE, END = Key.TALK, Key.MUTE, Key.END
NOTHING = Seen()


def play(keys: Keys, *steps: tuple[float, str], seen: Seen = NOTHING) -> list[Key | str]:
    """Press keys at their times, with time passing between them: what was to be done. The line is what was typed into it."""
    done: list[Key | str] = []
    for at, key in steps:
        while (due := keys.deadline()) is not None and due < at:
            done += keys.tick(due)
        typed = seen.typed or any(isinstance(one, str) for one in done)
        match key:
            case "enter":
                done += keys.enter(at)
            case "left":
                done += keys.edit(at)
            case "end of time":
                done += keys.tick(at)
            case _:
                done += keys.press(key, at, Seen(typed, seen.muted, seen.talking))
    return done


LATER = (9.0, "end of time")


@pytest.mark.parametrize(
    ("steps", "want"),
    [
        (((0.0, "m"), LATER), [MUTE]),
        (((0.0, "m"), (0.2, "y"), (0.4, " "), LATER), [MUTE, MUTE, "m", "y", " "]),
        (((0.0, "m"), (0.5, "y"), LATER), [MUTE, "y"]),
        (((0.0, "m"), (0.2, "m"), LATER), [MUTE, MUTE]),
        (((0.0, "m"), (0.2, "left"), (0.3, "y")), [MUTE, "y"]),
        (((0.0, "m"), (0.2, "enter"), LATER), [MUTE]),
        (((0.0, "q"), (0.39, "end of time")), []),
        (((0.0, "q"), (0.4, "end of time")), [END]),
        (((0.0, "q"), (0.2, "u"), (0.3, "i"), LATER), ["q", "u", "i"]),
        (((0.0, "q"), (0.1, "enter")), [END]),
        (((0.0, "q"), (0.1, "q")), [END]),
        (((0.0, "q"), (0.1, "left"), LATER), []),
        (((0.0, "q"), (0.1, "m")), [END]),
        (((0.0, "m"), (0.1, "q"), LATER), [MUTE, END]),
        (((0.0, "m"), (0.1, " "), LATER), [MUTE, TALK]),
        (((0.0, "m"), (0.1, "q"), (0.2, "u"), LATER), [MUTE, "q", "u"]),
        (((0.0, "x"), (0.1, "m"), (0.2, "q"), (0.3, " "), LATER), ["x", "m", "q", " "]),
        (((0.0, "한"), (0.1, "q"), LATER), ["한", "q"]),
        (((0.0, "M"), (0.9, "Q")), ["M", "Q"]),
    ],
)
def test_a_letter_alone_is_a_command_and_in_a_word_a_letter(steps: tuple[tuple[float, str], ...], want: list[Key | str]) -> None:
    assert play(Keys(), *steps) == want


def test_a_microphone_that_is_shut_is_not_opened_for_a_word() -> None:
    muted = Seen(muted=True)
    assert play(Keys(), (0.0, "m"), (0.2, "y"), LATER, seen=muted) == ["m", "y"]
    assert play(Keys(), (0.0, "m"), (0.39, "end of time"), seen=muted) == []
    assert play(Keys(), (0.0, "m"), LATER, seen=muted) == [MUTE]
    assert play(Keys(), (0.0, "m"), (0.1, "left"), seen=muted) == [MUTE]


def test_pasted_text_is_text() -> None:
    keys = Keys()
    assert keys.press("q", 0.0, Seen()) == []
    assert keys.paste("uit", 0.1) == ["q", "uit"]
    assert keys.paste("m", 5.0) == ["m"] and keys.deadline() is None


def held(from_s: float, to_s: float, delay_s: float, every_s: float) -> list[tuple[float, str]]:
    """A space bar that is held: one, and after a delay the repeats."""
    steps, at = [(from_s, " ")], from_s + delay_s
    while at < to_s:
        steps.append((at, " "))
        at += every_s
    return steps


@pytest.mark.parametrize(("delay_s", "every_s"), [(0.25, 0.092), (0.5, 0.033), (0.66, 0.04), (0.225, 0.03)])
def test_a_space_bar_that_is_held_talks_while_it_is_held(delay_s: float, every_s: float) -> None:
    keys, steps = Keys(push_to_talk=True), held(1.0, 3.0, delay_s, every_s)
    assert play(keys, *steps) == [TALK], "open from the first moment on, and not shut by a repeat"
    released = keys.deadline()
    assert released is not None and 0.0 < released - 3.0 <= 0.25
    assert keys.tick(released) == [TALK] and keys.deadline() is None


@pytest.mark.parametrize(("delay_s", "every_s"), [(0.25, 0.092), (0.66, 0.04)])
def test_a_space_bar_that_is_held_to_shut_the_microphone_does_not_open_it_again(delay_s: float, every_s: float) -> None:
    steps = held(1.0, 3.0, delay_s, every_s)
    assert play(Keys(push_to_talk=True), *steps, LATER, seen=Seen(talking=True)) == [TALK]


@pytest.mark.parametrize("gap_s", [0.2, 0.4, 0.7, 0.99, 1.5, 6.0])
def test_a_space_bar_that_is_tapped_opens_and_shuts(gap_s: float) -> None:
    keys = Keys(push_to_talk=True)
    assert keys.press(" ", 1.0, Seen()) == [TALK]
    done = keys.press(" ", 1.0 + gap_s, Seen(talking=True))
    done += keys.tick(1.0 + gap_s + 0.12)
    assert done == [TALK] and keys.deadline() is None
    assert keys.press(" ", 20.0, Seen()) == [TALK]


def test_three_taps_are_three_taps() -> None:
    keys = Keys(push_to_talk=True)
    assert play(keys, (0.0, " "), (0.3, " "), (0.6, " "), LATER) == [TALK] * 3


def test_without_push_to_talk_a_held_space_bar_asks_once_for_the_floor() -> None:
    assert play(Keys(), *held(1.0, 3.0, 0.5, 0.033), LATER) == [TALK]


def test_a_space_in_a_line_is_a_space() -> None:
    assert play(Keys(push_to_talk=True), (0.0, " "), (0.1, " "), seen=Seen(typed=True)) == [" ", " "]
