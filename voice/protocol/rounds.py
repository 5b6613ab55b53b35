"""The responses of the server behind as a client sees them: the calls of the server's own tools, and the rounds that follow them, left out.

    IDLE ---- response.created ----> OPEN ---- done, and nothing of ours was called ------------> IDLE     done is shown
                                     OPEN ---- done, with calls of ours ----> WAITING             the tools run
    WAITING - all outputs are in --> ASKED ---- response.created ----> OPEN                       the next round of the same response
    WAITING - cancel, speech, another response ----> IDLE                                         its end is shown; what runs goes on

The client sees one response: created once, its items counted through, all under one id, and one end with all items and the sum of the usage.
A call runs once its response is complete, never of one that was broken off. Are there calls of the client's beside ours, the client is shown
the end at once; its `response.create` waits until our outputs are in, so that both are answered together. After `MAX_ROUNDS` the model has
to answer in words. Out of band (`conversation: "none"`) our tools are not offered: what came of them could not be told.
Events are dictionaries. Pure.
"""

from collections import deque
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from voice.errors import ProtocolError
from voice.protocol.lenient import fields
from voice.protocol.shownresponse import Event, HiddenCall, OpenResponses, ShownResponse
from voice.protocol.tools import MAX_CALLS, MAX_ROUNDS
from voice.protocol.unseen import Unseen

MAX_PENDING = 64
"""Responses that were asked for and have not begun."""
TOO_MANY = "Too many calls at once: this one was not run."
NOT_RUN = "Not run: the answer that wanted it was broken off."
BUSY = "conversation_already_has_active_response"


class State(Enum):
    """See the top of the file."""

    IDLE = "idle"
    OPEN = "open"
    WAITING = "waiting"
    ASKED = "asked"


@dataclass(slots=True)
class Moves:
    """What is to be done: events for the server behind, events for the client, tools to run."""

    up: list[Event] = field(default_factory=list)
    down: list[Event] = field(default_factory=list)
    calls: list[HiddenCall] = field(default_factory=list)


