"""Turns that we end ourselves: what is sent of the sound, and what the turn is."""

import numpy as np
import pytest

from tests.support.served import loud_turns, sound
from voice.audio.pcm import FRAME_SAMPLES
from voice.audio.turns import SpeechStarted, SpeechStopped
from voice.protocol.ownturns import KEPT_MS, Commit, OwnTurns, Send

WORD = "." * 30 + "#" * 20 + "." * 40


def run(pattern: str, step: int = 320) -> list[Send | Commit | SpeechStarted | SpeechStopped]:
    turns = OwnTurns(loud_turns(), 300)
    samples = sound(pattern)
    return [event for at in range(0, len(samples), step) for event in turns.push(samples[at : at + step])]


@pytest.mark.parametrize("step", [1000, 320, 77])
def test_a_turn_is_its_padding_its_speech_and_the_silence_that_ends_it(step: int) -> None:
    events = run(WORD, step)
    sent = [event for event in events if isinstance(event, Send)]
    [commit] = [event for event in events if isinstance(event, Commit)]
    [began] = [event for event in events if isinstance(event, SpeechStarted)]
    assert commit.start_ms == sent[0].start // 16 and commit.end_ms == sent[-1].start // 16 + 20
    assert began.audio_start_ms - 20 < commit.start_ms <= began.audio_start_ms and abs(commit.start_ms - 300) <= 20
    assert abs(commit.end_ms - 1500) <= 40
    samples = sound(WORD)
    assert all(np.array_equal(one.samples, samples[one.start : one.start + FRAME_SAMPLES]) for one in sent)
    assert [one.start for one in sent] == list(range(sent[0].start, sent[-1].start + 1, FRAME_SAMPLES))


def test_what_is_heard_is_told_in_its_place() -> None:
    kinds = [type(event) for event in run(WORD) if not isinstance(event, Send)]
    assert kinds == [SpeechStarted, SpeechStopped, Commit]
    assert isinstance(run(WORD)[-1], Commit), "all of the turn is sent before it is committed"


def test_silence_is_not_sent() -> None:
    assert run("." * 500) == []


def test_two_turns_share_nothing() -> None:
    events = run(WORD + WORD)
    first, second = [event for event in events if isinstance(event, Commit)]
    assert first.end_ms <= second.start_ms
    sent = [event.start for event in events if isinstance(event, Send)]
    assert len(sent) == len(set(sent))


def test_speech_at_once_has_no_padding() -> None:
    [commit] = [event for event in run(WORD[30:]) if isinstance(event, Commit)]
    assert commit.start_ms == 0


def test_little_is_kept_of_a_long_silence() -> None:
    turns = OwnTurns(loud_turns(), 300)
    for _ in range(100):
        list(turns.push(sound("." * 50)))
    [first, *_] = [event for event in turns.push(sound("#" * 10)) if isinstance(event, Send)]
    assert 100_000 - (KEPT_MS + 300) <= first.start // 16 <= 100_000 - 280
