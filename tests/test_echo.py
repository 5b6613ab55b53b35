"""The meter of the echo against the truth: rooms whose echo and talker are known apart, and cancellers that take away a known part."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.rooms import Room, mixed
from tests.support.signals import speech_like
from voice.audio.echo import EchoMeter, EchoReading
from voice.audio.edges import highpass
from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, SILENT_DBFS, Samples, clip_int16, dbfs, silence

ROOM = Room()
ROOMS = (
    ROOM,
    Room(delay_ms=20, rt60_ms=150),
    Room(delay_ms=200, rt60_ms=800),
    Room(delay_ms=400, rt60_ms=300, clip_db=6.0),
    Room(drift_ppm=100.0),
    Room(gain_db=-25.0),
    Room(gain_db=6.0),
    Room(noise_dbfs=-45.0),
)


def talk(seconds: int, level_dbfs: float, seed: int) -> Samples:
    """Words of 0.2 to 0.6 s, each louder or softer and higher or lower than the one before, with pauses."""
    rng = np.random.default_rng(seed)
    pieces: list[Samples] = []
    while sum(map(len, pieces)) < seconds * RATE_HZ:
        word = speech_like(int(rng.integers(10, 30)) * 20, level_dbfs + float(rng.normal(0, 3)), float(rng.uniform(90, 220)))
        pieces += [word, silence(int(rng.integers(3, 25)) * 20)]
    return np.concatenate(pieces)[: seconds * RATE_HZ]


def level(sound: Samples) -> float:
    """As the meter takes it: above the hum."""
    return dbfs(clip_int16(highpass(sound)))


def scaled(sound: Samples, gain_db: float) -> Samples:
    return clip_int16(sound * 10 ** (gain_db / 20))


def readings(meter: EchoMeter, captured: Samples, processed: Samples, played: Samples) -> list[EchoReading]:
    """One a frame."""
    found = []
    for at in range(0, len(played) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        frame = slice(at, at + FRAME_SAMPLES)
        meter.push(captured[frame], processed[frame], played[frame])
        found.append(meter.reading)
    return found


def heard(room: Room, played: Samples, erle_db: float, near: Samples | None = None) -> tuple[Samples, Samples]:
    """The microphone's sound, before and after a canceller that takes away so much of the echo and leaves the talker."""
    echo, rest = room.echo(played), [room.noise(len(played))]
    rest += [] if near is None else [near]
    return mixed(echo, *rest), mixed(scaled(echo, -erle_db), *rest)


@pytest.mark.parametrize("room", ROOMS, ids=str)
@pytest.mark.parametrize("erle_db", [0.0, 10.0, 20.0, 35.0])
def test_level_and_gain_are_those_of_the_room(room: Room, erle_db: float) -> None:
    played = talk(8, -20.0, 1)
    captured, processed = heard(room, played, erle_db)
    last = readings(EchoMeter(), captured, processed, played)[-1]
    assert last.settled and last.played_ms > 4_000
    assert last.level_db == pytest.approx(level(room.echo(played)), abs=4.0)
    # What is left of it under the noise cannot be measured.
    most_db = level(room.echo(played)) - room.noise_dbfs + 6
    assert last.erle_db == pytest.approx(min(erle_db, most_db), abs=3.0) or most_db < erle_db


@pytest.mark.parametrize("room", ROOMS[:6], ids=str)
@pytest.mark.parametrize("erle_db", [0.0, 12.0, 25.0])
def test_a_talker_does_not_change_what_is_known_of_the_canceller(room: Room, erle_db: float) -> None:
    """Six seconds of talk over an answer, at the echo's level and far over it."""
    played = talk(12, -20.0, 1)
    for near_dbfs in (-26.0, -16.0):
        near = np.concatenate([silence(4_000), talk(6, near_dbfs, 2), silence(2_000)])
        found = readings(EchoMeter(), *heard(room, played, erle_db, near), played)
        # A remainder as loud as that of 12 dB hides the soft words of a talker.
        assert all(abs(each.erle_db - erle_db) < (4.0 if erle_db >= 25.0 else 8.0) for each in found[200:])
        assert found[-1].level_db == pytest.approx(level(room.echo(played)), abs=6.0)
        talking = [dbfs(near[number * 320 : number * 320 + 320]) > near_dbfs - 6 for number in range(len(found))]
        told = [each.double_talk for each in found]
        assert sum(each for each, is_so in zip(told[200:], talking[200:], strict=True) if not is_so) < 0.12 * 400
        if erle_db >= 12.0 or near_dbfs > level(room.echo(played)) + 9:
            assert sum(each for each, is_so in zip(told, talking, strict=True) if is_so) > 0.4 * sum(talking)


