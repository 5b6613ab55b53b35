"""Streams of sound cards: a microphone and a loudspeaker share one where they can, so that they have one clock.

The callback, on PortAudio's thread, copies and hands over, and nothing else. A card that is pulled out raises nothing anywhere: its
callbacks stop, or the stream says that it has finished. So the callbacks leave signs, which somebody reads (`card.py`).
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.devices.capture import Capture
from voice.devices.ends import CardSpeaker
from voice.devices.lateness import Lateness
from voice.devices.portaudio import Device
from voice.devices.stumble import Stumble
from voice.devices.watch import STALE_S

BLOCK_MS = 10
IN_S, OUT_S = 0.03, 0.04
"""Latencies that are asked of the card: three and four blocks. "low" lets ALSA's plug-in for PulseAudio stumble, and then spin for want of
sound (23 % of a core instead of 2 %); 50 ms for both cost 70 ms more from the last word to the answer, by bench/talk.py."""
OTHER_RATES_HZ = (48_000, 44_100, 16_000)
"""Tried where a card refuses the rate that it says is its own."""
LATEST_S = 1.0
"""What a microphone or a loudspeaker says of its latency counts up to here, where the other one's sound is compared with it."""
FARTHEST_S = 3.0
"""The same for a loudspeaker: Bluetooth takes 200 ms and more, some network loudspeakers 2 s."""
SETTLING = 20
"""The loudspeaker's latency is the mean of so many blocks or so: PulseAudio's own account of it goes up and down by 10 ms."""
INVALID_RATE, INVALID_CHANNELS, BAD_COMBINATION = -9997, -9998, -9993
"""PortAudio's codes for what another setting may mend."""


@dataclass(slots=True)
class Signs:
    """What a stream's callbacks leave behind, for whoever watches it."""

    live: bool = True
    """Unset, the callbacks do nothing: a stream that is being closed, or could not be, shares what it had with the next one."""
    ended: bool = False
    """It has stopped, and not because it was told to."""
    late_s: float = 0.0
    """How old the newest sound of the microphone was."""
    out_s: float = 0.0
    """From a callback to the air, at the loudspeaker; 0 if nothing plausible is known."""
    failure: Exception | None = None
    """A bug of ours: nothing may leave a callback."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a stream is opened."""

    listen: Device | None
    speak: Device | None
    rate_hz: int
    channels: tuple[int, int]

    @property
    def block(self) -> int:
        """Samples that the callback takes."""
        return self.rate_hz * BLOCK_MS // 1000


class Line:
    """One stream: a microphone, a loudspeaker, or both."""

    def __init__(self, sound: Any, setting: Setting, loop: asyncio.AbstractEventLoop, player: CardSpeaker | None) -> None:
        self.setting = setting
        self.signs = Signs()
        self.stumble = Stumble(BLOCK_MS / 1000)
        self.capture = Capture(setting.rate_hz, loop) if setting.listen is not None else None
        self.player = player
        self.listener = self.capture
        """The microphone's that may hear this loudspeaker, on this stream or on another."""
        self.latency_s = (0.0, 0.0)
        """Of the microphone and of the loudspeaker, as the card named it when it was opened."""
        self._sound = sound
        self._stream: Any = None
        self._lateness = Lateness(setting.rate_hz)

    def open(self) -> None:
        """Open it and begin. Waits for the sound system. Raises: PortAudioError."""
        setting, signs = self.setting, self.signs

        def ended() -> None:
            signs.ended = True

        if self.player is not None:
            self.player.connect(setting.rate_hz)
        settings: dict[str, Any] = {"samplerate": setting.rate_hz, "blocksize": setting.block, "dtype": "int16", "finished_callback": ended}
        listen, speak = (None if device is None else device.index for device in (setting.listen, setting.speak))
        if listen is not None and speak is not None:
            self._stream = self._sound.Stream(
                device=(listen, speak), channels=setting.channels, latency=(IN_S, OUT_S), callback=self._both, **settings
            )
        elif listen is not None:
            self._stream = self._sound.InputStream(
                device=listen, channels=setting.channels[0], latency=IN_S, callback=self._hear, **settings
            )
        else:
            self._stream = self._sound.OutputStream(
                device=speak, channels=setting.channels[1], latency=OUT_S, callback=self._speak, **settings
            )
        self._stream.start()
        latency = self._stream.latency
        self.latency_s = latency if isinstance(latency, tuple) else (latency, latency)

    def restart(self) -> None:
        """Stop and start the open stream, which drops what has piled up in it: 1 ms. Raises: PortAudioError."""
        self._stream.abort()
        self.signs.ended = False
        self.stumble.again()
        self._stream.start()

    def close(self) -> None:
        """Stop at once. May wait for the sound system, for ever even; never raises: a card that has gone cannot be closed in order."""
        self.signs.live = False
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)

    @property
    def out_s(self) -> float:
        """From a callback to the air, for the last sample of its block: as the stream says while it runs, else as it said when it was opened."""
        return (self.signs.out_s or self.latency_s[1]) + BLOCK_MS / 1000

    def _both(self, heard: NDArray[np.int16], out: NDArray[np.int16], frames: int, when: Any, status: Any) -> None:
        # What goes out first: the microphone's sound is paired with it.
        self._speak(out, frames, when, status)
        self._hear(heard, frames, when, status, out[:, 0].copy())

    def _hear(self, heard: NDArray[np.int16], frames: int, when: Any, status: Any, played: NDArray[np.int16] | None = None) -> None:
        signs, capture = self.signs, self.capture
        if not signs.live or capture is None:
            return
        try:
            age_s = None if when is None else when.currentTime - when.inputBufferAdcTime
            signs.late_s = self._lateness.push(frames, time.monotonic(), age_s)
            capture.late_s = min(signs.late_s, LATEST_S)
            if signs.late_s > STALE_S:
                capture.skip(frames)
            else:
                capture.push(heard.copy(), played)
            self.stumble.after(time.thread_time(), signs.late_s)
        except Exception as exc:
            # Nothing may leave a callback: the watch raises it.
            signs.failure = exc

    def _speak(self, out: NDArray[np.int16], frames: int, when: Any, status: Any) -> None:
        signs, player = self.signs, self.player
        try:
            if not signs.live or player is None:
                out.fill(0)
                return
            if self.capture is None:
                self.stumble.after(time.thread_time(), None)
            out[:] = player.give(frames)[:, np.newaxis]
            ahead_s = 0.0 if when is None else when.outputBufferDacTime - when.currentTime
            if 0.0 < ahead_s < FARTHEST_S:
                signs.out_s += (ahead_s - signs.out_s) / (SETTLING if signs.out_s else 1)
            self._tell_listener(out[:, 0], ahead_s)
        except Exception as exc:
            # Nothing may leave a callback: the watch raises it.
            out.fill(0)
            signs.failure = exc

    def _tell_listener(self, played: NDArray[np.int16], ahead_s: float) -> None:
        """The microphone hears what goes out now, so much later."""
        if self.listener is None:
            return
        if self.capture is None:
            self.listener.heard(played.copy(), self.setting.rate_hz)
        if ahead_s:
            self.listener.beside.ahead_s = max(0.0, min(ahead_s, LATEST_S))


