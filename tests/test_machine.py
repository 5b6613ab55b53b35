"""Configuration, sound and port."""

import socket
from pathlib import Path

import pytest

from tests.support.http import app_running
from tests.support.scripted import http, listening, says, silent
from tests.support.wire import fake_engine
from voice import __version__
from voice.devices.portaudio import Device
from voice.doctor import machine
from voice.doctor.finding import BAD, NOTE, OK, Finding
from voice.doctor.machine import configuration, port, sound
from voice.errors import MissingError


def test_files_and_keys_are_named_and_no_key_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("port = 1234\n[keys]\nxai = 'canary'")
    file.chmod(0o600)
    config, finding = configuration(file, {"OPENAI_API_KEY": "canary"})
    assert config.settings.port == 1234
    assert finding == Finding("configuration", OK, f"{file}; keys set: OPENAI_API_KEY, XAI_API_KEY ({file}:3)")


def test_a_configuration_that_cannot_be_read_does_not_end_the_examination(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("prot = 1")
    config, finding = configuration(file, {})
    assert config.settings.port == 8765
    assert (finding.state, finding.said) == (BAD, f"{file}:1: no setting 'prot': did you mean 'port'?") and finding.fix
    assert configuration(None, {})[1].said.endswith("no key set; the local engine needs none")


def has(monkeypatch: pytest.MonkeyPatch, *found: Device, failure: str = "", busy: str = "") -> list[Finding]:
    def devices() -> tuple[Device, ...]:
        if failure:
            raise MissingError(failure)
        return found

    monkeypatch.setattr(machine, "version", lambda: "PortAudio V19")
    monkeypatch.setattr(machine, "devices", devices)
    monkeypatch.setattr(machine, "trouble", lambda device, kind: busy if kind == "input" else "")
    return list(sound())


def test_the_default_devices_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    library, microphone, loudspeaker = has(
        monkeypatch,
        Device(0, "Card", "ALSA", 2, 2, 48000, default_output=True),
        Device(1, "Headset", "ALSA", 1, 0, 16000, default_input=True),
    )
    assert library == Finding("sound library", OK, "PortAudio V19")
    assert microphone == Finding("microphone", OK, "Headset, and 1 more (`voice devices`)")
    assert loudspeaker == Finding("loudspeaker", OK, "Card")


def test_a_bluetooth_headset_that_becomes_a_telephone_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, finding = has(
        monkeypatch,
        Device(0, "Headphones (WH-1000XM4 Stereo)", "MME", 0, 2, 44100, default_output=True),
        Device(1, "Headset (WH-1000XM4 Hands-Free AG Audio)", "MME", 1, 0, 16000, default_input=True),
    )
    assert (finding.name, finding.state) == ("headset", NOTE)
    assert "telephone quality" in finding.said and finding.fix.startswith("take another microphone")
    monkeypatch.setattr(
        machine, "real_names", lambda microphone, loudspeaker: ("bluez_input.00_11_22_33_44_55", "bluez_output.00_11_22_33_44_55")
    )
    *_, finding = has(monkeypatch, Device(0, "default", "ALSA", 32, 32, 44100, default_input=True, default_output=True))
    assert finding.name == "headset" and "bluez_input" in finding.said


def test_no_device_and_no_library_are_notes_since_a_server_needs_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(finding.state, finding.said) for finding in has(monkeypatch)[1:]] == [(NOTE, "none"), (NOTE, "none")]
    loudspeaker = has(monkeypatch, Device(0, "Card", "ALSA", 0, 2, 48000))[2]
    assert (loudspeaker.state, loudspeaker.said) == (NOTE, "none is the default") and "--output NAME" in loudspeaker.fix
    broken = has(monkeypatch, failure="the sound devices cannot be listed: why: try again, or run `voice serve`")
    assert broken[1] == Finding("sound library", NOTE, "the sound devices cannot be listed: why", "try again, or run `voice serve`")
    assert len(broken) == 2


def test_a_device_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Device(0, "Card", "ALSA", 1, 1, 48000, default_input=True, default_output=True)
    _, microphone, loudspeaker = has(monkeypatch, card, busy="Device unavailable")
    assert (microphone.state, microphone.said) == (NOTE, "Card cannot be used: Device unavailable") and "--input NAME" in microphone.fix
    assert loudspeaker == Finding("loudspeaker", OK, "Card")


async def test_a_free_port() -> None:
    assert await port("127.0.0.1", 0) == Finding("port", OK, "127.0.0.1:0 is free")


async def test_a_port_where_our_own_server_is() -> None:
    async with app_running(fake_engine()) as number:
        assert await port("127.0.0.1", number) == Finding("port", OK, f"127.0.0.1:{number}: voice {__version__} is serving there (local)")


async def test_a_port_that_another_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "HEALTH_TIMEOUT_S", 0.2)
    for handler in (silent, says(http(200, "{}")), says(http(200, "[" * 20_000)), says(b"nonsense")):
        async with listening(handler) as number:
            finding = await port("127.0.0.1", number)
        assert (finding.state, finding.said) == (BAD, f"127.0.0.1:{number}: Address already in use")
        assert finding.fix == "end what listens there, or take another: voice serve --port 0"
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert (await port("127.0.0.1", mute.getsockname()[1])).state == BAD


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
async def test_an_address_of_the_newer_kind() -> None:
    finding = await port("::1", 0)
    assert finding.said.startswith("[::1]:0")


async def test_an_address_that_is_not_this_machines() -> None:
    finding = await port("192.0.2.1", 0)
    assert finding.state == BAD and finding.said.startswith("192.0.2.1:0: ")
