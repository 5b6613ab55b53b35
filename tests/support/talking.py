"""A conversation whose ends are played by the test: the session, the microphone and the loudspeaker of `voice talk`."""

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from tests.support.until import until
from voice.audio.jitter import JitterStats, Stopped
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, Samples, empty, ms_in
from voice.devices.base import Frame
from voice.devices.typed import Key
from voice.errors import ProtocolError
from voice.protocol.captions import Caption
from voice.protocol.codec import decode_server
from voice.protocol.history import HistoryLine
from voice.protocol.ledger import FrameCount
from voice.protocol.notices import Notice, Other, ReplyAudio, ReplyBegan, ReplyEnded, ReplyText, SessionEnded, SessionReady
from voice.protocol.objects import Session as Settings
from voice.protocol.overspoken import Ending
from voice.report import Meters
from voice.talk import Talk, TalkOptions

SPEECH = 9
"""The level of a frame in which our own detector hears somebody."""


class FakeDeciding:
    """What our own detector has heard, and what is to become of a turn of ours."""

    def __init__(self) -> None:
        self.heard_ms = 0
        self.own = False
        self.ending = Ending.ANSWER
        self.starts: dict[str, int] = {}

    def start_ms(self, item_id: str) -> int | None:
        return self.starts.get(item_id)


class FakeSession:
    """Takes what the program does; `tell` is the server speaking, `hears` what our own detector says to the next frame."""

    def __init__(self) -> None:
        self.did: list[tuple[Any, ...]] = []
        self.pushed: list[tuple[int, str]] = []
        self.hears: deque[list[Notice]] = deque()
        self.position_ms = 0
        self.full = False
        self.lines_of_history: list[HistoryLine] = []
        self.arbitrates = False
        self.deciding = FakeDeciding()
        self._notices: asyncio.Queue[Notice] = asyncio.Queue()

    def tell(self, *notices: Notice) -> None:
        for notice in notices:
            self._notices.put_nowait(notice)

    def push_audio(self, samples: Samples, withheld: str = "") -> list[Notice]:
        self.pushed.append((int(samples[0]), withheld))
        self.position_ms += ms_in(samples.size)
        if not withheld and samples[0] == SPEECH:
            self.deciding.heard_ms += FRAME_MS
        return self.hears.popleft() if self.hears else []

    def commit(self) -> None:
        self.did.append(("commit", self.position_ms))

    async def say(self, text: str) -> None:
        if self.full:
            raise ProtocolError("Too many messages wait for an answer: wait for one.")
        self.did.append(("say", text))

    def interrupt(self, item_id: str | None = None, heard_ms: int = 0) -> None:
        self.did.append(("interrupt", item_id, heard_ms))

    def respond(self, item_id: str = "") -> None:
        self.did.append(("respond", item_id))

    def delete(self, item_id: str) -> None:
        self.did.append(("delete", item_id))

    async def __aiter__(self) -> AsyncIterator[Notice]:
        while True:
            notice = await self._notices.get()
            yield notice
            if isinstance(notice, SessionEnded):
                return

    @property
    def history(self) -> list[HistoryLine]:
        return self.lines_of_history

    @property
    def stats(self) -> FrameCount:
        return FrameCount(len(self.pushed), 0, {"silence": len(self.pushed)}, 0)


class FakeMicrophone:
    """Gives the frames that the test hands to it."""

    name = "fake microphone"
    latency_s = 0.0
    echo = None

    def __init__(self) -> None:
        self.ended = False
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()

    def hear(self, level: int = 1, dropped: bool = False, stale: bool = False) -> None:
        """20 ms at a level."""
        self._frames.put_nowait(Frame(np.full(FRAME_SAMPLES, level, np.int16), dropped, stale))

    async def frames(self) -> AsyncGenerator[Frame, None]:
        while True:
            yield await self._frames.get()


