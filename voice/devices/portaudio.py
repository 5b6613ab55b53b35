"""The sound library, and what is plugged in. The only place that imports `sounddevice`; whatever is wrong with it ends here in a sentence."""

import atexit
import ctypes
import logging
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from voice.errors import MissingError

INSTEAD = "or run `voice serve` and talk in a browser"


@dataclass(frozen=True, slots=True)
class Device:
    """A sound card, or a part of one, as PortAudio sees it."""

    index: int
    """PortAudio's number of it; good until something is plugged in or out."""
    name: str
    host_api: str
    """The system behind it: ALSA, Core Audio, Windows WASAPI, ..."""
    inputs: int
    """Channels that it records; 0 if it is no microphone."""
    outputs: int
    """Channels that it plays; 0 if it is no loudspeaker."""
    rate_hz: int
    """Its own sample rate."""
    default_input: bool = False
    default_output: bool = False


def library() -> Any:
    """The module `sounddevice`. Raises: MissingError with what to install."""
    _hush()
    try:
        return import_module("sounddevice")
    except ImportError as exc:
        raise MissingError(f"sounddevice is not installed: pip install sounddevice, {INSTEAD}") from exc
    except OSError as exc:
        ways = "apt install libportaudio2 (portaudio on Fedora and Arch, brew install portaudio on macOS)"
        raise MissingError(f"no sound library: {_line(exc)}: {ways}, {INSTEAD}") from exc
    except Exception as exc:
        # PortAudioError, which has no name before the import is done: PortAudio is there and cannot start.
        raise MissingError(
            f"the sound library cannot start: {_line(exc)}: is the ALSA configuration (~/.asoundrc) right? {INSTEAD}"
        ) from exc


@cache
def _hush() -> None:
    """PortAudio, ALSA and JACK write what they think of plug-ins, underruns and servers to stderr, between our lines and through the picture
    on a terminal; only -v wants to see that."""
    if logging.getLogger().isEnabledFor(logging.DEBUG):
        return
    _hush_c()
    for name, setters in (
        ("libasound.so.2", ["snd_lib_error_set_handler"]),
        ("libjack.so.0", ["jack_set_error_function", "jack_set_info_function"]),
    ):
        try:
            library = ctypes.CDLL(name)
            for setter in setters:
                # A C function that does nothing with what it is given: one of ours would need the interpreter, on a thread of the library's.
                getattr(library, setter)(ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p))
        except (OSError, AttributeError, TypeError):
            continue  # another system, or another version


def _hush_c() -> None:
    """What C prints to its `stderr` goes nowhere: PortAudio has no other way to be silent. Python's own does not pass there.

    With glibc only: elsewhere the variable may not be written, or has another name.
    """
    try:
        c = ctypes.CDLL(None)
    except TypeError:
        return  # Windows
    if not hasattr(c, "gnu_get_libc_version"):
        return
    c.fopen.restype = ctypes.c_void_p
    nowhere = c.fopen(b"/dev/null", b"w")
    if nowhere:
        ctypes.c_void_p.in_dll(c, "stderr").value = nowhere


def devices(fresh: bool = False) -> tuple[Device, ...]:
    """Every device, in PortAudio's order; none is no error. `fresh`: look again, which no stream survives. Raises: MissingError."""
    sound = library()
    try:
        if fresh:
            # PortAudio looks once, when it starts: what is plugged in later does not appear.
            _look_again(sound)
        rows, apis = sound.query_devices(), sound.query_hostapis()
        inputs, outputs = (int(index) for index in sound.default.device)
    except sound.PortAudioError as exc:
        raise MissingError(f"the sound devices cannot be listed: {_line(exc)}: try again, {INSTEAD}") from exc
    return tuple(_device(number, row, apis, inputs, outputs) for number, row in enumerate(rows))


def _look_again(sound: Any) -> None:
    """As `sounddevice._initialize`, which sends the whole program's stderr nowhere for as long as it takes: for ever, if the sound server hangs."""
    sound._terminate()
    sound._check(sound._lib.Pa_Initialize(), "Error initializing PortAudio")
    sound._initialized += 1


def leave() -> None:
    """The library has hung: it is not tidied up at the end of the program, which would hang too."""
    atexit.unregister(library()._exit_handler)


def trouble(device: Device, kind: str) -> str:
    """Why the device cannot be opened as "input" or "output" at its own rate, "" if it can. Opens it for a moment on some systems; records
    nothing. Raises: MissingError."""
    sound = library()
    check = sound.check_input_settings if kind == "input" else sound.check_output_settings
    try:
        check(device=device.index, channels=1, dtype="int16", samplerate=device.rate_hz)
    except sound.PortAudioError as exc:
        # "Error opening ...: Device unavailable [PaErrorCode -9985]": the number is of no use to a person.
        return _line(exc).partition(" [PaErrorCode")[0]
    return ""


def version() -> str:
    """PortAudio's own name and version. Raises: MissingError."""
    return str(library().get_portaudio_version()[1]).partition(",")[0]


def _device(index: int, row: dict[str, Any], apis: Any, default_input: int, default_output: int) -> Device:
    return Device(
        index=index,
        name=printable(row["name"]),
        host_api=str(apis[row["hostapi"]]["name"]),
        inputs=int(row["max_input_channels"]),
        outputs=int(row["max_output_channels"]),
        rate_hz=round(row["default_samplerate"]),
        default_input=index == default_input,
        default_output=index == default_output,
    )


def _line(exc: Exception) -> str:
    return printable(str(exc)) or type(exc).__name__


def printable(text: object) -> str:
    """One line: a device's name is what its maker, or whoever is near with Bluetooth, wrote into it."""
    return " ".join("".join(character if character.isprintable() else " " for character in str(text)).split())
