"""Sound cards: a microphone and a loudspeaker on one PortAudio stream where the two can share one, so that they have one clock.

The callback, on PortAudio's thread, copies and hands over, and nothing else. A card that is pulled out raises nothing anywhere: its
callbacks stop, or the stream says that it has finished. So somebody counts the callbacks, and says when they stop.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voice.devices.base import Frame
from voice.devices.capture import Capture
from voice.devices.choice import cannot_open
from voice.devices.player import Player
from voice.devices.portaudio import INSTEAD, Device, library
from voice.devices.stumble import Stumble
from voice.errors import MissingError

log = logging.getLogger(__name__)

BLOCK_MS = 10
IN_S, OUT_S = 0.03, 0.04
"""Latencies that are asked of the card: three and four blocks. "low" lets ALSA's plug-in for PulseAudio stumble, and then spin for want of
sound (23 % of a core instead of 2 %); 50 ms for both cost 70 ms more from the last word to the answer, by bench/talk.py."""
OTHER_RATES_HZ = (48_000, 44_100, 16_000)
"""Tried where a card refuses the rate that it says is its own."""
OPEN_S, CLOSE_S = 15.0, 2.0
TRIES, PAUSE_S, STABLE_CALLS = 3, 0.3, 1_000
"""A stream that has ended is opened again so often in a row: a sound server that stumbles ends one, and the next one works. One that has
lived for 10 s ends the row."""
WATCH_S, SILENT_STEPS, FIRST_STEPS = 0.1, 5, 30
"""500 ms without a callback, or 3 s without the first: the card has gone. Steps and not time are counted: a machine that slept has
missed one step, whatever the clock says."""
NO_ANSWER = f"the sound system does not answer: is its server running? {INSTEAD}"
LATEST_S = 1.0
"""A microphone that says that it is later than this is not believed: some systems give times of another clock."""
INVALID_RATE, INVALID_CHANNELS, BAD_COMBINATION = -9997, -9998, -9993
"""PortAudio's codes for what another setting may mend."""


