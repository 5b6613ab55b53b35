"""What a responder has to say by itself is said once: at once, when it is asked for, or when answers come by themselves again."""

import asyncio
import logging
import time
from collections.abc import Sequence

import pytest

from tests.support.fakes import FakeResponder
from tests.support.wire import fake_engine, talking, transcript
from voice.engines.announcing import MAX_LEFT, Announcer
from voice.engines.base import Said
from voice.protocol.dead_air import SAY
from voice.protocol.orders import ReplyWanted


class Timers(FakeResponder):
    """Has the sentences of the test to say."""

    def __init__(self, *said: str) -> None:
        super().__init__()
        self.said = [Said(text) for text in said]

    def due_s(self) -> float | None:
        return 5.0 if self.said else None

    def announce(self, now: float) -> Sequence[Said]:
        said, self.said = self.said, []
        return said


def wanted(instructions: str, instructed: bool = True) -> ReplyWanted:
    return ReplyWanted("r", True, instructions, None, None, instructed=instructed)


def test_it_is_said_at_once_and_once() -> None:
    announcer = Announcer(Timers("One.", "Two."), lambda: 0.0)
    assert announcer.due_s(None) == 5.0
    assert [said.text for said in announcer.all()] == ["One.", "Two."] and announcer.all() == ()
    assert announcer.due_s(7.0) is None


def test_word_is_left_and_said_when_it_is_asked_for() -> None:
    announcer = Announcer(Timers("Time is up.", "Get up."), lambda: 0.0)
    assert announcer.word() == "Time is up. Get up." and announcer.word() == ""
    assert announcer.due_s(7.0) == 7.0, "somebody may let answers come by themselves"
    for other in (wanted("Be brief."), wanted(SAY.format(words="Time is up.")), wanted(SAY.format(words="Time is up. Get up."), False)):
        assert announcer.asked_for(other) == ()
    order = wanted(SAY.format(words="Time is up. Get up."))
    assert [said.text for said in announcer.asked_for(order)] == ["Time is up.", "Get up."]
    assert announcer.asked_for(order) == () and announcer.all() == () and announcer.due_s(7.0) is None


def test_word_that_nobody_asked_for_is_said_with_the_rest() -> None:
    timers = Timers("Time is up.")
    announcer = Announcer(timers, lambda: 0.0)
    announcer.word()
    timers.said = [Said("Again.")]
    assert [said.text for said in announcer.all()] == ["Time is up.", "Again."]


def test_not_everything_is_remembered() -> None:
    timers = Timers()
    announcer = Announcer(timers, lambda: 0.0)
    for number in range(MAX_LEFT + 1):
        timers.said = [Said(f"Timer {number}.")]
        announcer.word()
    assert [said.text for said in announcer.all()] == [f"Timer {number}." for number in range(1, MAX_LEFT + 1)]


def test_a_responder_with_a_bug_says_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Timers):
        def announce(self, now: float) -> Sequence[Said]:
            raise ZeroDivisionError("a bug")

    with caplog.at_level(logging.ERROR):
        assert Announcer(Broken(), lambda: 0.0).word() == ""
    assert "a bug" in caplog.text


@pytest.mark.parametrize("detection", [None, {"type": "server_vad", "create_response": False, "interrupt_response": False}])
async def test_a_client_that_asks_for_every_answer_is_told_that_there_is_one_to_ask_for(detection: object) -> None:
    responder = FakeResponder()
    async with talking(fake_engine(responder=responder)) as wire:
        await wire.settle(turn_detection=detection)
        responder.due = time.monotonic() + 0.02
        await wire.type("timer")
        await wire.until("response.done")
        item = (await wire.until("conversation.item.added"))["item"]
        assert (item["role"], item["content"][0]["text"]) == ("system", "Time is up.")
        await wire.send("response.create", response={"instructions": SAY.format(words="Time is up.")})
        assert transcript(await wire.until("response.done")) == "Time is up."
        await wire.settle(turn_detection={"type": "server_vad"})
        await asyncio.sleep(0.3)
        await wire.settle()
        assert len(wire.of("response.created")) == 2, "it is not said again"
