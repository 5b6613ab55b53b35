"""A WAV made for a test."""

from pathlib import Path

from voice.audio.pcm import Samples
from voice.devices.wavfile import WavWriter


def write_wav(path: Path, samples: Samples, rate_hz: int) -> None:
    """Int16, mono."""
    with WavWriter(path, rate_hz) as writer:
        writer.append(samples)
