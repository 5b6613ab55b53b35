"""A Realtime session with any server, or with the embedded engine in this process: what `voice.connect()` opens (`opening.py`).

async with voice.connect(url="http://127.0.0.1:8765") as session:
    await session.say("what time is it")
    async for event in session:
        ...
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from voice.audio.gain import SlowGain
from voice.audio.pcm import Samples
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.clienttools import ClientTools, Declare
from voice.engines.destination import Destination, destination
from voice.engines.local import local_engine, random_id
from voice.engines.toolset import Toolset
from voice.errors import LinkClosed
from voice.keeper import Keeper, OpenedLink
from voice.links.base import Link, MemoryLink, memory_pair
from voice.links.spoken import before_server
from voice.links.trace import Sink, TracedLink
from voice.policy.retry import RetrySettings
from voice.protocol.accents import GA, Exchange, known
from voice.protocol.aloud import Aloud
from voice.protocol.client import ClientSession
from voice.protocol.dead_air import Filler
from voice.protocol.deciding import decided_here
from voice.protocol.history import History
from voice.protocol.inbound import input_settings
from voice.protocol.ledger import FrameCount
from voice.protocol.notices import Notice, SessionEnded
from voice.protocol.objects import Audio, AudioFormat, AudioInput, AudioOutput, Transcription, TurnDetection
from voice.protocol.objects import Session as Settings

if TYPE_CHECKING:
    from voice.links.dial import DialedLink

log = logging.getLogger(__name__)

EVENTS = 1024
"""Events that wait for the program. When full, nothing more is read from the server: an unread session stands still, it does not grow."""


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
    decide: bool = False,
) -> Settings:
    """The usual settings: speech in and out, the user's words written down, turns ended by the server's `server_vad` or by us.

    `decide`: a turn is answered, and an answer interrupted, only when the program says so (`Session.respond`, `interrupt`), if the server lets it.
    """
    detection = TurnDetection("server_vad", threshold, prefix_padding_ms, silence_duration_ms) if turns == "server" else None
    hearing = AudioInput(transcription=Transcription(model="whisper-1"), turn_detection=detection)
    speaking = AudioOutput(format=AudioFormat("audio/pcm", 24_000), voice=voice)
    settings = Settings(type="realtime", output_modalities=["text" if text_only else "audio"], audio=Audio(hearing, speaking))
    settings = settings if instructions is None else msgspec.structs.replace(settings, instructions=instructions)
    return decided_here(settings) if decide else settings


class Session:
    """A conversation. Read its events (`async for`), else it stands still; made by `voice.connect`."""

    def __init__(self, core: ClientSession, keeper: "Keeper", events: "asyncio.Queue[Notice]", tools: ClientTools) -> None:
        self._core = core
        self._keeper = keeper
        self._events = events
        self._tools = tools
        self._ended: SessionEnded | None = None
        self.tool = Declare(tools)
        """`session.tool(function)`, or `@session.tool`: a function that the model may call from now on."""
        self.deciding = core.deciding
        """What our own detector hears, and what becomes of a turn of ours that is open; the rest is for this class to call."""
        self.aloud = Aloud(core.errands, lambda: core.quiet, keeper.kick)
        """Notices of the program's own, said in the model's voice."""

    def push_audio(self, samples: Samples, withheld: str = "") -> list[Notice]:
        """Microphone sound: int16, mono, 16 kHz, any length. Never waits; returns what our own detector heard in it.

        `withheld`: why nobody is to hear it ("muted", "bound"): it is counted, and silence or nothing is sent in its place; of what a gate of the
        program's own keeps back ("gated") nothing is sent.
        """
        notices = self._core.push_audio(samples, withheld)
        self._keeper.kick()
        return notices

    def commit(self) -> None:
        """End the turn from here (for sessions without a detector) and ask for an answer."""
        self._core.commit()
        self._keeper.kick()

    async def say(self, text: str) -> None:
        """A typed message; its answer waits for the one in progress. Raises: ProtocolError if too many wait."""
        self._core.say(text)
        await self._keeper.room()

    def interrupt(self, item_id: str | None = None, heard_ms: int = 0) -> None:
        """Stop the answer. `item_id`: the one that was being played, of which `heard_ms` were really heard."""
        self._core.interrupt(item_id, heard_ms)
        self._keeper.kick()

    def respond(self, item_id: str = "") -> None:
        """Ask for the answer to the turn `item_id` (`TurnCommitted`), or to what was said last; it waits for the one in progress."""
        self._core.deciding.respond(item_id)
        self._keeper.kick()

    def delete(self, item_id: str) -> None:
        """Take an item back: a cough that has become a turn. What still comes of its words is dropped."""
        self._core.deciding.delete(item_id)
        self._keeper.kick()

    def cancel_tools(self) -> int:
        """Stop the functions that run; the model is told so, and answers. Returns how many there were."""
        return self._tools.stop()

    async def room(self) -> None:
        """Wait until all that was pushed is on its way: for a source that can wait, a file."""
        self._core.uplink.nudge()
        await self._keeper.room()

    async def close(self) -> None:
        """End the session; the events end with `SessionEnded`."""
        await self._keeper.close()

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
        return self._core.uplink.ledger.total()

    @property
    def arbitrates(self) -> bool:
        """Whether it is the program that decides which turns are answered, and when an answer stops (`settings_of(decide=True)`)."""
        return self._core.deciding.granted

    @property
    def position_ms(self) -> int:
        """How much sound has been pushed."""
        return self._core.uplink.position_ms


@asynccontextmanager
async def hold(
    url: str | Destination | None = None,
    *,
    api_key: str | None = None,
    model: str | None = None,
    provider: str | None = None,
    dialect: str | None = None,
    settings: Settings | None = None,
    engine: Answering | None = None,
    detector: TurnDetector | None = None,
    trace: Sink | None = None,
    new_id: Callable[[str], str] | None = None,
    clock: Callable[[], float] = time.monotonic,
    first: "DialedLink | None" = None,
    reconnect: bool = True,
    retry: RetrySettings | None = None,
    tools: Iterable[Callable[..., Any]] = (),
    filler: Filler | None = None,
    gate: bool = False,
    gain: SlowGain | None = None,
) -> AsyncIterator[Session]:
    """A session with the server at `url` (ws, wss, http, https; a bare host gets `/v1/realtime`), with a service by its name (`provider`), with
    an `engine` in this process, or, without any of these, with the embedded engine.

    `dialect`: what the server speaks; "auto": its first event tells; None: as the service that is there does, else "auto". `first`: an open link
    to it. `settings`: see `settings_of`. `detector`: our own, beside the server's. `trace`: an open text file for every event, in today's words.
    `reconnect`: outlive expiry and broken links (`LinkLost`, `LinkRestored`), as patiently as `retry` says; else the session ends with its first
    link. `tools`: functions that the model may call; `filler`: what is said while one runs for long. `gate`, `gain`: see docs/api.md.
    Raises: UsageError, ConfigError (no key for the service), MissingError (no server there), MissingExtra (no embedded engine installed).
    """
    server = destination(url, provider, dialect, api_key)
    async with AsyncExitStack() as stack:
        # Before the task group: it would wrap what these raise.
        group = asyncio.TaskGroup()
        if server is None:
            answering = engine if engine is not None else await stack.enter_async_context(local_engine())
            open_link = partial(_link_to, answering, group)
        else:
            open_link = partial(_dialed, server, model)
        opened = None if server is None else await open_link() if first is None else _opened(first, server)
        core = ClientSession(settings or settings_of(), new_id or random_id, detector or _gatekeeper(settings, gate), filler, gate, gain)
        events: asyncio.Queue[Notice] = asyncio.Queue(EVENTS)
        calls = ClientTools(core, await stack.enter_async_context(Toolset()), group, events.put, tools)
        traced = partial(_traced, trace, clock, clock())
        failure: BaseException | None = None
        async with group:
            opened = opened or await open_link()
            keeper = Keeper(core, opened.link, open_link, traced, calls.tell, clock, (retry or RetrySettings()) if reconnect else None)
            calls.kick = keeper.kick
            running = group.create_task(keeper.run(opened), name="session")
            try:
                yield Session(core, keeper, events, calls)
            except BaseException as exc:
                # Raised again below: the task group would wrap the program's own exception in a group.
                failure = exc
            await keeper.close()
            running.cancel()
            calls.close()
        if failure is not None:
            raise failure


def _gatekeeper(settings: Settings | None, gate: bool) -> TurnDetector | None:
    """The detector that a gate needs, if there is to be one."""
    wanted = gate and (settings is None or input_settings(settings).turn_detection is not None)
    return TurnDetector(TurnSettings(), make_detector()) if wanted else None


def _traced(trace: Sink | None, clock: Callable[[], float], began_s: float, link: Link, number: int) -> Link:
    return link if trace is None else TracedLink(link, trace, clock, number, began_s)


async def _link_to(engine: Answering, group: asyncio.TaskGroup) -> OpenedLink:
    near, far = memory_pair()
    group.create_task(_answer(engine, far), name="engine")
    return OpenedLink(near, time.time())


async def _dialed(server: Destination, model: str | None) -> OpenedLink:
    from voice.links.dial import dial, realtime_url

    address = realtime_url(server.url, model or server.model)
    return _opened(await dial(address, server.api_key, auth=server.auth, headers=server.headers), server)


def _opened(link: "DialedLink", server: Destination) -> OpenedLink:
    """A link to a server, on which its dialect is spoken."""
    exchange = Exchange(GA, known(server.dialect), random_id)
    if exchange.plain:
        return OpenedLink(link, link.server_s)
    spoken = before_server(link, exchange)
    return OpenedLink(spoken, link.server_s, spoken.answer)


async def _answer(engine: Answering, link: MemoryLink) -> None:
    """The engine's end; a twin's misbehaves as its `faults` say (`links/faulty.py`).

    If it fails the session ends, as it would with a server that fails, and the program goes on.
    """
    code = 1000
    try:
        faults = getattr(engine, "faults", None)
        await (engine.serve(link) if faults is None else faults.between(link, engine.serve))
    except Exception:
        # Logged; what happens next is the program's choice, which reads SessionEnded.
        log.exception("the engine failed")
        code = 1011
    await link.close(code, "the engine failed" if code == 1011 else "")
