"""One session of the twin: does what a `ServerSession` orders, with the replies of a script.

Everything that it tells the client is a step on one timeline, so that the order is the script's and never the machine's.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from voice.audio.patience import Thought
from voice.engines.base import Synthesizer
from voice.engines.cues import Cue, Cues, Question, dictated, question
from voice.engines.recital import Move, moves
from voice.engines.timeline import Timeline
from voice.errors import MissingError, WorkerDied
from voice.links.driver import Driver
from voice.protocol.orders import Hangup, ListenEnded, ListenPaused, Order, ReplyStopped, ReplyWanted
from voice.protocol.server import ServerSession

log = logging.getLogger(__name__)

MAX_REMEMBERED = 256
"""Turns whose words and replies are remembered; an answer concerns the newest."""


@dataclass(slots=True)
class _Running:
    """A reply that is being given."""

    order: ReplyWanted
    cue: Cue
    pieces: AsyncGenerator[Move, None]
    begins_s: float
    move: Move | None = None
    """What goes out next; None: not known yet."""


class Actor:
    """See the top of the file. `attach` before the first order; `timeline.run` is the caller's. `answers`: not only writes down."""

    def __init__(
        self,
        session: ServerSession,
        cues: Cues,
        voice: Synthesizer,
        timeline: Timeline,
        new_id: Callable[[str], str],
        answers: bool = True,
    ) -> None:
        self._session = session
        self._answers = answers
        self._cues = cues
        self._voice = voice
        self._timeline = timeline
        self._new_id = new_id
        self._heard: dict[str, str] = {}
        self._taken: dict[str, Cue] = {}
        self._running: dict[str, _Running] = {}

    def attach(self, driver: Driver[Order]) -> None:
        """Where to send."""
        self._driver = driver

    async def obey(self, order: Order) -> None:
        """Do what the session orders; never waits."""
        match order:
            case ListenPaused():
                # Nobody understands words here: a pause is as long as any.
                self._session.judging.judged(order.pause, Thought.UNKNOWN)
                self._driver.kick()
            case ListenEnded():
                self._hear(order)
            case ReplyWanted():
                self._begin(order)
            case ReplyStopped() if order.response_id in self._running:
                self._timeline.at(self._timeline.moment(), partial(self._leave, self._running[order.response_id]))
            case Hangup():
                self._driver.hang_up(order.close_code, order.reason)
            case _:
                pass

    async def close(self) -> None:
        """The client is gone, and no step is being taken any more."""
        for running in self._running.values():
            await running.pieces.aclose()
        self._running.clear()

    def _hear(self, order: ListenEnded) -> None:
        """A turn of speech is over: what was said in it is the script's affair."""
        cue = None
        if not order.silent and order.item_id not in self._heard:
            cue = self._cues.hear(self._answers)
        words = "" if order.silent else f"{order.audio_ms} ms of speech"
        if cue is not None and cue.reply.tells_words:
            words = cue.reply.heard or ""
            if cue.reply.answers:
                self._taken[order.item_id] = cue
        self._heard.setdefault(order.item_id, words)
        for memory in (self._heard, self._taken):
            if len(memory) > MAX_REMEMBERED:
                del memory[next(iter(memory))]
        delay_ms = cue.reply.transcript_delay_ms if cue is not None else self._cues.late_ms
        failure = cue.reply.heard_fails if cue is not None else None
        self._timeline.at(self._timeline.moment() + delay_ms / 1000, partial(self._write_down, order, words, failure))

    async def _write_down(self, order: ListenEnded, words: str, failure: str | None) -> None:
        if failure is not None:
            await self._obey_all(self._session.transcription_failed(order.item_id, failure, order.content_index))
        else:
            await self._obey_all(self._session.transcribed(order.item_id, words, order.audio_ms, order.content_index))

    def _begin(self, order: ReplyWanted) -> None:
        items = self._session.conversation.items() if order.context is None else [entry.item for entry in order.context]
        asked = question(items, self._heard)
        cue = dictated(order) or self._taken.pop(asked.item_id, None) or self._cues.answer(asked)
        if cue is None:
            self._timeline.at(self._timeline.moment(), partial(self._fail, order, _unanswered(asked)))
            return
        begins_s = self._timeline.moment() + cue.reply.delay_ms / 1000
        running = _Running(order, cue, moves(cue, asked, order, self._voice, self._new_id), begins_s)
        self._running[order.response_id] = running
        self._timeline.at(begins_s, partial(self._go_on, running))

    async def _go_on(self, running: _Running) -> None:
        """The next piece of a reply, and when the one behind it is due. Of one that was stopped the session takes no more."""
        try:
            if running.move is not None and not await self._give(running.order.response_id, running.move):
                running.move = None
            else:
                running.move = await anext(running.pieces, None)
        except (WorkerDied, MissingError) as exc:
            log.warning("a reply was not spoken: %s", exc)
            await self._break_off(running, str(exc))
            return
        except Exception:
            # A bug must not take the session along: it is logged, and the client is told.
            log.exception("a reply failed")
            await self._break_off(running, "the twin failed; its log says why")
            return
        if running.move is not None:
            self._timeline.at(running.begins_s + running.move.due_s, partial(self._go_on, running))
            return
        await self._leave(running)
        reply = running.cue.reply
        await self._obey_all(self._session.end_reply(running.order.response_id, details=reply.ending, usage=reply.usage))

    async def _give(self, response_id: str, move: Move) -> bool:
        """One piece; False if nobody wants more."""
        wanted = self._session.say(response_id, move.text) if move.text else True
        if wanted and move.samples.size:
            wanted = self._session.sound(response_id, move.samples, move.rate_hz, move.words)
        if wanted and move.call is not None:
            wanted = self._session.call(response_id, *move.call)
        await self._driver.room()
        return wanted

    async def _leave(self, running: _Running) -> None:
        """Nothing more comes of a reply."""
        await running.pieces.aclose()
        self._running.pop(running.order.response_id, None)

    async def _break_off(self, running: _Running, why: str) -> None:
        await self._leave(running)
        await self._fail(running.order, why)

    async def _fail(self, order: ReplyWanted, why: str) -> None:
        await self._obey_all(self._session.end_reply(order.response_id, failure=why))

    async def _obey_all(self, orders: Sequence[Order]) -> None:
        for order in orders:
            await self.obey(order)
        self._driver.kick()


def _unanswered(asked: Question) -> str:
    """What the script has no reply to."""
    if asked.outputs:
        return f"the script has no reply to the output of '{asked.outputs[-1][0]}'"
    return f"the script has no reply to '{(asked.heard or '')[:200]}'"
