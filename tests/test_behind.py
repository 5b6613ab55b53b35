"""The sound server is asked what is behind "default"."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from tests.support.until import until
from voice.devices import behind
from voice.devices.behind import Names, moved, real_names
from voice.devices.portaudio import Device

FRONT = Device(0, "default", "ALSA", 32, 32, 44_100)
CARD = Device(1, "USB Audio", "ALSA", 1, 2, 48_000)


def pactl(folder: Path, patch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "pactl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    patch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_what_the_server_calls_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = '[ $1 = info ] && echo "Default Sample Specification: s16le" && echo "Default Source: mic $LC_ALL" && echo "Default Sink: spk"'
    pactl(tmp_path, monkeypatch, said)
    assert real_names(FRONT, FRONT) == ("mic C", "spk")
    assert real_names(CARD, FRONT) == ("USB Audio", "spk")
    assert real_names(FRONT, None) == ("mic C", "")
    pactl(tmp_path, monkeypatch, "exit 1")
    assert real_names(CARD, CARD) == ("USB Audio", "USB Audio")


def test_what_a_server_says_is_one_printable_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pactl(tmp_path, monkeypatch, "printf 'Default Source: a\\033[2Jb\\nDefault Sink: \\377c\\n'")
    heard, played = real_names(FRONT, FRONT)
    assert heard == "a [2Jb" and played.endswith("c") and played.isprintable()


@pytest.mark.parametrize("script", ["exit 1", "echo no; exit 1", "sleep 20"])
def test_a_server_that_does_not_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(behind, "ASK_S", 0.3)
    pactl(tmp_path, monkeypatch, f"exec {script}" if script.startswith("sleep") else script)
    assert real_names(FRONT, FRONT) == ("", "")


def test_no_such_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert real_names(FRONT, FRONT) == ("", "")


async def test_what_is_behind_a_name_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(behind, "NAMES_S", 0.002)
    told = [("mic", "spk")]
    monkeypatch.setattr(behind, "real_names", lambda listen, speak: told[0] if listen is FRONT else (listen.name, speak.name))
    notes: list[str] = []
    names = Names(notes.append)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        await names.learn(FRONT, FRONT)
        following = group.create_task(names.follow())
        told[0] = ("", "")
        await asyncio.sleep(0.02)
        assert not notes, "a server that does not answer has moved nothing"
        told[0] = ("bluez_input.00_11_22_33_44_55", "bluez_output.00_11_22_33_44_55")
        await until(lambda: len(notes) == 2)
        assert notes[0].startswith("the microphone is 'bluez_input") and "telephone quality" in notes[1]
        await names.learn(CARD, CARD)
        told[0] = ("others", "others")
        await asyncio.sleep(0.02)
        assert len(notes) == 2, "a card is the one that it says"
        following.cancel()


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (("mic", "spk"), ("mic", "spk"), ""),
        (("", ""), ("mic", "spk"), ""),
        (("mic", "spk"), ("", ""), ""),
        (("mic", "spk"), ("headset", "spk"), "the microphone is 'headset' now"),
        (("mic", "spk"), ("headset", "headset"), "the microphone is 'headset' now; the loudspeaker is 'headset' now"),
        (
            ("mic", "spk"),
            ("spk.monitor", "spk"),
            "the microphone is 'spk.monitor' now: that is what the loudspeaker plays, and no microphone",
        ),
        (("mic", "spk"), ("feed.monitor", "spk"), "the microphone is 'feed.monitor' now"),
    ],
)
def test_what_is_said_of_others(before: tuple[str, str], now: tuple[str, str], said: str) -> None:
    assert moved(before, now) == said
