"""How sound is written on both sides of an interpreter, and its way from one form to the other.

`near` is how the party that speaks a dialect writes it, `far` how the party that speaks today's protocol does. Where both can write it
in the same way it passes untouched; else it is decoded, resampled in a stream and written anew, once.
"""

import base64
import struct
from dataclasses import dataclass
from typing import Any

from voice.audio.encoding import PCM, PCMA, PCMU, TELEPHONE, Encoding
from voice.audio.g711 import RATE_HZ as TELEPHONE_HZ
from voice.audio.resample import Resampler, resample
from voice.protocol.dialect_parts import Names, Sounding
from voice.protocol.flat import leaves

USUAL = Encoding(PCM, 24_000)
LOWEST_HZ, HIGHEST_HZ = 4_000, 192_000
"""Rates that a party may name: others are taken for a mistake."""
_HEADER_BYTES = 44
_SPARE = {"pcm24": PCM, "pcm": PCM, "pcm16": PCM, "g711_ulaw": PCMU, "g711_alaw": PCMA}
"""Names of formats that are understood in any dialect that has the format."""


@dataclass(frozen=True, slots=True)
class Formats:
    """How one party writes sound that goes up and sound that comes down."""

    up: Encoding = USUAL
    down: Encoding = USUAL


def first_of(sound: Sounding) -> Formats:
    """What a session of a service begins with."""
    return Formats(*(Encoding(PCM, rates[0] if rates else USUAL.rate_hz) for rates in (sound.rates_in_hz, sound.rates_out_hz)))


def nearest(wanted: Encoding, names: Names, rates_hz: tuple[int, ...]) -> Encoding:
    """What a party can write that comes closest: the wanted form, or PCM of its usual rate."""
    if wanted.name in names and (wanted.name != PCM or not rates_hz or wanted.rate_hz in rates_hz):
        return wanted
    return Encoding(PCM, rates_hz[0] if rates_hz else USUAL.rate_hz)


def read_ours(value: Any) -> Encoding | None:
    """A format of today's protocol; None if it is none."""
    if not isinstance(value, dict):
        return None
    if str(value.get("type")) in TELEPHONE:
        return Encoding(str(value["type"]), TELEPHONE_HZ)
    rate = value.get("rate") or USUAL.rate_hz
    good = value.get("type") == PCM and type(rate) is int and LOWEST_HZ <= rate <= HIGHEST_HZ
    return Encoding(PCM, rate) if good else None


def write_ours(encoding: Encoding) -> dict[str, Any]:
    """A format as today's protocol tells it."""
    return {"type": PCM, "rate": encoding.rate_hz} if encoding.name == PCM else {"type": encoding.name}


def read_theirs(settings: dict[str, Any], sound: Sounding, now: Formats) -> Formats:
    """What settings in a dialect, flat or nested, say of the formats; as it is `now` where they say nothing that is understood."""
    found = {"up": now.up, "down": now.down}
    for place, value in leaves(settings):
        side = {"input_audio_format": "up", "output_audio_format": "down", "input": "up", "output": "down"}.get(
            place[-1 if len(place) == 1 else 1]
        )
        if side is None or (len(place) > 1 and place[-1] != "format"):
            continue
        names, rates = (sound.formats_in, sound.rates_in_hz) if side == "up" else (sound.formats_out, sound.rates_out_hz)
        found[side] = read_format(value, names, rates) or found[side]
    rate_hz = settings.get(sound.rate_field) if sound.rate_field else None
    if type(rate_hz) is int and LOWEST_HZ <= rate_hz <= HIGHEST_HZ and found["up"].name == PCM:
        found["up"] = Encoding(PCM, rate_hz)
    return Formats(**found)


