"""The parts of a row: their defaults are the protocol of today."""

from voice.protocol.dialect import Dialect
from voice.protocol.dialect_parts import Detecting, Sounding, Telling, Wording
from voice.protocol.dialect_settings import to_ours, to_theirs
from voice.protocol.dialect_sound import Formats

TODAY = {
    "type": "realtime",
    "output_modalities": ["text"],
    "tools": [{"type": "function", "name": "f"}],
    "audio": {
        "input": {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": None, "transcription": {"model": "whisper-1"}},
        "output": {"format": {"type": "audio/pcm", "rate": 24_000}, "voice": "marin"},
    },
}


def test_where_nothing_is_said_nothing_differs() -> None:
    row = Dialect("any", Wording(), Detecting(), Sounding(), Telling())
    assert row.plain
    assert to_theirs(TODAY, row, Formats()) == TODAY == to_ours(TODAY, row, Formats())


def test_parts_are_values() -> None:
    assert Sounding() == Sounding() and Telling() != Telling(places=False)
