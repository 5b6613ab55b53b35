"""What a client's events do: items, the input buffer and the settings, through a whole `ServerSession`."""

import base64
from typing import Any

import pytest

from tests.support.served import Served, sound, types
from tests.support.signals import tone
from voice.audio.encoding import Encoding
from voice.audio.pcm import to_bytes
from voice.protocol.conversation import SpokenWord
from voice.protocol.lines import Line, lines_of
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenStarted

TURN = "." * 25 + "#" * 20 + "." * 30
ADDED = ["conversation.item.added", "conversation.item.done"]
COMMITTED = ["input_audio_buffer.committed", *ADDED]


def text(text: str = "Hello", **fields: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}


def create(served: Served, item: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return served.send("conversation.item.create", item=item, **fields)


def error(events: list[dict[str, Any]]) -> tuple[str, str | None]:
    [event] = events
    assert event["type"] == "error" and event["error"]["type"] == "invalid_request_error"
    return event["error"]["code"], event["error"]["param"]


def manual() -> Served:
    served = Served()
    served.update(audio={"input": {"turn_detection": None}})
    return served


def test_an_item_keeps_its_id_and_its_place() -> None:
    served = Served()
    assert types(create(served, text(id="a"))) == ADDED
    assert create(served, text(id="b"), previous_item_id="root")[0]["previous_item_id"] is None
    assert create(served, text(id="c"), previous_item_id="b")[1]["previous_item_id"] == "b"
    assert create(served, text(), previous_item_id=None)[0]["previous_item_id"] == "a"
    assert served.sent[-1]["item"]["id"].startswith("item_s")
    assert error(create(served, text(id="a"))) == ("item_id_already_exists", "item.id")
    assert error(create(served, text(id="d"), previous_item_id="x")) == ("item_not_found", "previous_item_id")
    assert error(create(served, {"type": "message", "role": "user"})) == ("missing_required_parameter", "item.content")
    assert [event["item"]["id"] for event in served.sent if event["type"] == ADDED[0]][:3] == ["a", "b", "c"]


def test_an_item_is_retrieved_and_deleted() -> None:
    served = Served()
    create(served, text(id="a"))
    [event] = served.send("conversation.item.retrieve", item_id="a")
    assert event["type"] == "conversation.item.retrieved" and event["item"]["content"] == [{"type": "input_text", "text": "Hello"}]
    assert served.send("conversation.item.delete", item_id="a")[0]["item_id"] == "a"
    assert error(served.send("conversation.item.delete", item_id="a")) == ("item_not_found", "item_id")
    assert error(served.send("conversation.item.retrieve", item_id="a")) == ("item_not_found", "item_id")


def test_a_spoken_turn_is_retrieved_at_the_rate_of_the_client() -> None:
    served = manual()
    samples = tone(500, rate_hz=24_000)
    served.append(samples)
    item_id = served.send("input_audio_buffer.commit")[0]["item_id"]
    served.session.transcribed(item_id, "la", 500)
    [event] = served.send("conversation.item.retrieve", item_id=item_id)
    [part] = event["item"]["content"]
    assert len(base64.b64decode(part["audio"])) == len(to_bytes(samples)) and part["transcript"] == "la"


def test_a_recording_as_an_item_is_heard() -> None:
    served = Served()
    audio = base64.b64encode(to_bytes(tone(600, rate_hz=24_000))).decode()
    served.orders.clear()
    events = create(served, {"type": "message", "role": "user", "id": "a", "content": [{"type": "input_audio", "audio": audio}]})
    assert types(events) == ADDED and "audio" not in events[0]["item"]["content"][0]
    started, more, ended = served.orders
    assert started == ListenStarted("a", given=True) and ended == ListenEnded("a", 600)
    assert isinstance(more, ListenMore) and more.item_id == "a" and len(more.samples) == 9600


def test_truncate_takes_an_answers_sound_only() -> None:
    served = Served()
    create(served, text(id="a"))
    served.send("response.create")
    served.say("One two three four.", tone(1000, rate_hz=24_000))
    item_id = served.sent[-1]["item_id"]
    cut = {"item_id": item_id, "content_index": 0, "audio_end_ms": 500}
    served.end()
    assert error(served.send("conversation.item.truncate", **{**cut, "content_index": 1})) == ("invalid_value", "content_index")
    assert error(served.send("conversation.item.truncate", **{**cut, "audio_end_ms": 1001})) == ("invalid_value", "audio_end_ms")
    assert error(served.send("conversation.item.truncate", **{**cut, "item_id": "a"})) == ("invalid_value", "item_id")
    [event] = served.send("conversation.item.truncate", **cut)
    assert event["type"] == "conversation.item.truncated" and event["audio_end_ms"] == 500
    assert (event["transcript"], event["estimated"]) == ("One two", True)
    assert lines_of(served.session.conversation.items())[-1] == Line("assistant", "One two")


def test_an_answer_that_is_truncated_while_it_is_generated_does_not_grow_back() -> None:
    """As clients do that truncate first and cancel then, or hear the user before the server does."""
    served = Served()
    served.send("response.create")
    response_id = served.wanted()[-1].response_id
    words = [SpokenWord(300, 3), SpokenWord(600, 7), SpokenWord(1000, 13)]
    served.session.say(response_id, "One two three four.")
    assert served.session.sound(response_id, tone(1000, rate_hz=24_000), 24_000, words)
    item_id = served.take()[-1]["item_id"]
    [event] = served.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=700)
    assert (event["transcript"], event["estimated"], event["audio_end_ms"]) == ("One two", False, 700)
    assert not served.session.sound(response_id, tone(1000, rate_hz=24_000), 24_000, [SpokenWord(2000, 18)])
    assert served.session.say(response_id, " Five."), "the response goes on: it may have more than this item"
    assert served.take() == []
    [event] = served.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=400)
    assert event["transcript"] == "One"
    events = served.send("response.cancel")
    assert types(events)[-2:] == ["response.done", "rate_limits.updated"]
    assert events[-2]["response"]["status"] == "cancelled"
    [item] = events[-2]["response"]["output"]
    assert item["content"] == [{"type": "output_audio", "transcript": "One"}]
    [event] = served.send("conversation.item.retrieve", item_id=item_id)
    [part] = event["item"]["content"]
    assert (part["transcript"], len(base64.b64decode(part["audio"]))) == ("One", 400 * 24 * 2)
    assert lines_of(served.session.conversation.items()) == [Line("assistant", "One")]


