"""One session of the local engine: recogniser -> responder -> synthesiser, under the orders of a `ServerSession`.

A turn is recognised while it is spoken; a reply waits for its words, then is spoken sentence by sentence (`speaker.py`).
A reply's id is its generation: what comes for one that was stopped is ignored by the session.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from voice.engines.announcing import Announcer
from voice.engines.base import Heard, Hearing, Prompt, Responder, Said, Synthesizer, Transcriber
from voice.engines.pausing import PauseJudge
from voice.engines.recording import PLACES, Recording
from voice.engines.speaker import Clocks, Ending, Speaker
from voice.errors import WorkerDied
from voice.links.driver import Driver
from voice.protocol.lines import Line, lines_of
from voice.protocol.objects import Item
from voice.protocol.orders import (
    Due,
    Hangup,
    ListenDropped,
    ListenEnded,
    ListenMore,
    ListenPaused,
    ListenStarted,
    Order,
    ReplyStopped,
    ReplyWanted,
    Wake,
)
from voice.protocol.server import ServerSession

log = logging.getLogger(__name__)

MAX_REMEMBERED = 64
"""Turns whose hearing is remembered; a reply concerns the newest."""
Sound = tuple[str, int]
"""What is heard: an item, and the index of its part."""
APOLOGY_DEAF = "Sorry, my recogniser stopped and had to be started again. Please say that once more."


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session is made of; the first two serve all sessions, the responder is the session's own."""

    transcriber: Transcriber
    synthesizer: Synthesizer
    responder: Responder


