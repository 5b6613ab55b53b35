"""piper, with a stand-in for its package: a voice in a folder, and what may be wrong with it."""

import os
import sys
import textwrap
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from voice.engines.base import Manner, Speech
from voice.engines.tts import ManagedSynthesizer, PiperSynthesizer, make_synthesizer
from voice.errors import MissingError, UsageError


async def speech(synthesizer: ManagedSynthesizer, text: str) -> list[Speech]:
    async with aclosing(synthesizer.speak(text)) as pieces:
        return [piece async for piece in pieces]


STAND_IN = """
    import json, types, numpy
    class SynthesisConfig:
        def __init__(self, noise_scale, noise_w_scale, length_scale):
            assert noise_scale == noise_w_scale == 0.0
            self.length_scale = length_scale
    class PiperVoice:
        config = types.SimpleNamespace(sample_rate=16000, length_scale=1.25)
        @staticmethod
        def load(path, download_dir):
            json.load(open(f"{path}.json"))
            return PiperVoice()
        def synthesize(self, text, settings):
            tone = (8000 * numpy.sin(numpy.arange(round(1280 * settings.length_scale) * len(text.split())) / 5)).astype("<i2")
            yield types.SimpleNamespace(sample_rate=16000, audio_int16_bytes=tone.tobytes())
"""


@pytest.fixture
def piper_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A folder with a "voice", and a stand-in for piper-tts on the path of this process and its children."""
    (tmp_path / "path" / "piper").mkdir(parents=True)
    (tmp_path / "path" / "piper" / "__init__.py").write_text(textwrap.dedent(STAND_IN))
    monkeypatch.syspath_prepend(tmp_path / "path")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "path"), str(Path.cwd())]))
    monkeypatch.delitem(sys.modules, "piper", raising=False)

    def make(config: str) -> Path:
        folder = tmp_path / "voice"
        folder.mkdir()
        (folder / "anna.onnx").write_bytes(b"")
        (folder / "anna.onnx.json").write_text(config)
        return folder

    return make


async def test_piper_speaks_with_the_voice_of_a_folder(piper_folder: Callable[[str], Path]) -> None:
    async with make_synthesizer("auto", piper_folder("{}")) as synthesizer:
        assert isinstance(synthesizer, PiperSynthesizer)
        pieces = await speech(synthesizer, "One two three. Four.")
        assert len(np.concatenate([piece.samples for piece in pieces])) == 4 * 1600 + 2 * 16 * 120
        words = [(word.text, word.start_ms) for piece in pieces for word in piece.words]
        assert [text for text, _ in words] == ["One", "two", "three", "Four"] and words[3][1] == 420


async def test_a_broken_piper_voice_is_a_sentence(piper_folder: Callable[[str], Path]) -> None:
    async with make_synthesizer("piper", piper_folder("{")) as synthesizer:
        with pytest.raises(MissingError, match="the piper voice in .* cannot be loaded"):
            await synthesizer.warm()


def test_piper_without_a_voice(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no piper voice in"):
        make_synthesizer("piper", tmp_path)
    with pytest.raises(UsageError, match="piper needs the folder"):
        make_synthesizer("piper")


async def test_piper_speaks_at_the_speed_on_top_of_its_voices_own(piper_folder: Callable[[str], Path]) -> None:
    async with make_synthesizer("piper", piper_folder("{}")) as synthesizer:
        lengths = {}
        for speed in (0.5, 1.0, 1.25):
            pieces = [piece async for piece in synthesizer.speak_as(Manner(speed=speed), "one two three four")]
            lengths[speed] = sum(piece.samples.size for piece in pieces) / 16 - 120
            words = [word for piece in pieces for word in piece.words]
            assert [word.text for word in words] == ["one", "two", "three", "four"] and all(word.estimated for word in words)
        assert lengths[1.0] == pytest.approx(400, abs=2)
        assert lengths[0.5] == pytest.approx(800, abs=2) and lengths[1.25] == pytest.approx(320, abs=2)
        assert synthesizer.voices() == ()
