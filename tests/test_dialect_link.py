"""Text and events, and sound on its way up."""

import base64
import json

import pytest

from tests.support.dialects import Event, counted
from voice.audio.encoding import PCM, Encoding
from voice.protocol.dialect_link import Microphone, Passage, passage, read, type_of, write
from voice.protocol.dialect_sound import USUAL, Way

COMMIT = {"type": "input_audio_buffer.commit", "event_id": "e"}


def microphone(goal: Encoding = USUAL) -> Microphone:
    return Microphone(Way(USUAL, goal), counted("x"))


def append(samples: int) -> Event:
    return {"type": "input_audio_buffer.append", "event_id": "e", "audio": base64.b64encode(bytes(2 * samples)).decode()}


def sound_bytes(told: Passage) -> int:
    return sum(len(base64.b64decode(json.loads(text).get("audio", ""))) for text in told.on)


@pytest.mark.parametrize("text", ["", "3", "[]", "{}", '{"type":null}', '{"type":"a"', "\ud800"])
def test_what_is_no_event_is_not_read(text: str) -> None:
    assert read(text) is None and type_of(text) is None


def test_an_event_is_read_and_written() -> None:
    assert read('{"type": "a", "b": [1.5, null]}') == {"type": "a", "b": [1.5, None]}
    assert type_of('{"b": {"type": "c"}, "type": "a"}') == "a"
    assert write({"type": "a", "text": "좋아"}) == '{"type":"a","text":"좋아"}'
    assert passage([{"type": "a"}], [{"type": "b"}]) == Passage(('{"type":"a"}',), ('{"type":"b"}',))


def test_what_needs_no_change_is_not_changed() -> None:
    one = microphone()
    assert one.carry(append(10)) == passage([append(10)])
    assert one.carry(COMMIT) == passage([COMMIT])


def test_a_commit_comes_behind_all_the_sound_before_it() -> None:
    one = microphone(Encoding(PCM, 16_000))
    pieces = [one.carry(append(240)) for _ in range(10)]
    last = one.carry(COMMIT)
    assert [json.loads(text)["type"] for text in last.on][-1] == "input_audio_buffer.commit"
    assert sum(map(sound_bytes, [*pieces, last])) == 2 * 1_600


def test_what_is_cleared_is_not_sent_later() -> None:
    one = microphone(Encoding(PCM, 16_000))
    one.carry(append(240))
    assert [json.loads(text)["type"] for text in one.carry({"type": "input_audio_buffer.clear"}).on] == ["input_audio_buffer.clear"]
    assert one.carry(COMMIT) == passage([COMMIT])


@pytest.mark.parametrize("audio", ["@@@", base64.b64encode(b"odd").decode()])
def test_what_is_no_sound_is_answered(audio: str) -> None:
    told = microphone(Encoding(PCM, 16_000)).carry({**append(1), "audio": audio})
    assert told.on == ()
    error = json.loads(told.back[0])["error"]
    assert (error["code"], error["param"], error["event_id"]) == ("invalid_value", "audio", "e")


def test_what_is_no_text_is_left_to_be_refused() -> None:
    event = {"type": "input_audio_buffer.append", "audio": 3}
    assert microphone(Encoding(PCM, 16_000)).carry(event) == passage([event])
