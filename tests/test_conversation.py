"""Items in order, their sound within bounds, and cutting a reply to what was heard."""

import base64
import re
from collections.abc import Iterable

import numpy as np
import pytest

from voice.audio.encoding import PCM, PCMA, PCMU, Encoding
from voice.audio.pcm import Samples
from voice.audio.resample import resample
from voice.errors import ProtocolError
from voice.protocol import conversation as module
from voice.protocol.conversation import Conversation, Cut, Entry, SpokenWord, heard_text, message, text_of
from voice.protocol.heard import Spread
from voice.protocol.lines import Line, lines_of
from voice.protocol.objects import Content, Item


def said(item_id: str, role: str = "user", text: str = "hello") -> Entry:
    kind = "output_text" if role == "assistant" else "input_text"
    return Entry(message(item_id, role, [Content(kind, text=text)], "completed"))


def spoken(item_id: str, text: str = "one two three", ms: int = 1000, words: Iterable[SpokenWord] = ()) -> Entry:
    item = message(item_id, "assistant", [Content("output_audio", transcript=text)], "completed")
    return Entry(item, tone(ms), 16_000, ms, list(words))


def tone(ms: int) -> Samples:
    return np.arange(ms * 16, dtype=np.int16)


def pcm(rate_hz: int) -> tuple[Encoding, Encoding]:
    """Both directions of a session."""
    return Encoding(PCM, rate_hz), Encoding(PCM, rate_hz)


def talk(*entries: Entry) -> Conversation:
    conversation = Conversation()
    for entry in entries:
        conversation.add(entry)
    return conversation


def order(conversation: Conversation) -> list[str]:
    return [line.text for line in lines_of(conversation.items())]


def test_items_go_where_they_are_put() -> None:
    conversation = Conversation()
    assert conversation.items() == []
    assert conversation.add(said("a", text="a")) is None
    assert conversation.add(said("b", text="b")) == "a"
    assert conversation.add(said("c", text="c"), "a") == "a"
    assert conversation.add(said("d", text="d"), "root") is None
    assert conversation.add(said("e", text="e"), "b") == "b"
    assert order(conversation) == ["d", "a", "c", "b", "e"] and len(conversation) == 5
    conversation.delete("a")
    assert order(conversation) == ["d", "c", "b", "e"]


@pytest.mark.parametrize(
    ("act", "code", "param"),
    [
        (lambda c: c.add(said("a")), "item_id_already_exists", "item.id"),
        (lambda c: c.add(said("b"), "x"), "item_not_found", "previous_item_id"),
        (lambda c: c.get("x" * 5000), "item_not_found", "item_id"),
        (lambda c: c.delete("x"), "item_not_found", "item_id"),
        (lambda c: c.retrieved("x", *pcm(24_000)), "item_not_found", "item_id"),
        (lambda c: c.truncate("x", 0), "item_not_found", "item_id"),
        (lambda c: c.truncate("a", 0), "invalid_value", "item_id"),
    ],
)
def test_what_cannot_be(act: object, code: str, param: str) -> None:
    conversation = talk(said("a"))
    with pytest.raises(ProtocolError) as caught:
        act(conversation)  # type: ignore[operator]
    assert (caught.value.code, caught.value.param) == (code, param) and len(str(caught.value)) < 200
    assert order(conversation) == ["hello"]


def test_the_oldest_items_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ITEMS", 3)
    conversation = talk(*(said(name, text=name) for name in "abcd"))
    assert order(conversation) == ["b", "c", "d"]
    assert conversation.add(said("e", text="e"), "root") is None
    assert order(conversation) == ["e", "c", "d"]


def test_the_oldest_texts_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEXT_BYTES", 11_000)
    conversation = talk(said("a", text="a" * 4_000), said("b", text="b" * 4_000), said("c", text="c" * 2_000))
    assert len(conversation) == 3
    conversation.add(Entry(Item(type="function_call_output", id="d", call_id="c", output="x" * 7_000)))
    assert order(conversation) == ["c" * 2_000, "x" * 7_000]
    conversation.delete("d")
    conversation.add(said("e", text="x" * 8_000))
    assert len(conversation) == 2
    conversation.add(said("f", text="x" * 50_000))
    assert order(conversation) == ["x" * 50_000]


