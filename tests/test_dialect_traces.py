"""The same conversation in each dialect: a client of today is told the same items, and each service is sent what it understands."""

import functools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.dialect_trace import TRACES, texts
from tests.support.dialects import Event, before_server, conversation, ends
from tests.support.needs import needs
from tests.support.oracle import judge
from tests.support.order import check

NAMES = sorted(path.stem.removeprefix("dialect-") for path in TRACES.glob("dialect-*.jsonl"))


@functools.cache
def lines(name: str) -> list[Event]:
    return [json.loads(line) for line in (TRACES / f"dialect-{name}.jsonl").read_text().splitlines()]


def played(name: str, trace: list[Event]) -> tuple[list[Event], list[Event]]:
    """What the client is told, and what the service is sent."""
    party = before_server(name)
    told: list[str] = []
    sent: list[str] = []
    for line in trace:
        if line["dir"] == "up":
            continue
        down = line["dir"] == "down"
        passage = (party.down if down else party.up)(json.dumps(line["event"]))
        (told if down else sent).extend(passage.on)
        (sent if down else told).extend(passage.back)
    return [json.loads(text) for text in told], [json.loads(text) for text in sent]


def numbered(value: Any, names: dict[str, int]) -> Any:
    """Names of items replaced by the order in which they were told: some services tell them late, or not at all."""
    if isinstance(value, dict):
        return {key: numbered(entry, names) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [numbered(entry, names) for entry in value]
    return names.get(value, value) if isinstance(value, str) else value


def shown(told: list[Event]) -> Any:
    """The items and the ends of the responses."""
    items = conversation(told)
    ids = {name: at for at, item in enumerate(items) for name in (item["id"],)}
    calls = {item["call_id"]: -at for at, item in enumerate(items) if item["type"] == "function_call"}
    return numbered([items, ends(told)], {**ids, **calls})


def test_the_traces_are_those_that_are_written_down() -> None:
    assert {name: (TRACES / f"dialect-{name}.jsonl").read_text() for name in NAMES} == dict(texts())


@pytest.mark.parametrize("name", NAMES)
def test_the_conversation_is_the_same(name: str) -> None:
    told, _ = played(name, lines(name))
    assert shown(told) == shown([line["event"] for line in lines("ga") if line["dir"] == "down"])


@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_in_the_order_of_today(name: str) -> None:
    check(played(name, lines(name))[0])


@needs("openai")
@pytest.mark.parametrize("name", NAMES)
def test_it_is_told_as_the_typed_models_have_it(name: str) -> None:
    for event in played(name, lines(name))[0]:
        judge("server", json.dumps(event))


@pytest.mark.parametrize("name", NAMES)
def test_the_service_is_sent_what_it_understands(name: str) -> None:
    sent = [event if str(event.get("event_id")).startswith("mine_") else {**event, "event_id": 0} for event in played(name, lines(name))[1]]
    assert sent == [{"event_id": 0, **line["event"]} for line in lines(name) if line["dir"] == "up"]


@pytest.mark.parametrize("name", NAMES)
def test_the_settings_are_told_as_they_were_asked(name: str) -> None:
    told, _ = played(name, lines(name))
    asked = next(line["event"]["session"] for line in lines(name) if line["dir"] == "client")
    effective = [event["session"] for event in told if event["type"] == "session.updated"][-1]
    assert effective["tools"] == asked["tools"] and effective["output_modalities"] == ["audio"]
    for side in ("input", "output"):
        assert effective["audio"][side]["format"] == asked["audio"][side]["format"]
    assert effective["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert effective["audio"]["output"]["voice"] == "alloy"


def split(event: Event, cuts: list[int]) -> list[Event]:
    """A delta of words in pieces."""
    edges = sorted({0, len(event["delta"]), *(cut % (len(event["delta"]) + 1) for cut in cuts)})
    return [
        {**event, "event_id": f"{event['event_id']}_{at}", "delta": event["delta"][at:to]} for at, to in zip(edges, edges[1:], strict=False)
    ]


@settings(max_examples=12, deadline=None)
@given(name=st.sampled_from(NAMES), cuts=st.lists(st.integers(0, 30), max_size=4), seed=st.integers(0, 6))
def test_however_the_words_are_cut_it_is_the_same_conversation(name: str, cuts: list[int], seed: int) -> None:
    trace = []
    for at, line in enumerate(lines(name)):
        event = line["event"]
        words = event["type"].endswith("delta") and "audio.delta" not in event["type"] and (at + seed) % 3
        trace += [{**line, "event": piece} for piece in split(event, cuts)] if words else [line]
    told, _ = played(name, trace)
    check(told)
    assert shown(told) == shown([line["event"] for line in lines("ga") if line["dir"] == "down"])
