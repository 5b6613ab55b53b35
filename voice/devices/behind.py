"""Which devices are behind names that say nothing: under PulseAudio and PipeWire PortAudio knows one, "default".

The sound server puts others behind it without a word; and whether a headset has become a telephone only its real name tells.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import partial

from voice.devices.blocking import aside
from voice.devices.portaudio import Device, printable
from voice.devices.telephone import telephone

FRONTS = ("default", "pulse", "pipewire", "sysdefault")
ASK_S = 2.0
NAMES_S = 5.0
"""How often the server is asked while a conversation goes on: 4 ms of a core each time."""


class Names:
    """Of a conversation's devices; `note` is told what a person should know of them."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note
        self._devices: tuple[Device | None, Device | None] = (None, None)
        self._names = ("", "")

    async def learn(self, microphone: Device | None, loudspeaker: Device | None) -> None:
        """These are the devices from now on."""
        self._devices = (microphone, loudspeaker)
        self._names = await aside(partial(real_names, microphone, loudspeaker))
        self._warn()

    async def follow(self) -> None:
        """Say when others are behind the names; without end."""
        while True:
            await asyncio.sleep(NAMES_S)
            if not any(map(_front, self._devices)):
                continue
            heard, played = await aside(partial(real_names, *self._devices))
            now = (heard or self._names[0], played or self._names[1])
            said = moved(self._names, now)
            self._names = now
            if said:
                self._note(said)
                self._warn()

    def _warn(self) -> None:
        """Of a headset that becomes a telephone, if the two are one."""
        listen, speak = self._devices
        if listen is None or speak is None:
            return
        said = telephone(self._names[0] or listen.name, listen.rate_hz, self._names[1] or speak.name, speak.rate_hz)
        if said:
            self._note(said)


def real_names(microphone: Device | None, loudspeaker: Device | None) -> tuple[str, str]:
    """The sound server's own names of its default devices, where these two are only fronts of it; else their own.

    "" for None, and for what the server does not tell. May wait for `ASK_S`.
    """
    heard, played = _defaults() if _front(microphone) or _front(loudspeaker) else ("", "")
    names = []
    for device, name in ((microphone, heard), (loudspeaker, played)):
        names.append("" if device is None else name if _front(device) else device.name)
    return names[0], names[1]


def _front(device: Device | None) -> bool:
    return device is not None and device.name in FRONTS


def moved(before: tuple[str, str], now: tuple[str, str]) -> str:
    """What is said when other devices are behind the microphone and the loudspeaker; "" if there is nothing to say."""
    said = []
    if before[0] and now[0] and now[0] != before[0]:
        own = f"{now[1]}.monitor" == now[0]
        said.append(f"the microphone is '{now[0]}' now" + (": that is what the loudspeaker plays, and no microphone" if own else ""))
    if before[1] and now[1] and now[1] != before[1]:
        said.append(f"the loudspeaker is '{now[1]}' now")
    return "; ".join(said)


def _defaults() -> tuple[str, str]:
    """The default source and sink, as `pactl` says, which comes with PulseAudio and works with PipeWire; "" for what it does not say."""
    program = shutil.which("pactl")
    if program is None:
        return "", ""
    english = dict(os.environ) | {"LC_ALL": "C"}
    try:
        done = subprocess.run([program, "info"], capture_output=True, timeout=ASK_S, stdin=subprocess.DEVNULL, env=english)
    except (OSError, subprocess.TimeoutExpired):
        return "", ""
    said = dict(line.split(": ", 1) for line in done.stdout.decode(errors="replace").splitlines() if ": " in line)
    return printable(said.get("Default Source", "")), printable(said.get("Default Sink", ""))