class Line:
    """One stream: a microphone, a loudspeaker, or both."""

    def __init__(self, sound: Any, devices: tuple[Device | None, Device | None], rate_hz: int, channels: tuple[int, int]) -> None:
        self.failure: Exception | None = None
        self.finished = threading.Event()
        self.capture: Capture | None = None
        self.player: Player | None = None
        self.listener: Capture | None = None
        """The microphone's that may hear this loudspeaker, on this stream or on another."""
        self.stumble = Stumble(BLOCK_MS / 1000)
        self.name = " and ".join(dict.fromkeys(f"'{device.name}'" for device in devices if device is not None))
        self._sound = sound
        self._devices = devices
        self._rate_hz = rate_hz
        self._channels = channels
        self._stream: Any = None

    def open(self) -> tuple[float, float]:
        """Open it (again) and begin; returns the latency of the microphone and of the loudspeaker in seconds. Raises: PortAudioError."""
        self.close()
        self.finished = threading.Event()
        settings: dict[str, Any] = {"samplerate": self._rate_hz, "blocksize": self._rate_hz * BLOCK_MS // 1000, "dtype": "int16"}
        settings["finished_callback"] = self.finished.set
        listen, speak = (None if device is None else device.index for device in self._devices)
        if listen is not None and speak is not None:
            self._stream = self._sound.Stream(
                device=(listen, speak), channels=self._channels, latency=(IN_S, OUT_S), callback=self._both, **settings
            )
        elif listen is not None:
            self._stream = self._sound.InputStream(device=listen, channels=self._channels[0], latency=IN_S, callback=self._hear, **settings)
        else:
            self._stream = self._sound.OutputStream(
                device=speak, channels=self._channels[1], latency=OUT_S, callback=self._speak, **settings
            )
        self._start()
        latency = self._stream.latency
        return latency if isinstance(latency, tuple) else (latency, latency)

    def restart(self) -> None:
        """Stop and start the open stream, which drops what has piled up in it: 1 ms. Raises: PortAudioError."""
        self._stream.abort()
        self.finished.clear()
        self._start()

    def _start(self) -> None:
        self.stumble.again()
        self._stream.start()

    def close(self) -> None:
        """Stop at once. Never raises: a card that has gone cannot be closed in order."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(ignore_errors=True)

    def _both(self, heard: NDArray[np.int16], out: NDArray[np.int16], frames: int, when: Any, status: Any) -> None:
        # What goes out first: the microphone's sound is paired with it.
        self._speak(out, frames, when, status)
        self._hear(heard, frames, when, status, out[:, 0].copy())

    def _hear(self, heard: NDArray[np.int16], frames: int, when: Any, status: Any, played: NDArray[np.int16] | None = None) -> None:
        try:
            assert self.capture is not None
            self.capture.push(heard.copy(), played)
            if when is not None:
                self.capture.late_s = max(0.0, min(when.currentTime - when.inputBufferAdcTime, LATEST_S))
            self._called(self.capture.late_s)
        except Exception as exc:
            # Nothing may leave a callback: the watch raises it.
            self.failure = exc

    def _speak(self, out: NDArray[np.int16], frames: int, when: Any, status: Any) -> None:
        try:
            assert self.player is not None
            if self.capture is None:
                self._called()
            out[:] = self.player.take(frames)[:, np.newaxis]
            if self.listener is None:
                return
            if self.capture is None:
                self.listener.heard(out[:, 0].copy(), self._rate_hz)
            if when is not None:
                self.listener.beside.ahead_s = max(0.0, min(when.outputBufferDacTime - when.currentTime, LATEST_S))
        except Exception as exc:
            # Nothing may leave a callback: the watch raises it.
            out.fill(0)
            self.failure = exc

    @property
    def calls(self) -> int:
        """Callbacks so far."""
        return self.stumble.calls

    def _called(self, late_s: float | None = None) -> None:
        self.stumble.after(time.thread_time(), late_s)


class CardMicrophone:
    """The microphone of a card."""

    ended = False

    def __init__(self, name: str, capture: Capture, latency_s: float) -> None:
        self.name = name
        self._least_s = latency_s
        self._capture = capture

    @property
    def latency_s(self) -> float:
        """What the card names, or more: a sound server that has stumbled may be late ever after."""
        return max(self._least_s, self._capture.late_s)

    def frames(self) -> AsyncGenerator[Frame, None]:
        """What is said; without end."""
        return self._capture.frames()


class CardSpeaker(Player):
    """The loudspeaker of a card: a `Player` that the card's callback takes from."""

    def __init__(self, name: str, rate_hz: int) -> None:
        super().__init__(rate_hz)
        self.name = name


class Card:
    """Open devices: `microphone` and `loudspeaker`, None for what was not asked for."""

    def __init__(self, sound: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.microphone: CardMicrophone | None = None
        self.loudspeaker: CardSpeaker | None = None
        self._sound = sound
        self._loop = loop
        self._lines: list[Line] = []

    def open(self, listen: Device | None, speak: Device | None) -> None:
        """One stream for both where that can be, else one each. Waits for the sound system. Raises: MissingError."""
        if listen is not None and speak is not None and listen.host_api == speak.host_api and self._try(listen, speak) is None:
            return
        for devices in ((listen, None), (None, speak)):
            if devices != (None, None) and (failure := self._try(*devices)) is not None:
                raise cannot_open(devices[0] or devices[1], failure, listening=devices[0] is not None) from failure

    def close(self) -> None:
        """Silence, at once."""
        for line in self._lines:
            line.close()

    async def watch(self) -> None:
        """Until a device has gone for good. Raises: MissingError that names it."""
        async with asyncio.TaskGroup() as group:
            for line in self._lines:
                group.create_task(self._watch(line), name=f"sound card {line.name}")

    async def _watch(self, line: Line) -> None:
        gone = MissingError(f"{line.name} has gone: plug it in and start again, choose another (`voice devices`), {INSTEAD}")
        calls, began, still, tries = 0, 0, SILENT_STEPS - FIRST_STEPS, 0
        while True:
            await asyncio.sleep(WATCH_S)
            if line.failure is not None:
                raise line.failure
            still = still + 1 if line.calls == calls else 0
            calls = line.calls
            if calls - began >= STABLE_CALLS:
                tries = 0
            if not line.finished.is_set() and still <= SILENT_STEPS:
                if line.stumble.down:
                    await self._restart(line, gone)
                continue
            if calls == began:
                raise gone  # it was open and did nothing
            began, still, opened = calls, SILENT_STEPS - FIRST_STEPS, False
            while not opened:
                if tries == TRIES:
                    raise gone
                tries += 1
                opened = await self._again(line, gone)
            log.warning("%s has stopped, and was opened again", line.name)

    async def _restart(self, line: Line, gone: MissingError) -> None:
        """Start a stream again that has stumbled. Raises: MissingError if the sound system hangs."""
        log.info("%s had stumbled, and was started again", line.name)
        try:
            await in_thread(line.restart, CLOSE_S, str(gone))
        except self._sound.PortAudioError:
            line.finished.set()  # opened again as one that has ended

    async def _again(self, line: Line, gone: MissingError) -> bool:
        """Open another stream for one that has ended; whether that worked. Raises: MissingError if the sound system hangs."""
        try:
            await in_thread(line.open, CLOSE_S, str(gone))
        except self._sound.PortAudioError:
            await asyncio.sleep(PAUSE_S)
            return False
        return True

    def _try(self, listen: Device | None, speak: Device | None) -> Exception | None:
        """Open one stream at the first setting that the devices take; returns why there is none."""
        failure: Exception | None = None
        for rate_hz, channels in _settings(listen, speak):
            line = Line(self._sound, (listen, speak), rate_hz, channels)
            line.capture = Capture(rate_hz, self._loop) if listen is not None else None
            line.player = speaker = CardSpeaker(speak.name, rate_hz) if speak is not None else None
            try:
                latency_s = line.open()
            except self._sound.PortAudioError as exc:
                line.close()
                failure = failure or exc
                if exc.args[1:2] and exc.args[1] not in (INVALID_RATE, INVALID_CHANNELS, BAD_COMBINATION):
                    return failure
                continue
            if line.capture is not None and listen is not None:
                self.microphone = CardMicrophone(listen.name, line.capture, latency_s[0])
            if speaker is not None:
                # The latency is that of a block's first sample: the block itself is still to be played.
                speaker.delayed_by(latency_s[1] + BLOCK_MS / 1000)
                self.loudspeaker = speaker
            self._lines.append(line)
            capture = next((each.capture for each in self._lines if each.capture is not None), None)
            for each in self._lines:
                each.listener = capture
            return None
        return failure


@asynccontextmanager
async def open_card(listen: Device | None, speak: Device | None) -> AsyncIterator[Card]:
    """The devices, open while the block runs; it is cancelled if one goes. Raises: MissingError, also inside a group."""
    card = Card(library(), asyncio.get_running_loop())
    try:
        await in_thread(lambda: card.open(listen, speak), OPEN_S, NO_ANSWER)
        failure: BaseException | None = None
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(card.watch(), name="sound card")
            try:
                yield card
            except BaseException as exc:
                # Raised again below: the group would wrap it. If it is the cancelling of a lost card, the group raises that.
                failure = exc
            watch.cancel()
        if failure is not None:
            raise failure
    finally:
        try:
            await in_thread(card.close, CLOSE_S, "")
        except MissingError:
            pass  # the sound system hangs; the thread ends with the process


def _settings(listen: Device | None, speak: Device | None) -> Iterator[tuple[int, tuple[int, int]]]:
    """Rates and channels to try: the loudspeaker's own rate first, one channel first."""
    own = [device.rate_hz for device in (speak, listen) if device is not None]
    inputs = min(2, listen.inputs) if listen is not None else 1
    outputs = min(2, speak.outputs) if speak is not None else 1
    for rate_hz in dict.fromkeys((*own, *OTHER_RATES_HZ)):
        for channels in dict.fromkeys(((1, 1), (1, outputs), (inputs, 1), (inputs, outputs))):
            yield rate_hz, channels


async def in_thread(work: Callable[[], object], within_s: float, late: str) -> None:
    """Work that waits for the sound system, on a thread that does not hold up the end of the program. Raises: MissingError(late)."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def tell(failure: BaseException | None) -> None:
        if not done.done():
            done.set_exception(failure) if failure is not None else done.set_result(None)

    def run() -> None:
        failure: BaseException | None = None
        try:
            work()
        except BaseException as exc:
            # Raised in the loop.
            failure = exc
        try:
            loop.call_soon_threadsafe(tell, failure)
        except RuntimeError:
            return  # too late: the loop is closed

    threading.Thread(target=run, name="sound", daemon=True).start()
    try:
        async with asyncio.timeout(within_s):
            await asyncio.shield(done)
    except TimeoutError as exc:
        raise MissingError(late) from exc
