"""One response at a time is asked for, whatever overtakes whatever; and no wish is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.served import counted
from voice.protocol.arbiter import MAX_WAITING, UNNAMED, Arbiter
from voice.protocol.objects import Content, Item, ResponseParams
from voice.protocol.requests import ClientEvent, ItemCreate, ResponseCreate

ACTIVE = "conversation_already_has_active_response"


class Bench:
    """An arbiter, open, and what it sent."""

    def __init__(self, is_open: bool = True) -> None:
        self.sent: list[ClientEvent] = []
        self.arbiter = Arbiter(self.sent.append, counted("c"))
        if is_open:
            self.arbiter.open()

    def ask(self, name: str) -> bool:
        return self.arbiter.ask(ResponseParams(instructions=name))

    @property
    def asked(self) -> list[object]:
        return [
            event.response.instructions
            for event in self.sent
            if isinstance(event, ResponseCreate) and isinstance(event.response, ResponseParams)
        ]

    def event_id(self, place: int = -1) -> str:
        return str([event for event in self.sent if isinstance(event, ResponseCreate)][place].event_id)


def test_one_after_the_other() -> None:
    bench = Bench()
    assert not bench.arbiter.busy and bench.ask("a") and bench.ask("b")
    assert bench.asked == ["a"] and bench.arbiter.busy and bench.arbiter.active is None
    bench.arbiter.created("r1")
    assert bench.asked == ["a"] and bench.arbiter.active == "r1"
    bench.arbiter.done("other")
    assert bench.asked == ["a"]
    bench.arbiter.done("r1")
    assert bench.asked == ["a", "b"] and bench.arbiter.active is None
    bench.arbiter.created("r2")
    bench.arbiter.done("r2")
    assert not bench.arbiter.busy


def test_before_the_settings_nothing_is_asked_for() -> None:
    bench = Bench(is_open=False)
    assert bench.ask("a") and bench.asked == []
    bench.arbiter.open()
    assert bench.asked == ["a"]


def test_a_message_goes_with_its_wish() -> None:
    bench = Bench()
    items = [ItemCreate(item=Item(type="message", id=name, role="user", content=[Content("input_text", text=name)])) for name in "ab"]
    for item in items:
        bench.arbiter.ask(ResponseParams(), item)
    assert [type(event) for event in bench.sent] == [ItemCreate, ResponseCreate]
    bench.arbiter.created("r1")
    bench.arbiter.done("r1")
    assert bench.sent[2] is items[1]
    bench.arbiter.refused(bench.event_id(), ACTIVE)
    bench.arbiter.done("r0")
    assert [type(event) for event in bench.sent[3:]] == [ResponseCreate, ResponseCreate], "a message is not sent twice"


def test_a_refusal_because_of_another_response_waits_for_its_end() -> None:
    bench = Bench()
    bench.ask("a")
    bench.arbiter.refused(bench.event_id(), ACTIVE)
    assert bench.asked == ["a"] and bench.arbiter.active == UNNAMED
    bench.arbiter.done("whatever")
    assert bench.asked == ["a", "a"]


def test_the_server_was_first() -> None:
    """Its own response is created while our wish is on its way; the error comes after it, for a wish that seemed fulfilled."""
    bench = Bench()
    bench.ask("a")
    bench.ask("b")
    bench.arbiter.created("theirs")
    bench.arbiter.refused(bench.event_id(0), ACTIVE)
    assert bench.asked == ["a"] and bench.arbiter.active == "theirs"
    bench.arbiter.done("theirs")
    assert bench.asked == ["a", "a"]
    bench.arbiter.created("r1")
    bench.arbiter.done("r1")
    assert bench.asked == ["a", "a", "b"]


def test_a_stray_end_does_not_cost_a_wish() -> None:
    """An end that is not of our response frees the gate too early; the refusal that follows puts the wish back."""
    bench = Bench()
    bench.ask("a")
    bench.ask("b")
    bench.arbiter.done("stray")
    assert bench.asked == ["a", "b"]
    bench.arbiter.created("of a")
    bench.arbiter.refused(bench.event_id(1), ACTIVE)
    bench.arbiter.done("of a")
    assert bench.asked == ["a", "b", "b"]


def test_a_failure_without_a_beginning_frees() -> None:
    bench = Bench()
    bench.ask("a")
    bench.arbiter.done("r1")
    assert not bench.arbiter.busy


@pytest.mark.parametrize("code", [None, "invalid_value", "rate_limit_exceeded"])
def test_any_other_refusal_gives_the_wish_up(code: str | None) -> None:
    bench = Bench()
    bench.ask("a")
    bench.ask("b")
    bench.arbiter.refused(bench.event_id(), code)
    assert bench.asked == ["a", "b"]


def test_an_error_of_something_else_changes_nothing() -> None:
    bench = Bench()
    bench.ask("a")
    for event_id in (None, "", "other"):
        bench.arbiter.refused(event_id, ACTIVE)
    assert bench.asked == ["a"] and bench.arbiter.busy and bench.arbiter.active is None


def test_too_many_wishes_are_refused() -> None:
    bench = Bench()
    assert all(bench.ask(str(n)) for n in range(MAX_WAITING + 1)) and bench.arbiter.full
    assert not bench.ask("more")


def test_a_new_link_asks_again() -> None:
    bench = Bench()
    bench.ask("a")
    bench.ask("b")
    bench.arbiter.reset()
    assert not bench.arbiter.busy and bench.asked == ["a"]
    bench.arbiter.open()
    assert bench.asked == ["a", "a"]
    bench.arbiter.created("r1")
    bench.arbiter.reset()
    bench.arbiter.open()
    assert bench.asked == ["a", "a", "b"]


class FakeServer:
    """Answers `response.create` as the service does, its words on their way for a while."""

    def __init__(self) -> None:
        self.active: str | None = None
        self.count = 0
        self.answered: list[object] = []
        self.down: list[tuple[str, str, str | None]] = []

    def create(self, event: ResponseCreate | None) -> None:
        if self.active is not None:
            if event is not None:
                self.down.append(("refused", str(event.event_id), ACTIVE))
            return
        self.count += 1
        self.active = f"r{self.count}"
        if event is not None and isinstance(event.response, ResponseParams):
            self.answered.append(event.response.instructions)
        self.down.append(("created", self.active, None))

    def end(self) -> None:
        if self.active is not None:
            self.down.append(("done", self.active, None))
            self.active = None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["ask", "up", "down", "end", "unasked"]), max_size=40))
def test_every_wish_is_answered_once_whatever_overtakes_whatever(steps: list[str]) -> None:
    bench, server, wishes, seen = Bench(), FakeServer(), 0, 0

    def step(name: str) -> None:
        nonlocal wishes, seen
        if name == "ask":
            bench.ask(f"wish {wishes}")
            wishes += 1
        elif name == "up" and seen < len(bench.sent):
            event = bench.sent[seen]
            seen += 1
            assert isinstance(event, ResponseCreate)
            server.create(event)
        elif name == "down" and server.down:
            kind, first, code = server.down.pop(0)
            getattr(bench.arbiter, kind)(*([first, code] if kind == "refused" else [first]))
        elif name == "end":
            server.end()
        elif name == "unasked":
            server.create(None)

    for name in steps:
        step(name)
    for _ in range(6 * (len(steps) + 1)):
        for name in ("up", "down", "end"):
            step(name)
    assert sorted(map(str, server.answered)) == sorted(f"wish {n}" for n in range(wishes))
    assert not bench.arbiter.busy


def test_whoever_has_one_right_moment_is_told_when_it_was_missed() -> None:
    bench, told = Bench(), []
    assert bench.arbiter.idle
    bench.arbiter.ask(ResponseParams(), unheard=told.append)
    assert not bench.arbiter.idle
    bench.arbiter.refused(bench.event_id(), ACTIVE)
    assert told == [True] and len(bench.asked) == 1 and bench.arbiter.active == UNNAMED
    bench.arbiter.done("whatever")
    assert len(bench.asked) == 1, "it does not wait here"
    bench.arbiter.ask(ResponseParams(), unheard=told.append)
    bench.arbiter.refused(bench.event_id(), "rate_limit_exceeded")
    assert told == [True, False]
    bench.arbiter.ask(ResponseParams(), unheard=told.append)
    bench.arbiter.reset()
    assert told == [True, False, True] and not bench.arbiter.idle
    bench.arbiter.open()
    assert len(bench.asked) == 3
    bench.arbiter.ask(ResponseParams(), unheard=told.append)
    bench.arbiter.created("r1")
    bench.arbiter.reset()
    assert told == [True, False, True], "it was heard"