class Cascade:
    """See the top of the file. `attach` before the first order."""

    def __init__(self, session: ServerSession, parts: Parts, clocks: Clocks) -> None:
        self._session = session
        self._parts = parts
        self._clocks = clocks
        self._hearings: dict[Sound, Hearing] = {}
        self._places = asyncio.Semaphore(PLACES)
        self._turns: dict[Sound, asyncio.Task[Heard | None]] = {}
        self._replies: dict[str, asyncio.Task[None]] = {}
        self._sentences: Sequence[Said] = ()
        self._announcer = Announcer(parts.responder, clocks.now)

    def attach(self, driver: Driver[Order], group: asyncio.TaskGroup) -> None:
        """Where to send, and the task group that replies run in."""
        self._driver = driver
        self._group = group
        self._pauses = PauseJudge(self._session.judging.judged, driver.kick)

    async def obey(self, order: Order) -> None:
        """Do what the session orders; never waits."""
        match order:
            case ListenStarted():
                hearing = self._parts.transcriber.listen()
                self._hearings[order.item_id, order.content_index] = Recording(hearing, self._places) if order.given else hearing
            case ListenMore():
                self._hearings[order.item_id, order.content_index].feed(order.samples)
            case ListenPaused():
                self._pauses.ask(order.pause, self._hearings[order.item_id, 0], self._group)
            case ListenEnded():
                sound = (order.item_id, order.content_index)
                hearing = self._hearings.pop(sound)
                self._turns[sound] = self._group.create_task(self._hear(order, hearing), name=f"hear {order.item_id}")
                # Also if it never got to its first step.
                self._turns[sound].add_done_callback(lambda _: hearing.drop())
                self._forget()
            case ListenDropped():
                self._hearings.pop((order.item_id, 0)).drop()
            case ReplyWanted():
                sentences, self._sentences = self._sentences or self._announcer.asked_for(order), ()
                task = self._group.create_task(self._reply(order, sentences), name=f"reply {order.response_id}")
                self._replies[order.response_id] = task
                task.add_done_callback(lambda _: self._replies.pop(order.response_id, None))
            case ReplyStopped():
                if (stopped := self._replies.get(order.response_id)) is not None:
                    stopped.cancel()
            case Wake() | Due():
                await self._announce(asked_for=isinstance(order, Due))
            case Hangup():
                self._driver.hang_up(order.close_code, order.reason)

    def stop(self) -> None:
        """The client is gone: nothing is heard or said any more."""
        for hearing in self._hearings.values():
            hearing.drop()
        self._hearings.clear()
        self._pauses.stop()
        for task in [*self._turns.values(), *self._replies.values()]:
            task.cancel()

    async def _hear(self, order: ListenEnded, hearing: Hearing) -> Heard | None:
        """The words of a turn; None if the recogniser died over it."""
        try:
            heard = await hearing.finish()
        except WorkerDied as exc:
            log.warning("a turn was not recognised: %s", exc)
            await self._obey_all(self._session.transcription_failed(order.item_id, str(exc), order.content_index))
            return None
        except Exception:
            # A bug in a recogniser must not take the session along: it is logged, and the turn counts as not heard.
            log.exception("a turn was not recognised")
            await self._obey_all(self._session.transcription_failed(order.item_id, "the recogniser failed", order.content_index))
            return None
        if order.silent:
            # In a silence a recogniser hears words, too. Nobody is answered who was hardly heard by anyone.
            heard = heard if heard.text and not heard.guess else Heard("", heard.language, heard.confidence, silent=True)
        await self._obey_all(self._session.transcribed(order.item_id, heard.text, order.audio_ms, order.content_index))
        return heard

    async def _reply(self, order: ReplyWanted, sentences: Sequence[Said]) -> None:
        ending = Ending()
        try:
            ending = await self._answer(order, sentences)
        except Exception:
            # A bug in a responder or a model must not take the session along: it is logged, and the client is told.
            log.exception("a reply failed")
            ending = Ending(failure="the engine failed; its log says why")
        finally:
            # Also when the reply was stopped: the timer that it began to tell of is set.
            self._set_alarm()
        await self._obey_all(self._session.end_reply(order.response_id, ending.failure, ending.incomplete))

    async def _answer(self, order: ReplyWanted, sentences: Sequence[Said]) -> Ending:
        """Say the answer."""
        speaker = Speaker(order, self._session, self._driver, self._clocks, self._parts.synthesizer)
        if sentences:
            return await speaker.say_all(_given(sentences))
        if pending := self._awaited(order):
            await asyncio.wait(pending)
        last = order.heard_item or self._last_id(order)
        turns = [task for (item_id, _), task in self._turns.items() if item_id == last]
        parts = [task.result() for task in turns if not task.cancelled()]
        known = [heard for heard in parts if heard is not None]
        if len(known) < len(turns):
            return await speaker.say_all(_given([Said(APOLOGY_DEAF)]))
        heard = _whole(known)
        prompt = Prompt(self._lines(order, heard), heard, order.instructions, order.toolbox, order.spoken, order.beside, order.instructed)
        return await speaker.say_all(self._parts.responder.respond(prompt, self._clocks.now(), self._clocks.wall_s()))

    def _awaited(self, order: ReplyWanted) -> list[asyncio.Task[Heard | None]]:
        """The turns whose words an answer has to wait for."""
        wanted = {entry.item.id for entry in order.context or ()}
        return [task for sound, task in self._turns.items() if (sound[0] in wanted or order.context is None) and not task.done()]

    def _items(self, order: ReplyWanted) -> list[Item]:
        return self._session.conversation.items() if order.context is None else [entry.item for entry in order.context]

    def _last_id(self, order: ReplyWanted) -> str:
        """The newest item of what is answered; not the beginning of an answer that is being given beside this one."""
        return next((str(item.id) for item in reversed(self._items(order)) if item.status != "in_progress"), "")

    def _lines(self, order: ReplyWanted, heard: Heard | None) -> tuple[Line, ...]:
        """What to answer; a turn of which nothing was understood is an empty line, lest the line before it is answered again."""
        silent = [Line("user", "")] if heard is not None and not heard.text else []
        return (*lines_of(self._items(order)), *silent)

    async def _announce(self, asked_for: bool) -> None:
        """Say what there is to say of timers; or leave word of it, where answers must be asked for."""
        if asked_for:
            word = self._announcer.word()
        else:
            word, self._sentences = "", self._announcer.all()
        self._set_alarm()
        if word or self._sentences:
            await self._obey_all(self._session.begin_reply(word))

    def _set_alarm(self) -> None:
        """Tell the session, and the driver's timer, when the responder next has something to say."""
        self._session.wake_at = self._announcer.due_s(self._session.wake_at)
        self._driver.kick()

    def _forget(self) -> None:
        """The oldest hearings go; those still at work stay, so that `stop` finds them."""
        for sound in [sound for sound, task in self._turns.items() if task.done()][: -MAX_REMEMBERED or None]:
            del self._turns[sound]

    async def _obey_all(self, orders: Sequence[Order]) -> None:
        for order in orders:
            await self.obey(order)
        self._driver.kick()


def _whole(parts: Sequence[Heard]) -> Heard | None:
    """What was heard in all the sounds of an item; None if it has none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    text = " ".join(heard.text for heard in parts if heard.text)
    return Heard(text, parts[0].language, min(heard.confidence for heard in parts))


async def _given(sentences: Sequence[Said]) -> AsyncGenerator[Said, None]:
    for said in sentences:
        yield said
