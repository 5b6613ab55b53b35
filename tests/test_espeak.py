"""The espeak-ng child: exact word times, nothing left over, and speech that a recogniser understands."""

import io
from typing import Any

import pytest

from tests.support.needs import needs, skip_without
from voice.engines.tts import espeak_order
from voice.errors import MissingError
from voice.workers.espeak import Espeak

pytestmark = needs("espeakng-loader")


@pytest.fixture(scope="module")
def espeak() -> Espeak:
    skip_without("espeakng-loader")
    import espeakng_loader

    return Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


def said(
    espeak: Espeak, text: str, language: str = "en", stop_after: int | None = None, **more: Any
) -> tuple[bytes, list[tuple[int, int]]]:
    audio, marks, chunks = io.BytesIO(), [], 0

    def put(chunk: bytes, found: list[tuple[int, int]]) -> bool:
        nonlocal chunks
        audio.write(chunk)
        marks.extend(found)
        chunks += 1
        return stop_after is None or chunks < stop_after

    espeak.speak({"text": text, **espeak_order(language).fields, **more}, put)
    return audio.getvalue(), marks


def test_marks_count_characters_not_bytes(espeak: Espeak) -> None:
    text = "안녕하세요 세계 héllo"
    _, marks = said(espeak, text, "ko")
    assert [text[position:].split()[0] for _, position in marks] == ["안녕하세요", "세계", "héllo"]
    assert [sample for sample, _ in marks] == sorted(sample for sample, _ in marks)


def test_a_word_behind_a_lone_sign_has_a_mark_of_its_own(espeak: Espeak) -> None:
    for text in ("Wait - what? No...", "'no' -- maybe... ok", "one, - two; - three", "안녕 - 세계"):
        _, marks = said(espeak, text, "ko" if text[0] > "z" else "en")
        begun = [text[position:].split()[0].strip("'.,;?") for _, position in marks]
        assert begun == [word.strip("'.,;?") for word in text.split() if any(letter.isalnum() for letter in word)]


def test_a_word_sounds_where_its_mark_says(espeak: Espeak) -> None:
    """A word added behind leaves those before it where they were."""
    _, two = said(espeak, "red, green, ")
    _, three = said(espeak, "red, green, blue.")
    assert len(two) == 2 and len(three) == 3 and three[0] == two[0]
    assert abs(three[1][0] - two[1][0]) < espeak.rate_hz // 50


def test_nothing_of_one_text_is_left_in_the_next(espeak: Espeak) -> None:
    want = said(espeak, "She sells sea shells?")
    for stop_after in (1, 2, 5, None):
        said(espeak, "Another text, another voice.", "ko", stop_after, rate_wpm=300, pitch=90)
        assert said(espeak, "She sells sea shells?") == want
    espeak.rest()
    assert said(espeak, "She sells sea shells?") == want


def test_stopping_stops_at_once(espeak: Espeak) -> None:
    whole, _ = said(espeak, "word " * 60)
    part, _ = said(espeak, "word " * 60, stop_after=2)
    assert len(part) < len(whole) / 20


def test_neither_ssml_nor_phonemes_are_obeyed(espeak: Espeak) -> None:
    plain, _ = said(espeak, "hello")
    assert len(said(espeak, "[[h@'loU]]")[0]) != len(plain)
    assert len(said(espeak, '<break time="9s"/>hello')[0]) < 9 * 2 * espeak.rate_hz


def test_broken_installations_are_sentences(espeak: Espeak, tmp_path: Any) -> None:
    with pytest.raises(MissingError, match="espeak-ng cannot be loaded"):
        Espeak(str(tmp_path / "none.so"), "/nowhere")
    with pytest.raises(MissingError, match="espeak-ng has none of the voices qq"):
        espeak.speak({"text": "a", "voices": ["qq"]}, lambda audio, marks: True)
    assert said(espeak, "hello")[0]
