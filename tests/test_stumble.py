"""When a stream is started again, by its callbacks' clocks."""

import pytest

from voice.devices.stumble import LATER_S, MOST_WINDOWS, SPIN, WINDOW, WINDOWS, Stumble

BLOCK_S = 0.01


def restarts(windows: str, heals: bool = True) -> list[int]:
    """The windows behind which it was started again. `.` well, `s` spinning, `l` late; what was late is not when it has been started again."""
    stumble, busy_s, found, healed = Stumble(BLOCK_S), 0.0, [], False
    for number, kind in enumerate(windows):
        for _ in range(WINDOW):
            busy_s += BLOCK_S * (SPIN * 1.5 if kind == "s" else SPIN / 3)
            stumble.after(busy_s, 0.02 + (LATER_S * 1.5 if kind == "l" and not healed else 0.0))
            if stumble.down:
                found.append(number)
                stumble.again()
                healed = heals
    return found


@pytest.mark.parametrize(
    ("windows", "want"),
    [
        ("........", []),
        (".s.s.s.s", []),
        (".l.l.l.l", []),
        (".ss", [2]),
        (".ss.ss", [2, 5]),
        ("..ll....", [3]),
        ("..sl", [3]),
        ("ssssssssssssss", [1, 5, 13]),
        ("ssss.ss", [1, 6]),
    ],
)
def test_what_lasts_is_started_again_and_ever_more_rarely_what_that_does_not_mend(windows: str, want: list[int]) -> None:
    assert restarts(windows) == want


def test_a_device_that_is_late_from_the_beginning_is_just_so() -> None:
    stumble = Stumble(BLOCK_S)
    for _ in range(20 * WINDOW):
        stumble.after(0.0, 0.4)
    assert not stumble.down


def test_what_is_late_after_a_start_is_the_new_measure() -> None:
    assert restarts("." + "l" * 20, heals=False) == [2]


def test_one_sound_that_is_not_late_clears_its_window() -> None:
    stumble = Stumble(BLOCK_S)
    for count in range(10 * WINDOW):
        stumble.after(0.0, 0.02 if count % WINDOW == 7 else 0.5)
    assert not stumble.down


def test_a_loudspeaker_alone_can_only_spin() -> None:
    stumble = Stumble(BLOCK_S)
    for _ in range(5 * WINDOW):
        stumble.after(0.0, None)
    assert not stumble.down
    for count in range(WINDOWS * WINDOW):
        stumble.after(count * BLOCK_S, None)
    assert stumble.down


def test_it_goes_on_being_tried() -> None:
    found = restarts("s" * 5 * MOST_WINDOWS)
    assert max(later - earlier for earlier, later in zip(found, found[1:], strict=False)) == MOST_WINDOWS
