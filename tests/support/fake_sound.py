"""A sound library without sound: what `sounddevice` offers of streams, driven by the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from voice.devices import card, portaudio
from voice.devices.card import Card, Wanted, open_card
from voice.devices.portaudio import Device


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
        self._hang = sound.hang_close
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
        if self._hang is not None:
            self._hang()
        self.closed = True

    def end(self) -> None:
        """The card says that it has stopped."""
        self.settings["finished_callback"]()

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
    """The module. `refuse(kind, settings)` says why a stream cannot be opened: (text, code), or None.

    `plugged` is what is plugged in, seen by the program when it looks again. Its first microphone and its first loudspeaker are the default.
    """

    PortAudioError = PortAudioError

    def __init__(
        self,
        refuse: Callable[[str, dict[str, Any]], tuple[str, int] | None] = lambda kind, settings: None,
        plugged: Sequence[Device] = (),
    ) -> None:
        self.refuse = refuse
        self.plugged = list(plugged)
        self.latency = (0.02, 0.04)
        self.streams: list[FakeStream] = []
        self.looks = 0
        self.hang_close: Callable[[], object] | None = None
        """Called in `close`: waits as long as the test likes."""
        self.hang_look: Callable[[], object] | None = None
        self._seen = self.plugged
        self._lib = SimpleNamespace(Pa_Initialize=self._initialize)
        self._initialized = 1

    def Stream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, "both", settings)

    def InputStream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, "in", settings)

    def OutputStream(self, **settings: Any) -> FakeStream:
        return FakeStream(self, "out", settings)

    def _terminate(self) -> None:
        assert not self.open or self.hang_close is not None, "no stream survives this"
        self._initialized -= 1

    def _exit_handler(self) -> None:
        raise AssertionError("nobody has registered it")

    def _check(self, code: int, message: str) -> None:
        assert code == 0, message

    def _initialize(self) -> int:
        if self.hang_look is not None:
            self.hang_look()
        self.looks += 1
        self._seen = list(self.plugged)
        return 0

    def query_devices(self) -> list[dict[str, Any]]:
        apis = self._apis()
        return [
            {
                "name": device.name,
                "hostapi": apis.index(device.host_api),
                "max_input_channels": device.inputs,
                "max_output_channels": device.outputs,
                "default_samplerate": float(device.rate_hz),
            }
            for device in self._seen
        ]

    def query_hostapis(self) -> list[dict[str, str]]:
        return [{"name": name} for name in self._apis()]

    @property
    def default(self) -> SimpleNamespace:
        inputs = next((at for at, device in enumerate(self._seen) if device.inputs), -1)
        outputs = next((at for at, device in enumerate(self._seen) if device.outputs), -1)
        return SimpleNamespace(device=(inputs, outputs))

    def _apis(self) -> list[str]:
        return list(dict.fromkeys(device.host_api for device in self._seen))

    @property
    def open(self) -> list[FakeStream]:
        """The streams that run."""
        return [stream for stream in self.streams if stream.started and not stream.closed]


@asynccontextmanager
async def opened(
    patch: pytest.MonkeyPatch,
    fake: FakeSound,
    listen: Device | None,
    speak: Device | None,
    note: Callable[[str], None] = lambda text: None,
    named: bool = True,
) -> AsyncIterator[Card]:
    """A card of the devices, which are plugged in if nothing else is; `named`: as the user asked for them, else as the defaults."""
    fake.plugged = fake.plugged or list(dict.fromkeys(device for device in (listen, speak) if device is not None))
    fake._initialize()
    patch.setattr(card, "library", lambda: fake)
    patch.setattr(portaudio, "library", lambda: fake)
    names = [device.name if device is not None and named else None for device in (listen, speak)]
    wanted = Wanted(listen is not None, speak is not None, *names)
    async with asyncio.timeout(30), open_card(wanted, portaudio.devices(), note) as made:
        yield made
