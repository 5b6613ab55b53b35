"""Sound between two forms: what is said of it, and the stream."""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.signals import tone
from voice.audio.encoding import PCM, PCMU, Encoding
from voice.audio.pcm import from_bytes, to_bytes
from voice.protocol.dialect import DIALECTS
from voice.protocol.dialect_sound import (
    USUAL,
    Formats,
    Way,
    first_of,
    nearest,
    read_format,
    read_ours,
    read_theirs,
    unwrapped,
    wrapped,
    write_ours,
)

TELEPHONE = Encoding(PCMU, 8_000)


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("value", "want"),
    [
        ({"type": "audio/pcm", "rate": 16_000}, Encoding(PCM, 16_000)),
        ({"type": "audio/pcm"}, USUAL),
        ({"type": "audio/pcm", "rate": None}, USUAL),
        ({"type": "audio/pcmu", "rate": 8000}, TELEPHONE),
        ({"type": "audio/pcm", "rate": 1}, None),
        ({"type": "audio/pcm", "rate": "fast"}, None),
        ({"type": "audio/pcm", "rate": True}, None),
        ({"type": "mp3"}, None),
        ("pcm16", None),
        (None, None),
    ],
)
def test_a_format_of_today_is_read(value: object, want: Encoding | None) -> None:
    assert read_ours(value) == want
    assert want is None or read_ours(write_ours(want)) == want


@pytest.mark.parametrize(
    ("name", "told", "want"),
    [
        ("beta", {"input_audio_format": "g711_ulaw"}, Formats(TELEPHONE, USUAL)),
        ("beta", {"output_audio_format": "g711_alaw"}, Formats(USUAL, Encoding("audio/pcma", 8_000))),
        ("beta", {"input_audio_format": "mp3", "output_audio_format": None}, Formats()),
        ("voicelive", {"input_audio_format": "pcm16", "input_audio_sampling_rate": 16_000}, Formats(Encoding(PCM, 16_000), USUAL)),
        ("voicelive", {"input_audio_format": "g711_ulaw", "input_audio_sampling_rate": 16_000}, Formats(TELEPHONE, USUAL)),
        ("voicelive", {"input_audio_sampling_rate": "16000"}, Formats()),
        (
            "xai",
            {"input_audio_format": "not specified", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 48_000}}}},
            Formats(Encoding(PCM, 48_000), USUAL),
        ),
        ("xai", {"audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": "x"}}}, Formats(USUAL, TELEPHONE)),
        ("qwen", {"input_audio_format": "pcm16", "output_audio_format": "pcm24"}, Formats(Encoding(PCM, 16_000), USUAL)),
        ("glm", {"input_audio_format": "wav", "output_audio_format": "pcm"}, Formats(Encoding(PCM, 16_000), USUAL)),
    ],
)
def test_formats_of_a_dialect_are_read(name: str, told: dict[str, object], want: Formats) -> None:
    sound = DIALECTS[name].sound
    assert read_theirs(told, sound, first_of(sound)) == want


def test_a_name_is_known_or_not() -> None:
    sound = DIALECTS["qwen"].sound
    named = (read_format(name, sound.formats_in, sound.rates_in_hz) for name in ("pcm", "pcm24", "mp3", "g711_ulaw", "wav", 3))
    assert [*named] == [Encoding(PCM, 16_000)] * 2 + [None] * 4


def test_what_comes_closest_to_a_wish() -> None:
    qwen, xai, beta = (DIALECTS[name].sound for name in ("qwen", "xai", "beta"))
    assert nearest(Encoding(PCM, 24_000), qwen.formats_in, qwen.rates_in_hz) == Encoding(PCM, 16_000)
    assert nearest(TELEPHONE, qwen.formats_in, qwen.rates_in_hz) == Encoding(PCM, 16_000)
    assert nearest(TELEPHONE, beta.formats_in, beta.rates_in_hz) == TELEPHONE
    assert nearest(Encoding(PCM, 44_100), xai.formats_in, xai.rates_in_hz) == Encoding(PCM, 44_100)


def test_alike_is_untouched() -> None:
    way = Way(USUAL, USUAL)
    assert way.untouched and way.carry("no sound at all") == "no sound at all"
    assert not Way(USUAL, USUAL, to_wav=True).untouched


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 2_400), max_size=8), wav=st.booleans())
def test_however_a_stream_is_cut_the_same_sound_arrives(cuts: list[int], wav: bool) -> None:
    """24 kHz into 16 kHz: as long as it was, and the same samples, whole or in pieces, bare or each piece a file."""
    samples = tone(100, rate_hz=24_000)
    edges = [0, *sorted(min(cut, len(samples)) for cut in cuts), len(samples)]

    def carried(pieces: list[np.ndarray]) -> bytes:
        way = Way(USUAL, Encoding(PCM, 16_000), to_wav=wav)
        parts = [base64.b64decode(part) for part in [*(way.carry(text(to_bytes(piece))) for piece in pieces), way.end()] if part]
        return b"".join(unwrapped(part, 16_000)[0] if wav else part for part in parts)

    whole = carried([samples])
    assert carried([samples[start:end] for start, end in zip(edges, edges[1:], strict=False)]) == whole
    assert len(whole) == 2 * 1_600


def test_a_stream_of_files_is_sound() -> None:
    samples = tone(40, rate_hz=16_000)
    way = Way(Encoding(PCM, 16_000), TELEPHONE, from_wav=True)
    got = way.carry(text(wrapped(to_bytes(samples), 16_000))) + way.end()
    assert 0.9 * 320 < len(base64.b64decode(got)) <= 320


def test_a_file_may_have_another_rate_than_was_said() -> None:
    samples = tone(100, rate_hz=48_000)
    way = Way(Encoding(PCM, 16_000), USUAL, from_wav=True)
    sound = [base64.b64decode(piece) for piece in (way.carry(text(wrapped(to_bytes(samples), 48_000))), way.end())]
    assert len(from_bytes(b"".join(sound))) == 2_400


@pytest.mark.parametrize(
    "data", [b"RIFF....WAVE", b"RIFF....WAVEfmt \x10\0\0\0" + bytes(16), wrapped(b"", 16_000)[:-8] + b"????\xff\xff\xff\xff"]
)
def test_a_file_without_sound_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="WAV"):
        unwrapped(data, 16_000)


def test_chunks_of_other_kinds_are_passed_over() -> None:
    data = wrapped(b"\1\0\2\0", 24_000)
    assert unwrapped(data[:12] + b"LIST\3\0\0\0abc\0" + data[12:], 16_000) == (b"\1\0\2\0", 24_000)
    assert unwrapped(b"\1\0", 16_000) == (b"\1\0", 16_000)


@pytest.mark.parametrize("piece", ["@@@@", "AAA", text(b"\0")])
def test_what_is_no_sound_is_refused(piece: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Way(USUAL, Encoding(PCM, 16_000)).carry(piece)


def test_how_long_a_piece_is() -> None:
    assert Way(USUAL, USUAL).ms_of(text(bytes(4_800))) == 100
    assert Way(USUAL, TELEPHONE).ms_of(text(bytes(801))) == pytest.approx(100.125)
