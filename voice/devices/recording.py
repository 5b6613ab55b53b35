"""A conversation written down while it is held: `voice talk --record DIR`, or any program that has a microphone's frames.

    conversation.wav   16 kHz, stereo: left the user as the session got it, right what the loudspeaker played, where it was in the air
    captured.wav       16 kHz, mono: the user as the microphone gave it, before any processing; sample for sample beside the left channel
    trace.jsonl        every event, as `links/trace.py` writes it
    turns.jsonl        the turns and the summary, as `voice talk --json` prints them

All four can be read at any moment, also after kill -9: the last half second may be missing, and a line may be cut. Nobody waits for the disk: a
thread of its own writes. What it cannot take is dropped and counted, with silence in its place, so that time stays right. A disk that fails
ends the recording, and not the conversation.
"""

import os
import threading
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from voice.audio.aligned import Aligner
from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Samples
from voice.devices.base import Frame
from voice.devices.growing import GrowingWav, open_new, write_all
from voice.devices.wavfile import LEFT_IS_THE_USER, MOST_BYTES, StrPath, cannot_write
from voice.errors import UsageError

CONVERSATION, CAPTURED, TRACE, TURNS = NAMES = ("conversation.wav", "captured.wav", "trace.jsonl", "turns.jsonl")
WRITE_S = 0.5
"""How often is written: what kill -9 takes along, and nearly no work."""
MOST_FRAMES = 1_500
"""30 s of sound (3 MB) wait for a disk; then it is dropped."""
MOST_LINES_BYTES = 8 << 20
"""The same for events: half a minute of sound both ways."""
CLOSE_S = 5.0
"""How long the end waits for the disk."""
SILENCE = np.zeros(FRAME_SAMPLES, np.int16)


@dataclass(frozen=True, slots=True)
class _Sound:
    """One frame of both sides."""

    sent: Samples
    captured: Samples
    played: Samples | None
    delay_ms: int


@dataclass(frozen=True, slots=True)
class _Gap:
    """So many frames for which there was no room."""

    frames: int


@dataclass(frozen=True, slots=True)
class _Line:
    """More for a file of lines, with its end."""

    name: str
    text: str


_Entry = _Sound | _Gap | _Line
NOTHING = _Sound(SILENCE, SILENCE, None, 0)


class Recording:
    """See the top of the file. `push`, `write` and `turn` never wait; from one thread."""

    def __init__(self, folder: StrPath, most_bytes: int = MOST_BYTES) -> None:
        """`folder` is made if it is not there. Raises: UsageError if it has a recording in it, which is never overwritten, or cannot be written."""
        self.folder = Path(folder)
        self.dropped_frames = 0
        """Frames for which the disk had no time; silence is in their place."""
        self.dropped_lines = 0
        """Events and turns for which it had none."""
        self._made = _make(self.folder)
        self._files = _Files(self.folder, most_bytes)
        self._lock = threading.Lock()
        self._waiting: list[_Entry] = []
        self._frames = self._line_bytes = 0
        self._troubles: list[str] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write, name="recording", daemon=True)
        self._thread.start()

    @property
    def on(self) -> bool:
        """It is being written: no disk has failed, and nobody has closed it."""
        return self._thread.is_alive() and not self._ending.is_set()

    def push(self, frame: Frame, withheld: str = "", private: bool = False) -> None:
        """One frame of the microphone, every one of them.

        `withheld`: why the session got silence instead (see `Session.push_audio`): then there is silence on the left, too. `private`: the user
        has muted the microphone: nothing of it is kept anywhere.
        """
        captured = frame.samples if frame.captured is None else frame.captured
        sound = _Sound(SILENCE if withheld or private else frame.samples, SILENCE if private else captured, frame.played, frame.delay_ms)
        with self._lock:
            if not self.on:
                return
            if self._frames < MOST_FRAMES:
                self._frames += 1
                self._waiting.append(sound)
                return
            self._behind()
            self.dropped_frames += 1
            if isinstance(last := self._waiting[-1], _Gap):
                self._waiting[-1] = _Gap(last.frames + 1)
            else:
                self._waiting.append(_Gap(1))

    def write(self, line: str) -> None:
        """A line of the trace, with its end: this is a sink for `connect(trace=...)`."""
        self._put(TRACE, line)

    def turn(self, line: dict[str, object]) -> None:
        """A turn, or the summary."""
        self._put(TURNS, msgspec.json.encode(line).decode() + "\n")

    def trouble(self) -> str | None:
        """What went wrong since the last time, as a sentence, once."""
        return self._troubles.pop(0) if self._troubles else None

    def close(self) -> None:
        """Writes what waits. Harmless when called twice. A recording of nothing leaves nothing."""
        self._ending.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            self._troubles.append(f"{self.folder} does not take the end of the recording: the disk does not answer")
        elif self._files.empty:
            _unmake(self.folder, self._made)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _put(self, name: str, text: str) -> None:
        with self._lock:
            if not self.on:
                return
            if self._line_bytes + len(text) > MOST_LINES_BYTES:
                self._behind()
                self.dropped_lines += 1
                return
            self._line_bytes += len(text)
            self._waiting.append(_Line(name, text))

    def _behind(self) -> None:
        """Something has to be dropped."""
        if not (self.dropped_frames or self.dropped_lines):
            self._troubles.append(f"the disk of {self.folder} is too slow: the recording has gaps where it could not follow")

    def _write(self) -> None:
        """The thread."""
        try:
            last = False
            while not last:
                last = self._ending.wait(WRITE_S)
                with self._lock:
                    waiting, self._waiting = self._waiting, []
                    self._frames = self._line_bytes = 0
                self._files.take(waiting)
            self._files.end()
        except UsageError as exc:
            self._troubles.append(f"{exc}; nothing more is recorded, and the conversation goes on")
        finally:
            self._files.close()


