"""A session in front of a client, with what its server keeps behind the stage: tools that run here, and words about the one who is served.

It stands between a client and whatever answers (our own engine, an upstream), speaks the protocol of today to both, and neither notices:

    client                      here                                                     what answers
                                <------------------------------------------ session.created     kept back
                                session.update (our tools, our words) ------------------>
    session.created <---------- without them <------------------------------ session.updated
    session.update -----------> with them ---------------------------------------------->
                                <---------------- response with a call of ours --------       the tool runs
                                its output, response.create --------------------------->
    the answer <-------------------------------------------------------------- the answer

`veil.py` has what is added to settings and taken out, `rounds.py` the responses, `unseen.py` the items that the client does not see.
Sound passes unread, as long as the response that it is of is numbered as the client sees it. Pure; a shell runs the tools.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from voice.errors import ProtocolError
from voice.protocol.complaints import complaint
from voice.protocol.lenient import fields, text
from voice.protocol.overture import REFUSED, Overture
from voice.protocol.peek import peeked
from voice.protocol.rounds import Moves, Rounds
from voice.protocol.shownresponse import Event, HiddenCall
from voice.protocol.unseen import Unseen
from voice.protocol.veil import Veil

MOST_IDS = 1_000
"""Of events of ours that are remembered, the newest: an `error` that names one is not the client's affair."""
_EVENTS = msgspec.json.Decoder(Event)


@dataclass(frozen=True, slots=True)
class Staged:
    """What is to be done: texts for what answers, texts for the client, tools to run."""

    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    calls: tuple[HiddenCall, ...] = ()
    over: str = ""
    """Why there is no session; "" if there is."""


