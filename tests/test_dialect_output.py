"""One item of a response: each part is told once, begun and ended."""

import base64
from typing import Any

from tests.support.dialects import Event, counted
from voice.audio.encoding import PCM, Encoding
from voice.protocol.dialect_output import OutputItem, part_of
from voice.protocol.dialect_sound import USUAL, Way
from voice.protocol.dialect_told import Told

AUDIO, SAID, TEXT = "response.output_audio.", "response.output_audio_transcript.", "response.output_text."
PART, CALL = "response.content_part.", "response.function_call_arguments."
SOUND = base64.b64encode(bytes(480)).decode()


def output(kind: str = "message", spoken: bool = True, way: Way | None = None) -> tuple[Told, OutputItem]:
    told = Told(counted("x"), places=True)
    given = {"id": "i", "type": kind, "status": "in_progress", "role": "assistant", "content": []}
    if kind == "function_call":
        given = {"id": "i", "type": kind, "status": "in_progress", "name": "f", "call_id": "c", "arguments": ""}
    return told, OutputItem(told, given, {"response_id": "r", "output_index": 0}, spoken, lambda: way or Way(USUAL, USUAL))


def tell(item: OutputItem, *events: tuple[str, dict[str, Any]]) -> None:
    for kind, fields in events:
        item.tell({"type": kind, **fields})


def short(events: list[Event]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


SPOKEN = ["content_part.added", "output_audio_transcript.delta", "output_audio.delta"]
ENDED = ["output_audio.done", "output_audio_transcript.done", "content_part.done"]


def test_the_ends_may_come_in_any_order() -> None:
    ends = (f"{AUDIO}done", f"{SAID}done", f"{PART}done")
    for first, second, third in ((0, 1, 2), (1, 2, 0), (2, 1, 0)):
        told, item = output()
        tell(
            item, (f"{SAID}delta", {"delta": "Hi"}), (f"{AUDIO}delta", {"delta": SOUND}), *((ends[at], {}) for at in (first, second, third))
        )
        final = item.end({"status": "completed"}, "completed")
        assert short(told.take()) == [*SPOKEN, *ENDED]
        assert final["content"] == [{"type": "output_audio", "transcript": "Hi"}] and final["status"] == "completed"


def test_no_ends_are_told_when_the_item_ends() -> None:
    told, item = output()
    tell(item, (f"{SAID}delta", {"delta": "Hi"}), (f"{AUDIO}delta", {"delta": SOUND}))
    assert item.end({}, "incomplete")["status"] == "incomplete"
    assert short(told.take()) == [*SPOKEN, *ENDED]


def test_words_that_only_the_end_says_are_told_as_a_delta() -> None:
    told, item = output()
    tell(item, (f"{SAID}delta", {"delta": "Hel"}), (f"{SAID}done", {"transcript": "Hello"}))
    item.end({}, "completed")
    assert [event["delta"] for event in told.take() if event["type"] == f"{SAID}delta"] == ["Hel", "lo"]


def test_what_was_said_counts_not_what_the_part_repeats_wrongly() -> None:
    told, item = output(spoken=False)
    tell(item, (f"{TEXT}delta", {"delta": "Hi"}), (f"{TEXT}done", {"text": "Hi"}), (f"{PART}done", {"part": {"type": "text", "text": ""}}))
    assert item.end({}, "completed")["content"] == [{"type": "output_text", "text": "Hi"}]
    assert short(told.take()) == ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]


def test_text_in_a_spoken_answer_is_its_words_and_the_other_way_round() -> None:
    told, item = output()
    tell(item, (f"{TEXT}delta", {"delta": "Hi"}))
    assert short(told.take()) == ["content_part.added", "output_audio_transcript.delta"]
    told, item = output(spoken=False)
    tell(
        item,
        (f"{SAID}delta", {"delta": "Hi"}),
        (f"{AUDIO}delta", {"delta": SOUND}),
        (f"{AUDIO}done", {}),
        (f"{SAID}done", {"transcript": "Hi"}),
    )
    assert short(told.take()) == ["content_part.added", "output_text.delta", "output_text.done", "content_part.done"]


def test_several_parts() -> None:
    told, item = output(spoken=False)
    tell(item, *((f"{TEXT}delta", {"delta": text, "content_index": at}) for at, text in enumerate("ab")))
    tell(item, (f"{TEXT}delta", {"delta": "late", "content_index": 0}))
    assert [part["text"] for part in item.end({}, "completed")["content"]] == ["a", "b"]
    assert short(told.take()).count("content_part.done") == 2


def test_nothing_is_added_to_an_item_that_was_cut() -> None:
    told, item = output()
    tell(item, (f"{SAID}delta", {"delta": "Hi"}))
    told.cut_ms["i"] = 0
    tell(item, (f"{SAID}delta", {"delta": " you"}), (f"{AUDIO}delta", {"delta": SOUND}), (f"{SAID}done", {"transcript": "Hi you"}))
    assert item.end({}, "incomplete")["content"][0]["transcript"] == "Hi"
    assert f"{AUDIO}delta" not in [event["type"] for event in told.take()]


def test_sound_is_written_as_the_client_wants_it_to_its_end() -> None:
    told, item = output(way=Way(USUAL, Encoding(PCM, 16_000)))
    tell(item, *((f"{AUDIO}delta", {"delta": SOUND}) for _ in range(10)), (f"{AUDIO}delta", {"delta": "no sound"}), (f"{AUDIO}delta", {}))
    item.end({}, "completed")
    sent = [event["delta"] for event in told.take() if event["type"] == f"{AUDIO}delta"]
    assert sum(len(base64.b64decode(delta)) for delta in sent) == 2 * 1_600
    assert told.sound_ms["i"] == 100


def test_a_call_is_told_with_its_name() -> None:
    told, item = output("function_call")
    tell(item, (f"{CALL}delta", {"delta": '{"a"'}), (f"{CALL}done", {"arguments": '{"a":1}'}), (f"{CALL}delta", {"delta": "late"}))
    assert item.end({"role": "tool"}, "completed")["arguments"] == '{"a":1}'
    events = told.take()
    assert [event.get("delta") for event in events] == ['{"a"', ":1}", None]
    assert events[-1] == {"type": f"{CALL}done", "event_id": "event_x3", **events[-1], "name": "f", "arguments": '{"a":1}'}


def test_a_call_of_which_only_the_end_tells() -> None:
    told, item = output("function_call")
    assert item.end({"arguments": "{}", "status": "completed"}, "incomplete") == {**item.end({}, "completed"), "arguments": "{}"}
    assert short(told.take()) == ["function_call_arguments.delta", "function_call_arguments.done"]


def test_a_message_of_which_only_the_end_tells() -> None:
    told, item = output()
    item.end({"content": [{"type": "output_audio", "transcript": "Hi"}]}, "completed")
    assert short(told.take()) == ["content_part.added", "output_audio_transcript.delta", *ENDED]


def test_what_an_item_says() -> None:
    assert part_of({"type": "function_call", "arguments": "{}"}) == "{}"
    assert part_of({"type": "message", "content": [{"text": "a"}, {"transcript": "b"}, 3]}) == "ab"
    assert part_of({"type": "message", "content": None}) == part_of({}) == ""
