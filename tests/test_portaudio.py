"""The sound library: what is plugged in, and each way in which the library can fail."""

import atexit
import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.needs import needs
from voice.devices.portaudio import Device, devices, leave, library, trouble, version
from voice.errors import MissingError


class PortAudioError(Exception):
    """As in sounddevice."""


class Sound(SimpleNamespace):
    """A stand-in for the module: rows as PortAudio gives them."""

    PortAudioError = PortAudioError

    def __init__(self, rows: list[dict[str, object]], default: tuple[int, int] = (-1, -1), broken: bool = False) -> None:
        super().__init__(default=SimpleNamespace(device=default), calls=[])
        self.rows, self.broken = rows, broken

    def query_devices(self) -> list[dict[str, object]]:
        if self.broken:
            raise PortAudioError("Error querying device -1\n")
        return self.rows

    def query_hostapis(self) -> list[dict[str, object]]:
        return [{"name": "ALSA"}, {"name": "OSS"}]

    def get_portaudio_version(self) -> tuple[int, str]:
        return 1246720, "PortAudio V19.6.0-devel, revision 123"

    def check_input_settings(self, **settings: object) -> None:
        self.calls.append(settings)
        if self.broken:
            raise PortAudioError("Error opening\nInputStream: Device unavailable [PaErrorCode -9985]")

    check_output_settings = check_input_settings

    def _terminate(self) -> None:
        self.calls.append("terminate")

    @property
    def _lib(self) -> SimpleNamespace:
        return SimpleNamespace(Pa_Initialize=lambda: self.calls.append("initialize") or 0)

    def _check(self, code: int, message: str) -> None:
        if code:
            raise PortAudioError(message)

    _initialized = 1


def row(name: str, api: int, inputs: int, outputs: int, rate: float = 44100.0) -> dict[str, object]:
    return {"name": name, "hostapi": api, "max_input_channels": inputs, "max_output_channels": outputs, "default_samplerate": rate}


def use(monkeypatch: pytest.MonkeyPatch, sound: Sound) -> Sound:
    monkeypatch.setitem(sys.modules, "sounddevice", sound)  # type: ignore[arg-type]
    return sound


def test_what_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    use(
        monkeypatch,
        Sound([row("HDA Intel: ALC (hw:0,0)", 0, 2, 6, 48000.0), row("Head\x1b[2J\nset", 1, 1, 0), row("Speaker", 1, 0, 2)], (1, 2)),
    )
    assert devices() == (
        Device(0, "HDA Intel: ALC (hw:0,0)", "ALSA", 2, 6, 48000),
        Device(1, "Head [2J set", "OSS", 1, 0, 44100, default_input=True),
        Device(2, "Speaker", "OSS", 0, 2, 44100, default_output=True),
    )
    assert version() == "PortAudio V19.6.0-devel"


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="of glibc")
@pytest.mark.parametrize("verbose", [False, True])
def test_what_c_libraries_write_is_for_verbose_people(verbose: bool) -> None:
    level = "logging.basicConfig(level=logging.DEBUG);" if verbose else ""
    line = f"import ctypes, logging, sys; {level} from voice.devices.portaudio import _hush; _hush()"
    done = subprocess.run(
        [sys.executable, "-c", f"{line}; ctypes.CDLL(None).perror(b'noise'); print('ours', file=sys.stderr)"], capture_output=True
    )
    assert done.returncode == 0 and b"ours" in done.stderr and (b"noise" in done.stderr) is verbose


def test_nothing_plugged_in_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = use(monkeypatch, Sound([]))
    assert devices() == () and sound.calls == []
    assert devices(fresh=True) == () and sound.calls == ["terminate", "initialize"]


@pytest.mark.parametrize("kind", ["input", "output"])
def test_whether_a_device_can_be_opened(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    card = Device(3, "Card", "ALSA", 1, 1, 48000)
    sound = use(monkeypatch, Sound([]))
    assert trouble(card, kind) == ""
    assert sound.calls == [{"device": 3, "channels": 1, "dtype": "int16", "samplerate": 48000}]
    use(monkeypatch, Sound([], broken=True))
    assert trouble(card, kind) == "Error opening InputStream: Device unavailable"


def test_devices_that_cannot_be_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, Sound([], broken=True))
    with pytest.raises(
        MissingError, match="^the sound devices cannot be listed: Error querying device -1: try again, or run `voice serve`"
    ):
        devices()


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise OSError('PortAudio library not found')", "no sound library: PortAudio library not found: apt install libportaudio2"),
        ("raise OSError('cannot load library x.so:\\n broken')", "no sound library: cannot load library x.so: broken: apt install"),
        ("raise ImportError('cffi')", "sounddevice is not installed: pip install sounddevice"),
        (
            "class PortAudioError(Exception): pass\nraise PortAudioError('Error initializing PortAudio')",
            "the sound library cannot start: Error init",
        ),
    ],
)
def test_each_failure_of_the_library_is_a_sentence_with_a_way_out(
    code: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sounddevice.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(MissingError) as told:
        library()
    assert str(told.value).startswith(says) and str(told.value).endswith("or run `voice serve` and talk in a browser")
    assert told.value.exit_code == 69 and "\n" not in str(told.value)
    assert "sounddevice" not in sys.modules


@needs("libportaudio2")
def test_the_real_library() -> None:
    assert version().startswith("PortAudio V")
    found = devices()
    assert [device.index for device in found] == list(range(len(found)))
    assert all(device.name and device.host_api and device.rate_hz >= 0 for device in found)
    assert sum(device.default_input for device in found) <= 1


def test_a_library_that_hangs_is_not_tidied_up_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = use(monkeypatch, Sound([]))
    sound._exit_handler = lambda: None  # type: ignore[attr-defined]
    forgotten: list[object] = []
    monkeypatch.setattr(atexit, "unregister", forgotten.append)
    leave()
    assert forgotten == [sound._exit_handler]  # type: ignore[attr-defined]
