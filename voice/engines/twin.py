"""The twin: a strict double of the service, to test against. `ServerSession` has all the rules, a script has the replies.

Ids count up, and what goes out follows the order of the script's times: the same files and the same events of a client give the same events
back. docs/twin.md tells what is left that differs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from voice.engines.acting import Actor
from voice.engines.base import Synthesizer
from voice.engines.cues import Cues
from voice.engines.local import LIFE_S, MAX_WAITING_BYTES, counted_ids, turn_detectors
from voice.engines.script import Script, default_script
from voice.engines.speaker import Clocks
from voice.engines.timeline import Timeline
from voice.engines.tones import Tones
from voice.errors import LinkClosed, MissingError, UsageError
from voice.links.base import Link
from voice.links.driver import Driver
from voice.links.faulty import Faults
from voice.links.sights import Witness
from voice.policy.faults import FaultPlan
from voice.protocol.limits import Unhurried
from voice.protocol.objects import Session
from voice.protocol.orders import Order
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults, transcription_defaults

MODEL = "voice-twin"
RECOGNISER = "voice-twin"
LONGEST_LIFE_S = 1e9
"""As in a configuration."""


@dataclass(frozen=True, slots=True)
class TwinOptions:
    """How a twin is set up."""

    life_s: float = LIFE_S
    """Every session ends after so many seconds."""
    clocks: Clocks = Clocks(time.monotonic, time.time)
    hurry: bool = False
    """The script's delays and paces are passed over; the order stays."""
    faults: FaultPlan | None = None
    """What goes wrong, and when."""
    witness: Witness | None = None
    """Is told what passes on the wire."""

    def __post_init__(self) -> None:
        """Raises: UsageError."""
        number = isinstance(self.life_s, int | float) and not isinstance(self.life_s, bool)
        if not number or not 0 < self.life_s < LONGEST_LIFE_S:
            raise UsageError(f"life_s is a number of seconds, above 0 and below {LONGEST_LIFE_S:g}, not {self.life_s!r:.80}")
        if not isinstance(self.hurry, bool):
            raise UsageError(f"hurry is True or False, not {self.hurry!r:.80}")


class TwinEngine:
    """See the top of the file; made by `twin_engine`, which brings a voice."""

    name = "twin"

    def __init__(self, script: Script, voice: Synthesizer | None = None, options: TwinOptions | None = None) -> None:
        self.script = script
        self.voice: Synthesizer = voice or Tones()
        self.sessions = 0
        self.begun = 0
        """How many sessions there were."""
        self._options = options or TwinOptions()
        self.faults = Faults(self._options.faults, self._options.witness, self._options.clocks.now)
        """What whoever hands a link to this engine leads it through: `line` over a WebSocket, `between` in memory."""
        self.taken: set[int] = set()
        """The numbers of the replies that were used."""
        self._cues = Cues(script, self.taken)

    async def serve(self, link: Link, model: str = MODEL) -> LinkClosed:
        """Answer one client until its link ends; returns how it ended."""
        return await self._serve(
            link, lambda session_id, ends_at: defaults(model, session_id, ends_at, voice=self.voice.name), answers=True
        )

    async def transcribe(self, link: Link) -> LinkClosed:
        """Write down what one client says, without answers, until its link ends; returns how it ended."""
        return await self._serve(link, lambda session_id, ends_at: transcription_defaults(session_id, ends_at, RECOGNISER), answers=False)

    async def _serve(self, link: Link, settings: Callable[[str, int], Session], answers: bool) -> LinkClosed:
        clocks, life_s = self._options.clocks, self._options.life_s
        self.begun += 1
        number = self.begun
        expires_at = self.script.expires_at
        told_end = int(clocks.wall_s() + life_s) if expires_at is None else expires_at
        # Of the session's number: two that talk at once do not take each other's.
        new_id = counted_ids(f"{number:03d}x")
        turns = await asyncio.to_thread(turn_detectors)
        session = ServerSession(settings(new_id("sess"), told_end), new_id, turns, clocks.now() + life_s, allowance=Unhurried())
        timeline = Timeline(clocks.now, self._options.hurry)
        cues = Cues(self.script, self.taken) if self.script.each_session else self._cues
        actor = Actor(session, cues, self.voice, timeline, new_id, answers)
        self.sessions += 1
        try:
            driver: Driver[Order] = Driver(session, link, actor.obey, clocks.now, lambda: session.waiting_bytes > MAX_WAITING_BYTES)
            actor.attach(driver)
            async with asyncio.TaskGroup() as group:
                playing = group.create_task(timeline.run(), name=f"twin session {number}")
                try:
                    return await driver.run()
                finally:
                    playing.cancel()
        finally:
            self.sessions -= 1
            await actor.close()


@asynccontextmanager
async def twin_engine(script: Script | None = None, options: TwinOptions | None = None) -> AsyncIterator[TwinEngine]:
    """A twin with the voice that its script wants, whose process ends with the block. Raises: MissingExtra, MissingError."""
    chosen = script or default_script()
    if chosen.voice == "tones":
        yield TwinEngine(chosen, None, options)
        return
    from voice.engines.tts import make_synthesizer

    try:
        voice = make_synthesizer(chosen.voice)
    except MissingError:
        if chosen.voice != "auto":
            raise
        yield TwinEngine(chosen, None, options)
        return
    async with voice:
        yield TwinEngine(chosen, voice, options)