class Opener:
    """Opens streams for the devices of one conversation. Its methods wait for the sound system: for a thread of their own."""

    def __init__(self, sound: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._sound = sound
        self._loop = loop

    def open(
        self, listen: Device | None, speak: Device | None, player: CardSpeaker | None
    ) -> tuple[list[Line], list[tuple[Device, Exception]]]:
        """One stream for both where that can be, else one each; and why a device could not be opened."""
        if listen is not None and speak is not None and listen.host_api == speak.host_api:
            found = self._try(listen, speak, player)
            if isinstance(found, Line):
                return [found], []
        lines: list[Line] = []
        failures: list[tuple[Device, Exception]] = []
        for device, mine in ((listen, False), (speak, True)):
            if device is None:
                continue
            found = self._try(None, device, player) if mine else self._try(device, None, None)
            if isinstance(found, Line):
                lines.append(found)
            else:
                failures.append((device, found))
        return lines, failures

    def restart(self, line: Line) -> None:
        """Start a stream again that has stumbled; one that cannot be is as one that has ended."""
        try:
            line.restart()
        except self._sound.PortAudioError:
            line.signs.ended = True

    def _try(self, listen: Device | None, speak: Device | None, player: CardSpeaker | None) -> Line | Exception:
        """Open one stream at the first setting that the devices take; returns why there is none."""
        failure: Exception | None = None
        for setting in _settings(listen, speak):
            line = Line(self._sound, setting, self._loop, player)
            try:
                line.open()
                return line
            except self._sound.PortAudioError as exc:
                line.close()
                failure = failure or exc
                if exc.args[1:2] and exc.args[1] not in (INVALID_RATE, INVALID_CHANNELS, BAD_COMBINATION):
                    break
        assert failure is not None, "there is a setting at least"
        return failure


def pair(lines: list[Line]) -> None:
    """Tells each stream which microphone may hear its loudspeaker."""
    capture = next((line.capture for line in lines if line.capture is not None), None)
    for line in lines:
        line.listener = capture


def _settings(listen: Device | None, speak: Device | None) -> Iterator[Setting]:
    """Rates and channels to try: the loudspeaker's own rate first, one channel first."""
    own = [device.rate_hz for device in (speak, listen) if device is not None]
    inputs = min(2, listen.inputs) if listen is not None else 1
    outputs = min(2, speak.outputs) if speak is not None else 1
    for rate_hz in dict.fromkeys((*own, *OTHER_RATES_HZ)):
        for channels in dict.fromkeys(((1, 1), (1, outputs), (inputs, 1), (inputs, outputs))):
            yield Setting(listen, speak, rate_hz, channels)
