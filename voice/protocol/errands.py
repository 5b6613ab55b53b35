"""The functions that a model calls, on the side that has them: what runs, and when an answer to what came of it is asked for.

    call    `callbook.py` finds it whole ---> RUNNING --- `ended` ---> its output is sent
    batch   OPEN (its response may call more) --- response.done, or the link breaks ---> CLOSED
            CLOSED --- all its outputs are sent ---> OWED --- a response begins that has seen them all ---> answered

A batch is the calls of one response. They run at once, side by side, and their outputs go as they come. One answer is owed to a batch, and
asked for as soon as nobody speaks and nothing is being answered. If the server answers a turn of the user's meanwhile, and had the outputs by
then (it has told of their items), that answer is the one: nobody wants another. If it had not, the answer is asked for behind it.

Answers that call again and again have an end: the one to the outputs of the `MAX_ROUNDS`-th since the user last spoke is asked for in words, and if
that one calls, too, its outputs wait for what the user says next.

What runs outlives its link: a call that the new server does not know is told to it right before its output.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voice.protocol.arbiter import Arbiter
from voice.protocol.callbook import Callbook, Called, text_of
from voice.protocol.dead_air import DeadAir
from voice.protocol.events import ItemAdded, ItemDone
from voice.protocol.foreign import ItemCreated
from voice.protocol.inbound import Inbound
from voice.protocol.notices import (
    Notice,
    Other,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    SpeechBegan,
    SpeechEnded,
    ToolStarted,
    TurnCommitted,
)
from voice.protocol.objects import Item, ResponseParams, Session
from voice.protocol.requests import ClientEvent, ItemCreate

MAX_RUNNING = 64
"""Calls at once. What is called beyond it is answered with `TOO_MANY`."""
MAX_BATCHES = 2 * MAX_RUNNING
"""Beyond it one goes whose answer was asked for: a server that tells of some outputs only never lets it be answered."""
MAX_ROUNDS = 8
"""Answers with calls, one behind the other, before one has to be words; as on the server (`rounds.py`)."""
TOO_MANY = f"Error: {MAX_RUNNING} functions are running already. Wait for what comes of them."


@dataclass(slots=True, eq=False)
class _Batch:
    """The calls of one response, by call_id."""

    response_id: str
    open: bool = True
    running: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    """Those whose outputs were sent."""
    unseen: set[str] = field(default_factory=set)
    """Those of them of whose outputs the server has not told."""
    asked: bool = False

    @property
    def owed(self) -> bool:
        """Everything that was called has come to an end."""
        return not self.open and not self.running and bool(self.sent)


@dataclass(frozen=True, slots=True)
class _Running:
    item: Item
    batch: _Batch
    link: int
    """Whose server knows of the call."""


class Errands:
    """See the top of the file. Nothing runs until there are functions (`on`)."""

    def __init__(
        self,
        arbiter: Arbiter,
        inbound: Inbound,
        send: Callable[[ClientEvent], None],
        new_id: Callable[[str], str],
        dead_air: DeadAir,
    ) -> None:
        self.on = False
        """There are functions to call."""
        self.dead_air = dead_air
        self._arbiter = arbiter
        self._inbound = inbound
        self._send = send
        self._new_id = new_id
        self._book = Callbook()
        self._running: dict[str, _Running] = {}
        self._batches: list[_Batch] = []
        self._link = 0
        self._tells = False
        self._rounds = 0

    def take(self, notice: Notice, now: float) -> list[Notice]:
        """Something happened, which the program is told: what runs now because of it."""
        started: list[Notice] = []
        match notice:
            case Other(event=event) if self.on:
                if isinstance(event, ItemAdded | ItemDone | ItemCreated) and event.item.type == "function_call_output":
                    self._seen(text_of(event.item.call_id))
                started = self._start(self._book.event(event, self._arbiter.active or ""), now)
            case ReplyBegan():
                self._answered(by_us=self.dead_air.began(now))
            case ReplyEnded():
                self.dead_air.heard(now)
                if self.on:
                    started = self._start(self._book.ended(notice), now)
                    self._close(notice.response_id)
            case ReplyAudio():
                self.dead_air.heard(now, notice.samples.size / notice.rate_hz)
            case SpeechBegan(local=False):
                self.dead_air.speech(True, now)
            case SpeechEnded(local=False):
                self.dead_air.speech(False, now)
            case TurnCommitted():
                self.dead_air.speech(False, now)
                self.said()
            case _:
                pass
        self._settle()
        return started

    def connected(self, now: float, speaking: bool) -> list[Notice]:
        """A new link is there, and was told what was said before: what runs now, and every answer that is owed is owed there.

        `speaking`: it gets a turn again as sound, to answer that first.
        """
        self.dead_air.speech(speaking, now)
        started = self._start(self._book.broken(), now)
        self._link += 1
        self._close("")
        for batch in self._batches:
            batch.unseen, batch.asked = set(batch.sent), False
        return started

    def said(self) -> None:
        """The user has said something, or typed it: what is called from here on is called for that."""
        self._rounds = 0

    def ended(self, call_id: str, output: str) -> bool:
        """A call has come to an end: its output goes to the server. False if nobody waits for it."""
        call = self._running.pop(call_id, None)
        if call is None:
            return False
        if call.link != self._link:
            self._send(ItemCreate(event_id=self._new_id("event"), item=call.item))
        item = Item(type="function_call_output", id=self._new_id("item"), call_id=call_id, output=output)
        self._inbound.history.expect(item, str(item.id))
        self._send(ItemCreate(event_id=self._new_id("event"), item=item))
        call.batch.running.discard(call_id)
        call.batch.sent.add(call_id)
        call.batch.unseen.add(call_id)
        self.dead_air.finished(call_id)
        self._settle()
        return True

    def announce(self, words: Mapping[str, str]) -> bool:
        """Ask for a response that says this (by language), and answers nothing; False if it is not the moment."""
        if not self._arbiter.idle or (params := self.dead_air.announce(words)) is None:
            return False
        self._arbiter.ask(params, unheard=lambda again: self.dead_air.unheard())
        return True

    def tick(self, now: float) -> None:
        """Time has passed: perhaps nothing has been heard for long."""
        if self._arbiter.idle and (params := self.dead_air.words(now)) is not None:
            self._arbiter.ask(params, unheard=lambda again: self.dead_air.unheard())
        self._settle()

    def deadline(self) -> float | None:
        """When `tick` wants to be called; None: not before something else happens."""
        return self.dead_air.deadline(bool(self._owed())) if self._arbiter.idle else None

    def _start(self, calls: list[Called], now: float) -> list[Notice]:
        started: list[Notice] = []
        for call in calls:
            call_id, arguments = text_of(call.item.call_id), text_of(call.item.arguments)
            item_id = text_of(call.item.id) or self._new_id("item")
            item = Item(type="function_call", id=item_id, status="completed", name=call.item.name, call_id=call_id, arguments=arguments)
            self._inbound.history.see(item, item_id, None)
            self._inbound.unsettled.begun(call.response_id)
            batch = next((batch for batch in self._batches if batch.open and batch.response_id == call.response_id), None)
            if batch is None:
                batch = _Batch(call.response_id)
                self._batches.append(batch)
            if len(self._batches) > MAX_BATCHES:
                self._batches.remove(next((other for other in self._batches if other.asked), self._batches[0]))
            batch.running.add(call_id)
            self._running[call_id] = _Running(item, batch, self._link)
            if len(self._running) > MAX_RUNNING:
                self.ended(call_id, TOO_MANY)
                continue
            self.dead_air.started(call_id, now)
            started.append(ToolStarted(call_id, text_of(call.item.name), arguments))
        return started

    def _close(self, response_id: str) -> None:
        """A response calls no more; "": none of them does."""
        for batch in self._batches:
            batch.open = batch.open and response_id not in ("", batch.response_id)

    def _seen(self, call_id: str) -> None:
        """The server has told of an output: what it begins to say from here on is said in the knowledge of it."""
        self._tells = True
        for batch in self._batches:
            batch.unseen.discard(call_id)

    def _answered(self, by_us: bool) -> None:
        """A response has begun: it answers what it has seen, and, on a server that never tells of outputs, what was asked of it.

        `by_us`: it is the filler, and answers nothing.
        """
        if not by_us:
            self._batches = [
                batch for batch in self._batches if not (batch.owed and (not batch.unseen or (batch.asked and not self._tells)))
            ]

    def _owed(self) -> list[_Batch]:
        return [batch for batch in self._batches if batch.owed and not batch.asked]

    def _settle(self) -> None:
        """Ask for the answer that is owed, if it is the moment for it."""
        owed = self._owed()
        if not owed or self.dead_air.talking or not self._arbiter.idle:
            return
        if self._rounds >= MAX_ROUNDS:
            # Words were asked for and calls came: asked again, it would call again.
            self._batches = [batch for batch in self._batches if batch not in owed]
            return
        for batch in owed:
            batch.asked = True
        self._rounds += 1
        params = answer_to_outputs(self._inbound.settings, in_words=self._rounds == MAX_ROUNDS)
        self._arbiter.ask(params, unheard=lambda again: self._unheard(owed, again))

    def _unheard(self, owed: list[_Batch], again: bool) -> None:
        """The wish for an answer was refused, or the link broke before it was heard."""
        self._rounds = max(0, self._rounds - 1)
        for batch in owed:
            batch.asked = False
            if again and batch.unseen and batch not in self._batches:
                # What began instead had not seen the outputs, and was taken for the answer.
                self._batches.append(batch)
            elif not again and batch in self._batches:
                self._batches.remove(batch)


def answer_to_outputs(settings: Session | None, in_words: bool = False) -> ResponseParams:
    """What an answer is asked for with: a session that wants a call each time wants none about what came of one, or it would never end.

    `in_words`: nothing more is to be called.
    """
    if in_words:
        return ResponseParams(tool_choice="none")
    choice = settings.tool_choice if settings is not None else None
    return ResponseParams(tool_choice="auto") if choice == "required" or isinstance(choice, dict) else ResponseParams()