def test_a_client_commits_a_turn() -> None:
    served = manual()
    served.orders.clear()
    served.append(sound("#" * 10, 24_000))
    events = served.send("input_audio_buffer.commit")
    assert types(events) == COMMITTED and events[1]["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    assert [type(order) for order in served.orders[:1] + served.orders[-1:]] == [ListenStarted, ListenEnded]
    assert sum(len(order.samples) for order in served.orders if isinstance(order, ListenMore)) == 3200
    assert served.wanted() == []


def test_the_errors_of_the_buffer() -> None:
    served = manual()
    assert error(served.send("input_audio_buffer.commit", event_id="mine"))[0] == "input_audio_buffer_commit_empty"
    assert served.sent[-1]["error"]["event_id"] == "mine"
    assert served.sent[-1]["error"]["message"] == (
        "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 0.00ms of audio."
    )
    assert error(served.send("input_audio_buffer.append", audio="AA==")) == ("invalid_value", "audio")
    assert error(served.send("input_audio_buffer.append", audio="hello")) == ("invalid_value", "audio")
    assert types(served.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert served.send("output_audio_buffer.clear") == [] == served.send("input_audio_buffer.append", audio="")


def test_a_cleared_turn_is_dropped() -> None:
    served = Served()
    [started] = served.hear(TURN[:40])
    assert types(served.send("input_audio_buffer.clear")) == ["input_audio_buffer.cleared"]
    assert served.orders[-1] == ListenDropped(started["item_id"])
    assert [event["item_id"] for event in served.hear(TURN) if "speech" in event["type"]] == ["item_s2", "item_s2"]


def test_a_commit_amid_speech_ends_it_without_an_answer() -> None:
    served = Served()
    served.hear(TURN[:45])
    assert types(served.send("input_audio_buffer.commit")) == ["input_audio_buffer.speech_stopped", *COMMITTED]
    assert served.hear("." * 50) == [] and served.wanted() == []


def test_the_threshold_reaches_the_detector() -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.8}}})
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.2}}})
    assert [heard.thresholds for heard in served.heard] == [[0.5, 0.8, 0.2]]
    served.update(audio={"input": {"turn_detection": None}})
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.9}}})
    assert [heard.thresholds for heard in served.heard] == [[0.5, 0.8, 0.2], [0.9]]


def test_new_settings_amid_speech_still_find_its_end() -> None:
    served = Served()
    served.hear("." * 25 + "#" * 20 + "...")
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.6, "silence_duration_ms": 300}}})
    stopped = served.hear("." * 30)[0]
    assert stopped["type"] == "input_audio_buffer.speech_stopped" and abs(stopped["audio_end_ms"] - 1200) <= 20


