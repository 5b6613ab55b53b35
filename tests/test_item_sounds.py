"""Items with several sounds: each is heard, told, kept and given back by itself, and no event passes 1 MiB."""

import base64
import json
from typing import Any

import pytest

from tests.support.fakes import FakeResponder, FakeTranscriber
from tests.support.served import Served, types
from tests.support.signals import tone
from tests.support.wire import fake_engine, talking
from voice.audio.pcm import to_bytes
from voice.protocol.lines import Line, lines_of
from voice.protocol.orders import ListenEnded, ListenMore, ListenStarted

WORDS = "conversation.item.input_audio_transcription."
TYPED = {"type": "input_text", "text": "Compare these:"}
MIB = 1 << 20


def sound(ms: int, rate_hz: int = 24_000) -> dict[str, Any]:
    return {"type": "input_audio", "audio": base64.b64encode(to_bytes(tone(ms, rate_hz=rate_hz))).decode()}


def give(served: Served, *content: dict[str, Any]) -> list[dict[str, Any]]:
    return served.send("conversation.item.create", item={"type": "message", "role": "user", "id": "a", "content": list(content)})


def retrieved(served: Served) -> tuple[list[dict[str, Any]], int]:
    """The parts of item "a", and how many bytes the event has."""
    served.session.receive('{"type":"conversation.item.retrieve","item_id":"a"}', served.now)
    [text] = served.session.outgoing()
    return json.loads(text)["item"]["content"], len(text.encode())


def written(**fields: Any) -> Served:
    served = Served()
    served.update(audio={"input": {"transcription": {"model": "any"}}}, **fields)
    return served


def test_each_part_gets_back_its_own_sound() -> None:
    served = Served()
    give(served, sound(300), TYPED, sound(500))
    parts, _ = retrieved(served)
    assert [len(base64.b64decode(part.get("audio", ""))) for part in parts] == [300 * 48, 0, 500 * 48]
    assert "audio" not in parts[1]


def test_a_long_sound_and_many_short_ones_stay_within_an_event() -> None:
    served = Served()
    give(served, sound(8_300), *[{"type": "input_audio", "audio": "AAA="}] * 60)
    parts, size = retrieved(served)
    assert size < MIB and len(base64.b64decode(parts[0]["audio"])) == 8_300 * 48
    assert all(len(base64.b64decode(part["audio"])) <= 4 for part in parts[1:])


def test_the_sounds_of_an_item_are_limited_together() -> None:
    served = Served()
    give(served, sound(8_000), sound(8_000))
    parts, size = retrieved(served)
    assert [part.get("audio") for part in parts] == [None, None] and size < 1_000


def test_a_long_text_beside_a_long_sound_leaves_no_room_for_the_sound() -> None:
    served = Served()
    give(served, {"type": "input_text", "text": "x" * 300_000}, sound(14_000))
    parts, size = retrieved(served)
    assert "audio" not in parts[1] and len(parts[0]["text"]) == 300_000 and size < MIB


def test_the_words_of_a_sound_behind_a_text_are_told_with_its_place() -> None:
    served = written()
    served.orders.clear()
    give(served, TYPED, sound(600))
    started, more, ended = served.orders
    assert started == ListenStarted("a", 1, given=True) and ended == ListenEnded("a", 600, content_index=1)
    assert isinstance(more, ListenMore) and (more.content_index, more.samples.size) == (1, 9600)
    served.session.transcribed("a", "two birds", 600, 1)
    delta, completed = served.take()
    assert (delta["content_index"], completed["content_index"], completed["transcript"]) == (1, 1, "two birds")
    assert retrieved(served)[0][1]["transcript"] == "two birds"


