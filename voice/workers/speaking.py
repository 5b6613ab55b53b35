"""The child's side of a synthesiser: one order after the other, stopped the moment it is dropped.

`espeak.py`, `flite.py` and `piper.py` bring a `Speaker`, `serve()` does the rest. Orders wait in a queue that a thread fills from
standard input, so that a "drop" is seen while the C library is at work: the next call of `put` then says stop.

The frames of a job: "speak" {text, ...} down; "audio" {rate_hz, marks} with PCM up, until "end"; "missing" {message}
if there is nothing to speak with. A mark is (sample, position): at that sample, counted from the start of the job, the
word begins that stands at that character of the text.
"""

import os
import queue
import threading
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from voice.errors import MissingError
from voice.workers.process import Frame, child_pipes, read_frames, writer

Mark = tuple[int, int]
Put = Callable[[bytes, list[Mark]], bool]
"""Takes a chunk of 16-bit PCM and the marks found so far; False means: stop, nobody listens."""


class Speaker(Protocol):
    """A speech library. Used by one thread."""

    rate_hz: int

    def speak(self, order: dict[str, Any], put: Put) -> None:
        """Speak `order["text"]` into `put`, and return soon after `put` has returned False."""

    def rest(self) -> None:
        """Called when nothing waits: the moment to get ready for the next order."""


class _Desk:
    """Where orders arrive, and where a job's owner can take his back."""

    def __init__(self, orders_from: BinaryIO) -> None:
        self._waiting: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._wanted: set[int] = set()
        threading.Thread(target=self._fill, args=(orders_from,), daemon=True).start()

    def _fill(self, orders_from: BinaryIO) -> None:
        try:
            for frame in read_frames(orders_from):
                if frame.kind == "speak":
                    self._wanted.add(frame.job)
                    self._waiting.put(frame)
                elif frame.kind == "drop":
                    self._wanted.discard(frame.job)
        finally:
            # The parent hung up or died. Leave at once, whatever the C library is doing; there is nothing to tidy up.
            os._exit(0)

    def take(self) -> Frame:
        """The next order; waits for it."""
        return self._waiting.get()

    def idle(self) -> bool:
        """Nothing waits."""
        return self._waiting.empty()

    def wants(self, job: int) -> bool:
        """Somebody still listens to this job."""
        return job in self._wanted

    def done(self, job: int) -> None:
        """The job is over."""
        self._wanted.discard(job)


def serve(make: Callable[[], Speaker]) -> None:
    """Be the child: never returns, the process ends when standard input does."""
    orders, frames = child_pipes()
    write = writer(frames)
    desk = _Desk(orders)
    try:
        speaker = make()
    except MissingError as exc:
        _refuse(desk, write, str(exc))
    while True:
        frame = desk.take()
        if desk.wants(frame.job):
            write(_serve_one(frame, desk, speaker, write))
        desk.done(frame.job)
        if desk.idle():
            speaker.rest()


def _serve_one(order: Frame, desk: _Desk, speaker: Speaker, write: Callable[[Frame], None]) -> Frame:
    """Do one job; its last frame."""

    def put(audio: bytes, marks: list[Mark]) -> bool:
        if desk.wants(order.job):
            write(Frame(order.job, "audio", {"rate_hz": speaker.rate_hz, "marks": marks}, audio))
        return desk.wants(order.job)

    try:
        speaker.speak(order.data, put)
    except MissingError as exc:
        return Frame(order.job, "missing", {"message": str(exc)})
    except Exception as exc:  # one bad order must not end the child: the parent is told, the next order is served
        return Frame(order.job, "error", {"message": f"{type(exc).__name__}: {exc}"})
    return Frame(order.job, "end")


def _refuse(desk: _Desk, write: Callable[[Frame], None], message: str) -> None:
    while True:
        write(Frame(desk.take().job, "missing", {"message": message}))
