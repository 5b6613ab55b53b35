"""The offline responder: conversations in, sentences out; anything at all may be typed or heard."""

import time
from collections.abc import Sequence
from datetime import UTC

import pytest

from voice.engines.base import Heard, Prompt, Responder, Said
from voice.engines.responder import SkillsResponder
from voice.protocol.lines import Line

FRIDAY = 1_795_190_999.0
"""2026-11-20 16:09:59 UTC."""


def answer(responder: SkillsResponder, *texts: str, heard: Heard | None = None, now: float = 0.0) -> str:
    """What is said to the last of the user's lines."""
    said = responder.answer(Prompt([Line("user", text) for text in texts], heard), now, FRIDAY)
    return " ".join(sentence.text for sentence in said)


async def collect(responder: Responder, prompt: Prompt) -> list[Said]:
    return [said async for said in responder.respond(prompt, 0.0, FRIDAY)]


async def test_it_is_a_responder() -> None:
    lines = [Line("system", "be kind"), Line("user", "hello"), Line("assistant", "Hello!"), Line("user", "what time is it")]
    assert await collect(SkillsResponder(UTC), Prompt(lines)) == [Said("It is 4:09 PM.")]


async def test_closing_the_answer_ends_it() -> None:
    said = SkillsResponder(UTC).respond(Prompt([Line("user", "what can you do")]), 0.0, FRIDAY)
    assert (await anext(said)).text.startswith("I tell the time")
    await said.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(said)


def test_each_session_has_its_own_memory() -> None:
    one, other = SkillsResponder(UTC), SkillsResponder(UTC)
    answer(one, "remember that the door code is blue")
    assert answer(one, "what is the door code?") == "The door code is blue."
    assert answer(other, "what is the door code?") == "You have not told me anything to remember yet."


def test_timers_are_announced_once() -> None:
    responder = SkillsResponder(UTC)
    answer(responder, "set a timer for ten seconds", now=5.0)
    assert responder.due_s() == 15.0
    assert responder.announce(15.0) == [Said("Your timer for 10 seconds is done.")]
    assert responder.announce(15.0) == [] and responder.due_s() is None


@pytest.mark.parametrize(("ask", "reply", "want"), [("set a timer", "five minutes please", 300.0), ("타이머 맞춰 줘", "5분", 300.0)])
def test_a_timer_asks_for_its_length(ask: str, reply: str, want: float) -> None:
    responder = SkillsResponder(UTC)
    lines = [Line("user", ask), Line("assistant", answer(responder, ask)), Line("user", reply)]
    assert responder.due_s() is None
    responder.answer(Prompt(lines), 0.0, FRIDAY)
    assert responder.due_s() == want


def test_nothing_understood_asks_to_repeat() -> None:
    assert answer(SkillsResponder(UTC), "", heard=Heard("")) == "I did not understand that. Please say it again."


def test_after_a_long_silence_it_asks_whether_anybody_is_there() -> None:
    quiet = Heard("", silent=True)
    for before, want in (
        ("what time is it", "Are you still there?"),
        ("\uc9c0\uae08 \uba87 \uc2dc\uc57c", "\uc544\uc9c1 \uacc4\uc2e0\uac00\uc694?"),
    ):
        lines = [Line("user", before), Line("assistant", "It is late."), Line("system", "Nobody spoke."), Line("user", "")]
        [said] = SkillsResponder(UTC).answer(Prompt(lines, quiet), 0.0, FRIDAY)
        assert said.text.startswith(want) and said.language == ("en" if want.isascii() else "ko")


def test_a_guess_says_so() -> None:
    responder = SkillsResponder(UTC)
    answer(responder, "set a timer for ten seconds")
    cancel = Heard("cancel the timer", confidence=0.2)
    want = "I think I heard: cancel the timer, but I am not sure. Please say it again. I understand spoken English only."
    assert answer(responder, cancel.text, heard=cancel) == want
    assert responder.due_s() == 10.0
    note = Heard("remember that the code is blue", confidence=0.2)
    assert answer(responder, note.text, heard=note).endswith("but I am not sure. I will remember that the code is blue.")
    time_ = Heard("what time is it", confidence=0.2)
    assert answer(responder, time_.text, heard=time_) == "I think I heard: what time is it, but I am not sure. It is 4:09 PM."
    sure = Heard("cancel the timer", confidence=0.2, command=True)
    assert answer(responder, sure.text, heard=sure) == "Your timer for 10 seconds is cancelled."


