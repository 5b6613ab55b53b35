"""The embedded engine: no key, no network, no download. Holds the models that all sessions share, and serves links.

The socket for better models: `Parts` takes any `Transcriber`, `Synthesizer` and `Responder` (`engines/base.py`).
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

from voice.audio.turns import Tunable, TurnDetector
from voice.audio.vad import make_detector
from voice.engines.base import Responder, Synthesizer, Transcriber
from voice.engines.cascade import Cascade, Parts
from voice.engines.endpoint import ChatOptions
from voice.engines.speaker import Clocks
from voice.engines.toolset import NOBODY, ToolContext, Toolset
from voice.errors import LinkClosed, VoiceError, first_of
from voice.links.base import Link
from voice.links.driver import Driver
from voice.protocol.dead_air import Filler
from voice.protocol.objects import Session, TurnDetection
from voice.protocol.orders import Order
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults, transcription_defaults, turn_settings

MODEL = "voice-local"
MAX_WAITING_BYTES = 4 << 20
"""Beyond it a client is not read until it has read. The largest single event is under 1 MiB."""
LIFE_S = 3600.0
"""As on the paid service."""


def random_id(kind: str) -> str:
    """`item_...`, `resp_...`, `event_...`: unguessable and unique."""
    return f"{kind}_{uuid.uuid4().hex[:24]}"


def counted_ids(side: str) -> Callable[[str], str]:
    """Ids that count up, so that two runs of a replay have the same; `side` keeps client's and server's apart."""
    counts: dict[str, int] = {}

    def new_id(kind: str) -> str:
        counts[kind] = counts.get(kind, 0) + 1
        return f"{kind}_{side}{counts[kind]:06d}"

    return new_id


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How the embedded engine is set up."""

    synthesizer: str = "auto"
    """espeak, flite, piper, or auto."""
    workers: int | None = None
    """Recognising processes; None: as many as there are cores."""
    life_s: float = LIFE_S
    """Every session ends after so many seconds."""
    clocks: Clocks = Clocks(time.monotonic, time.time)
    new_id: Callable[[str], str] = random_id
    warm: bool = False
    """Load every model before the first session (a second of CPU), not beside it."""
    chat: ChatOptions | None = None
    """The language model that answers; None: the offline skills."""
    tools: Toolset | None = None
    """The server's own tools, which its owner has entered (`async with`)."""
    filler: Filler = Filler()
    """What is said while they are at work."""


class LocalEngine:
    """See the top of the file; made by `local_engine`."""

    name = "local"

    def __init__(
        self, transcriber: Transcriber, synthesizer: Synthesizer, new_responder: Callable[[], Responder], options: LocalOptions
    ) -> None:
        self.transcriber = transcriber
        self.synthesizer = synthesizer
        self.sessions = 0
        self._new_responder = new_responder
        self._options = options

    @property
    def chat(self) -> ChatOptions | None:
        """The language model that answers; None: the offline skills."""
        return self._options.chat

    @property
    def tools(self) -> Toolset | None:
        """The server's own tools; None if it has none."""
        return self._options.tools

    async def serve(self, link: Link, model: str = MODEL, context: ToolContext = NOBODY) -> LinkClosed:
        """Answer one client until its link ends; returns how it ended. `context`: what the server's tools are told of the client's user."""
        settings = defaults(model, self._options.new_id("sess"), self._expires_at, voice=self.synthesizer.name)
        return await self._serve(link, settings, context)

    async def transcribe(self, link: Link) -> LinkClosed:
        """Write down what one client says, without answers, until its link ends; returns how it ended."""
        return await self._serve(link, transcription_defaults(self._options.new_id("sess"), self._expires_at, self.transcriber.name))

    @property
    def _expires_at(self) -> int:
        """When a session that begins now will end, in Unix seconds."""
        return int(self._options.clocks.wall_s() + self._options.life_s)

    def _responder(self, context: ToolContext) -> Responder:
        responder, tools = self._new_responder(), self._options.tools
        if tools is None:
            return responder
        # As below: whoever talks to a server needs none of this.
        from voice.engines.serverside import ServerSide

        return ServerSide(responder, tools, self._options.new_id, context, self._options.filler)

    async def _serve(self, link: Link, settings: Session, context: ToolContext = NOBODY) -> LinkClosed:
        clocks = self._options.clocks
        ends_at = clocks.now() + self._options.life_s
        turns = await asyncio.to_thread(turn_detectors)
        taken = frozenset[str]() if self.tools is None else self.tools.names
        session = ServerSession(settings, self._options.new_id, turns, ends_at, self.transcriber.name, taken=taken)
        cascade = Cascade(session, Parts(self.transcriber, self.synthesizer, self._responder(context)), clocks)
        driver: Driver[Order] = Driver(session, link, cascade.obey, clocks.now, lambda: session.waiting_bytes > MAX_WAITING_BYTES)
        self.sessions += 1
        try:
            async with asyncio.TaskGroup() as group:
                cascade.attach(driver, group)
                try:
                    return await driver.run()
                finally:
                    cascade.stop()
        finally:
            self.sessions -= 1


def turn_detectors() -> Callable[[TurnDetection], TurnDetector]:
    """How a session makes turn detectors: all around its one detector of speech, whose model takes 35 ms to load, in a thread."""
    detector = make_detector()

    def turns(detection: TurnDetection) -> TurnDetector:
        settings = turn_settings(detection)
        detector.reset()
        if isinstance(detector, Tunable):
            detector.tune(settings.threshold)
        return TurnDetector(settings, detector)

    return turns


@asynccontextmanager
async def local_engine(options: LocalOptions | None = None) -> AsyncIterator[LocalEngine]:
    """The engine with its worker processes, which end with the block. Raises: MissingExtra, WorkerDied."""
    # Imported here: whoever talks to a server needs none of them.
    from voice.engines.grammar import jsgf, tails
    from voice.engines.responder import prepare
    from voice.engines.stt import SphinxTranscriber
    from voice.engines.tts import make_synthesizer

    chosen = options or LocalOptions()
    transcriber = SphinxTranscriber(jsgf(), tails(), chosen.workers)
    synthesizer = make_synthesizer(chosen.synthesizer)
    async with transcriber, synthesizer, _responders(chosen.chat) as new_responder:
        if chosen.warm:
            await asyncio.to_thread(prepare)
            await _both(transcriber.warm(), synthesizer.warm())
        yield LocalEngine(transcriber, synthesizer, new_responder, chosen)


@asynccontextmanager
async def _responders(chat: ChatOptions | None) -> AsyncIterator[Callable[[], Responder]]:
    """How a session gets its responder; those that ask a language model share its connections."""
    from voice.engines.responder import SkillsResponder

    if chat is None:
        yield SkillsResponder
        return
    from voice.engines.chat import ChatResponder
    from voice.engines.chat_client import ChatClient

    async with ChatClient(chat) as client:
        yield lambda: ChatResponder(client)


async def _both(one: Coroutine[None, None, None], other: Coroutine[None, None, None]) -> None:
    """Run two things at once. Raises: what the first that failed raised, without the task group's wrapping."""
    failed: BaseExceptionGroup[VoiceError] | None = None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(one, name="warm the recogniser")
            group.create_task(other, name="warm the synthesiser")
    except* VoiceError as errors:
        failed = errors
    if failed is not None:
        raise first_of(failed)
