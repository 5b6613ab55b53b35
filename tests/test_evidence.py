"""What evidence an interruption needs: never less where there is more echo, and none is enough where the answer would interrupt itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice.audio.echo import EchoReading
from voice.audio.evidence import INAUDIBLE_DBFS, LEAST_MS, NEW_MS, ROWS, needed_by, needed_speech_ms

levels = st.floats(-100.0, 0.0)
gains = st.floats(0.0, 40.0)
ages = st.floats(0.0, 10_000.0)


@pytest.mark.parametrize(
    ("level_db", "erle_db", "age_ms", "headphones", "want_ms"),
    [
        (-10.0, 0.0, 0, True, LEAST_MS),  # somebody says so
        (-100.0, 0.0, 0, False, math.inf),  # nothing is known yet, and no canceller
        (-100.0, 0.0, NEW_MS, False, LEAST_MS),  # a headset, as has been measured
        (INAUDIBLE_DBFS, 0.0, NEW_MS, False, math.inf),
        (-26.0, 0.0, 60_000, False, math.inf),  # loudspeakers, and no canceller
        (-26.0, 35.0, 60_000, False, LEAST_MS),  # loudspeakers with one
        (-60.0, 10.0, 60_000, False, LEAST_MS),  # little of a quiet echo is left
        (-26.0, 35.0, 0, False, 400.0),  # it has only begun
    ],
)
def test_rows(level_db: float, erle_db: float, age_ms: float, headphones: bool, want_ms: float) -> None:
    assert needed_speech_ms(level_db, erle_db, age_ms, headphones) == want_ms


@given(levels, levels, gains, gains, ages, ages, st.booleans(), st.booleans())
def test_more_echo_never_needs_less(
    level_a: float, level_b: float, erle_a: float, erle_b: float, age_a: float, age_b: float, phones_a: bool, phones_b: bool
) -> None:
    better = needed_speech_ms(min(level_a, level_b), max(erle_a, erle_b), max(age_a, age_b), phones_a or phones_b)
    worse = needed_speech_ms(max(level_a, level_b), min(erle_a, erle_b), min(age_a, age_b), phones_a and phones_b)
    assert LEAST_MS <= better <= worse


def test_the_table_is_in_order_and_complete() -> None:
    assert [row.erle_db for row in ROWS] == sorted((row.erle_db for row in ROWS), reverse=True)
    assert ROWS[-1].erle_db == -math.inf and all(row.needed_ms <= row.needed_new_ms for row in ROWS)


def test_what_a_meter_reads() -> None:
    assert needed_by(None, headphones=False) == LEAST_MS, "a file hears no loudspeaker"
    good = EchoReading(-26.0, 35.0, False, True, 5_000)
    assert needed_by(good, headphones=False) == LEAST_MS
    unsettled = EchoReading(-26.0, 35.0, False, False, 5_000)
    assert needed_by(unsettled, headphones=False) == 400.0, "nothing has been measured for long enough: as at the beginning"
    assert needed_by(EchoReading(), headphones=True) == LEAST_MS
