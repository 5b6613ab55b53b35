"""Requests for settings, until they are answered."""

from typing import Any

from tests.support.dialects import counted
from voice.protocol.dialect_asked import MOST_OPEN, Asked


def asked() -> Asked[str]:
    return Asked("", counted("by_us_"))


def ask(party: Asked[str], letter: str, ours: bool = False, **fields: Any) -> dict[str, Any]:
    event = {"type": "session.update", **fields}
    party.ask(event, lambda value: value + letter, ours)
    return event


def test_a_change_is_in_effect_when_it_is_granted() -> None:
    party = asked()
    ask(party, "a")
    ask(party, "b")
    assert (party.now, party.latest) == ("", "ab")
    assert party.granted() and (party.now, party.latest) == ("a", "ab")
    assert party.granted() and party.now == "ab"
    assert party.granted() and party.now == "ab", "of its own accord"


def test_a_change_that_was_refused_is_forgotten() -> None:
    party = asked()
    event = ask(party, "a")
    ask(party, "b", event_id="mine")
    error = {"event_id": event["event_id"], "param": "session.voice"}
    assert party.refused(error) and error["event_id"] is None, "the client has not given that name"
    assert (party.now, party.latest) == ("", "b")
    error = {"event_id": "mine"}
    assert party.refused(error) and error["event_id"] == "mine"
    assert party.latest == ""


def test_an_error_about_something_else_refuses_nothing() -> None:
    party = asked()
    ask(party, "a", event_id="mine")
    for error in ({"event_id": "another"}, {"event_id": None, "param": "item.id"}, {}):
        assert party.refused(error) and party.latest == "a"
    assert party.refused({"event_id": None, "param": "session.voice"}) and party.latest == "", "the oldest, where no request is named"


def test_the_answers_to_our_own_requests_are_told_to_nobody() -> None:
    party = asked()
    ask(party, "a")
    ours = ask(party, "b", ours=True)
    ask(party, "c")
    assert [party.granted() for _ in range(3)] == [True, False, True] and party.now == "abc"
    ours = ask(party, "d", ours=True)
    assert not party.refused({"event_id": ours["event_id"]}) and party.latest == "abc"


def test_a_name_that_is_none_is_left_to_be_refused() -> None:
    party = asked()
    assert ask(party, "a", event_id=3)["event_id"] == 3 and party.latest == ""


def test_a_server_that_answers_nothing_is_taken_to_agree() -> None:
    party = asked()
    for _ in range(MOST_OPEN + 2):
        ask(party, "a")
    assert party.now == "aa"
