"""The interpreters together: a session of today told in a dialect, and told back, is the same session."""

import copy
import functools
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.dialects import Event, before_client, before_server, conversation, down, ends, spoken_as, through, up
from tests.support.needs import needs
from tests.support.oracle import judge
from tests.support.order import check
from tests.support.order_corpus import SESSIONS
from tests.support.order_served import voice_turn
from voice.protocol.dialect import DIALECTS
from voice.protocol.interpreter import Passage

SESSION = voice_turn()
TOLD = {**SESSIONS, "served": SESSION}
FOREIGN = [name for name, row in DIALECTS.items() if not row.plain and (name == "beta" or replace(row, name="beta") != DIALECTS["beta"])]
"""Those that differ from today's, and from each other."""
NAMELESS = [name for name in FOREIGN if not DIALECTS[name].events.item_names]
WHY_IS_LOST = [name for name in FOREIGN if DIALECTS[name].events.usage_outside]
ALWAYS_SPEAKS = [name for name in FOREIGN if DIALECTS[name].settings.spoken == DIALECTS[name].settings.written]


@functools.cache
def told(name: str, session: str) -> list[Event]:
    """A session as a client of today sees it through a dialect; written answers were asked for."""
    client, server, seen = before_client(name), before_server(name), []
    for event in copy.deepcopy(TOLD[session]):
        body = event.get("response", {})
        if event["type"] == "response.created" and body["output_modalities"] == ["text"]:
            up(server, [{"type": "response.create", "response": {"output_modalities": ["text"], "metadata": body["metadata"]}}])
        seen += down(server, down(client, [event]))
    return seen


def renamed(items: list[Event], nameless: bool) -> list[Event]:
    """Items without names that a dialect does not tell."""
    return [{**item, "id": place, "call_id": 0} for place, item in enumerate(items)] if nameless else items


@pytest.mark.parametrize("session", TOLD)
@pytest.mark.parametrize("name", FOREIGN)
def test_a_conversation_is_the_same_through_each_dialect(name: str, session: str) -> None:
    lone = name in NAMELESS
    assert renamed(conversation(told(name, session)), lone) == renamed(conversation(TOLD[session]), lone)


@pytest.mark.parametrize("session", TOLD)
@pytest.mark.parametrize("name", FOREIGN)
def test_its_order_is_the_one_of_today(name: str, session: str) -> None:
    check(told(name, session))


@pytest.mark.parametrize("session", TOLD)
@pytest.mark.parametrize("name", FOREIGN)
def test_responses_end_as_they_did(name: str, session: str) -> None:
    def shown(ended: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        cut = [one[:2] if name in WHY_IS_LOST else one[:3] for one in ended]
        return [(*one, len(whole[3]) if name in NAMELESS else whole[3]) for one, whole in zip(cut, ended, strict=True)]

    assert shown(ends(told(name, session))) == shown(ends(TOLD[session]))


@needs("openai")
@pytest.mark.parametrize("name", FOREIGN)
def test_what_a_client_of_today_is_told_is_what_the_typed_models_allow(name: str) -> None:
    for event in told(name, "served"):
        judge("server", json.dumps(event))


@needs("openai")
@pytest.mark.parametrize("session", TOLD)
def test_what_a_client_of_the_beta_is_told_is_what_its_typed_models_allow(session: str) -> None:
    for event in spoken_as("beta", TOLD[session] if session == "served" else [one for one in TOLD[session] if one["type"] != "error"]):
        if not event["type"].startswith("transcription_session."):
            event = {**event, "session": {**event["session"], "model": "gpt-realtime"}} if "session" in event else event
            judge("server", json.dumps(event), beta=True)


@pytest.mark.parametrize("text", ["", "no json", "[1]", '{"type": 3}', '{"no": "type"}', "\ud800", "[" * 100_000])
@pytest.mark.parametrize("name", DIALECTS)
def test_what_is_no_event_passes_untouched(name: str, text: str) -> None:
    for party in (before_client(name), before_server(name)):
        assert party.up(text) == party.down(text) == Passage((text,))


def test_in_the_protocol_of_today_nothing_is_touched() -> None:
    text = '{"type":"session.update",  "session":{"type":"realtime"}}'
    for name in ("ga", "azure"):
        for party in (before_client(name), before_server(name)):
            assert party.up(text) == party.down(text) == Passage((text,))


@pytest.mark.parametrize("name", FOREIGN)
def test_an_event_that_nobody_knows_is_handed_on(name: str) -> None:
    novelty = {"type": "response.novelty.happened", "event_id": "event_9", "what": {"ever": [1, None]}}
    assert through(name, [novelty]) == [novelty]


@pytest.mark.parametrize("name", FOREIGN)
def test_the_same_session_twice_is_told_twice_in_the_same_way(name: str) -> None:
    assert through(name, SESSION) == through(name, copy.deepcopy(SESSION))


LOSSES = {"rate_limits.updated", "response.done", "conversation.item.created", "error"}
"""Nothing else in a session of the beta says what these say."""


def test_whatever_is_lost_doubled_or_early_the_order_of_today_holds() -> None:
    """One event of a session at a time; what a client is told may be less, and is in order."""
    tried = 0
    for session in SESSIONS:
        later = ("conversation.item.retrieved", "conversation.item.deleted", "conversation.item.truncated")
        sent = spoken_as("beta", [event for event in SESSIONS[session] if event["type"] not in later])
        for at in range(1, len(sent)):
            one, two = sent[at], sent[min(at + 1, len(sent) - 1)]
            changed = [sent[:at] + [one] + sent[at:]]
            if one["type"] not in LOSSES:
                changed.append(sent[:at] + sent[at + 1 :])
            if "rate_limits.updated" not in (one["type"], two["type"]) and {"response.done"} & {one["type"], two["type"]} == set():
                changed.append([*sent[:at], two, one, *sent[at + 2 :]])
            for events in changed:
                if one["type"] != "error":
                    check(down(before_server("beta"), copy.deepcopy(events)), complete=False)
                    tried += 1
    assert tried > 350
