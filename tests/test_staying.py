"""How long a conversation goes on: a microphone that nobody speaks into, and a conversation that is long enough."""

import pytest

from voice.policy.staying import FAREWELL_S, GRACE_S, SPOKEN_S, Act, Staying

Told = list[tuple[float, str]]


def acts(staying: Staying, seconds: str, muted: str = "", each_s: float = 1.0) -> Told:
    """'.' quiet, '#' somebody speaks or is answered; a second each. `muted`: 'm' where the microphone is shut. What was to be done, and when."""
    told: Told = []
    for index, sign in enumerate(seconds):
        act = staying.step(100.0 + index * each_s, sign == ".", muted[index : index + 1] == "m")
        if act is not None:
            told.append((index * each_s, act.value))
    return told


def test_never_unless_it_is_asked_for() -> None:
    assert acts(Staying(), "." * 100_000, each_s=60) == []
    assert Staying().left_s(1e9) is None


@pytest.mark.parametrize(
    ("seconds", "muted", "want"),
    [
        ("." * 10, "", []),
        ("." * 11, "", [(10.0, "mute")]),
        ("...#......." + "." * 3, "", [(13.0, "mute")]),
        ("#" * 30 + "." * 9, "", []),
        ("." * 40, "." * 11 + "m" * 29, [(10.0, "mute")]),
        ("." * 40, "." * 11 + "m" * 9 + "." * 20, [(10.0, "mute"), (29.0, "mute"), (39.0, "mute")]),
        ("." * 30, "mmmmm" + "." * 25, [(14.0, "mute"), (24.0, "mute")]),
    ],
)
def test_a_microphone_that_nobody_speaks_into_is_muted(seconds: str, muted: str, want: Told) -> None:
    assert acts(Staying(idle_mute_s=10.0), seconds, muted) == want


def test_a_key_counts_as_a_word() -> None:
    staying = Staying(idle_mute_s=10.0)
    assert acts(staying, "." * 10) == []
    staying.touched(109.5)
    assert staying.step(110.0, True, False) is None and staying.step(119.4, True, False) is None
    assert staying.step(119.5, True, False) is Act.MUTE


def spoken(staying: Staying, seconds: str) -> Told:
    """As `acts`, and the farewell is being said as soon as it is asked for."""
    told: Told = []
    for index, sign in enumerate(seconds):
        act = staying.step(float(index), sign == ".", False)
        if act is not None:
            told.append((float(index), act.value))
        if act is Act.FAREWELL:
            staying.asked()
    return told


@pytest.mark.parametrize(
    ("seconds", "want"),
    [
        # 100 s, of which the last 20 are told of: in a quiet moment if there is one by the half of them.
        ("." * 100 + "..", [(80.0, "warn"), (100.0, "farewell"), (101.0, "end")]),
        ("." * 100 + ".####..", [(80.0, "warn"), (100.0, "farewell"), (105.0, "end")]),
        ("." * 78 + "#" * 7 + "." * 17, [(85.0, "warn"), (100.0, "farewell"), (101.0, "end")]),
        ("#" * 100 + "..", [(90.0, "warn"), (100.0, "farewell"), (101.0, "end")]),
        ("." * 95 + "#" * 12 + "." * 4, [(80.0, "warn"), (107.0, "farewell"), (108.0, "end")]),
        ("#" * 135 + "..", [(90.0, "warn"), (130.0, "farewell"), (135.0, "end")]),
        ("#" * 200, [(90.0, "warn"), (130.0, "farewell"), (150.0, "end")]),
    ],
)
def test_a_conversation_ends_between_two_turns(seconds: str, want: Told) -> None:
    assert spoken(Staying(max_length_s=100.0), seconds) == want


def test_of_a_long_one_the_last_minute_is_told_of() -> None:
    staying = Staying(max_length_s=3_600.0)
    assert acts(staying, "." * 3_700) == [(3_540.0, "warn"), (3_600.0, "farewell"), (3_600.0 + SPOKEN_S, "end")]
    assert staying.left_s(100.0) == 3_600.0 and staying.left_s(4_000.0) == 0.0


def test_a_farewell_that_cannot_be_said_is_not_waited_for() -> None:
    told = acts(Staying(max_length_s=10.0), "." * 10 + "#" * 40)
    assert [act for _, act in told] == ["warn", "farewell", "end"] and told[2][0] == told[1][0] + SPOKEN_S
    assert told[1][0] <= 10.0 + GRACE_S and SPOKEN_S < FAREWELL_S


def test_nothing_is_muted_while_the_farewell_is_said() -> None:
    assert acts(Staying(1.0, 10.0), "#" * 9 + "." * 8)[-2:] == [(10.0, "farewell"), (16.0, "end")]
