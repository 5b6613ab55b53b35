"""Any order of calls, of functions that end, of speech, refusals and broken links, with a server that leaves out and repeats what servers do.

What must hold: each call runs at most once, and none that broke off; on every link an output stands behind its call, once; what came of all the
calls of a response is seen by an answer; where the server tells of items, no answer is asked for that has nothing new to see; nothing hangs.
"""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.calling import Caller, call_item
from voice.protocol.dead_air import Filler

Event = dict[str, Any]
PLACES = st.integers(0, 50)
PIECES = st.sets(st.sampled_from(["added", "written", "item"]))
STATUSES = st.sampled_from(["completed", "completed", "cancelled"])
ACTIVE = "conversation_already_has_active_response"


class Server:
    """What one link's server knows: the items in order, and the response in progress."""

    def __init__(self) -> None:
        self.items: list[tuple[str, str]] = []
        """(type, call_id) of calls and outputs."""
        self.active: str | None = None
        self.filler = False
        """What is in progress is the filler."""
        self.calls: list[int] = []
        """Those of the response in progress."""

    def take(self, item: Event) -> None:
        """A call or an output that the session puts into the conversation."""
        if item["type"] == "function_call_output":
            assert ("function_call", item["call_id"]) in self.items, "an output before its call"
        assert (item["type"], item["call_id"]) not in self.items, "an item twice"
        self.items.append((item["type"], item["call_id"]))

    @property
    def outputs(self) -> frozenset[str]:
        return frozenset(call_id for kind, call_id in self.items if kind == "function_call_output")


