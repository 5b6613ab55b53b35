"""What becomes of a turn by what was played and heard while it was spoken.

"p": a reply is heard, "m": one is made, ".": neither; "#": speech, "~": speech without a voice.
"""

import pytest

from voice.audio.pcm import FRAME_MS
from voice.interrupting import backchannels
from voice.protocol.overspoken import NEAR_END_MS, Ending, Overspoken, Span, Words


def seen(replies: str, speech: str, over: Overspoken | None = None) -> Overspoken:
    over = over or Overspoken(backchannels())
    for at, (reply, heard) in enumerate(zip(replies, speech, strict=True)):
        over.frame((at + 1) * FRAME_MS, heard in "#~", heard == "#", reply == "p", reply != ".")
    return over


def around(speech: str) -> Span:
    return Span((len(speech) - len(speech.lstrip("."))) * FRAME_MS, len(speech.rstrip(".")) * FRAME_MS)


# (why, replies, speech, when a reply was stopped, ending)
TABLE = [
    ("nothing is answered", "." * 60, "." * 20 + "#" * 10 + "." * 30, None, Ending.ANSWER),
    ("a reply that was over long before", "p" * 5 + "." * 55, "." * 20 + "#" * 10 + "." * 30, None, Ending.ANSWER),
    ("a reply that begins long after", "." * 50 + "p" * 10, "." * 20 + "#" * 10 + "." * 30, None, Ending.ANSWER),
    ("a cough over a reply", "p" * 60, "." * 20 + "#" * 10 + "." * 30, None, Ending.DOUBT),
    ("a word while an answer is made", "m" * 60, "." * 20 + "#" * 10 + "." * 30, None, Ending.DOUBT),
    ("speech that has stopped the reply", "p" * 50 + "." * 10, "." * 10 + "#" * 40 + "." * 10, 900, Ending.ANSWER),
    ("a question right behind a reply", "p" * 15 + "." * 45, "." * 20 + "#" * 30 + "." * 10, None, Ending.ANSWER),
    ("a reply that begins in a question", "." * 40 + "p" * 20, "." * 20 + "#" * 30 + "." * 10, None, Ending.ANSWER),
    ("what is left of an echo behind a reply", "p" * 20 + "." * 40, "." * 10 + "#" * 20 + "." * 30, None, Ending.DOUBT),
    ("what stopped it came before", "p" * 60, "." * 30 + "#" * 10 + "." * 20, 100, Ending.DOUBT),
]


@pytest.mark.parametrize(("replies", "speech", "stop_ms", "want"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_becomes_of_a_turn(replies: str, speech: str, stop_ms: int | None, want: Ending) -> None:
    over = seen(replies, speech)
    if stop_ms is not None:
        over.stopped(stop_ms)
    assert over.ending(around(speech)) is want


def test_what_only_the_server_has_heard_is_dropped() -> None:
    over = seen("p" * 60, "." * 30 + "#" * 2 + "." * 28)
    assert over.ending(Span(500, 900)) is Ending.DROP
    assert seen("." * 60, "." * 60).ending(Span(500, 900)) is Ending.ANSWER, "over nothing it is a turn: our detector may be the deaf one"


@pytest.mark.parametrize(("frames", "want"), [(10, Words.NOTHING), (34, Words.NOTHING), (35, Words.REPLY), (50, Words.REPLY)])
def test_a_turn_without_words_is_answered_if_it_was_long(frames: int, want: Words) -> None:
    speech = "." * 10 + "#" * frames + "." * 30
    over = seen("p" * len(speech), speech)
    assert over.said(around(speech), None, None) is want
    assert over.said(around(speech), "", None) is Words.NOTHING, "a recogniser that was there has found none"


# (why, replies, words, ms left of the reply, what they ask for)
WORDS = [
    ("a cough", "p" * 60, "", None, Words.NOTHING),
    ("a cough at the end", "p" * 60, "[cough]", 0, Words.NOTHING),
    ("he listens", "p" * 60, "uh-huh", None, Words.NOTHING),
    ("he listens, and much is to come", "p" * 60, "네", NEAR_END_MS + 1, Words.NOTHING),
    ("yes, at the end of a question", "p" * 60, "yes", NEAR_END_MS, Words.REPLY),
    ("yes, when nothing was heard yet", "m" * 60, "yes", None, Words.REPLY),
    ("stop", "p" * 60, "stop", None, Words.REQUEST),
    ("stop, at the end", "p" * 60, "no, stop", 10, Words.REQUEST),
]


@pytest.mark.parametrize(("replies", "text", "left_ms", "want"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_what_words_ask_for(replies: str, text: str, left_ms: int | None, want: Words) -> None:
    speech = "." * 20 + "#" * 10 + "." * 30
    assert seen(replies, speech).said(around(speech), text, left_ms) is want


@pytest.mark.parametrize(
    ("text", "want"), [("but the", Words.NOTHING), ("yes", Words.NOTHING), ("stop", Words.REQUEST), ("oh no", Words.REQUEST)]
)
def test_what_a_recogniser_hears_in_a_cough_is_not_believed_but_for_words_that_interrupt(text: str, want: Words) -> None:
    speech = "." * 20 + "~~~##~~~~##~#" + "." * 27
    assert seen("p" * 60, speech).said(around(speech), text, 0) is want
    assert seen("p" * 60, speech.replace("~", "#")).said(around(speech), text, 0) is not Words.NOTHING


def test_a_minute_is_remembered() -> None:
    over = seen("p" * 3_000, "#" * 3_000)
    assert over.ending(Span(100, 400)) is Ending.DOUBT
    seen("." * 3_000, "." * 3_000, over)
    assert over.ending(Span(100, 400)) is not Ending.DOUBT
