"""Sound cards without hardware: a PulseAudio of our own with a microphone that can be played into and a loudspeaker that can be recorded.

    async with virtual_audio(folder) as cards:          # two null sinks; PortAudio finds them as the default ALSA device
        cards.environment                               # for the process that is to use them
        cards.say(wav), cards.record()                  # into the microphone; what the loudspeaker gets
        cards.echo()                                    # from now on the microphone hears the loudspeaker

Nothing of the machine's own sound is touched: the daemon has its own socket, home and runtime folder. `norewinds=1`: without it callbacks
of the client stall for up to 1.9 s when somebody else plays into the same sink.
"""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.until import until
from voice.audio.pcm import Samples, from_bytes, ms_in

RATE_HZ = 16_000
START_S = 40.0
ASOUNDRC = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
SCRIPT = """.fail
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=spk rate=48000 channels=2 norewinds=1
load-module module-null-sink sink_name=micfeed rate=48000 channels=1 norewinds=1
load-module module-remap-source master=micfeed.monitor source_name=mic
set-default-sink spk
set-default-source mic
"""


class Recording:
    """What the loudspeaker got so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._data = bytearray()

    async def run(self) -> None:
        """Read until the recorder ends."""
        assert self._process.stdout is not None
        while data := await self._process.stdout.read(4096):
            self._data += data

    @property
    def samples(self) -> Samples:
        """int16, mono, 16 kHz, from the beginning."""
        return from_bytes(bytes(self._data[: len(self._data) // 2 * 2]))

    @property
    def now_ms(self) -> int:
        """How much of it there is."""
        return ms_in(len(self._data) // 2)

    async def reaches(self, at_ms: int, within_s: float = 60.0) -> None:
        """Wait until so much of it is there."""
        await until(lambda: self.now_ms >= at_ms, within_s)

    async def sounds(self, level: int = 300, within_s: float = 40.0) -> None:
        """Wait until something is heard in what came since this was called."""
        seen = len(self._data) // 2
        await until(lambda: (np.abs(self.samples[seen:].astype(np.int32)) > level).any(), within_s)


@dataclass(slots=True)
class Cards:
    """The virtual microphone and loudspeaker, while the daemon runs."""

    environment: Mapping[str, str]
    folder: Path
    daemon: asyncio.subprocess.Process

    async def kill(self) -> None:
        """The daemon dies at once."""
        self.daemon.kill()
        await self.daemon.wait()

    async def start(self) -> None:
        """Another one in the place of one that has died."""
        self.daemon = await _daemon(self.folder, self.environment)
        await _up(self)

    async def unplug(self) -> None:
        """The microphone is pulled out: what it was goes on somewhere else, as the daemon likes."""
        await self.control("unload-module", "module-remap-source")

    async def plug(self) -> None:
        """The microphone is plugged in again."""
        await self.control("load-module", "module-remap-source", "master=micfeed.monitor", "source_name=mic")

    async def say(self, wav: Path) -> None:
        """Speak a WAV into the microphone; returns when it has been said."""
        await self._run("paplay", "-d", "micfeed", str(wav))

    async def echo(self, delay_ms: int = 60, gain_db: float = -12.0) -> None:
        """Bare loudspeakers: the microphone hears them so much later, at this level, from now on."""
        module = await self.control("load-module", "module-loopback", "source=spk.monitor", "sink=micfeed", f"latency_msec={delay_ms}")
        inputs = await self.control("--format=json", "list", "sink-inputs")
        (path,) = [line["index"] for line in json.loads(inputs) if str(line["owner_module"]) == module.strip()]
        await self.control("set-sink-input-volume", str(path), f"{gain_db}dB")

    async def control(self, *words: str) -> str:
        """`pactl`."""
        return await self._run("pactl", *words)

    @asynccontextmanager
    async def record(self) -> AsyncIterator[Recording]:
        """What the loudspeaker gets while the block runs."""
        line = ("parec", "-d", "spk.monitor", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=20")
        process = await asyncio.create_subprocess_exec(*line, env=self.environment, stdout=asyncio.subprocess.PIPE)
        recording = Recording(process)
        async with asyncio.TaskGroup() as group:
            group.create_task(recording.run(), name="recording")
            try:
                yield recording
            finally:
                await _end(process)

    async def _run(self, *line: str) -> str:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*line, env=self.environment, stdout=pipe, stderr=pipe)
        try:
            out, err = await process.communicate()
        finally:
            await _end(process)
        assert process.returncode == 0, f"{line}: {err.decode()}"
        return out.decode()


@asynccontextmanager
async def virtual_audio(folder: Path) -> AsyncIterator[Cards]:
    """A daemon of our own in `folder`, ended with the block."""
    home, runtime = folder / "home", folder / "run"
    for place in (home, runtime):
        place.mkdir(mode=0o700)
    socket = runtime / "native"
    (home / ".asoundrc").write_text(ASOUNDRC)
    (folder / "voice.pa").write_text(SCRIPT.format(socket=socket))
    names = {"HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "PULSE_SERVER": f"unix:{socket}", "PULSE_COOKIE": str(home / "cookie")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PULSE_", "XDG_", "DBUS_"))} | names
    cards = Cards(environment, folder, await _daemon(folder, environment))
    try:
        await _up(cards)
        yield cards
    finally:
        await _end(cards.daemon)


async def _daemon(folder: Path, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    options = ("--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no", "--high-priority=no", "--log-level=error")
    return await asyncio.create_subprocess_exec("pulseaudio", "-n", "-F", str(folder / "voice.pa"), *options, env=environment)


async def _up(cards: Cards) -> None:
    """Wait until it answers."""
    async with asyncio.timeout(START_S):
        while "spk" not in await _ready(cards):
            assert cards.daemon.returncode is None, "pulseaudio has ended"
            await asyncio.sleep(0.05)


async def _ready(cards: Cards) -> str:
    try:
        return await cards.control("list", "short", "sinks")
    except AssertionError:
        return ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process that we started, whatever state it is in."""
    if process.returncode is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