def test_the_oldest_sound_goes_and_the_words_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SOUND_BYTES", 2 * 16 * 1500)
    conversation = talk(*(said(name, "user", name) for name in "abc"))
    for name in "abc":
        conversation.set_sound(name, tone(700), 16_000)
    assert [conversation.get(name).samples is None for name in "abc"] == [True, False, False]
    assert [conversation.get(name).audio_ms for name in "abc"] == [700, 700, 700]
    conversation.set_sound("gone", tone(700), 16_000)
    conversation.set_sound("c", tone(5000), 16_000)
    assert [conversation.get(name).samples is None for name in "abc"] == [True, True, False]


def test_a_user_item_is_retrieved_at_the_rate_of_the_session() -> None:
    conversation = talk(Entry(message("a", "user", [Content("input_audio", transcript="hi")], "completed")))
    conversation.set_sound("a", tone(100), 16_000)
    for rate_hz, want in ((16_000, 3200), (24_000, 4800), (8_000, 1600)):
        [part] = conversation.retrieved("a", *pcm(rate_hz)).content or []
        assert part.transcript == "hi" and isinstance(part.audio, str) and len(base64.b64decode(part.audio)) == want
    assert base64.b64decode(str((conversation.retrieved("a", *pcm(16_000)).content or [])[0].audio)) == tone(100).astype("<i2").tobytes()
    assert text_of(conversation.get("a").item) == "hi"


@pytest.mark.parametrize(("user", "assistant"), [(PCMU, PCMA), (PCMA, PCMU), (PCM, PCMA)])
def test_each_side_is_retrieved_in_its_own_format(user: str, assistant: str) -> None:
    conversation = talk(Entry(message("u", "user", [Content("input_audio", transcript="hi")], "completed")), spoken("a", ms=100))
    conversation.set_sound("u", tone(100), 16_000)
    kept = resample(tone(100), 16_000, 8_000)
    for item_id, name in (("u", user), ("a", assistant)):
        [part] = conversation.retrieved(item_id, Encoding(user, 8_000), Encoding(assistant, 8_000)).content or []
        assert base64.b64decode(str(part.audio)) == Encoding(name, 8_000).encode(kept)


def test_an_assistants_item_is_retrieved_as_the_session_speaks() -> None:
    for rate_hz, want in ((16_000, 3200), (48_000, 9600)):
        [part] = talk(spoken("a", ms=100)).retrieved("a", Encoding(PCM, 8_000), Encoding(PCM, rate_hz)).content or []
        assert len(base64.b64decode(str(part.audio))) == want


@pytest.mark.parametrize(
    ("ms", "rate_hz", "there"), [(14_583, 24_000, True), (14_584, 24_000, False), (21_875, 16_000, True), (21_876, 16_000, False)]
)
def test_sound_beyond_an_events_size_is_left_out(ms: int, rate_hz: int, there: bool) -> None:
    conversation = talk(Entry(message("a", "user", [Content("input_audio", transcript="long")], "completed")))
    conversation.set_sound("a", np.zeros(ms * 16, np.int16), 16_000)
    [part] = conversation.retrieved("a", *pcm(rate_hz)).content or []
    assert isinstance(part.audio, str) is there and part.transcript == "long"
    assert not there or len(str(part.audio)) < 1_000_000


WORDS = (SpokenWord(300, 3), SpokenWord(600, 7), SpokenWord(1000, 13))


@pytest.mark.parametrize(
    ("heard_ms", "by_words", "by_share"),
    [
        (0, "", ""),
        (299, "", "one"),
        (300, "one", "one"),
        (599, "one", "one two"),
        (600, "one two", "one two"),
        (1000, "one two three", "one two three"),
    ],
)
def test_a_reply_is_cut_to_what_was_heard(heard_ms: int, by_words: str, by_share: str) -> None:
    for words, want in ((WORDS, by_words), ((), by_share)):
        conversation = talk(spoken("a", words=words))
        cut = conversation.truncate("a", heard_ms)
        assert cut == Cut(want, estimated=not words and 0 < heard_ms < 1000)
        entry = conversation.get("a")
        assert text_of(entry.item) == want and entry.audio_ms == heard_ms
        assert entry.samples is not None and len(entry.samples) == heard_ms * 16