class Backstage:
    """See the top of the file. `new_id("event")`, `new_id("item")` give fresh ids. `up` only once it is `ready`."""

    def __init__(self, veil: Veil, new_id: Callable[[str], str]) -> None:
        self._veil = veil
        self._new_id = new_id
        self._ours: dict[str, None] = {}
        self._unseen = Unseen()
        self._overture = Overture(veil, self._own_id)
        self._rounds = Rounds(veil.names.__contains__, self._unseen, self._own_id)
        self._tools: list[Any] = []
        """The client's own, of the session; `_choice` among them; `_told`: both as they were told last."""
        self._choice: Any = None
        self._told: tuple[list[Any], Any] = ([], None)
        self._interrupts = True
        """Whether speech stops a response."""

    @property
    def ready(self) -> bool:
        """Whether what answers has our settings."""
        return self._overture.done

    def up(self, text: str) -> Staged:
        """A message of the client's."""
        if self._overture.plain or _is_only(text, "input_audio_buffer.append"):
            return Staged((text,))
        try:
            event = _EVENTS.decode(text)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as exc:
            # Not for whoever answers: its reader may take what ours does not, and nothing of it was looked at here.
            return _staged(Moves(down=[self._error(ProtocolError(*complaint(exc, text)), None)]))
        try:
            return _staged(self._from_client(event))
        except ProtocolError as mistake:
            return _staged(Moves(down=[self._error(mistake, event.get("event_id"))]))

    def down(self, text: str) -> Staged:
        """A message of what answers."""
        if self.ready and self._rounds.open.plain and peeked(text) == "response.output_audio.delta":
            return Staged(down=(text,))
        event = None if self._overture.plain else _event(text)
        if event is None:
            return Staged(down=(text,) if self.ready else ())
        if not self.ready:
            return self._begin(event)
        moves = self._from_server(event)
        unchanged = len(moves.down) == 1 and moves.down[0] is event and not moves.up
        return Staged(down=(text,)) if unchanged else _staged(moves)

    def finished(self, call_id: str, output: str) -> Staged:
        """What came of a call."""
        return _staged(Moves(up=self._rounds.finished(call_id, output)))

    def _begin(self, event: Event) -> Staged:
        begun = self._overture.see(event)
        if begun.over:
            error = self._error(ProtocolError(REFUSED, "server_settings_refused"), None, "server_error")
            return Staged(down=(_text(error),), over=REFUSED)
        told = begun.told if self._overture.plain else (seen for one in begun.told for seen in self._from_server(one).down)
        return Staged(() if begun.update is None else (_text(begun.update),), tuple(map(_text, told)))

    def _from_client(self, event: Event) -> Moves:
        self._unseen.refuse(event)
        match event.get("type"):
            case "session.update" if isinstance(event.get("session"), dict):
                self._veil.check(session := event["session"], "session")
                added = self._veil.added(session, self._tools, self._choice)
                # The next update may come before this one is answered.
                self._tools = session["tools"] if isinstance(session.get("tools"), list) else self._tools
                self._choice = self._choice if session.get("tool_choice") is None else session["tool_choice"]
                return Moves(up=[{**event, "session": added}])
            case "response.create":
                return Moves(up=self._rounds.asks(self._wish(event)))
            case "response.cancel":
                return self._rounds.cancels(event)
            case "conversation.item.create":
                item = fields(event.get("item"))
                if text(item.get("call_id")) in self._unseen.calls:
                    raise ProtocolError("No call with this 'call_id' is in the conversation.", "invalid_value", "item.call_id")
                self._veil.check_item(item)
        return Moves(up=[event])

    def _wish(self, event: Event) -> Event:
        """A `response.create` as it goes on."""
        params = event.get("response")
        if not isinstance(params, dict):
            return event
        self._veil.check(params, "response")
        if params.get("conversation") != "none":
            return {**event, "response": self._veil.added(params, self._tools, self._choice)}
        tools = params["tools"] if isinstance(params.get("tools"), list) else self._tools
        # A choice without anything to choose is refused by some.
        choice = {} if tools or params.get("tool_choice") is not None else {"tool_choice": "none"}
        return {**event, "response": {**params, "tools": tools, **choice}}

    def _from_server(self, event: Event) -> Moves:
        moves = Moves()
        match event.get("type"):
            case "session.created" | "session.updated" if isinstance(event.get("session"), dict):
                return Moves(down=[self._settings(event)])
            case "error" if isinstance(event.get("error"), dict):
                return Moves(down=self._failed(event))
            case "response.created" if isinstance(event.get("response"), dict):
                return Moves(down=self._rounds.created({**event, "response": self._veil.shown(event["response"])}))
            case "response.done" if isinstance(event.get("response"), dict):
                return self._rounds.done({**event, "response": self._veil.shown(event["response"])})
            case "rate_limits.updated":
                return Moves(down=self._rounds.limits(event))
            case "response.output_item.added":
                self._rounds.open.item_added(event)
            case "conversation.item.deleted":
                # The answers to it were made with what was called for it, which the client cannot delete.
                ours = self._unseen.gone(text(event.get("item_id")), self._rounds.running)
                moves.up = [{"type": "conversation.item.delete", "event_id": self._own_id("event"), "item_id": one} for one in ours]
        if event.get("type") == "input_audio_buffer.speech_started" and self._interrupts:
            moves = self._rounds.interrupted()
        seen = self._seen(event)
        moves.down += [] if seen is None else [seen]
        return moves

    def _seen(self, event: Event) -> Event | None:
        """An event as the client is told of it; None if it is of an item that the client does not see."""
        kind, item = event.get("type"), fields(event.get("item"))
        item_id = text(event.get("item_id")) or text(item.get("id"))
        if kind in ("conversation.item.added", "conversation.item.created") and item_id:
            asks = item.get("type") == "function_call_output" or item.get("role") in ("user", "system")
            self._unseen.stands(item_id, event.get("previous_item_id"), asks and text(item.get("call_id")) not in self._unseen.calls)
        if item.get("type") == "function_call_output" and text(item.get("call_id")) in self._unseen.calls:
            # Of a server that gives items names of its own.
            self._unseen.hide(item_id)
        # By its name: it may come before its response tells of it, or of a response that nobody has told.
        call = {**event, "id": item_id, "type": "function_call"} if kind == "response.function_call_arguments.done" else item
        if self._rounds.open.hides(call) or item_id in self._unseen.items:
            if kind == "response.output_item.done":
                self._rounds.open.item_done(event)
            return None
        previous = event.get("previous_item_id")
        if isinstance(previous, str) and previous in self._unseen.items:
            event = {**event, "previous_item_id": self._unseen.before(previous)}
        return self._rounds.open.named(event)

    def _settings(self, event: Event) -> Event:
        session = self._veil.shown(event["session"])
        tools, heard = session.get("tools"), fields(fields(session.get("audio")).get("input"))
        self._told = self._tools, self._choice = (tools if isinstance(tools, list) else []), session.get("tool_choice")
        self._interrupts = fields(heard.get("turn_detection")).get("interrupt_response") is not False
        return {**event, "session": session}

    def _failed(self, event: Event) -> list[Event]:
        """An `error`: one that we have caused is not told."""
        error, shown = event["error"], self._rounds.open.main
        event_id = text(error.get("event_id"))
        ended = self._rounds.refused(event_id, error)
        if event_id in self._ours:
            return ended
        if str(error.get("param")).startswith("session"):
            # An update that was refused.
            self._tools, self._choice = self._told
        message = self._veil.without(str(error.get("message")))
        if shown is not None:
            message = message.replace(shown.current, shown.id)
        return [*ended, event if message == error.get("message") else {**event, "error": {**error, "message": message}}]

    def _error(self, mistake: ProtocolError, event_id: object, kind: str = "invalid_request_error") -> Event:
        error = {"type": kind, "code": mistake.code, "message": str(mistake), "param": mistake.param}
        caused = event_id if isinstance(event_id, str) else None
        return {"type": "error", "event_id": self._new_id("event"), "error": {**error, "event_id": caused}}

    def _own_id(self, kind: str) -> str:
        made = self._new_id(kind)
        if kind == "event":
            self._ours[made] = None
            if len(self._ours) > MOST_IDS:
                del self._ours[next(iter(self._ours))]
        return made


def _is_only(text: str, kind: str) -> bool:
    """Whether an event is of this type, and cannot be taken for another one by a reader who reads it otherwise."""
    return peeked(text) == kind and text.count('"type"') == 1 and "\\" not in text


def _event(text: str) -> Event | None:
    """None if it is no JSON object."""
    try:
        event = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    return event if isinstance(event, dict) else None


def _text(event: Event) -> str:
    return msgspec.json.encode(event).decode()


def _staged(moves: Moves) -> Staged:
    return Staged(tuple(map(_text, moves.up)), tuple(map(_text, moves.down)), tuple(moves.calls))
