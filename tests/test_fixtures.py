"""The committed sound files are what fixtures/make.py makes, are small, and say what words.json says."""

import importlib.util
import json
import sys
import wave
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

from tests.support.needs import FliteWav, Recording, missing, needs

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
WAV = FIXTURES / "wav"
COMMITTED = sorted(path.relative_to(WAV).as_posix() for path in WAV.rglob("*.wav"))
LSB = 3
"""Another compiler's floating point may round a sample differently."""


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fixtures_make", FIXTURES / "make.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(make: ModuleType) -> dict[str, bytes]:
    files: dict[str, bytes] = make.build()
    return files


def same_versions(make: ModuleType) -> bool:
    return all(make.version(program) == version for program, version in make.MADE_WITH.items())


@needs("flite", "espeak-ng")
def test_make_makes_the_committed_files(make: ModuleType, made: dict[str, bytes]) -> None:
    assert sorted(made) == COMMITTED
    for name in COMMITTED:
        want, got = (WAV / name).read_bytes(), made[name]
        if want == got:
            continue
        if not same_versions(make):
            assert 0.7 < len(got) / len(want) < 1.4, name
            continue
        assert len(want) == len(got) and not name.startswith("broken/"), name
        (old, _), (new, _) = (soundfile.read(BytesIO(body)) for body in (want, got))
        assert np.abs(old - new).max() * 32768 <= LSB, name


@needs("flite", "espeak-ng")
def test_it_makes_the_same_twice(make: ModuleType, made: dict[str, bytes]) -> None:
    assert make.build() == made


def test_the_words_are_told_for_each_file(make: ModuleType) -> None:
    assert json.loads((WAV / "words.json").read_text("utf-8")) == make.words(COMMITTED)


def test_files_are_small() -> None:
    sizes = [(WAV / name).stat().st_size for name in COMMITTED]
    assert len(sizes) >= 30 and max(sizes) < 150_000 and sum(sizes) < 1_500_000


def test_questions_are_plain_speech() -> None:
    for name in (name for name in COMMITTED if "/" not in name):
        with wave.open(str(WAV / name)) as speech:
            assert (speech.getnchannels(), speech.getsampwidth()) == (1, 2), name
            assert 0.8 < speech.getnframes() / speech.getframerate() < 4.5, name
            assert np.abs(np.frombuffer(speech.readframes(speech.getnframes()), "<i2")).max() > 6000, name


def test_odd_files_are_as_odd_as_they_say() -> None:
    forms = {name: soundfile.info(WAV / name) for name in COMMITTED if name.startswith("odd/")}
    assert {info.subtype for info in forms.values()} == {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"}
    assert {info.samplerate for info in forms.values()} == {8000, 16_000, 44_100, 48_000}
    assert {info.channels for info in forms.values()} == {1, 2}
    loud, _ = soundfile.read(WAV / "odd/f32-too-loud.wav")
    assert np.abs(loud).max() > 1.5


def test_the_same_speech_in_every_width() -> None:
    want, _ = soundfile.read(WAV / "time-slt.wav")
    for name in ("odd/s24-extensible.wav", "odd/s32.wav", "odd/f32.wav"):
        got, rate_hz = soundfile.read(WAV / name)
        assert rate_hz == 16_000 and np.abs(got - want).max() < 1e-6, name
    phone, _ = soundfile.read(WAV / "day-kal-8k.wav")
    for name, near in (
        ("odd/u8-8k.wav", 0.008),
        ("odd/mulaw-8k.wav", 0.02),
        ("odd/list-chunk-8k.wav", 0),
        ("odd/endless-header-8k.wav", 0),
    ):
        got, _ = soundfile.read(WAV / name)
        assert np.abs(got - phone).max() <= near, name


def test_the_readme_names_every_folder() -> None:
    text = (FIXTURES / "README.md").read_text("utf-8")
    assert all(f"`wav/{path.name}/`" in text for path in WAV.iterdir() if path.is_dir())


@needs("alsa-utils", "pocketsphinx-testdata")
def test_recordings_of_people(human_wavs: tuple[Recording, ...]) -> None:
    assert len(human_wavs) == 19
    assert all(soundfile.info(item.path).duration > 0.5 for item in human_wavs)
    told = {item.path.stem: item.text for item in human_wavs}
    assert told["Front_Center"] == "front center" and told["goforward"] == "go forward ten meters"
    assert told["001"] == "ten of clubs" and told["sense_and_sensibility_01_austen_64kb-0880"] == "he was not an ill disposed young man"


@needs("flite")
def test_speech_is_made_once_and_at_the_rate_asked_for(flite_wav: FliteWav) -> None:
    path = flite_wav("hello", voice="kal", rate_hz=24_000)
    assert flite_wav("hello", voice="kal", rate_hz=24_000) == path
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16") and info.duration > 0.3


def test_what_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    missing.cache_clear()
    try:
        assert missing("flite") == "needs flite: apt-get install flite"
        mark = needs("flite", "sox").mark
        assert mark.args == (True,) and "apt-get install sox" in mark.kwargs["reason"]
    finally:
        missing.cache_clear()
    with pytest.raises(KeyError):
        needs("flute")