class _Files:
    """What the thread writes to. Raises: UsageError, of a disk."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.empty = True
        """Nothing has come."""
        self._aligner = Aligner()
        self._conversation = GrowingWav(folder / CONVERSATION, 2, RATE_HZ, LEFT_IS_THE_USER, most_bytes)
        self._captured = GrowingWav(folder / CAPTURED, 1, RATE_HZ, most_bytes=most_bytes)
        self._lines: dict[str, FileIO] = {name: open_new(os.fspath(folder / name)) for name in (TRACE, TURNS)}

    def take(self, waiting: list[_Entry]) -> None:
        """What has come since the last time, in order."""
        self.empty = self.empty and not waiting
        for name, file in self._lines.items():
            if text := "".join(entry.text for entry in waiting if isinstance(entry, _Line) and entry.name == name):
                try:
                    write_all(file.write, text.encode(errors="replace"))
                except OSError as exc:
                    raise cannot_write(str(file.name), exc) from exc
        sounds: list[_Sound] = []
        for entry in waiting:
            if isinstance(entry, _Gap):
                self._append(sounds + [NOTHING] * min(entry.frames, MOST_FRAMES))
                for start in range(MOST_FRAMES, entry.frames, MOST_FRAMES):
                    self._append([NOTHING] * min(MOST_FRAMES, entry.frames - start))
                sounds = []
            elif isinstance(entry, _Sound):
                sounds.append(entry)
        self._append(sounds)

    def _append(self, sounds: list[_Sound]) -> None:
        if sounds:
            self._captured.append(np.concatenate([sound.captured for sound in sounds]))
            pairs = [self._aligner.push(sound.sent, sound.played, sound.delay_ms) for sound in sounds]
            self._conversation.append(np.concatenate(pairs))

    def end(self) -> None:
        """Nothing more comes."""
        if len(rest := self._aligner.flush()):
            self._conversation.append(rest)

    def close(self) -> None:
        """Everything was written before."""
        self._conversation.close()
        self._captured.close()
        for file in self._lines.values():
            file.close()


def _make(folder: Path) -> bool:
    """Whether it was made here."""
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a directory: give one to record into") from None
        if there := next((name for name in NAMES if (folder / name).exists()), None):
            raise UsageError(f"{folder} has a recording in it ({there}), which is not overwritten: give another directory") from None
        return False
    except OSError as exc:
        raise cannot_write(str(folder), exc) from exc
    return True


def _unmake(folder: Path, made: bool) -> None:
    """Take an empty recording away, so that the same directory can be given again."""
    for name in NAMES:
        (folder / name).unlink(missing_ok=True)
    if made:
        try:
            folder.rmdir()
        except OSError:
            return  # somebody has put something there
