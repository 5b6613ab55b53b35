"""A scripted reply as moves: words with the sound in which they begin, and calls, each at its time."""

from collections.abc import AsyncGenerator

import numpy as np
import pytest

from tests.support.fakes import FakeSynthesizer
from voice.engines.base import Speech, Synthesizer, WordTime
from voice.engines.cues import Cue, Question
from voice.engines.recital import ARGUMENT_LETTERS, Move, moves
from voice.engines.script import read_script
from voice.engines.tones import RATE_HZ, Tones
from voice.errors import WorkerDied
from voice.protocol.orders import ReplyWanted


async def given(
    text: str, asked: Question | None = None, spoken: bool = True, voice: Synthesizer | None = None, speed: float = 1.0
) -> list[Move]:
    reply = read_script(f"chunk_ms = 100\npace = 2\n[[reply]]\n{text}", "s.toml").replies[0]
    order = ReplyWanted("resp_1", spoken, "", None, None, speed=speed)
    made = iter(range(1, 100))
    return [move async for move in moves(Cue(reply, 0), asked or Question(), order, voice or Tones(), lambda kind: f"{kind}_{next(made)}")]


def lengths_ms(found: list[Move]) -> list[int]:
    return [move.samples.size * 1000 // move.rate_hz for move in found]


async def test_spoken_words_go_with_the_sound_in_which_they_begin() -> None:
    found = await given('say = "One, two. Three!"')
    assert [move.text for move in found] == ["One,", "", " two.", "", " Three!", ""]
    assert lengths_ms(found) == [100] * 6
    assert [move.due_s for move in found] == pytest.approx([0, 0.05, 0.1, 0.15, 0.2, 0.25])
    words = [word for move in found for word in move.words]
    assert [(word.end_ms, word.characters) for word in words] == [(150, 4), (350, 9), (550, 16)]


async def test_all_of_the_sound_is_there_whatever_its_pieces() -> None:
    whole = np.concatenate([piece.samples async for piece in Tones().speak("one two three")])
    for piece_ms in (10, 30, 70, 130, 200):
        found = await given(f'say = "one two three"\nchunk_ms = {piece_ms}')
        assert np.array_equal(np.concatenate([move.samples for move in found]), whole)
        assert {move.samples.size for move in found[:-1]} == {RATE_HZ * piece_ms // 1000}
        assert "".join(move.text for move in found) == "one two three"


async def test_a_sentence_may_begin_in_the_middle_of_a_piece() -> None:
    found = await given('say = "One. Two three."\nchunk_ms = 130')
    assert [move.text for move in found] == ["One.", " Two", "", " three.", ""]
    assert [word.end_ms for move in found for word in move.words] == [150, 350, 550]


async def test_words_of_another_rate_and_without_known_ends() -> None:
    class Plain(FakeSynthesizer):
        async def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
            async for piece in super().speak(text, language):
                words = tuple(WordTime(word.text, word.start_ms, word.end_ms, None, True) for word in piece.words)
                yield Speech(piece.samples, piece.rate_hz, words)

    found = await given('say = "It is it. Then more."', voice=Plain())
    assert "".join(move.text for move in found) == "It is it. Then more."
    words = [word for move in found for word in move.words]
    assert [word.characters for word in words] == [2, 5, 9, 14, 20] and all(word.estimated for word in words)
    assert [word.end_ms for word in words] == pytest.approx([200, 400, 600, 800, 1000], abs=1)
    assert sum(lengths_ms(found)) == pytest.approx(1000, abs=12) and {move.rate_hz for move in found} == {22_050}


async def test_a_word_in_the_middle_of_a_voices_piece_waits_for_its_place() -> None:
    class Slow(FakeSynthesizer):
        async def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
            times = (WordTime("one", 0, 150, 3), WordTime("two", 200, 350, 7), WordTime("three", 250, 390, 13))
            yield Speech(np.ones(RATE_HZ * 4 // 10, np.int16), RATE_HZ, times)

    found = await given('say = "one two three"', voice=Slow())
    assert [move.text for move in found] == ["one", "", " two three", ""]
    assert [[word.end_ms for word in move.words] for move in found] == [[150], [], [350, 390], []]


async def test_what_cannot_be_spoken_is_told_nevertheless() -> None:
    assert [(move.text, move.samples.size) for move in await given('say = "😀 ..."')] == [("😀 ...", 0)]
    assert "".join(move.text for move in await given('say = "One. ... "')) == "One. ... "
    assert await given('say = ""') == []


async def test_a_written_answer_comes_word_by_word() -> None:
    found = await given('say = "One, two.\\n Three! "', spoken=False)
    assert [move.text for move in found] == ["One,", " two.", "\n Three! "]
    assert [move.due_s for move in found] == pytest.approx([0, 0.05, 0.1]) and sum(lengths_ms(found)) == 0


async def test_a_tone_is_as_long_as_it_says_and_silent_in_text() -> None:
    found = await given("tone_ms = 250")
    assert lengths_ms(found) == [100, 100, 50] and not any(move.text for move in found)
    assert await given("tone_ms = 250", spoken=False) == []


async def test_calls_come_behind_the_words_in_pieces() -> None:
    text = """say = "Wait."
        calls = [
            {name = "f", arguments = {city = "{heard}", n = [1, "{output}"], on = "2026-11-20"}},
            {name = "g", arguments = "{broken", call_id = "mine"},
            {name = "h", arguments = ""},
        ]"""
    asked = Question('Oslo "east"', (("x", "7"),))
    found = [move.call for move in await given(text, asked, spoken=False) if move.call]
    assert [call_id for call_id, _, _ in found] == ["call_1"] * 5 + ["mine", "call_2"]
    assert all(0 < len(piece) <= ARGUMENT_LETTERS for _, _, piece in found[:-1]) and found[-1] == ("call_2", "h", "")
    arguments = "".join(piece for call_id, _, piece in found if call_id == "call_1")
    assert arguments == '{"city": "Oslo \\"east\\"", "n": [1, "7"], "on": "2026-11-20"}'
    assert found[-2] == ("mine", "g", "{broken")
    assert [move.call for move in await given('call = {name = "f"}')] == [("call_1", "f", "{}")]
    assert [move.call for move in await given('call = {name = "f", arguments = {a = "ö"}}')] == [("call_1", "f", '{"a": "ö"}')]


async def test_what_is_said_quotes_and_is_spoken_at_the_speed_that_was_asked_for() -> None:
    found = await given('say = "You said: {heard}"', Question("hello"), speed=0.5)
    assert "".join(move.text for move in found) == "You said: hello" and sum(lengths_ms(found)) == 1200


async def test_each_sentence_is_spoken_in_its_language() -> None:
    heard: list[tuple[str, str]] = []

    class Polyglot(FakeSynthesizer):
        def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
            heard.append((text, language))
            return super().speak(text, language)

    found = await given('say = "Hello. 안녕하세요. Bye."', voice=Polyglot())
    assert heard == [("Hello.", "en"), ("안녕하세요.", "ko"), ("Bye.", "en")]
    assert "".join(move.text for move in found) == "Hello. 안녕하세요. Bye."


async def test_a_voice_that_dies_is_told() -> None:
    with pytest.raises(WorkerDied):
        await given('say = "One."', voice=FakeSynthesizer(deaths=1))
