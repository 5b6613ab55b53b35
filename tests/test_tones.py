"""The voice of tones: each word is as long as every other one, and has a sound of its own."""

import numpy as np

from voice.audio.pcm import Samples
from voice.engines.base import Manner, Mannered, Speech
from voice.engines.tones import GAP_MS, RATE_HZ, WORD_MS, Tones, long_tone, tone


async def spoken(text: str, speed: float = 1.0) -> list[Speech]:
    return [piece async for piece in Tones().speak_as(Manner(speed=speed), text)]


def pitch(samples: Samples) -> int:
    """To the nearest 10 Hz."""
    return int(10 * round(np.argmax(np.abs(np.fft.rfft(samples, RATE_HZ))) / 10))


async def test_every_word_takes_the_same_time_and_says_where_it_ends() -> None:
    text = "Well, it costs $2.10 -- or more."
    pieces = await spoken(text)
    assert [piece.words[0].text for piece in pieces] == ["Well", "it", "costs", "$2.10", "or", "more"]
    assert [text[: piece.words[0].closes].split()[-1] for piece in pieces] == ["Well,", "it", "costs", "$2.10", "or", "more."]
    for number, piece in enumerate(pieces):
        (word,) = piece.words
        assert len(piece.samples) == RATE_HZ * WORD_MS // 1000
        assert (word.start_ms, word.end_ms) == (number * WORD_MS, (number + 1) * WORD_MS - GAP_MS)
        loud = np.flatnonzero(np.abs(piece.samples) > 200)
        assert loud[0] < RATE_HZ // 100 and 0 <= len(piece.samples) - loud[-1] - RATE_HZ * GAP_MS // 1000 < RATE_HZ // 100


async def test_a_word_has_one_tone_wherever_it_stands_and_others_have_others() -> None:
    pieces = await spoken("one two three one")
    heard = [pitch(piece.samples) for piece in pieces]
    assert heard[0] == heard[3] and len(set(heard)) == 3 and all(300 <= hz <= 900 for hz in heard)
    assert np.array_equal(pieces[0].samples, (await spoken("Again: One"))[1].samples)


async def test_a_speed_is_obeyed_and_nothing_to_say_is_nothing() -> None:
    (piece,) = await spoken("word", speed=0.5)
    assert len(piece.samples) == 2 * RATE_HZ * WORD_MS // 1000 and piece.words[0].end_ms == 2 * (WORD_MS - GAP_MS)
    for text in ("", "...", "😀", "\n"):
        assert await spoken(text) == []
    assert isinstance(Tones(), Mannered) and Tones().voices() == ()


def test_a_tone_begins_and_ends_softly() -> None:
    samples = tone(100, 1000)
    assert len(samples) == 2400 and pitch(samples) == 1000
    assert samples[0] == samples[-1] == 0 and 7000 < np.abs(samples).max() <= 8000
    assert len(tone(1, 440)) == 24


def test_a_long_tone_comes_in_pieces_and_has_no_seams() -> None:
    pieces = list(long_tone(2300))
    assert [len(piece) for piece in pieces] == [RATE_HZ, RATE_HZ, RATE_HZ * 3 // 10]
    assert np.array_equal(np.concatenate(pieces), tone(2300, 440))
