"""G.711 against the arithmetic of the Recommendation, written down here a second time and bit by bit."""

import numpy as np
import pytest

from voice.audio import g711
from voice.audio.pcm import Samples, samples_in

EVERY = np.arange(-32768, 32768).astype(np.int16)
BYTES = bytes(range(256))


def mu_byte(sample: int) -> int:
    """The way of shift registers: a 14-bit magnitude, biased, whose leading one tells the segment."""
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 6
    code = segment << 4 | magnitude >> segment + 1 & 0xF
    return (code | (0 if sample < 0 else 0x80)) ^ 0x7F


def mu_sample(byte: int) -> int:
    code = byte ^ 0x7F
    magnitude = (((code & 0xF) << 1 | 33) << (code >> 4 & 7)) - 33
    return (magnitude if code & 0x80 else -magnitude) * 4


def a_byte(sample: int) -> int:
    magnitude = (~sample if sample < 0 else sample) >> 4
    segment = max(magnitude.bit_length() - 4, 0)
    code = segment << 4 | magnitude >> max(segment - 1, 0) & 0xF
    return (code | (0 if sample < 0 else 0x80)) ^ 0x55


def a_sample(byte: int) -> int:
    code = byte ^ 0x55
    segment, step = code >> 4 & 7, (code & 0xF) << 1 | 1
    magnitude = (step if segment == 0 else (step | 32) << segment - 1) * 8
    return magnitude if code & 0x80 else -magnitude


def test_every_sample_of_mu_law() -> None:
    assert g711.encode_mu(EVERY) == bytes(mu_byte(int(sample)) for sample in EVERY)
    assert g711.decode_mu(BYTES).tolist() == [mu_sample(byte) for byte in BYTES]


def test_every_sample_of_a_law() -> None:
    assert g711.encode_a(EVERY) == bytes(a_byte(int(sample)) for sample in EVERY)
    assert g711.decode_a(BYTES).tolist() == [a_sample(byte) for byte in BYTES]


# Table 1 and 2 of the Recommendation: the value at the output of the decoder, on the 16-bit scale, and its byte.
@pytest.mark.parametrize(("byte", "sample"), [(0x80, 32124), (0xFF, 0), (0xFE, 8), (0xEF, 132), (0xCF, 924), (0x00, -32124), (0x7E, -8)])
def test_values_of_the_table_of_mu_law(byte: int, sample: int) -> None:
    assert g711.decode_mu(bytes([byte])).tolist() == [sample]
    assert g711.encode_mu(np.array([sample], np.int16)) == bytes([byte])


@pytest.mark.parametrize(("byte", "sample"), [(0xAA, 32256), (0xD5, 8), (0xD4, 24), (0xC5, 264), (0x55, -8), (0x2A, -32256)])
def test_values_of_the_table_of_a_law(byte: int, sample: int) -> None:
    assert g711.decode_a(bytes([byte])).tolist() == [sample]
    assert g711.encode_a(np.array([sample], np.int16)) == bytes([byte])


@pytest.mark.parametrize("law", ["mu", "a"])
def test_what_was_decoded_is_encoded_as_it_was(law: str) -> None:
    encode, decode = (g711.encode_mu, g711.decode_mu) if law == "mu" else (g711.encode_a, g711.decode_a)
    again = encode(decode(BYTES))
    # mu-law has two zeros; the positive one is sent.
    assert again == (BYTES[:0x7F] + b"\xff" + BYTES[0x80:] if law == "mu" else BYTES)
    assert np.array_equal(decode(again), decode(BYTES))


@pytest.mark.parametrize("law", ["mu", "a"])
@pytest.mark.parametrize("level", [0.9, 0.1, 0.03])
def test_a_tone_is_far_above_what_the_law_adds(law: str, level: float) -> None:
    """Of a tone of 1 kHz the distortion is 33 dB down or more, from the top of the scale to 30 dB below it, as G.712 asks."""
    encode, decode = (g711.encode_mu, g711.decode_mu) if law == "mu" else (g711.encode_a, g711.decode_a)
    at_s = np.arange(samples_in(1000, g711.RATE_HZ)) / g711.RATE_HZ
    tone: Samples = np.rint(32_000 * level * np.sin(2 * np.pi * 1020 * at_s)).astype(np.int16)
    error = decode(encode(tone)).astype(float) - tone
    assert 10 * np.log10(np.mean(tone.astype(float) ** 2) / np.mean(error**2)) > 33


def test_nothing_is_nothing() -> None:
    empty = np.zeros(0, np.int16)
    assert g711.encode_mu(empty) == g711.encode_a(empty) == b""
    for samples in (g711.decode_mu(b""), g711.decode_a(b"")):
        assert len(samples) == 0 and samples.dtype == np.int16