class Rounds:
    """See the top of the file. `is_ours`: whether a function is the server's own; `new_id("event")` gives a fresh id."""

    def __init__(self, is_ours: Callable[[str], bool], unseen: Unseen, new_id: Callable[[str], str]) -> None:
        self.state = State.IDLE
        self.open = OpenResponses(is_ours, unseen)
        self._unseen = unseen
        self._new_id = new_id
        self._asked = Asked()
        self._running: dict[str, bool] = {}
        """Calls without an output -> whether the client's next `response.create` has to wait for it."""
        self._held: Event | None = None
        self._asked_id = ""
        self._limits: Event | None = None
        """What came behind an end that was not shown."""
        self._unshown = False
        """The last end was not shown."""
        self._unwanted = False
        """The round that was asked for is to be cancelled when it begins."""

    @property
    def running(self) -> Container[str]:
        """Calls that have no output yet."""
        return self._running

    # From the client.

    def asks(self, event: Event) -> list[Event]:
        """A `response.create`; what goes up now. Raises: ProtocolError if the client's response is busy with a tool."""
        if not _is_beside(event):
            if self.state is State.WAITING or (self.state is State.ASKED and not self._unwanted) or self._held is not None:
                which = "" if self.open.main is None else f" in progress: {self.open.main.id}"
                message = (
                    f"Conversation already has an active response{which}. Wait until the response is finished before creating a new one."
                )
                raise ProtocolError(message, BUSY)
            if any(self._running.values()):
                self._held = event
                return []
        self._asked.sent(event)
        return [event]

    def cancels(self, event: Event) -> Moves:
        """A `response.cancel`. Raises: ProtocolError."""
        wanted, shown = event.get("response_id"), self.open.main
        if shown is None or wanted not in (None, shown.id):
            if shown is not None and wanted == shown.current:
                raise ProtocolError(f"Cancellation failed: response '{wanted}' is not active.", "response_cancel_not_active", "response_id")
            return Moves(up=[event])
        if self.state is State.WAITING:
            return Moves(down=self._close(_cancelled("client_cancelled")))
        if self.state is State.ASKED:
            # It has no name yet.
            self._unwanted = True
            return Moves(up=[{name: value for name, value in event.items() if name != "response_id"}])
        return Moves(up=[event if wanted is None else {**event, "response_id": shown.current}])

    # From the server behind.

    def created(self, event: Event) -> list[Event]:
        """`response.created`; what the client is shown."""
        response = event["response"]
        if self._asked.begins_beside(response):
            self.open.beside[str(response.get("id"))] = ShownResponse(response, {})
            return [event]
        if self.state is State.ASKED and self.open.main is not None:
            self.open.main.goes_on(str(response.get("id")))
            self.state = State.OPEN
            return []
        before = self._close(_cancelled("turn_detected")) if self.state is State.WAITING else []
        self.open.main = ShownResponse(response, self._asked.begun(response))
        self.state = State.OPEN
        return [*before, event]

    def done(self, event: Event) -> Moves:
        """`response.done`."""
        response, shown = event["response"], self.open.main
        self._unshown = False
        if (beside := self.open.beside.pop(str(response.get("id")), None)) is not None:
            self.open.add(beside, response)
            return Moves(down=[{**event, "response": beside.ended(response)}])
        others = self.state is State.OPEN and shown is not None and str(response.get("id")) != shown.current
        if shown is None or self.state is State.WAITING or others:
            # Nothing was made of it here: a call in it is not run, and the model is not to wonder.
            stray, calls = self.open.stray(response)
            return Moves([self._told(call_id, NOT_RUN) for call_id in calls], [{**event, "response": stray}])
        theirs = any(item.get("type") == "function_call" for item in self.open.add(shown, response))
        moves = self._run(shown, response.get("status") == "completed", theirs)
        if moves.calls and not theirs:
            self.state, self._unshown = State.WAITING, True
            return moves
        self.state, self.open.main = State.IDLE, None
        moves.down.append({**event, "response": shown.ended(response)})
        return moves

    def limits(self, event: Event) -> list[Event]:
        """`rate_limits.updated`; what the client is shown: behind an end that it does not see it waits for one that it does."""
        if self._unshown:
            self._limits, self._unshown = event, False
            return []
        return [event]

    def interrupted(self) -> Moves:
        """The user has begun to speak, which stops a response."""
        if self.state is State.WAITING:
            return Moves(down=self._close(_cancelled("turn_detected")))
        if self.state is State.ASKED and not self._unwanted:
            # The server behind may have heard the speech before our wish: then nothing else would stop the answer.
            self._unwanted = True
            return Moves(up=[{"type": "response.cancel", "event_id": self._new_id("event")}])
        return Moves()

    def refused(self, event_id: str, error: Mapping[str, Any]) -> list[Event]:
        """An `error` event: what was asked for under this id does not begin. What the client is shown."""
        self._asked.refused(event_id)
        # Some do not say what an error is about: while a round is awaited it is that.
        if self.state is not State.ASKED or event_id not in (self._asked_id, ""):
            return []
        told = {name: error.get(name) for name in ("type", "code", "message")}
        return self._close({"type": "failed", "error": told})

    # From the tools.

    def finished(self, call_id: str, output: str) -> list[Event]:
        """What came of a call; what goes up."""
        if self._running.pop(call_id, None) is None:
            return []
        up = [self._output(call_id, output)]
        if self.state is State.WAITING and self.open.main is not None and not self.open.main.calls.keys() & self._running.keys():
            up.append(self._next_round(self.open.main))
        if self._held is not None and not any(self._running.values()):
            held, self._held = self._held, None
            self._asked.sent(held)
            up.append(held)
        return up

    def _run(self, shown: ShownResponse, complete: bool, theirs: bool) -> Moves:
        """What becomes of the calls of a round that is over. `theirs`: the client is to answer calls, too."""
        moves = Moves()
        for place, call in enumerate(shown.calls.values()):
            if not complete or shown.round > MAX_ROUNDS or place >= MAX_CALLS:
                # Each call gets an output: a model is not to wonder.
                moves.up.append(self._output(call.call_id, TOO_MANY if complete else NOT_RUN))
                continue
            self._running[call.call_id] = theirs
            moves.calls.append(call)
        return moves

    def _output(self, call_id: str, output: str) -> Event:
        told = self._told(call_id, output)
        if self.open.main is not None:
            self.open.main.read.append({name: value for name, value in told["item"].items() if name != "id"})
        return told

    def _told(self, call_id: str, output: str) -> Event:
        item_id = self._new_id("item")
        self._unseen.hide(item_id, call_id)
        item = {"id": item_id, "type": "function_call_output", "call_id": call_id, "output": output}
        return {"type": "conversation.item.create", "event_id": self._new_id("event"), "item": item}

    def _next_round(self, shown: ShownResponse) -> Event:
        """Ask for what the client is still waiting for, as it has asked for it."""
        params = dict(shown.params)
        if isinstance(params.get("input"), list):
            params["input"] = [*params["input"], *shown.read]
        # A choice that was to force a call would force one for ever.
        params["tool_choice"] = "auto" if shown.round < MAX_ROUNDS else "none"
        self.state, self._asked_id, self._unwanted = State.ASKED, self._new_id("event"), False
        return {"type": "response.create", "event_id": self._asked_id, "response": params}

    def _close(self, details: Event) -> list[Event]:
        """The end of a response of which the server behind makes nothing more."""
        shown, self.open.main, self.state = self.open.main, None, State.IDLE
        assert shown is not None
        done = {**shown.ended(shown.given), "status": details["type"], "status_details": details}
        limits, self._limits = self._limits, None
        event = {"type": "response.done", "event_id": self._new_id("event"), "response": done}
        return [event] if limits is None else [event, limits]


class Asked:
    """The client's wishes for responses, on their way."""

    def __init__(self) -> None:
        self._pending: deque[Event] = deque(maxlen=MAX_PENDING)

    def sent(self, event: Event) -> None:
        """A `response.create` has gone up."""
        self._pending.append(event)

    def begun(self, response: Event) -> Event:
        """What was asked for with a response of the conversation that begins; nothing for one that answers a turn."""
        found = next((event for event in self._pending if not _is_beside(event) and _fits(event, response)), None)
        if found is None:
            return {}
        self._pending.remove(found)
        return fields(found.get("response"))

    def begins_beside(self, response: Event) -> bool:
        """Whether a response that begins is beside the conversation."""
        if response.get("conversation_id") is not None:
            return False
        found = next((event for event in self._pending if _is_beside(event) and _fits(event, response)), None)
        if found is not None:
            self._pending.remove(found)
        return found is not None

    def refused(self, event_id: str) -> None:
        """The wish of this event is not granted."""
        for event in [event for event in self._pending if event_id and event.get("event_id") == event_id]:
            self._pending.remove(event)


def _cancelled(reason: str) -> Event:
    return {"type": "cancelled", "reason": reason}


def _is_beside(event: Event) -> bool:
    return fields(event.get("response")).get("conversation") == "none"


def _fits(event: Event, response: Event) -> bool:
    """By what comes back of a wish."""
    return (fields(event.get("response")).get("metadata") or None) == (response.get("metadata") or None)
