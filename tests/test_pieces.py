"""Raw chunks and marks become pieces with word times; silence is cut and made."""

import numpy as np
import pytest

from voice.audio.pcm import Samples
from voice.engines.base import Speech
from voice.engines.pieces import Pieces, ReadWord

RATE = 1000  # a sample a millisecond
LOUD = 5000
WORDS = (ReadWord(0, "one"), ReadWord(4, "two"), ReadWord(8, "three"))


def drawn(picture: str) -> Samples:
    """Ten milliseconds a character: "#" is speech, "." is silence."""
    return np.repeat(np.array([LOUD if c == "#" else 0 for c in picture], np.int16), 10)


def picture(speeches: list[Speech]) -> str:
    samples = np.concatenate([np.zeros(0, np.int16), *(speech.samples for speech in speeches)])
    return "".join("#" if samples[n] else "." for n in range(5, len(samples), 10))


def times(speeches: list[Speech]) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for speech in speeches for word in speech.words]


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("####", "####" + "." * 12),
        (".####", ".####" + "." * 12),
        (".........####", "..####" + "." * 12),
        ("####" + "." * 50, "####" + "." * 12),
        ("##" + "." * 50 + "##..", "##" + "." * 50 + "##" + "." * 12),
        ("......", ""),
        ("", ""),
    ],
)
@pytest.mark.parametrize("step", [7, 10, 1000])
def test_silence_around_a_sentence(raw: str, want: str, step: int) -> None:
    pieces, got, samples = Pieces(RATE, ()), [], drawn(raw)
    for start in range(0, len(samples), step):
        got += pieces.push(samples[start : start + step])
    got += pieces.finish()
    assert picture(got) == want
    assert sum(len(speech.samples) for speech in got) == 10 * len(want)


def test_every_word_is_timed_and_told_where_it_begins() -> None:
    pieces = Pieces(RATE, WORDS)
    got = pieces.push(drawn("." * 10 + "#" * 20), [(100, 0)])
    assert got == []  # the first word's end is not known
    got = pieces.push(drawn("#" * 20), [(300, 4)])
    assert times(got) == [("one", 20, 220)]
    got += pieces.push(drawn("#" * 10), [(400, 8)])
    got += pieces.finish()
    assert times(got) == [("one", 20, 220), ("two", 220, 320), ("three", 320, 520)]
    at = 0
    for speech in got:
        for word in speech.words:
            assert at <= word.start_ms < at + len(speech.samples)
        at += len(speech.samples)


def test_words_without_a_mark_share_the_time_before_the_next() -> None:
    pieces = Pieces(RATE, WORDS)
    got = pieces.push(drawn("#" * 60), [(0, 0), (400, 8)])
    got += pieces.finish()
    assert times(got) == [("one", 0, 200), ("two", 200, 400), ("three", 400, 600)]


def test_marks_inside_a_word_before_it_and_behind_the_end_are_harmless() -> None:
    pieces = Pieces(RATE, WORDS)
    got = pieces.push(drawn("#" * 40), [(0, 0), (100, 2), (200, 5), (250, 1), (900, 9)])
    got += pieces.finish()
    assert times(got) == [("one", 0, 200), ("two", 200, 400), ("three", 519, 520)]


def test_a_word_ends_with_its_sound_and_not_with_the_pause_behind_it() -> None:
    sound = drawn("##########....##########" + "." * 30 + "#####....#")
    want = [("one", 0, 100), ("two", 140, 240), ("three", 540, 640)]
    for marks in ([(0, 0), (140, 4), (540, 8)], [(0, 0), (100, 4), (240, 8)]):
        for step in (10, 70, len(sound)):
            pieces, got = Pieces(RATE, WORDS), []
            for start in range(0, len(sound), step):
                # A mark comes with the sound that it stands in, or before it.
                got += pieces.push(sound[start : start + step], [mark for mark in marks if start <= mark[0] < start + step])
            got += pieces.finish()
            assert [(word, end) for word, _, end in times(got)] == [(word, end) for word, _, end in want]
            assert [start for _, start, _ in times(got)] == [sample for sample, _ in marks]
            assert not any(word.estimated for speech in got for word in speech.words)


@pytest.mark.parametrize(("early_ms", "want_ms"), [(0, 100), (3, 100), (10, 100), (15, 165)])
def test_a_word_that_is_heard_before_its_mark_is_not_the_end_of_the_one_before(early_ms: int, want_ms: int) -> None:
    pieces = Pieces(RATE, WORDS[:2])
    got = pieces.push(drawn("##########" + "." * 5 + "##########"), [(0, 0), (150 + early_ms, 4)]) + pieces.finish()
    ends = [end for _, _, end in times(got)]
    assert ends == [want_ms, 250]


def test_times_without_marks_are_guesses() -> None:
    pieces = Pieces(RATE, WORDS)
    got = pieces.push(drawn("#" * 55)) + pieces.finish()
    assert times(got) == [("one", 0, 150), ("two", 150, 300), ("three", 300, 550)]
    assert all(word.estimated for speech in got for word in speech.words)


def test_all_marks_may_come_first() -> None:
    pieces = Pieces(RATE, WORDS)
    got = pieces.push(drawn("#" * 5), [(0, 0), (200, 4), (300, 8)])
    for _ in range(8):
        got += pieces.push(drawn("#" * 5))
    got += pieces.finish()
    assert times(got) == [("one", 0, 200), ("two", 200, 300), ("three", 300, 450)]


def test_the_base_moves_the_times() -> None:
    pieces = Pieces(RATE, WORDS[:1], base=5000)
    pieces.push(drawn("##"), [(0, 0)])
    assert times(pieces.finish()) == [("one", 5000, 5020)]


def test_the_end_fades() -> None:
    pieces = Pieces(RATE, ())
    pieces.push(np.concatenate([drawn("##"), np.full(300, 100, np.int16)]))
    samples = pieces.finish()[-1].samples
    assert abs(int(samples[-1])) <= 1 and abs(int(samples[-10])) == 100
