"""The beginning of a session: our settings first."""

from typing import Any

import pytest

from voice.protocol.overture import MOST_KEPT, Begun, Overture
from voice.protocol.tools import Tool
from voice.protocol.veil import Veil

CREATED = {"type": "session.created", "session": {"type": "realtime", "id": "s", "tools": []}}
UPDATED = {"type": "session.updated", "session": {"type": "realtime", "id": "s", "tools": ["all"]}}


def begun(*events: dict[str, Any]) -> tuple[Overture, list[Begun]]:
    overture = Overture(Veil((Tool("ours"),)), lambda kind: f"{kind}_1")
    return overture, [overture.see(event) for event in events]


def test_the_client_is_told_what_is_in_effect() -> None:
    overture, (first, between, last) = begun(CREATED, {"type": "conversation.created"}, UPDATED)
    assert first.update is not None and first.update["event_id"] == "event_1" and not first.told
    assert between == Begun()
    assert last.told == ({**CREATED, "session": UPDATED["session"]}, {"type": "conversation.created"})
    assert overture.done and not overture.plain


def test_what_comes_before_the_session_waits_for_it() -> None:
    overture, (first, second, _) = begun({"type": "ping"}, CREATED, UPDATED)
    assert first == Begun() and second.update is not None and overture.done


@pytest.mark.parametrize(
    "events",
    [
        [{"type": "error"}],
        [CREATED, {"type": "error"}],
        [CREATED, *[{"type": "ping"}] * MOST_KEPT],
        [{"type": "ping"}] * (MOST_KEPT + 1),
    ],
)
def test_a_session_without_its_settings_does_not_begin(events: list[dict[str, Any]]) -> None:
    overture, seen = begun(*events)
    assert seen[-1] == Begun(over=True) and overture.done
    assert not any(one.told or one.over for one in seen[:-1])


def test_a_session_that_only_writes_down_begins_at_once() -> None:
    created = {"type": "session.created", "session": {"type": "transcription"}}
    overture, [only] = begun(created)
    assert only == Begun(told=(created,)) and overture.plain


@pytest.mark.parametrize("session", [None, 7, {}])
def test_a_session_that_tells_nothing_is_asked_nevertheless(session: object) -> None:
    _, [only] = begun({"type": "session.created", "session": session})
    assert only.update is not None and only.update["session"]["tools"][0]["name"] == "ours"
