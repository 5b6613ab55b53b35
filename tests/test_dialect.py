"""The rows of the dialects: data that fits together."""

import pytest

from voice.audio.encoding import PCM
from voice.protocol.codec import _SERVER as SERVER_TYPES
from voice.protocol.dialect import DIALECTS, ONLY_TODAY
from voice.protocol.flat import PLACES
from voice.protocol.requests import CLIENT_EVENTS

NAMES = ["ga", "azure", "beta", "voicelive", "xai", "qwen", "stepfun", "glm", "holysheep"]
CLIENT_TYPES = {str(event.__struct_config__.tag) for event in CLIENT_EVENTS}


def test_these_are_the_dialects() -> None:
    assert list(DIALECTS) == NAMES
    assert all(name == row.name for name, row in DIALECTS.items())


def test_two_of_them_differ_in_nothing() -> None:
    assert [name for name, row in DIALECTS.items() if row.plain] == ["ga", "azure"]


@pytest.mark.parametrize("name", NAMES)
def test_a_row_speaks_of_what_there_is(name: str) -> None:
    row = DIALECTS[name]
    assert row.lacks <= CLIENT_TYPES
    assert row.events.silent_about | row.events.names.keys() <= set(SERVER_TYPES)
    assert row.settings.flat <= PLACES.keys()
    assert not row.settings.untaken & row.settings.own
    assert not row.events.chatter & set(SERVER_TYPES)
    assert set(row.events.greets) <= row.events.chatter


@pytest.mark.parametrize("name", NAMES)
def test_a_row_can_be_read_back(name: str) -> None:
    """No two of its names are the same, and PCM goes both ways."""
    row = DIALECTS[name]
    assert len(set(row.events.names.values())) == len(row.events.names)
    assert PCM in row.sound.formats_in and PCM in row.sound.formats_out
    assert len(set(row.sound.formats_in.values())) == len(row.sound.formats_in)


def test_nothing_of_todays_protocol_is_missing_in_silence() -> None:
    """What the beta has no name for is what the two lists of types differ in."""
    assert set(SERVER_TYPES) >= ONLY_TODAY
    assert not ONLY_TODAY & DIALECTS["beta"].events.names.keys()
