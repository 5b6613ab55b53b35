"""`voice.connect()`: a Realtime session with any server, or with the embedded engine in this process. All else is built on it.

async with voice.connect(url="http://127.0.0.1:8765") as session:
    await session.say("what time is it")
    async for event in session:
        ...
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

import msgspec

from voice.audio.pcm import Samples
from voice.audio.turns import TurnDetector
from voice.engines.local import local_engine, random_id
from voice.errors import LinkClosed
from voice.links.base import Link, memory_pair
from voice.links.driver import Driver
from voice.links.trace import Sink, TracedLink
from voice.protocol.client import ClientSession
from voice.protocol.history import History
from voice.protocol.ledger import FrameCount
from voice.protocol.notices import Notice, SessionEnded
from voice.protocol.objects import Audio, AudioFormat, AudioInput, AudioOutput, Transcription, TurnDetection
from voice.protocol.objects import Session as Settings

log = logging.getLogger(__name__)

EVENTS = 1024
"""Events that wait for the program. When full, nothing more is read from the server: an unread session stands still, it does not grow."""
FINAL_CLOSES = frozenset({1000, 1002, 1003, 1007, 1008, 1009, 1010, 4001, 4003})
"""Close codes that another try does not better: the end was wanted, or one side does not understand or does not want the other."""


class Answering(Protocol):
    """An engine in this process."""

    async def serve(self, link: Link) -> LinkClosed:
        """Answer one client until its link ends."""
        ...


def settings_of(
    *,
    turns: str = "server",
    voice: str | None = None,
    instructions: str | None = None,
    threshold: float = 0.5,
    prefix_padding_ms: int = 300,
    silence_duration_ms: int = 500,
    text_only: bool = False,
) -> Settings:
    """The usual settings: speech in and out, the user's words written down, turns ended by the server's `server_vad` or by us."""
    detection = TurnDetection("server_vad", threshold, prefix_padding_ms, silence_duration_ms) if turns == "server" else None
    hearing = AudioInput(transcription=Transcription(model="whisper-1"), turn_detection=detection)
    speaking = AudioOutput(format=AudioFormat("audio/pcm", 24_000), voice=voice)
    settings = Settings(type="realtime", output_modalities=["text" if text_only else "audio"], audio=Audio(hearing, speaking))
    return settings if instructions is None else msgspec.structs.replace(settings, instructions=instructions)


class Session:
    """A conversation. Read its events (`async for`), else it stands still; made by `connect`."""

    def __init__(self, core: ClientSession, driver: Driver[Notice], events: "asyncio.Queue[Notice]", link: Link) -> None:
        self._core = core
        self._driver = driver
        self._events = events
        self._link = link
        self._ended: SessionEnded | None = None

    def push_audio(self, samples: Samples) -> list[Notice]:
        """Microphone sound: int16, mono, 16 kHz, any length. Never waits; returns what our own detector heard in it."""
        notices = self._core.push_audio(samples)
        self._driver.kick()
        return notices

    def commit(self) -> None:
        """End the turn from here (for sessions without a detector) and ask for an answer."""
        self._core.commit()
        self._driver.kick()

    async def say(self, text: str) -> None:
        """A typed message; its answer waits for the one in progress. Raises: ProtocolError if too many wait."""
        self._core.say(text)
        await self._driver.room()

    def interrupt(self, item_id: str | None = None, heard_ms: int = 0) -> None:
        """Stop the answer. `item_id`: the one that was being played, of which `heard_ms` were really heard."""
        self._core.interrupt(item_id, heard_ms)
        self._driver.kick()

    async def room(self) -> None:
        """Wait until all that was pushed is on its way: for a source that can wait, a file."""
        self._core.uplink.nudge()
        await self._driver.room()

    async def close(self) -> None:
        """End the session; the events end with `SessionEnded`."""
        await self._link.close()

    async def __aiter__(self) -> AsyncIterator[Notice]:
        """The server's events, typed (`voice/protocol/notices.py`); the last one is `SessionEnded`, also for whoever asks again.

        Leave the loop and begin another: it goes on where the first one stopped.
        """
        while self._ended is None:
            notice = await self._events.get()
            if isinstance(notice, SessionEnded):
                self._ended = notice
            else:
                yield notice
        yield self._ended

    @property
    def history(self) -> History:
        """The conversation so far: lines with `item_id`, `role`, `text`, `status`."""
        return self._core.inbound.history

    @property
    def stats(self) -> FrameCount:
        """Where each captured frame of 20 ms went."""
        return self._core.ledger.total()

    @property
    def position_ms(self) -> int:
        """How much sound has been pushed."""
        return self._core.uplink.position_ms


@asynccontextmanager
async def connect(
    url: str | None = None,
    *,
    api_key: str | None = None,
    model: str | None = None,
    settings: Settings | None = None,
    engine: Answering | None = None,
    detector: TurnDetector | None = None,
    trace: Sink | None = None,
    new_id: Callable[[str], str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Session]:
    """A session with the server at `url` (ws, wss, http, https; a bare host gets `/v1/realtime`), with an `engine` in this process, or,
    without either, with the embedded engine.

    `settings`: see `settings_of`. `detector`: our own, beside the server's. `trace`: an open text file for every event.
    Raises: UsageError, MissingError (no server there), MissingExtra (no embedded engine installed).
    """
    async with AsyncExitStack() as stack:
        # Before the task group: it would wrap what these raise.
        answering = None
        if url is None:
            answering = engine if engine is not None else await stack.enter_async_context(local_engine())
            link, far = _pair()
        else:
            link = await _dialed(url, model, api_key)
        traced = TracedLink(link, trace, clock) if trace is not None else link
        core = ClientSession(settings or settings_of(), new_id or random_id, detector)
        events: asyncio.Queue[Notice] = asyncio.Queue(EVENTS)
        driver: Driver[Notice] = Driver(core, traced, events.put, clock)
        failure: BaseException | None = None
        async with asyncio.TaskGroup() as group:
            if answering is not None:
                group.create_task(_answer(answering, far), name="engine")
            core.connected()
            running = group.create_task(_run(driver, events), name="session")
            try:
                yield Session(core, driver, events, link)
            except BaseException as exc:
                # Raised again below: the task group would wrap the program's own exception in a group.
                failure = exc
            running.cancel()
            await link.close()
        if failure is not None:
            raise failure


def _pair() -> tuple[Link, Link]:
    return memory_pair()


async def _dialed(url: str, model: str | None, api_key: str | None) -> Link:
    from voice.links.dial import dial, realtime_url

    return await dial(realtime_url(url, model), api_key)


async def _answer(engine: Answering, link: Link) -> None:
    """The engine's end. If it fails the session ends, as it would with a server that fails, and the program goes on."""
    code = 1000
    try:
        await engine.serve(link)
    except Exception:
        # Logged; what happens next is the program's choice, which reads SessionEnded.
        log.exception("the engine failed")
        code = 1011
    await link.close(code, "the engine failed" if code == 1011 else "")


async def _run(driver: Driver[Notice], events: "asyncio.Queue[Notice]") -> None:
    ended = await driver.run()
    await events.put(SessionEnded(ended.close_code, ended.reason, ended.close_code not in FINAL_CLOSES))
