"""Captions: the user's words as recognised, the answer's as heard."""

import numpy as np
import pytest

from voice.protocol.captions import NO_TURN, REMEMBERED, Caption, Captions, while_spoken
from voice.protocol.history import HistoryLine
from voice.protocol.notices import Notice, ReplyAudio, ReplyBegan, ReplyEnded, ReplyText, TurnCommitted, UserText
from voice.protocol.turnlog import TurnLog

STORY = "Once upon a time there was a king."


def sound(item_id: str, ms: int, response_id: str = "r") -> ReplyAudio:
    return ReplyAudio(response_id, item_id, np.zeros(24 * ms, np.int16), 24_000)


def ended(status: str = "completed") -> ReplyEnded:
    return ReplyEnded("r", status, "", None)


class Told:
    """A turn, of whose items so much was heard, and what the history says of them."""

    def __init__(self, *notices: Notice, heard: dict[str, int], history: tuple[HistoryLine, ...] = ()) -> None:
        log, self.captions = TurnLog(), Captions(lambda item_id: heard.get(item_id, 0), lambda: history)
        for notice in (TurnCommitted("u"), ReplyBegan("r"), *notices):
            log.see(notice, 1.0)
            self.captions.see(notice)
        self.turn = log.turns[0]

    def voice(self, stopped: bool = False) -> Caption:
        return self.captions.voice(self.turn, stopped)


WHOLE = (ReplyText("r", "a", STORY, True), sound("a", 2_000), ended())


@pytest.mark.parametrize(
    ("heard_ms", "words"),
    [(0, ""), (1, ""), (250, "Once"), (1_000, "Once upon a time"), (1_999, "Once upon a time there was a"), (2_000, STORY)],
)
def test_words_appear_when_their_sound_has_been_heard(heard_ms: int, words: str) -> None:
    caption = Told(*WHOLE, heard={"a": heard_ms}).voice()
    assert caption.text == words
    assert caption.estimated == (0 < heard_ms < 2_000) and caption.partial == (heard_ms < 2_000)


def test_while_the_answer_still_comes_nothing_is_whole() -> None:
    caption = Told(*WHOLE[:2], heard={"a": 2_000}).voice()
    assert caption.partial and caption.estimated and STORY.startswith(caption.text)


def test_the_words_of_an_interrupted_answer_are_those_of_the_history() -> None:
    known = HistoryLine("a", "assistant", "Once upon a", "incomplete")
    assert Told(*WHOLE, heard={"a": 700}, history=(known,)).voice(stopped=True) == Caption(0, "voice", "Once upon a", True, False, True)
    guessed = HistoryLine("a", "assistant", "Once upon", "incomplete", estimated=True)
    assert Told(*WHOLE, heard={"a": 700}, history=(guessed,)).voice(stopped=True) == Caption(0, "voice", "Once upon", True, True, True)
    assert Told(*WHOLE, heard={"a": 700}).voice(stopped=True).estimated


def test_an_answer_that_was_stopped_at_its_very_end_was_heard_whole() -> None:
    assert Told(*WHOLE, heard={"a": 2_000}).voice(stopped=True) == Caption(0, "voice", STORY)


def test_an_answer_that_was_stopped_before_its_first_sound_was_not_heard() -> None:
    history = (HistoryLine("a", "assistant", STORY, "completed"),)
    assert Told(*WHOLE, heard={}, history=history).voice(stopped=True) == Caption(0, "voice", "", True, False, True)


def test_items_of_one_answer_stand_behind_each_other() -> None:
    told = Told(*WHOLE[:2], ReplyText("r", "b", "He was old.", True), sound("b", 700), ended(), heard={"a": 2_000, "b": 450})
    assert told.voice() == Caption(0, "voice", STORY + " He was", True, True)


def test_an_answer_without_sound_is_read() -> None:
    assert Told(ReplyText("r", "a", "Only text.", True), ended(), heard={}).voice() == Caption(0, "voice", "Only text.")


def test_an_answer_of_which_nothing_is_known_any_more() -> None:
    told = Told(*WHOLE, heard={})
    for number in range(REMEMBERED):
        told.captions.see(sound("x", 20, f"r{number}"))
    assert told.voice().text == STORY


def test_what_the_user_says() -> None:
    told = Told(UserText("u", "what ti", False), heard={})
    assert told.captions.you(told.turn) == Caption(0, "you", "what ti", partial=True)
    assert while_spoken(["", "set a"]) == (Caption(NO_TURN, "you", "set a", partial=True),)
