"""`voice replay`: WAV files are the microphone of one conversation, one after the other; a WAV of the reply is the speaker.

In virtual time (the default) the microphone stands still while somebody else has the word: from the end of the user's turn, as our own
detector hears it, until the answer is complete. So nothing depends on how fast this machine is, and two runs are equal.
With `realtime` the sound goes up as it would from a microphone, and the next file waits until the reply has been played.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

import numpy as np

from voice.audio.pcm import FRAME_MS, Samples, silence
from voice.audio.resample import resample
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.devices.wavfile import WavWriter, wav_duration_ms, wav_frames
from voice.engines.destination import Destination
from voice.engines.endpoint import ChatOptions
from voice.engines.local import LocalOptions, counted_ids, local_engine, random_id
from voice.engines.speaker import Clocks
from voice.errors import UsageError
from voice.opening import connect
from voice.protocol.notices import ErrorReported, LinkLost, LinkRestored, ReplyAudio, SessionEnded, SessionReady, SpeechBegan, SpeechEnded
from voice.protocol.turnlog import LATE_TEXT_S, STILL_S, TAIL_MS, Origin, Turn, TurnLog, summary_json, turn_json, waterfall
from voice.session import Answering, Session, settings_of

OUT_RATE_HZ = 24_000
VERDICT_S = 2.0
"""How long the microphone stands still for the server's word that a turn has ended."""
AFTER_FRAMES, AFTER_FAR_FRAMES = 2, 5
"""Frames pushed after our detector's end, the last of them behind which the microphone stands still. For a server they are more: on the way there
each resampler holds back 6 ms, and a detector behind them takes whole frames."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How to replay."""

    files: Sequence[str]
    url: str | Destination | None = None
    """A Realtime server; None: the embedded engine in this process."""
    api_key: str | None = None
    turns: str = "server"
    """Who ends a turn: server or client."""
    out: Path | None = None
    """The folder for reply WAVs and the trace."""
    realtime: bool = False
    start_wall_s: float | None = None
    """What the embedded engine takes for Unix time at the beginning; None: what it is."""
    synthesizer: str = "auto"
    """Of the embedded engine."""
    chat: ChatOptions | None = None
    """The language model that answers in the embedded engine; None: its offline skills."""


class Report(Protocol):
    """Takes what a replay finds, as it happens."""

    def result(self, line: dict[str, object]) -> None:
        """A turn, or the summary at the end."""

    def note(self, text: str) -> None:
        """Something that a person should know."""

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        """How far the file is."""


class VirtualClock:
    """Time as the microphone counts it: seconds of sound pushed so far."""

    def __init__(self, start_wall_s: float | None) -> None:
        self._start_wall_s = time.time() if start_wall_s is None else start_wall_s
        self.position_ms: Callable[[], int] = lambda: 0

    def now(self) -> float:
        """Monotonic seconds."""
        return self.position_ms() / 1000

    def wall_s(self) -> float:
        """Unix seconds."""
        return self._start_wall_s + self.now()


class Speaker:
    """What is heard: a WAV for each reply and one of all, if there is a folder for them."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._all = WavWriter(folder / "reply.wav", OUT_RATE_HZ) if folder else None
        self._playing: dict[int, list[Samples]] = {}

    def play(self, turn: Turn, samples: Samples) -> None:
        """More of a turn's reply."""
        if self._folder:
            self._playing.setdefault(turn.index, []).append(samples)

    def finish(self, turn: Turn) -> None:
        """The reply is complete: write it down."""
        pieces = self._playing.pop(turn.index, [])
        if self._folder is not None and self._all is not None and pieces:
            samples = resample(np.concatenate(pieces), turn.reply_rate_hz, OUT_RATE_HZ)
            self._all.append(samples)
            with WavWriter(self._folder / f"reply-{turn.index:03d}.wav", OUT_RATE_HZ) as wav:
                wav.append(samples)

    def close(self) -> None:
        """No more replies."""
        if self._all is not None:
            self._all.close()


