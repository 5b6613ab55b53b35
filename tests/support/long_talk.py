"""`voice talk` against the strict twin in virtual time: a user who speaks, coughs, types and presses Enter; a loudspeaker that is listened to.

    played(long_talk(script, user))       # the loop, the session and the playback buffer are the program's own; returns what became of it

The user wears headphones: the microphone hears only the user. The twin's voice is a tone for each word (`engines/tones.py`), so that what came
out of the loudspeaker can be read off its sound.
"""

import asyncio
import io
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from tests.support.served import counted
from tests.support.talking import Taken
from tests.support.until import until
from voice.audio.pcm import FRAME_SAMPLES, Framer, Samples, empty, ms_in
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.devices.base import Frame
from voice.devices.player import Player
from voice.engines import twin
from voice.engines.cues import Cue, Cues
from voice.engines.script import Reply, read_script
from voice.engines.speaker import Clocks
from voice.engines.twin import TwinEngine, TwinOptions
from voice.protocol.history import HistoryLine
from voice.protocol.objects import Item
from voice.protocol.server import ServerSession
from voice.session import Session, hold, settings_of
from voice.talk import Talk, TalkOptions

RATE_HZ = 24_000
BLOCK_S = 0.01
QUIET = 4
"""A live microphone is never silent: the peak of its noise."""
STILL_S = 3.0
WALL_S = 1_800_000_000.0


class LiveMicrophone:
    """Gives what is said at the moment that it is said, and noise between."""

    name = "a microphone"
    latency_s = 0.0
    ended = False
    echo = None

    def __init__(self, seed: int) -> None:
        self._noise = np.random.default_rng(seed)
        self._said: list[Samples] = []

    def say(self, sound: Samples) -> float:
        """From the next frame on; returns how long it takes in seconds."""
        framer = Framer()
        frames = framer.push(sound)
        rest = framer.flush()
        self._said += [*frames, np.pad(rest, (0, FRAME_SAMPLES - rest.size))]
        return ms_in(sound.size) / 1000

    async def frames(self) -> AsyncGenerator[Frame, None]:
        next_s = time.monotonic()
        while True:
            next_s += FRAME_SAMPLES / 16_000
            await asyncio.sleep(next_s - time.monotonic())
            said = self._said.pop(0) if self._said else self._noise.integers(-QUIET, QUIET + 1, FRAME_SAMPLES).astype(np.int16)
            yield Frame(said)


class HeardSpeaker(Player):
    """A loudspeaker whose sound is kept."""

    name = "a loudspeaker"
    stranded = False

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(RATE_HZ, clock=clock)
        self._blocks: list[Samples] = []

    @property
    def sound(self) -> Samples:
        """All that it gave so far."""
        return np.concatenate([empty(), *self._blocks])

    @property
    def at_ms(self) -> int:
        """How much that is."""
        return round(len(self._blocks) * BLOCK_S * 1000)

    async def run(self) -> None:
        """As a card does."""
        next_s = time.monotonic()
        while True:
            next_s += BLOCK_S
            await asyncio.sleep(next_s - time.monotonic())
            self._blocks.append(self.take(round(RATE_HZ * BLOCK_S)).copy())


class User:
    """Who talks: what the test calls at a moment of its choice."""

    def __init__(self, microphone: LiveMicrophone, speaker: HeardSpeaker, taken: Taken, session: Session) -> None:
        self.microphone, self.speaker, self.taken, self.session = microphone, speaker, taken, session
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.words = ""
        """What was said last."""

    async def say(self, sound: Samples, words: str = "") -> None:
        """Returns when it has been said; `words` is what the twin hears in it, however it cuts it into turns. "": nothing."""
        self.words = words
        await asyncio.sleep(self.microphone.say(sound))

    def type(self, line: str) -> None:
        self.lines.put_nowait(line)

    async def state(self, *states: str, within_s: float = 60.0) -> str:
        """Wait until the state is one of these."""
        await until(lambda: self.taken.states and self.taken.states[-1] in states, within_s)
        return self.taken.states[-1]

    async def typed(self) -> AsyncIterator[str]:
        while True:
            yield await self.lines.get()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a conversation."""

    taken: Taken
    server: list[Item]
    """The conversation as the twin has it."""
    client: list[HistoryLine]
    """The same as the program sees it."""
    sound: Samples
    """What came out of the loudspeaker, 24 kHz."""
    trace: list[dict[str, Any]]
    """Every event, with its time and direction."""

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Those of a type, in their order."""
        return [line["event"] for line in self.trace if line["event"]["type"] == kind]


async def long_talk(script: Mapping[str, Any], use: Callable[[User], Awaitable[None]], seed: int = 1, decide: bool = True) -> Outcome:
    """Talk until `use` returns, and everything has been said. `decide`: whether we are to say what is an interruption, or the server."""
    clock = asyncio.get_running_loop().time
    began_s = clock()
    trace, taken = io.StringIO(), Taken()
    sessions: list[ServerSession] = []

    class Overhearing(Cues):
        def hear(self, answered: bool = True) -> Cue:
            return Cue(Reply(number=0, heard=user.words, transcript_delay_ms=self.late_ms), 0)

    class Kept(ServerSession):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            sessions.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twin, "ServerSession", Kept)
        patch.setattr(twin, "Cues", Overhearing)
        options = TwinOptions(clocks=Clocks(clock, lambda: WALL_S + clock() - began_s))
        engine = TwinEngine(read_script({"voice": "tones"} | dict(script), "long.toml"), None, options)
        detector = TurnDetector(TurnSettings(), make_detector())
        microphone, speaker = LiveMicrophone(seed), HeardSpeaker(clock)
        opened = hold(engine=engine, settings=settings_of(decide=decide), detector=detector, trace=trace, new_id=counted("c"), clock=clock)
        async with opened as session, asyncio.TaskGroup() as group:
            user = User(microphone, speaker, taken, session)
            tasks = [
                group.create_task(speaker.run()),
                group.create_task(Talk(TalkOptions(), session, microphone, speaker, taken).run(user.typed())),
            ]
            await user.state("listening")
            await use(user)
            await asyncio.sleep(STILL_S)
            await user.state("listening")
            # Nothing more is to come: the last turn is told, and its events are through.
            await asyncio.sleep(STILL_S)
            assert taken.states[-1] == "listening"
            for task in tasks:
                task.cancel()
        client = list(session.history)
    (server,) = sessions
    lines = [json.loads(line) for line in trace.getvalue().splitlines()]
    return Outcome(taken, server.conversation.items(), client, speaker.sound, lines)