def read_format(value: Any, names: Names, rates_hz: tuple[int, ...]) -> Encoding | None:
    """A format in a dialect that has those of `names`, or as today's protocol tells it; None if it is none of them."""
    told = read_ours(value)
    if told is None and isinstance(value, str):
        name = {theirs: ours for ours, theirs in names.items()}.get(value) or _SPARE.get(value, "")
        told = Encoding(name, TELEPHONE_HZ if name in TELEPHONE else rates_hz[0] if rates_hz else USUAL.rate_hz) if name else None
    return told if told is not None and told.name in names else None


def unread(value: Any) -> Any:
    """A format that a dialect does not have, as a server of today refuses it."""
    if isinstance(value, str):
        return {"type": value}
    known = read_ours(value)
    return value if known is None else {"type": flat_name(known.name)}


def flat_name(name: str) -> str:
    """What a format was called in the beta."""
    return {PCMU: "g711_ulaw", PCMA: "g711_alaw"}.get(name, "pcm16")


class Way:
    """Sound on its way from one form to another, in a stream of pieces (base64). May be used for one stream after the other."""

    def __init__(self, source: Encoding, goal: Encoding, from_wav: bool = False, to_wav: bool = False) -> None:
        self.source, self.goal = source, goal
        self._from_wav, self._to_wav = from_wav, to_wav
        self._resampler = Resampler(source.rate_hz, goal.rate_hz)

    @property
    def untouched(self) -> bool:
        """Both sides write sound in the same way."""
        return self.source == self.goal and not self._from_wav and not self._to_wav

    def carry(self, piece: str) -> str:
        """A piece in the other form; "" if there is nothing in it yet. Raises: ValueError if it is no sound of that form."""
        if self.untouched:
            return piece
        data = base64.b64decode(piece, validate=True)
        if self._from_wav:
            data, rate_hz = unwrapped(data, self.source.rate_hz)
            if rate_hz != self.source.rate_hz:
                self.source = Encoding(self.source.name, rate_hz)
                self._resampler = Resampler(rate_hz, self.goal.rate_hz)
        return self._written(self.goal.encode(self._resampler.push(self.source.decode(data))))

    def end(self) -> str:
        """What the stream held back; the next piece begins another."""
        return self._written(self.goal.encode(self._resampler.flush()))

    def ms_of(self, piece: str) -> float:
        """How long a piece in the other form is."""
        size = len(piece) * 3 // 4 - piece[-2:].count("=")
        return size * 1000 / (self.goal.sample_bytes * self.goal.rate_hz)

    def _written(self, data: bytes) -> str:
        if not data:
            return ""
        return base64.b64encode(wrapped(data, self.goal.rate_hz) if self._to_wav else data).decode()


def whole(piece: str, source: Encoding, goal: Encoding, from_wav: bool = False, to_wav: bool = False) -> str:
    """All of a sound in the other form; what is no sound stays as it is: whoever reads it complains."""
    if source == goal and not from_wav and not to_wav:
        return piece
    try:
        data = base64.b64decode(piece, validate=True)
        data, rate_hz = unwrapped(data, source.rate_hz) if from_wav else (data, source.rate_hz)
        written = goal.encode(resample(source.decode(data), rate_hz, goal.rate_hz))
    except ValueError:
        return piece
    return base64.b64encode(wrapped(written, goal.rate_hz) if to_wav else written).decode()


def wrapped(data: bytes, rate_hz: int) -> bytes:
    """16-bit mono PCM as a WAV file."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", _HEADER_BYTES - 8 + len(data), b"WAVE") + form + struct.pack("<4sI", b"data", len(data)) + data


def unwrapped(data: bytes, rate_hz: int) -> tuple[bytes, int]:
    """The PCM in a WAV file, and its rate; what is no WAV file is PCM of `rate_hz`. Raises: ValueError for another kind of sound."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return data, rate_hz
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            kind, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if (kind, channels, bits) != (1, 1, 16) or not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
                raise ValueError("a WAV file holds 16-bit mono PCM here")
        elif name == b"data":
            return body, rate_hz
        at += 8 + size + size % 2
    raise ValueError("a WAV file without sound")
