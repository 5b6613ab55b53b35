"""Which device somebody means, and why it cannot be had: sentences with a way out."""

import os
import re
from collections.abc import Sequence

from voice.devices.portaudio import INSTEAD, Device
from voice.errors import MissingError

UNAVAILABLE, INVALID_RATE, INVALID_DEVICE = -9985, -9997, -9996
"""PortAudio's codes."""
ALSA_NUMBER = re.compile(r" \(hw:\d+,\d+\)$")
"""Which card it is, counted as they were plugged in."""
SOUND_FILES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")


def is_file(name: str) -> bool:
    """Whether `--input` or `--output` names a file and not a device: by its ending, its folder, or because it is there."""
    return name.lower().endswith(SOUND_FILES) or os.path.dirname(name) != "" or os.path.isfile(name)


def choose(found: Sequence[Device], wanted: str | None, listening: bool) -> Device:
    """The device that is meant: by its number, its whole name, or a part of it that no other has; None means the default.

    Raises: MissingError with the names that there are.
    """
    kind, flag = ("microphone", "--input") if listening else ("loudspeaker", "--output")
    usable = [device for device in found if (device.inputs if listening else device.outputs)]
    other = "--input FILE.wav" if listening else "--output null"
    if not usable:
        raise MissingError(f"no {kind} found: plug one in, give {other}, {INSTEAD}")
    if wanted is None:
        return next((device for device in usable if (device.default_input if listening else device.default_output)), usable[0])
    named = _named(usable, wanted)
    if len(named) == 1:
        return named[0]
    names = ", ".join(f"{device.index} '{device.name}' ({device.host_api})" for device in (named or usable))
    if named:
        raise MissingError(f"more than one {kind} is called '{wanted}': {names}: give the number to {flag}")
    raise MissingError(f"no {kind} '{wanted}': there is {names} (`voice devices` lists them), {flag} takes a part of a name, {INSTEAD}")


def again(found: Sequence[Device], known: Device, listening: bool) -> Device | None:
    """The device that was known before it went, by its name: numbers, also those that ALSA puts into names, are others now; None: not there.

    Of several that are called so the one of the same system, and then the first.
    """
    usable = [device for device in found if (device.inputs if listening else device.outputs)]
    named = [device for device in usable if _plain(device.name) == _plain(known.name)]
    return min(named, key=lambda device: (device.host_api != known.host_api, device.name != known.name), default=None)


def cannot_open(device: Device | None, failure: Exception, listening: bool) -> MissingError:
    """The failure of PortAudio to open a device, as a sentence."""
    kind, flag = ("microphone", "--input") if listening else ("loudspeaker", "--output")
    what = f"the {kind} '{device.name if device else ''}'"
    code = failure.args[1] if len(failure.args) > 1 else None
    said = " ".join(str(failure.args[0] if failure.args else failure).split())
    if code == UNAVAILABLE:
        return MissingError(f"{what} is busy: end the program that uses it, choose another with {flag} (`voice devices`), {INSTEAD}")
    if code == INVALID_RATE:
        return MissingError(f"{what} takes none of our sample rates: choose another with {flag} (`voice devices`), {INSTEAD}")
    if code == INVALID_DEVICE:
        return MissingError(f"{what} is not there any more: plug it in, choose another with {flag} (`voice devices`), {INSTEAD}")
    return MissingError(f"{what} cannot be opened ({said}): choose another with {flag} (`voice devices`), {INSTEAD}")


def _plain(name: str) -> str:
    return ALSA_NUMBER.sub("", name)


def _named(usable: Sequence[Device], wanted: str) -> list[Device]:
    """By number, whole name or part of it; of devices with one name under several systems the default one."""
    if wanted.isascii() and wanted.isdigit():
        return [device for device in usable if device.index == int(wanted)]
    whole = [device for device in usable if device.name.casefold() == wanted.casefold()]
    found = whole or [device for device in usable if wanted.casefold() in device.name.casefold()]
    default = [device for device in found if device.default_input or device.default_output]
    return default if len(default) == 1 and len({device.name for device in found}) == 1 else found
