"""The piper child: `python -m voice.workers.piper FOLDER`, with a folder that holds a voice (X.onnx and X.onnx.json).

piper-tts is GPL-3 since 1.3 (before that MIT, with a GPL phonemizer), hence alone in a process of its own. Its noise is
turned off, so that the same text gives the same samples. It speaks a sentence in one go: a drop is obeyed behind it.
"""

import sys
from pathlib import Path
from typing import Any

from voice.errors import MissingError
from voice.workers.speaking import Put, serve


class Piper:
    """A piper voice. Raises: MissingError if the package or the model is not there."""

    def __init__(self, folder: Path) -> None:
        try:
            from piper import PiperVoice, SynthesisConfig
        except ImportError as exc:
            raise MissingError(f"piper-tts cannot be imported ({exc}): pip install piper-tts") from exc
        try:
            self._voice = PiperVoice.load(find_model(folder), download_dir=folder)
        except (OSError, ValueError, KeyError, RuntimeError) as exc:
            raise MissingError(f"the piper voice in {folder} cannot be loaded: {exc}") from exc
        self._settings = SynthesisConfig
        scale = getattr(self._voice.config, "length_scale", None)
        self._length_scale = float(scale) if isinstance(scale, int | float) and scale > 0 else 1.0
        self.rate_hz = int(self._voice.config.sample_rate)

    def speak(self, order: dict[str, Any], put: Put) -> None:
        """Speak the text of the order, at its speed."""
        settings = self._settings(noise_scale=0.0, noise_w_scale=0.0, length_scale=self._length_scale / order["speed"])
        for chunk in self._voice.synthesize(order["text"], settings):
            self.rate_hz = chunk.sample_rate
            if not put(chunk.audio_int16_bytes, []):
                return

    def rest(self) -> None:
        """Nothing to prepare."""


def find_model(folder: Path) -> Path:
    """The voice in a folder: its first .onnx that has a .onnx.json beside it. Raises: MissingError."""
    for model in sorted(folder.glob("*.onnx")):
        if Path(f"{model}.json").is_file():
            return model
    raise MissingError(f"there is no piper voice in {folder}: it needs a file NAME.onnx and NAME.onnx.json beside it")


if __name__ == "__main__":
    serve(lambda: Piper(Path(sys.argv[1])))
