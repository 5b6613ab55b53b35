"""A sound library without sound: what `sounddevice` offers of streams, driven by the test."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PortAudioError(Exception):
    """As sounddevice's: (text, code)."""


class FakeStream:
    """An open stream; `call` is the card asking for a block."""

    def __init__(self, sound: "FakeSound", kind: str, settings: dict[str, Any]) -> None:
        self.kind = kind
        self.settings = settings
        self.latency: float | tuple[float, float] = sound.latency if kind == "both" else sound.latency[0]
        self.started = False
        self.closed = False
        self.aborts = 0
        self._refused = sound.refuse(kind, settings)
        sound.streams.append(self)
        if self._refused is not None:
            raise PortAudioError(*self._refused)

    def start(self) -> None:
        self.started = True

    def abort(self) -> None:
        self.started = False
        self.aborts += 1
        self.settings["finished_callback"]()

    def close(self, ignore_errors: bool = False) -> None:
        assert ignore_errors, "a card that has gone cannot be closed in order"
        self.closed = True

    def call(
        self, heard: NDArray[np.int16] | None = None, frames: int = 480, late_s: float | None = None, ahead_s: float = 0.0
    ) -> NDArray[np.int16]:
        """One callback: gives (frames, channels) to the program, returns what the program plays. `late_s`: how long ago the first sample given was
        in the air; `ahead_s`: in how long the first one returned will be."""
        channels = self.settings["channels"]
        ins, outs = channels if isinstance(channels, tuple) else (channels, channels)
        given = np.zeros((frames, ins), np.int16) if heard is None else heard
        before = given.copy()
        out = np.full((len(given), outs), 77, np.int16)
        when = None if late_s is None else _times(100.0, late_s, ahead_s)
        callback = self.settings["callback"]
        match self.kind:
            case "both":
                callback(given, out, len(given), when, None)
            case "in":
                callback(given, len(given), when, None)
            case _:
                callback(out, len(given), when, None)
        assert (given == before).all()
        given.fill(99)  # the library uses its memory again
        return out


def _times(now_s: float, late_s: float, ahead_s: float) -> SimpleNamespace:
    return SimpleNamespace(currentTime=now_s, inputBufferAdcTime=now_s - late_s, outputBufferDacTime=now_s + ahead_s)


class FakeSound:
    """The module. `refuse(kind, settings)` says why a stream cannot be opened: (text, code), or None."""

    PortAudioError = PortAudioError

    def __init__(self, refuse: Callable[[str, dict[str, Any]], tuple[str, int] | None] = lambda kind, settings: None) -> None:
        self.refuse = refuse
        self.latency = (0.02, 0.04)
        self.streams: list[FakeStream] = []

    def Stream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, "both", settings)

    def InputStream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, "in", settings)

    def OutputStream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, "out", settings)

    @property
    def open(self) -> list[FakeStream]:
        """The streams that run."""
        return [stream for stream in self.streams if stream.started and not stream.closed]