@pytest.mark.parametrize(("prefix_ms", "silence_ms"), [(0, 200), (300, 500), (500, 1000), (80, 700)])
def test_padding_and_silence_are_on_the_wire(prefix_ms: int, silence_ms: int) -> None:
    served = Served()
    detection = {"type": "server_vad", "prefix_padding_ms": prefix_ms, "silence_duration_ms": silence_ms}
    served.update(audio={"input": {"turn_detection": detection}})
    events = served.hear("." * 30 + "#" * 20 + "." * 60)
    assert abs(events[0]["audio_start_ms"] - (600 - prefix_ms)) <= 20
    assert abs(events[1]["audio_end_ms"] - (1000 + silence_ms)) <= 20
    assert {event["item_id"] for event in events[:3]} == {events[3]["item"]["id"]}


def test_nothing_is_answered_that_was_not_to_be() -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": False}}})
    assert types(served.hear(TURN))[-3:] == COMMITTED and served.wanted() == []
    assert types(served.send("response.create")) == ["response.created"]


def test_without_interrupting_the_answer_goes_on_and_the_next_one_waits() -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}})
    served.hear(TURN)
    served.say("Well,")
    assert types(served.hear(TURN)) == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", *COMMITTED]
    events = served.say(" that is a long story.") + served.end()
    assert types(events)[-3:] == ["response.done", "rate_limits.updated", "response.created"]
    assert events[-3]["response"]["status"] == "completed"
    assert served.wanted()[-1].heard_item == [event["item_id"] for event in served.sent if "speech_started" in event["type"]][-1]
    served.hear(TURN)
    assert types(served.send("response.cancel"))[-1] == "response.created", "a cancelled answer lets the waiting one begin, too"


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100, 48_000])
def test_the_rates_of_both_directions(rate_hz: int) -> None:
    served = Served()
    pcm = {"type": "audio/pcm", "rate": rate_hz}
    [updated] = served.update(audio={"input": {"format": pcm}, "output": {"format": pcm}})
    assert updated["session"]["audio"]["input"]["format"] == pcm
    assert types(served.hear(TURN, rate_hz))[-1] == "response.created"
    events = served.say("Hm.", tone(1000, rate_hz=24_000)) + served.end()
    sent = b"".join(base64.b64decode(event["delta"]) for event in events if event["type"] == "response.output_audio.delta")
    assert len(sent) == 2 * rate_hz


@pytest.mark.parametrize("name", ["audio/pcmu", "audio/pcma"])
def test_a_conversation_by_telephone(name: str) -> None:
    served, law = Served(), Encoding(name, 8_000)
    [updated] = served.update(audio={"input": {"format": {"type": name}}, "output": {"format": {"type": name, "rate": 8_000}}})
    told = updated["session"]["audio"]
    assert told["input"]["format"] == told["output"]["format"] == {"type": name}
    # By odd numbers of bytes, as any number is whole samples.
    spoken = law.encode(sound(TURN, 8_000))
    events = [
        event
        for at in range(0, len(spoken), 161)
        for event in served.send("input_audio_buffer.append", audio=base64.b64encode(spoken[at : at + 161]).decode())
    ]
    assert types(events) == ["input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped", *COMMITTED, "response.created"]
    assert events[-1]["response"]["audio"]["output"]["format"] == {"type": name}
    item_id = events[0]["item_id"]
    heard_ms = events[1]["audio_end_ms"] - events[0]["audio_start_ms"]
    answer = served.say("Hm.", tone(1000, rate_hz=24_000)) + served.end()
    sent = b"".join(base64.b64decode(event["delta"]) for event in answer if event["type"] == "response.output_audio.delta")
    assert len(sent) == 8_000
    for name_of_item, samples in ((item_id, heard_ms * 8), (answer[0]["item"]["id"], 8_000)):
        [retrieved] = served.send("conversation.item.retrieve", item_id=name_of_item)
        assert abs(len(base64.b64decode(retrieved["item"]["content"][0]["audio"])) - samples) <= 320
    assert base64.b64decode(retrieved["item"]["content"][0]["audio"]) == sent
    recording = base64.b64encode(law.encode(tone(601, rate_hz=8_000))).decode()
    create(served, {"type": "message", "role": "user", "id": "a", "content": [{"type": "input_audio", "audio": recording}]})
    assert served.orders[-1] == ListenEnded("a", 601)
