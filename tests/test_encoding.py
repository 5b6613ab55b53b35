"""Sound in bytes: each form gives back what it was given, and says how long it is."""

import numpy as np
import pytest

from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMA, PCMU, TELEPHONE, Encoding
from voice.audio.pcm import to_bytes


@pytest.mark.parametrize("rate_hz", [8_000, 24_000, 48_000])
def test_pcm_is_exact(rate_hz: int) -> None:
    samples, pcm = tone(50, rate_hz=rate_hz), Encoding(PCM, rate_hz)
    assert pcm.encode(samples) == to_bytes(samples) and pcm.sample_bytes == 2
    assert np.array_equal(pcm.decode(to_bytes(samples)), samples)
    with pytest.raises(ValueError, match="even number of bytes, got 3"):
        pcm.decode(b"\0\0\0")


@pytest.mark.parametrize("name", sorted(TELEPHONE))
def test_the_telephones_forms_take_any_number_of_bytes(name: str) -> None:
    samples, law = tone(50, rate_hz=8_000), Encoding(name, 8_000)
    data = law.encode(samples)
    assert len(data) == len(samples) and law.sample_bytes == 1
    assert len(law.decode(data[:7])) == 7
    error = law.decode(data).astype(float) - samples
    assert 0 < np.abs(error).max() < np.abs(samples).max() / 30


def test_the_two_laws_differ() -> None:
    samples = tone(20, rate_hz=8_000)
    assert Encoding(PCMU, 8_000).encode(samples) != Encoding(PCMA, 8_000).encode(samples)