class ErrandsStorm(RuleBasedStateMachine):
    """See the top of the file."""

    @initialize(tells_items=st.booleans(), types=st.booleans(), filler=st.sampled_from([None, 0.5, 2.0]))
    def begin(self, tells_items: bool, types: bool, filler: float | None) -> None:
        self.tells_items, self.types = tells_items, types
        self.caller = Caller(filler=Filler(filler))
        self.server = Server()
        self.read = self.looked = 0
        self.numbers = self.responses = 0
        self.broken_off: set[str] = set()
        self.batches: list[frozenset[str]] = []
        """The calls of each response that were run."""
        self.answers: list[frozenset[str]] = []
        """The outputs that each answer has seen, which nobody lost."""
        self.lost = 0
        """Answers of which nothing had come when their links broke: they are asked for again."""
        self.needless: set[str] = set()
        """Wishes for an answer where one has seen everything already."""
        self.speaking = self.broken = False
        self.answer_whole([{"item"}], "completed")
        self.finish(0)
        self.carry()
        self.end("completed", 1)

    # The wire: what the server says arrives at once, what the session sends only when `carry` takes it there.

    def carry(self, all_of_it: bool = True) -> None:
        """What the session has sent arrives, or the first of it."""
        # A user who says something all the time: how many answers may call in a row is told in `test_errands_rounds.py`.
        self.caller.client.errands.said()
        self.look()
        while self.read < len(self.caller.up):
            event = self.caller.up[self.read]
            self.read += 1
            item = event.get("item", {"type": ""})
            if event["type"] == "response.create":
                self.asked(event)
            elif item["type"].startswith("function_call"):
                self.server.take(item)
                if self.tells_items:
                    self.tell("conversation.item.added", item={**item, "status": "completed"})
            if not all_of_it:
                return

    def asked(self, event: Event) -> None:
        if self.server.active is None:
            self.lost -= event["event_id"] in self.needless
            assert self.lost >= 0, "an answer that nobody needs"
            self.respond(filler=event["response"].get("tool_choice") == "none")
        else:
            error = {"type": "invalid_request_error", "message": "no", "code": ACTIVE, "event_id": event["event_id"]}
            self.tell("error", error=error)

    def tell(self, kind: str, **fields: Any) -> None:
        self.caller.tell(kind, **fields)
        self.look()

    def look(self) -> None:
        """Note the wishes for an answer to which there is nothing that no answer has seen."""
        self.caller.flush()
        for place, event in enumerate(self.caller.up[self.looked :], self.looked):
            if event["type"] != "response.create" or event["response"].get("tool_choice") == "none" or self.types or not self.tells_items:
                continue
            sent = {item["call_id"] for item in (other.get("item", {}) for other in self.caller.up[:place]) if "output" in item}
            if not sent - frozenset().union(*self.answers):
                self.needless.add(event["event_id"])
        self.looked = len(self.caller.up)

    def respond(self, filler: bool = False) -> None:
        self.responses += 1
        self.server.active, self.server.calls, self.server.filler = f"r{self.responses}", [], filler
        if not filler:
            self.answers.append(self.server.outputs)
        self.tell("response.created", response={"id": self.server.active, "status": "in_progress"})

    # The server.

    @rule(all_of_it=st.booleans())
    def hear(self, all_of_it: bool) -> None:
        self.carry(all_of_it)

    @precondition(lambda self: self.server.active is None)
    @rule()
    def answer_by_itself(self) -> None:
        self.respond()

    @precondition(lambda self: self.server.active is None)
    @rule(told=st.lists(PIECES, max_size=2), status=STATUSES)
    def answer_whole(self, told: list[set[str]], status: str) -> None:
        """An answer to a turn of the user's, with calls."""
        self.respond()
        for pieces in told:
            self.call(pieces, 1)
        self.end(status, 1)

    @precondition(lambda self: self.server.active is not None and not self.server.filler)
    @rule(pieces=PIECES, times=st.integers(1, 2))
    def call(self, pieces: set[str], times: int) -> None:
        """A call, told in whatever way."""
        n = self.numbers = self.numbers + 1
        self.server.calls.append(n)
        self.server.items.append(("function_call", f"c{n}"))
        where = {"response_id": self.server.active, "output_index": 0}
        for _ in range(times):
            if "added" in pieces:
                self.tell("response.output_item.added", item=call_item(n, "in_progress"), **where)
            if "written" in pieces:
                self.tell("response.function_call_arguments.done", item_id=f"i{n}", call_id=f"c{n}", arguments="{}", **where)
            if "item" in pieces:
                self.tell("response.output_item.done", item=call_item(n), **where)

    @precondition(lambda self: self.server.active is not None)
    @rule(status=STATUSES, times=st.integers(1, 2))
    def end(self, status: str, times: int) -> None:
        """The response ends; calls of which nobody has said that they are whole break off with it."""
        whole = {n: status == "completed" or f"c{n}" in self.caller.started for n in self.server.calls}
        self.broken_off |= {f"c{n}" for n, is_whole in whole.items() if not is_whole}
        output = [call_item(n, "completed" if is_whole else "incomplete") for n, is_whole in whole.items()]
        response = {"id": self.server.active, "status": status, "output": output}
        self.server.active = None
        for _ in range(times):
            self.tell("response.done", response=response)
        self.owe()

    def owe(self) -> None:
        """The calls of the response that is over, as far as they were run, want an answer."""
        if ran := frozenset(f"c{n}" for n in self.server.calls if f"c{n}" in self.caller.started):
            self.batches.append(ran)
        self.server.calls = []

    @rule()
    def speak(self) -> None:
        self.speaking = not self.speaking
        if self.speaking:
            self.tell("input_audio_buffer.speech_started", audio_start_ms=0, item_id="u")
        else:
            self.tell("input_audio_buffer.speech_stopped", audio_end_ms=500, item_id="u")
            self.tell("input_audio_buffer.committed", item_id="u")
            self.tell("conversation.item.input_audio_transcription.completed", item_id="u", transcript="well")

    # The program, the user, the network.

    @property
    def running(self) -> list[str]:
        return [call_id for call_id in self.caller.started if call_id not in self.ended]

    @property
    def ended(self) -> set[str]:
        return self.__dict__.setdefault("_ended", set())

    @precondition(lambda self: self.running)
    @rule(place=PLACES)
    def finish(self, place: int) -> None:
        call_id = self.running[place % len(self.running)]
        self.ended.add(call_id)
        assert self.caller.finish(int(call_id[1:])) and not self.caller.finish(int(call_id[1:]))
        self.look()

    @rule(seconds=st.sampled_from([0.1, 1.0, 40.0]))
    def wait(self, seconds: float) -> None:
        until = self.caller.now + seconds
        for _ in range(400):
            due = self.caller.client.deadline()
            if due is None or due > until:
                break
            self.caller.now = max(self.caller.now, due)
            self.caller.client.tick(self.caller.now)
            self.look()
        else:
            raise AssertionError("it is never content")
        self.caller.now = until

    @rule(cut=st.booleans())
    def interrupt(self, cut: bool) -> None:
        self.caller.client.interrupt("a1" if cut else None, 100)

    @precondition(lambda self: self.types and not self.caller.client.arbiter.full)
    @rule()
    def say(self) -> None:
        self.caller.client.say("and?")

    @rule(ready=st.booleans(), all_of_it=st.booleans())
    def break_link(self, ready: bool, all_of_it: bool) -> None:
        """What was on its way is lost."""
        old, self.server = self.server, Server()
        self.server.calls = old.calls
        if old.active is not None and not old.filler and not set(self.caller.started) & {f"c{n}" for n in old.calls}:
            self.answers.pop()
            self.lost += 1
        self.read = self.looked = 0
        self.speaking, self.broken = False, True
        self.caller.link(ready=False)
        self.owe()
        if ready:
            self.caller.ready()
        self.carry(all_of_it)
        if not ready:
            self.caller.ready()
        self.look()

    # What must hold.

    @invariant()
    def each_call_runs_once_and_none_that_broke_off(self) -> None:
        if hasattr(self, "caller"):
            started = self.caller.started
            assert len(set(started)) == len(started) and not self.broken_off.intersection(started)

    def teardown(self) -> None:
        """In the end everything comes to an end: the functions, the speech, the answers; and everything was answered."""
        if not hasattr(self, "caller"):
            return
        if self.speaking:
            self.speak()
        for _ in range(1_000):
            self.carry()
            if self.running:
                self.finish(0)
            elif self.server.active is not None:
                self.end("completed", 1)
            else:
                self.wait(40.0)
                if self.read == len(self.caller.up):
                    break
        else:
            raise AssertionError("it never comes to an end")
        # Where a server tells of no items, a wish that may have crossed an answer of its own when the link broke cannot be told from one that was heard.
        for batch in [] if self.broken and not self.tells_items else self.batches:
            assert any(batch <= seen for seen in self.answers), f"no answer has seen what came of {batch}"
        assert set(self.caller.started) <= self.server.outputs


CALM = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
ErrandsStorm.TestCase.settings = settings(
    max_examples=600, stateful_step_count=30, deadline=None, derandomize=True, report_multiple_bugs=False, suppress_health_check=CALM
)
TestErrandsStorm = ErrandsStorm.TestCase


class LongErrandsStorm(ErrandsStorm):
    """The same, longer and each time another."""


LongErrandsStorm.TestCase.settings = settings(
    max_examples=300, stateful_step_count=100, deadline=None, report_multiple_bugs=False, suppress_health_check=CALM, database=None
)
TestLongErrandsStorm = pytest.mark.apart(LongErrandsStorm.TestCase)
