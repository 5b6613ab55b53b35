"""Which device is meant, and what is said when it cannot be had."""

import os
from pathlib import Path

import pytest

from voice.devices.choice import again, cannot_open, choose, is_file
from voice.devices.portaudio import Device
from voice.errors import MissingError

BUILT_IN = Device(0, "Built-in Audio", "ALSA", 2, 2, 48_000, default_input=True, default_output=True)
HEADSET = Device(1, "USB Headset", "ALSA", 1, 2, 44_100)
CAMERA = Device(2, "USB Camera", "ALSA", 2, 0, 16_000)
SCREEN = Device(3, "Screen", "ALSA", 0, 8, 48_000)
ALL = (BUILT_IN, HEADSET, CAMERA, SCREEN)


@pytest.mark.parametrize(
    ("wanted", "listening", "index"),
    [
        (None, True, 0),
        (None, False, 0),
        ("headset", True, 1),
        ("USB", False, 1),
        ("usb camera", True, 2),
        ("2", True, 2),
        ("3", False, 3),
        ("BUILT-IN AUDIO", True, 0),
    ],
)
def test_the_device_that_is_meant(wanted: str | None, listening: bool, index: int) -> None:
    assert choose(ALL, wanted, listening).index == index


def test_without_a_default_it_is_the_first() -> None:
    assert choose((SCREEN, CAMERA, HEADSET), None, listening=True) is CAMERA


def test_a_whole_name_beats_a_longer_one() -> None:
    both = (Device(0, "USB Mic 2", "ALSA", 1, 0, 48_000), Device(1, "USB Mic", "ALSA", 1, 0, 48_000))
    assert choose(both, "usb mic", listening=True).index == 1


def test_one_name_under_several_systems_is_the_default_one() -> None:
    same = (Device(0, "Mic", "MME", 1, 0, 44_100), Device(1, "Mic", "WASAPI", 1, 0, 48_000, default_input=True))
    assert choose(same, "mic", listening=True).index == 1


@pytest.mark.parametrize(
    ("found", "wanted", "listening", "says"),
    [
        ((), None, True, "no microphone found: plug one in, give --input FILE.wav, or run `voice serve`"),
        ((SCREEN,), None, True, "no microphone found"),
        ((CAMERA,), None, False, "no loudspeaker found: plug one in, give --output null"),
        (ALL, "screen", True, "no microphone 'screen': there is 0 'Built-in Audio' (ALSA), 1 'USB Headset' (ALSA), 2 'USB Camera' (ALSA)"),
        (ALL, "9", False, "no loudspeaker '9'"),
        (
            ALL,
            "usb",
            True,
            "more than one microphone is called 'usb': 1 'USB Headset' (ALSA), 2 'USB Camera' (ALSA): give the number to --input",
        ),
    ],
)
def test_what_is_not_there_is_said_with_a_way_out(found: tuple[Device, ...], wanted: str | None, listening: bool, says: str) -> None:
    with pytest.raises(MissingError) as told:
        choose(found, wanted, listening)
    assert says in str(told.value) and told.value.exit_code == 69


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (-9985, "the microphone 'USB Camera' is busy: end the program that uses it"),
        (-9997, "takes none of our sample rates"),
        (-9996, "is not there any more"),
        (-9999, "cannot be opened (Unanticipated host error): choose another with --input"),
    ],
)
def test_each_failure_of_the_library_has_its_sentence(code: int, says: str) -> None:
    failure = cannot_open(CAMERA, Exception("Unanticipated \n host error", code), listening=True)
    assert says in str(failure) and "`voice serve`" in str(failure) and "\n" not in str(failure)


def test_files_are_told_from_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recording").touch()
    assert is_file("recording") and is_file("a.WAV") and is_file(f"sub{os.sep}a") and is_file("x.flac")
    assert not is_file("USB Headset") and not is_file("3") and not is_file("default")


@pytest.mark.parametrize(
    ("found", "want"),
    [
        ([("USB: Audio (hw:1,0)", "ALSA")], 0),
        ([("USB: Audio (hw:2,0)", "ALSA")], 0),
        ([("USB: Audio 2 (hw:1,0)", "ALSA"), ("default", "ALSA")], None),
        ([("USB: Audio (hw:3,0)", "OSS"), ("USB: Audio (hw:2,0)", "ALSA"), ("USB: Audio (hw:1,0)", "ALSA")], 2),
        ([("USB: Audio (hw:3,0)", "OSS"), ("USB: Audio (hw:2,0)", "ALSA"), ("USB: Audio (hw:4,0)", "ALSA")], 1),
        ([("USB: Audio", "OSS")], 0),
        ([], None),
    ],
)
def test_a_device_is_known_again_by_its_name(found: list[tuple[str, str]], want: int | None) -> None:
    known = Device(7, "USB: Audio (hw:1,0)", "ALSA", 1, 0, 48_000)
    there = [Device(index, name, api, 1, 0, 48_000) for index, (name, api) in enumerate(found)]
    assert again(there, known, listening=True) == (None if want is None else there[want])
    assert again(there, known, listening=False) is None, "they are no loudspeakers"
