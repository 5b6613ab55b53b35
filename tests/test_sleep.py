"""Two clocks tell whether the machine has slept."""

import pytest

from voice.policy.sleep import LATE_S, SLEPT_S, SleepWatch


@pytest.mark.parametrize(
    ("looks", "slept"),
    [
        ([(0, 0), (1, 1), (2, 2)], [False, False, False]),
        ([(5, 100), (6, 101)], [False, False]),
        ([(0, 0), (0.1, 3600.1), (1.1, 3601.1)], [False, True, False]),
        ([(0, 0), (0.1, 0.1 + SLEPT_S * 1.5), (0.2, 0.2 + SLEPT_S * 1.5)], [False, True, False]),
        ([(0, 0), (1.0, 1.0 + SLEPT_S / 2)], [False, False]),
        ([(0, 0), (LATE_S / 2, LATE_S / 2)], [False, False]),
        ([(0, 0), (LATE_S * 2, LATE_S * 2), (LATE_S * 2 + 1, LATE_S * 2 + 1)], [False, True, False]),
        ([(0, 1_000), (1, 400)], [False, False]),
    ],
)
def test_the_machine_has_slept(looks: list[tuple[float, float]], slept: list[bool]) -> None:
    watch = SleepWatch()
    assert [watch.look(waking_s, always_s) for waking_s, always_s in looks] == slept
