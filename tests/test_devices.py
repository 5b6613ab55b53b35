"""`voice devices`."""

import json

import pytest

from voice.cli import main
from voice.commands.devices import lines
from voice.devices import portaudio
from voice.devices.portaudio import Device
from voice.errors import MissingError

CARDS = (
    Device(0, "HDA Intel PCH", "ALSA", 2, 6, 48000, default_output=True),
    Device(1, "\ud5e4\ub4dc\uc14b\x1b[2J", "ALSA", 1, 0, 16000, default_input=True),
    Device(2, "nothing", "OSS", 0, 0, 8000),
)


def plugged(monkeypatch: pytest.MonkeyPatch, *found: Device) -> None:
    monkeypatch.setattr(portaudio, "devices", lambda: found)


def test_microphones_and_loudspeakers_in_aligned_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plugged(monkeypatch, *CARDS)
    assert main(["devices"]) == 0
    assert capsys.readouterr().out == (
        "microphones\n"
        "    0  HDA Intel PCH  ALSA  2 channels  48000 Hz\n"
        "  * 1  \ud5e4\ub4dc\uc14b [2J     ALSA  1 channel   16000 Hz\n"
        "loudspeakers\n"
        "  * 0  HDA Intel PCH  ALSA  6 channels  48000 Hz\n"
    )


def test_each_device_is_one_object(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plugged(monkeypatch, *CARDS)
    assert main(["devices", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(found) == 3 and found[0] == {
        **{"event": "device", "index": 0, "name": "HDA Intel PCH", "host_api": "ALSA", "inputs": 2, "outputs": 6, "rate_hz": 48000},
        **{"default_input": False, "default_output": True},
    }


@pytest.mark.parametrize("line", [["devices"], ["devices", "--json"]])
def test_no_device_is_69_with_a_way_out(line: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plugged(monkeypatch)
    assert main(line) == 69
    out, err = capsys.readouterr()
    assert out == ("" if "--json" in line else "microphones: none\nloudspeakers: none\n")
    assert err == "voice: no sound device: plug one in, or run `voice serve` and talk in a browser\n"


def test_no_sound_library_is_69(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise MissingError("no sound library: why: what to do")

    monkeypatch.setattr(portaudio, "devices", fail)
    assert main(["devices"]) == 69
    assert capsys.readouterr() == ("", "voice: no sound library: why: what to do\n")


def test_loudspeakers_alone() -> None:
    assert lines((Device(0, "a", "b", 0, 1, 1),)) == ["microphones: none", "loudspeakers", "    0  a  b  1 channel  1 Hz"]