def test_a_second_cut_cuts_the_first() -> None:
    conversation = talk(spoken("a", words=WORDS))
    conversation.truncate("a", 700)
    with pytest.raises(ProtocolError, match=r"^Audio content of 700ms is already shorter than 701ms$"):
        conversation.truncate("a", 701)
    conversation.truncate("a", 400)
    assert order(conversation) == ["one"]
    conversation.truncate("a", 0)
    assert order(conversation) == [] and lines_of(conversation.items()) == []


@pytest.mark.parametrize(
    ("ms", "why"),
    [
        (-1, "Invalid value: -1. 'audio_end_ms' is 0 or more."),
        (1001, "Audio content of 1000ms is already shorter than 1001ms"),
        (57_340, "Audio content of 1000ms is already shorter than 57340ms"),
    ],
)
def test_more_than_there_is_cannot_be_cut(ms: int, why: str) -> None:
    conversation = talk(spoken("a"))
    with pytest.raises(ProtocolError, match=f"^{re.escape(why)}$") as caught:
        conversation.truncate("a", ms)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "audio_end_ms")
    assert order(conversation) == ["one two three"]


def test_an_item_that_is_still_spoken_is_cut_and_stays_cut() -> None:
    unfinished = Entry(message("a", "assistant", [Content("output_audio", transcript="one two three")], "in_progress"), spread=Spread())
    unfinished.audio_ms = 700
    unfinished.words.extend(WORDS[:2])
    conversation = talk(unfinished)
    with pytest.raises(ProtocolError, match=r"^Audio content of 700ms is already shorter than 701ms$"):
        conversation.truncate("a", 701)
    assert conversation.truncate("a", 650) == Cut("one two", estimated=False)
    assert unfinished.item.status == "in_progress" and lines_of(conversation.items()) == []
    conversation.set_sound("a", tone(900), 16_000)
    assert unfinished.samples is not None and (len(unfinished.samples), unfinished.audio_ms) == (650 * 16, 650)
    assert conversation.truncate("a", 300) == Cut("one", estimated=False)
    assert conversation.truncate("a", 0) == Cut("", estimated=False)


def test_all_that_came_of_an_unfinished_reply_is_not_all_of_its_words() -> None:
    for words, want in ((WORDS[:1], Cut("one", estimated=False)), ((), Cut("one", estimated=True))):
        entry = Entry(
            message("a", "assistant", [Content("output_audio", transcript="one two three")], "incomplete"),
            audio_ms=400,
            words=list(words),
            spread=Spread(),
        )
        assert heard_text(entry, 400) == want


def test_one_long_word_is_heard_whole_or_not() -> None:
    entry = Entry(message("a", "assistant", [Content("output_audio", transcript="안녕하세요")], "completed"), audio_ms=1000)
    assert (heard_text(entry, 999), heard_text(entry, 1000)) == (Cut("", estimated=True), Cut("안녕하세요", estimated=False))


def test_what_a_message_says() -> None:
    parts = [Content("input_text", text="look"), Content("input_image", image_url="x"), Content("input_audio", transcript="there")]
    assert text_of(message("a", "user", parts, "completed")) == "look there"
    assert (
        text_of(Item(type="function_call")) == "" == text_of(message("a", "user", [Content("input_audio", transcript=None)], "completed"))
    )
    conversation = talk(Entry(message("a", "user", parts, "completed")), Entry(Item(type="function_call", id="b", arguments="{}")))
    conversation.set_transcript("a", "not in a text")
    conversation.set_transcript("a", "nor behind the end", 3)
    conversation.set_transcript("b", "nor in a call")
    conversation.set_transcript("a", "here", 2)
    conversation.set_transcript("nobody", "x")
    assert lines_of(conversation.items()) == [Line("user", "look here")]


def test_an_item_that_is_still_being_generated_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its closing events are to come, and nothing may be told of an item that is gone."""
    monkeypatch.setattr(module, "MAX_ITEMS", 2)
    unfinished = Entry(message("a", "assistant", [Content("output_audio", transcript="one")], "in_progress"))
    conversation = talk(unfinished, said("b", text="b"))
    with pytest.raises(ProtocolError, match="still being generated") as caught:
        conversation.delete("a")
    assert (caught.value.code, caught.value.param) == ("invalid_value", "item_id")
    conversation.add(said("c", text="c"))
    assert [item.id for item in conversation.items()] == ["a", "c"] and "a" in conversation and "b" not in conversation