class Replay:
    """One run; see the top of the file."""

    def __init__(self, options: ReplayOptions, session: Session, speaker: Speaker, report: Report) -> None:
        self._options = options
        self._session = session
        self._speaker = speaker
        self._report = report
        self._log = TurnLog()
        self._changed = asyncio.Event()
        self._ready = False
        self._ended: SessionEnded | None = None
        self._origins: list[Origin] = []
        self._local: list[SpeechBegan | SpeechEnded] = []
        self._reported = 0
        self._began = time.monotonic()

    async def run(self) -> bool:
        """Play every file, report turns and summary; False if the session ended before the files did."""
        async with asyncio.TaskGroup() as group:
            listener = group.create_task(self._listen(), name="replay listener")
            await self._until(lambda: self._ready, STILL_S)
            self._began = time.monotonic()
            audio_in_ms = 0
            for file in self._options.files:
                audio_in_ms += await self._play(file)
            listener.cancel()
        self._log.close()
        self._tell(final=True)
        self._report.result(summary_json(self._log, self._session.stats, audio_in_ms))
        return self._ended is None

    async def _listen(self) -> None:
        async for notice in self._session:
            turn = self._log.see(notice, time.monotonic())
            if isinstance(notice, ReplyAudio) and turn is not None:
                self._speaker.play(turn, notice.samples)
            self._ready = self._ready or isinstance(notice, SessionReady | ErrorReported)
            match notice:
                case LinkLost():
                    why = f"{notice.close_code} {notice.reason}".rstrip()
                    self._report.note(f"the link is lost ({why}); trying again in {notice.retry_in_s:.1f} s")
                case LinkRestored():
                    self._report.note("the session goes on over a new link")
                case SessionEnded():
                    self._ended = notice
                    self._report.note(f"the session ended: {notice.close_code} {notice.reason}".rstrip())
                case _:
                    pass
            self._changed.set()

    async def _play(self, file: str) -> int:
        """One file and the silence that ends its last turn; returns its length in ms."""
        origin = Origin(file, self._session.position_ms)
        self._origins.append(origin)
        total_ms = wav_duration_ms(file)
        hold_in = 0
        for frame in wav_frames(file, self._report.note):
            if self._ended is not None:
                break
            hold_in = await self._advance(frame, hold_in)
            self._report.progress(file, self._session.position_ms - origin.start_ms, total_ms)
        played_ms = self._session.position_ms - origin.start_ms
        await self._tail(hold_in)
        self._tell()
        return played_ms

    async def _advance(self, frame: Samples, hold_in: int) -> int:
        """One frame, and in virtual time the wait for an answer, if it is due; takes and returns after how many frames it is.

        Our detector says when, not the moment at which word comes from the server, so that a server far away gets the same sound twice.
        """
        ended = await self._push(frame)
        after = AFTER_FRAMES if self._options.url is None else AFTER_FAR_FRAMES
        hold_in = after if ended else max(hold_in - 1, 0)
        if not self._options.realtime and (hold_in == 1 or (self._log.open_turns and not hold_in)):
            await self._hold()
        return hold_in

    async def _tail(self, hold_in: int) -> None:
        """Silence until the last turn of a file is over and answered; in real time until the answer has been played."""
        quiet = silence(FRAME_MS)
        before = len(self._log.turns)
        for _ in range((TurnSettings().silence_duration_ms + TAIL_MS) // FRAME_MS):
            hold_in = await self._advance(quiet, hold_in)
            if not self._options.realtime and hold_in <= 1 and len(self._log.turns) > before:
                break
        while self._options.realtime and self._ended is None and (self._log.open_turns or time.monotonic() < self._played_at()):
            await self._push(quiet)
        await self._hold()

    def _played_at(self) -> float:
        """When the last reply will have been heard to its end."""
        last = self._log.turns[-1] if self._log.turns else None
        return last.came.audio_at + last.reply_ms / 1000 if last is not None and last.came.audio_at is not None else 0.0

    async def _push(self, frame: Samples) -> bool:
        """One frame; returns whether our detector heard the end of speech in it."""
        if self._options.realtime:
            await asyncio.sleep(max(0.0, self._began + self._session.position_ms / 1000 - time.monotonic()))
        heard = self._session.push_audio(frame)
        self._local += [notice for notice in heard if isinstance(notice, SpeechBegan | SpeechEnded)]
        if self._options.turns == "client":
            for notice in heard:
                self._log.see(notice, time.monotonic())
        if not self._options.realtime:
            await self._session.room()
        return any(isinstance(notice, SpeechEnded) for notice in heard)

    async def _hold(self) -> None:
        """The microphone stands still until the server has said that the turn is over, and has answered it."""
        expected = sum(isinstance(notice, SpeechEnded) for notice in self._local)
        await self._session.room()
        await self._until(lambda: len(self._log.turns) >= expected, VERDICT_S)
        await self._until(lambda: not self._log.open_turns, STILL_S)
        for turn in self._log.open_turns:
            turn.status = "no_reply"
        await self._until(lambda: all(turn.heard for turn in self._log.turns), LATE_TEXT_S)
        self._tell()

    async def _until(self, done: Callable[[], bool], still_s: float) -> None:
        """Wait until that is so, the session has ended, or nothing has come for so long."""
        while not done() and self._ended is None:
            self._changed.clear()
            try:
                async with asyncio.timeout(still_s):
                    await self._changed.wait()
            except TimeoutError:
                return

    def _tell(self, final: bool = False) -> None:
        """Report the turns that are complete, in order."""
        for turn in self._log.turns[self._reported :]:
            if turn.status is None or not (turn.heard or final):
                return
            self._reported += 1
            self._speaker.finish(turn)
            self._refine(turn)
            began_s = self._began if self._options.realtime else None
            self._report.result(turn_json(turn, self._origin(turn), waterfall(turn, began_s, turn.came.audio_at)))

    def _refine(self, turn: Turn) -> None:
        """Our own detector knows where the speech began, where the wire's padding was cut short at the beginning."""
        starts = [n.at_ms for n in self._local if isinstance(n, SpeechBegan)]
        ends = [n.at_ms for n in self._local if isinstance(n, SpeechEnded)]
        for start, end in zip(starts, ends, strict=False):
            if turn.stopped_ms is not None and start < turn.stopped_ms <= end + TAIL_MS:
                turn.started_ms = start

    def _origin(self, turn: Turn) -> Origin:
        at_ms = turn.stopped_ms if turn.stopped_ms is not None else self._session.position_ms
        return next((origin for origin in reversed(self._origins) if origin.start_ms <= at_ms), self._origins[0])


MakeEngine = Callable[[LocalOptions], AbstractAsyncContextManager[Answering]]


async def replay(options: ReplayOptions, report: Report, make_engine: MakeEngine = local_engine) -> bool:
    """Run it; False if the session ended early. Raises: UsageError (before anything is played), MissingError, MissingExtra."""
    for file in options.files:
        wav_duration_ms(file)
    with ExitStack() as files:
        trace = _open_folder(options.out, files) if options.out else None
        speaker = Speaker(options.out)
        files.callback(speaker.close)
        async with AsyncExitStack() as stack:
            clock = VirtualClock(options.start_wall_s)
            now = time.monotonic if options.realtime else clock.now
            engine = None
            if options.url is None:
                live = LocalOptions(options.synthesizer, clocks=Clocks(now, clock.wall_s), warm=True, chat=options.chat)
                still = Clocks(now, clock.wall_s, pace=None)
                virtual = LocalOptions(options.synthesizer, clocks=still, new_id=counted_ids("s"), chat=options.chat)
                engine = await stack.enter_async_context(make_engine(live if options.realtime else virtual))
            session = await stack.enter_async_context(
                connect(
                    options.url,
                    api_key=options.api_key,
                    settings=settings_of(turns=options.turns),
                    engine=engine,
                    detector=TurnDetector(TurnSettings(), make_detector()),
                    trace=trace,
                    new_id=random_id if options.realtime else counted_ids("c"),
                    clock=now,
                )
            )
            clock.position_ms = lambda: session.position_ms
            return await Replay(options, session, speaker, report).run()


def _open_folder(folder: Path, files: ExitStack) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trace = (folder / "trace.jsonl").open("w", encoding="utf-8")
    except OSError as exc:
        raise _cannot_write(folder, exc) from exc
    files.callback(_close, trace, folder)
    return trace


def _close(trace: TextIO, folder: Path) -> None:
    """Where the disk is full, the lines that wait cannot be written at the end either: said here, with the folder's name."""
    try:
        trace.close()
    except OSError as exc:
        raise _cannot_write(folder, exc) from exc


def _cannot_write(folder: Path, exc: OSError) -> UsageError:
    return UsageError(f"cannot write to '{folder}': {exc.strerror}; give another --out")
