"""A long conversation of `voice talk` on a card that is none, in virtual time, and how much memory it holds on the way.

    played(talked(minutes, look))      # `look` is called with the minute, eleven times: at the beginning and after each tenth

Everything between the card's callback and the twin is the program's own: capture with its reference, canceller, detector, session, playback, recording.
The microphone hears the loudspeaker 60 ms later, and a user who asks, interrupts, types and clears his throat.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import numpy as np
import soundfile

from tests.support.noises import cough
from tests.support.served import counted
from voice.aside import Aside, Recorded
from voice.audio.pcm import Samples, empty
from voice.audio.resample import resample
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.devices.base import Frame
from voice.devices.canceller import make_canceller
from voice.devices.capture import Capture
from voice.devices.clear import ClearMicrophone
from voice.devices.player import Player
from voice.devices.recording import Recording
from voice.engines.script import read_script
from voice.engines.speaker import Clocks
from voice.engines.twin import TwinEngine, TwinOptions
from voice.protocol.captions import Caption
from voice.report import Meters
from voice.session import hold, settings_of
from voice.talk import Talk, TalkOptions

CARD_HZ = 48_000
BLOCK = CARD_HZ // 100
ECHO_BLOCKS = 6
WAVS = Path(__file__).resolve().parent.parent.parent / "fixtures/wav"
SENTENCES = ("time-slt", "date-rms", "keys-awb", "sum-awb")
SCRIPT = {
    "voice": "tones",
    "reply": [{"heard": "a question", "say": " ".join(["one two three four five six seven"] * 4)}],
}
DAY_S = 86_400.0


class Counted:
    """A report that keeps nothing but numbers."""

    live = True

    def __init__(self) -> None:
        self.turns = self.stopped = self.captions = self.looks = 0
        self.notes: set[str] = set()

    def result(self, line: dict[str, object]) -> None:
        if line["event"] == "turn":
            self.turns += 1
            self.stopped += line["heard_ms"] < line["reply_ms"]  # type: ignore[operator]

    def note(self, text: str) -> None:
        self.notes.add(text)

    def state(self, state: str) -> None:
        pass

    def caption(self, who: str, text: str) -> None:
        self.captions += 1

    def saying(self, captions: tuple[Caption, ...]) -> None:
        pass

    def meters(self, meters: Meters) -> None:
        self.looks += 1


class HeardSpeaker(Player):
    """The card's loudspeaker."""

    name = "a loudspeaker"
    stranded = False


class Room:
    """A card and the air before it: a microphone and a loudspeaker with one clock."""

    name = "a microphone"
    latency_s = 0.0
    ended = False
    echo = None

    def __init__(self, clock: Callable[[], float]) -> None:
        self.capture = Capture(CARD_HZ, asyncio.get_running_loop())
        self.speaker = HeardSpeaker(CARD_HZ, 0.05, clock)
        self._noise = np.random.default_rng(1)
        self._said = empty()
        self._air = [np.zeros(BLOCK, np.int16)] * ECHO_BLOCKS

    def say(self, sound: Samples) -> None:
        """From the next block on; `sound` at the card's rate."""
        self._said = sound

    async def run(self) -> None:
        """The card's callbacks."""
        next_s = time.monotonic()
        while True:
            next_s += BLOCK / CARD_HZ
            await asyncio.sleep(next_s - time.monotonic())
            played = self.speaker.take(BLOCK)
            self._air.append(played)
            said, self._said = self._said[:BLOCK], self._said[BLOCK:]
            heard = self._noise.integers(-4, 5, BLOCK) + self._air.pop(0) // 8
            heard[: len(said)] += said // 2
            self.capture.push(np.clip(heard, -32_768, 32_767).astype(np.int16)[:, np.newaxis], played)

    def frames(self) -> AsyncGenerator[Frame, None]:
        return self.capture.frames()


async def talked(minutes: int, look: Callable[[int], None], folder: Path) -> Counted:
    """Talk for so long. The recording is written to `folder`."""
    clock = asyncio.get_running_loop().time
    began_s = clock()
    report, room, lines = Counted(), Room(clock), asyncio.Queue[str]()
    options = TwinOptions(life_s=DAY_S, clocks=Clocks(clock, lambda: DAY_S + clock() - began_s))
    engine = TwinEngine(read_script(SCRIPT, "hour.toml"), None, options)
    microphone = ClearMicrophone(room, make_canceller())
    detector = TurnDetector(TurnSettings(), make_detector())
    with Recording(folder) as recording:
        opened = hold(
            engine=engine, settings=settings_of(decide=True), detector=detector, trace=recording, new_id=counted("c"), clock=clock
        )
        async with opened as session, asyncio.TaskGroup() as group:
            aside = Aside(report, recording)
            talk = Talk(TalkOptions(), session, microphone, room.speaker, Recorded(report, recording), aside)
            tasks = [group.create_task(room.run(), name="card"), group.create_task(talk.run(typed(lines)), name="talk")]
            asking = group.create_task(user(room, lines), name="user")
            for tenth in range(11):
                look(tenth * minutes // 10)
                await asyncio.sleep(minutes * 6.0 if tenth < 10 else 0)
            asking.cancel()
            for task in tasks:
                task.cancel()
    return report


async def user(room: Room, lines: asyncio.Queue[str]) -> None:
    """Asks every 12 s; speaks into every third answer, coughs into another, types every fifth question."""
    sentences = [resample(soundfile.read(WAVS / f"{name}.wav", dtype="int16")[0], 16_000, CARD_HZ) for name in SENTENCES]
    throat = resample(cough(1), 16_000, CARD_HZ)
    for turn in count(1):
        if turn % 5 == 0:
            lines.put_nowait("a typed question")
        else:
            room.say(sentences[turn % len(sentences)])
        await asyncio.sleep(5)
        if turn % 3 != 1:
            room.say(sentences[0] if turn % 3 else throat)
        await asyncio.sleep(7)


async def typed(lines: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await lines.get()


def resident() -> int:
    """Bytes of this process that are in memory and no one else's."""
    pages = [0, 0, 0]
    with suppress(FileNotFoundError):
        pages = [int(field) for field in Path("/proc/self/statm").read_text().split()[:3]]
    return (pages[1] - pages[2]) * os.sysconf("SC_PAGE_SIZE")