def test_words_that_were_heard_but_are_in_no_line() -> None:
    assert answer(SkillsResponder(UTC), heard=Heard("what time is it")) == "It is 4:09 PM."


def test_an_empty_conversation_is_greeted() -> None:
    assert answer(SkillsResponder(UTC)) == "Hello! What can I do for you?"


def test_a_sound_check_says_what_it_heard() -> None:
    assert answer(SkillsResponder(UTC), "sound check one two three") == "I heard: sound check one two three."


def test_what_was_said_comes_from_the_conversation() -> None:
    assert answer(SkillsResponder(UTC), "what is love", "what did i just say") == "You said: what is love."


def test_unknown_is_honest_and_names_the_way_out() -> None:
    responder = SkillsResponder(UTC)
    first = answer(responder, "What is the capital of France?")
    assert first.startswith("I heard: What is the capital of France.") and "OPENAI_BASE_URL" in first and "OPENAI_MODEL" in first
    lines = [Line("user", "who is it"), Line("assistant", first), Line("user", "why")]
    assert "OPENAI" not in " ".join(said.text for said in responder.answer(Prompt(lines), 0.0, FRIDAY))


def test_korean_is_answered_in_korean() -> None:
    responder = SkillsResponder(UTC)
    prompt = Prompt([Line("user", "지금 몇 시야?")])
    assert responder.answer(prompt, 0.0, FRIDAY) == [Said("지금은 오후 4시 9분입니다.", "ko")]
    assert all(said.language == "ko" for said in responder.answer(Prompt([Line("user", "수도는 어디야")]), 0.0, FRIDAY))
    assert answer(responder, "내 열쇠는 부엌에 있다고 기억해 줘") == "기억하겠습니다: 내 열쇠는 부엌에 있다."
    assert answer(responder, "열쇠 어디 있어?") == "이렇게 말씀하셨습니다: 내 열쇠는 부엌에 있다."


HOSTILE = [
    "\x00\x01\x02",
    "\ud800\udfff",
    "\U0001f600" * 5000,
    "\u202e\u0627\u0644\u0633\u0627\u0639\u0629",
    "a" * 100_000,
    "what time is it " * 7000,
    "remember that " + "x" * 100_000,
    "remember that " + "my " * 50_000,
    "(" * 50_000,
    "-" * 50_000,
    "9" * 100_000,
    "9" * 100 + " * " + "9" * 100,
    "9^" * 1000 + "9",
    "1+" * 50_000,
    "five " * 20_000,
    "and a half " * 9000,
    "{0} {fact} %s %n {",
    "\ufdfa" * 100_000,
    "몇 시 " * 30_000,
    "이" * 199,
    "십" * 150 + " 더하기 오",
    "(" * 190 + "삼",
    "set a " * 300 + "timer",
    "set a timer for " + "nine hundred and " * 500,
    "please " * 39 + "x",
    "repeat after me {}",
    "\n\n\t\r",
    "' '' \" `",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_anything_is_answered_quickly(text: str) -> None:
    responder = SkillsResponder(UTC)
    answer(responder, "hello")
    quickest = min(_seconds(responder, [Line("user", text)]) for _ in range(3))
    # What grows with the square of a text, or worse, takes seconds.
    assert quickest < 0.1


def _seconds(responder: SkillsResponder, lines: Sequence[Line]) -> float:
    begun = time.process_time()
    said = responder.answer(Prompt(lines), 0.0, FRIDAY)
    took = time.process_time() - begun
    assert said and sum(len(sentence.text) for sentence in said) < 5000
    return took
