"""The flite child: word times from its tokens, one seed for each text."""

from typing import Any

import pytest

from tests.support.needs import needs, skip_without
from voice.errors import MissingError
from voice.workers.flite import Flite

pytestmark = needs("flite")


@pytest.fixture(scope="module")
def flite() -> Flite:
    skip_without("flite")
    return Flite("slt")


def said(flite: Flite, text: str, stop_after: int | None = None) -> tuple[bytes, list[tuple[int, int]]]:
    audio: list[bytes] = []
    marks: list[tuple[int, int]] = []

    def put(chunk: bytes, found: list[tuple[int, int]]) -> bool:
        audio.append(chunk)
        marks.extend(found)
        return stop_after is None or len(audio) < stop_after

    flite.speak({"text": text}, put)
    return b"".join(audio), marks


def test_every_token_has_its_time(flite: Flite) -> None:
    text = "Hello, 안녕 16.09 kilometers - it's café."
    audio, marks = said(flite, text)
    assert [text[position:].split()[0] for _, position in marks] == ["Hello,", "16.09", "kilometers", "it's", "café."]
    samples = [sample for sample, _ in marks]
    assert samples == sorted(samples) and samples[-1] < len(audio) // 2


def test_nothing_of_one_text_is_left_in_the_next(flite: Flite) -> None:
    want = said(flite, "She sells sea shells?")
    for stop_after in (1, 3, None):
        said(flite, "Another text comes before it.", stop_after)
        assert said(flite, "She sells sea shells?") == want


def test_stopping_stops_at_once(flite: Flite) -> None:
    assert len(said(flite, "word " * 40, stop_after=2)[0]) < len(said(flite, "word " * 40)[0]) / 20


def test_what_it_cannot_read_is_silent(flite: Flite) -> None:
    assert said(flite, "안녕하세요 …") == (b"", [])


@pytest.mark.parametrize("voice", ["none", "../slt", ""])
def test_a_missing_voice_is_a_sentence(voice: Any) -> None:
    with pytest.raises(MissingError, match="none|no voice"):
        Flite(voice)