def test_nothing_is_learnt_while_nothing_is_played() -> None:
    played = talk(6, -20.0, 1)
    meter = EchoMeter()
    before = readings(meter, *heard(ROOM, played, 20.0), played)[-1]
    near = talk(10, -20.0, 3)
    quiet = silence(10_000)
    after = readings(meter, mixed(near, ROOM.noise(len(near))), near, quiet)[-1]
    assert (after.level_db, after.erle_db, after.settled, after.played_ms) == (before.level_db, before.erle_db, True, before.played_ms)
    assert not after.double_talk


def test_a_canceller_that_loses_the_room_is_found_out() -> None:
    played = talk(14, -20.0, 1)
    echo, noise, turn = ROOM.echo(played), ROOM.noise(len(played)), 6 * RATE_HZ
    left = np.concatenate([scaled(echo[:turn], -30.0), scaled(echo[turn:], -4.0)])
    found = readings(EchoMeter(), mixed(echo, noise), mixed(left, noise), played)
    assert found[299].erle_db == pytest.approx(30.0, abs=3.0)
    assert found[300 + 300].erle_db < 8.0


def test_a_volume_that_is_turned_up_is_found_out() -> None:
    """From inaudible to loud, with no canceller: what comes back is no talker."""
    played = talk(16, -20.0, 1)
    turn = 6 * RATE_HZ
    echo = ROOM.echo(played)
    captured = mixed(np.concatenate([scaled(echo[:turn], -60.0), echo[turn:]]), ROOM.noise(len(played)))
    found = readings(EchoMeter(), captured, captured, played)
    assert found[299].settled and found[299].level_db == SILENT_DBFS
    assert found[300 + 350].level_db == pytest.approx(level(echo), abs=6.0) and found[-1].settled


def test_a_headset_is_found_out_after_a_second_and_a_half() -> None:
    played = talk(6, -20.0, 1)
    captured, processed = heard(replace(ROOM, gain_db=-70.0), played, 0.0)
    found = readings(EchoMeter(), captured, processed, played)
    first = next(number for number, each in enumerate(found) if each.settled)
    assert 75 <= first <= 200 and all(each.level_db == SILENT_DBFS for each in found[first:])


@pytest.mark.parametrize("gain_db", [-70.0, -55.0])
@pytest.mark.parametrize("begin_ms", range(4_800, 5_800, 200))
def test_who_stops_an_answer_in_a_headset_does_not_make_it_a_loudspeaker(gain_db: float, begin_ms: int) -> None:
    """Without a canceller: he talks on when the answer has stopped, and the next one begins."""
    played = np.concatenate([talk(6, -20.0, 1)[: -RATE_HZ // 2], speech_like(500, -57.0), silence(4_000), talk(6, -20.0, 4)])
    near = np.concatenate([silence(begin_ms), talk(3, -20.0, 2), silence(13_000 - begin_ms)])
    captured, processed = heard(replace(ROOM, gain_db=gain_db), played, 0.0, near)
    found = readings(EchoMeter(), captured, processed, played)
    first = next(number for number, each in enumerate(found) if each.settled)
    assert first <= 150 and all(each.settled and each.level_db == SILENT_DBFS for each in found[first:])


def test_before_anything_is_played_nothing_is_known() -> None:
    meter = EchoMeter()
    assert meter.reading == EchoReading()
    found = readings(meter, talk(2, -20.0, 1), talk(2, -20.0, 1), silence(2_000))
    assert found[-1] == EchoReading()


def test_extremes_do_no_harm() -> None:
    meter = EchoMeter()
    loud = np.full(RATE_HZ, -32_768, np.int16)
    for captured, processed, played in (
        (loud, loud, loud),
        (silence(1_000), loud, loud),
        (loud, silence(1_000), loud),
        (loud, loud, silence(1_000)),
    ):
        for each in readings(meter, captured, processed, played):
            assert SILENT_DBFS <= each.level_db <= 0.1 and 0.0 <= each.erle_db <= 40.0