def test_two_sounds_are_heard_and_told_each_by_itself() -> None:
    served = written()
    served.orders.clear()
    give(served, sound(300), TYPED, sound(500))
    assert [(type(order), order.content_index) for order in served.orders if not isinstance(order, ListenMore)] == [
        (ListenStarted, 0),
        (ListenEnded, 0),
        (ListenStarted, 2),
        (ListenEnded, 2),
    ]
    assert [order.audio_ms for order in served.orders if isinstance(order, ListenEnded)] == [300, 500]
    # In the order in which they are ready.
    served.session.transcribed("a", "a blackbird", 500, 2)
    served.session.transcribed("a", "a robin", 300, 0)
    told = [event for event in served.take() if event["type"] == f"{WORDS}completed"]
    assert [(event["content_index"], event["transcript"], event["usage"]["seconds"]) for event in told] == [
        (2, "a blackbird", 0.5),
        (0, "a robin", 0.3),
    ]
    assert [part.get("transcript") for part in retrieved(served)[0]] == ["a robin", None, "a blackbird"]
    assert lines_of(served.session.conversation.items()) == [Line("user", "a robin Compare these: a blackbird")]


def test_one_of_two_sounds_may_not_be_understood() -> None:
    served = written()
    give(served, sound(300), sound(500))
    served.session.transcribed("a", "a robin", 300, 0)
    served.session.transcription_failed("a", "it died", 1)
    failed = served.take()[-1]
    assert (failed["type"], failed["content_index"], failed["error"]["message"]) == (f"{WORDS}failed", 1, "it died")


async def test_an_answer_waits_for_all_sounds_of_an_item() -> None:
    transcriber, responder = FakeTranscriber(), FakeResponder()
    async with talking(fake_engine(transcriber, responder=responder)) as wire:
        await wire.settle(transcription={"model": "any"})
        item = {"type": "message", "role": "user", "content": [sound(300, 16_000), TYPED, sound(500, 16_000)]}
        await wire.send("conversation.item.create", item=item)
        await wire.send("response.create")
        await wire.until("response.done")
        told = wire.of(f"{WORDS}completed")
    assert sorted((event["content_index"], event["transcript"]) for event in told) == [(0, "heard 300 ms"), (2, "heard 500 ms")]
    [prompt] = responder.prompts
    assert prompt.lines[-1].text == "heard 300 ms Compare these: heard 500 ms"
    assert prompt.heard is not None and prompt.heard.text == "heard 300 ms heard 500 ms"


def test_a_sound_without_sound_is_refused_and_an_empty_name_is_none() -> None:
    served = written()
    [refused] = give(served, {"type": "input_audio", "audio": ""})
    assert (refused["error"]["code"], refused["error"]["param"]) == ("invalid_value", "item.content[0].audio")
    events = served.send("conversation.item.create", item={"type": "message", "role": "user", "id": "", "content": [TYPED]})
    assert types(events) == ["conversation.item.added", "conversation.item.done"] and events[0]["item"]["id"] == "item_s1"
    [refused] = served.send("conversation.item.create", item={"type": "message", "role": "user", "id": "root", "content": [TYPED]})
    assert (refused["error"]["code"], refused["error"]["param"]) == ("invalid_value", "item.id")


def test_what_was_broken_off_is_told_so() -> None:
    served = Served()
    item = {"type": "message", "role": "assistant", "id": "b", "status": "incomplete", "content": [{"type": "output_text", "text": "One,"}]}
    events = served.send("conversation.item.create", item=item)
    assert [event["item"]["status"] for event in events] == ["incomplete", "incomplete"]
    assert served.send("conversation.item.retrieve", item_id="b")[0]["item"]["status"] == "incomplete"


@pytest.mark.parametrize("letter", ["x", "\u20ac"])
def test_an_event_that_would_be_too_large_is_not_sent(letter: str) -> None:
    """Whatever an engine brings: the client would end the link over it."""
    served = written()
    give(served, sound(300))
    served.session.transcribed("a", letter * (MIB // len(letter.encode())), 300)
    events = served.take()
    assert [(event["type"], event["error"]["code"]) for event in events] == [("error", "event_too_large")] * 2
    assert f"'{WORDS}completed' was not sent" in events[1]["error"]["message"]
    [retrieved] = served.send("conversation.item.retrieve", item_id="a")
    assert retrieved["error"]["code"] == "event_too_large"


def test_a_failure_is_told_in_a_sentence() -> None:
    served = Served()
    served.send("response.create")
    served.session.end_reply(served.wanted()[-1].response_id, failure="x" * MIB)
    done = served.take()[-2]
    assert done["type"] == "response.done" and done["response"]["status_details"]["error"]["message"] == "x" * 1_000
