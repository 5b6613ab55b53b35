"""How old sound is when it comes, by the stream's own times or by when it comes."""

import pytest

from voice.devices.lateness import Lateness

RATE_HZ, BLOCK = 48_000, 480


def lateness(arrivals_s: list[float], ages_s: list[float | None]) -> list[float]:
    meter = Lateness(RATE_HZ)
    return [meter.push(BLOCK, now_s, age_s) for now_s, age_s in zip(arrivals_s, ages_s, strict=True)]


def test_a_stream_that_tells_is_believed() -> None:
    assert lateness([0.0, 0.01, 3.0, 3.0, 3.0], [0.02, 0.02, 3.0, 2.99, -0.1]) == [0.02, 0.02, 3.0, 2.99, 0.0]


@pytest.mark.parametrize("age_s", [None, 0.0, 7_000.0, -5.0])
def test_one_that_does_not_or_tells_nonsense_is_measured(age_s: float | None) -> None:
    steady = [100 + number * 0.01 for number in range(50)]
    burst = [103.5] * 300
    late = lateness(steady + burst, [age_s] * 350)
    assert max(late[:50]) < 0.001
    assert late[50] == pytest.approx(3.0, abs=0.02) and late[50 + 200] == pytest.approx(1.0, abs=0.15) and late[-1] < 0.1


def test_what_was_lost_on_the_way_is_forgotten() -> None:
    """1 s never came: what follows is not late for ever."""
    steady = [number * 0.01 for number in range(100)]
    behind = [steady[-1] + 1.0 + number * 0.01 for number in range(6_000)]
    late = lateness(steady + behind, [None] * 6_100)
    assert late[100] == pytest.approx(1.0, abs=0.1) and late[-1] < 0.01


def test_jitter_is_no_lateness() -> None:
    arrivals = [number * 0.01 + (0.03 if number % 7 == 3 else 0.0) for number in range(1_000)]
    assert max(lateness(arrivals, [None] * 1_000)) < 0.04