class FakeSpeaker:
    """Is busy with an item until the test says how much of it was heard."""

    name = "fake loudspeaker"
    stranded = False

    def __init__(self) -> None:
        self.played: list[tuple[str, int, int]] = []
        self.ended: list[str] = []
        self.waiting: list[str] = []
        self.heard: dict[str, int] = {}
        self.stopped = self.holds = self.releases = 0
        self.held = False
        self.stats = JitterStats()
        self.last = empty()

    def play(self, item_id: str, samples: Samples, rate_hz: int) -> None:
        self.played.append((item_id, samples.size, rate_hz))
        if item_id not in self.waiting:
            self.waiting.append(item_id)

    def end(self, item_id: str) -> None:
        self.ended.append(item_id)

    def hear_out(self, item_id: str) -> None:
        """Everything of it that came was heard."""
        self.heard[item_id] = sum(count * 1000 // rate_hz for name, count, rate_hz in self.played if name == item_id)
        self.waiting.remove(item_id)

    def hold(self) -> None:
        self.holds += 1
        self.held = True

    def release(self) -> None:
        self.releases += 1
        self.held = False

    def stop(self) -> Stopped | None:
        self.stopped += 1
        self.held = False
        if not self.waiting:
            return None
        first, *others = self.waiting
        self.waiting.clear()
        return Stopped(first, self.heard.get(first, 0), tuple(others))

    def heard_ms(self, item_id: str) -> int:
        return self.heard.get(item_id, 0)

    def began_s(self, item_id: str) -> float | None:
        return time.monotonic() if self.heard.get(item_id) else None

    @property
    def busy(self) -> bool:
        return bool(self.waiting)


class Taken:
    """A report that keeps what it is told."""

    live = True

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.states: list[str] = []
        self.captions: list[tuple[str, str]] = []
        self.shown: list[tuple[Caption, ...]] = []
        self.readings: list[Meters] = []

    def result(self, line: dict[str, object]) -> None:
        self.lines.append(line)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def state(self, state: str) -> None:
        self.states.append(state)

    def caption(self, who: str, text: str) -> None:
        self.captions.append((who, text))

    def saying(self, captions: tuple[Caption, ...]) -> None:
        self.shown.append(captions)

    def meters(self, meters: Meters) -> None:
        self.readings.append(meters)

    @property
    def turns(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == "turn"]

    @property
    def summary(self) -> dict[str, Any]:
        assert [line["event"] for line in self.lines].count("summary") == 1 and self.lines[-1]["event"] == "summary"
        return self.lines[-1]


class Stage:
    """Everything of one conversation."""

    def __init__(self, options: TalkOptions) -> None:
        self.session, self.microphone, self.speaker, self.taken = FakeSession(), FakeMicrophone(), FakeSpeaker(), Taken()
        self.talk = Talk(options, self.session, self.microphone, self.speaker, self.taken)  # type: ignore[arg-type]
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._keys: asyncio.Queue[Key] = asyncio.Queue()

    async def lines(self) -> AsyncIterator[str]:
        while True:
            yield await self._lines.get()

    async def keys(self) -> AsyncIterator[Key]:
        while True:
            yield await self._keys.get()

    def type(self, line: str) -> None:
        self._lines.put_nowait(line)

    def press(self, key: Key) -> None:
        self._keys.put_nowait(key)

    async def state(self, state: str) -> None:
        """Wait until it is shown."""
        await until(lambda: self.taken.states and self.taken.states[-1] == state)

    async def frames(self, *levels: int) -> None:
        """Speak, and wait until it has been pushed."""
        want = len(self.session.pushed) + len(levels)
        for level in levels:
            self.microphone.hear(level)
        await until(lambda: len(self.session.pushed) == want)

    async def reply(self, response_id: str = "r1", item_id: str = "a", ms: int = 100, whole: bool = True) -> None:
        """The server answers with so much sound; it is being heard when this returns."""
        before = len(self.speaker.played)
        sound = ReplyAudio(response_id, item_id, np.ones(24 * ms, np.int16), 24_000)
        self.session.tell(ReplyBegan(response_id), sound)
        if whole:
            self.session.tell(ReplyText(response_id, item_id, "Hello.", True), ReplyEnded(response_id, "completed", "", None))
        await until(lambda: len(self.speaker.played) > before)

    async def settled(self) -> None:
        """Wait until the program has read all that the server has said."""
        await until(self.session._notices.empty)
        await asyncio.sleep(0)


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[Stage]:
    """A conversation that has begun; the test ends it by `SessionEnded`, or it is ended here."""
    made = Stage(TalkOptions(**options))
    made.session.tell(SessionReady(Settings(type="realtime")))
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(made.talk.run(made.lines(), made.keys()), name="talk")
        await until(lambda: made.taken.states)
        yield made
        if not running.done():
            made.session.tell(SessionEnded(1000, "", False))
            assert not await running


def added(item_id: str, text: str) -> Other:
    """The server has taken a typed message."""
    content = json.dumps([{"type": "input_text", "text": text}])
    item = f'{{"type":"message","id":"{item_id}","role":"user","content":{content}}}'
    event = decode_server(f'{{"type":"conversation.item.added","event_id":"e","previous_item_id":null,"item":{item}}}')
    return Other(event)
