"""Places in a conversation of which some items are not seen."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice.errors import ProtocolError
from voice.protocol.unseen import MAX_ITEMS, Unseen


def line(*items: str) -> Unseen:
    """A conversation in order; those with a "!" are not seen."""
    unseen, previous = Unseen(), None
    for item in items:
        name = item.strip("!")
        unseen.stands(name, previous)
        if item.endswith("!"):
            unseen.hide(name)
        previous = name
    return unseen


def test_behind_unseen_items_stands_the_last_one_that_is_seen() -> None:
    unseen = line("a", "b!", "c!", "d", "e!")
    told = {name: unseen.before(name) for name in "abcde"}
    assert told == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d"}
    assert line("a!", "b").before("a") is None and unseen.before(None) is None


def test_an_item_that_is_deleted_is_nobody_s_neighbour() -> None:
    unseen = line("a", "b", "c!")
    unseen.gone("b")
    assert unseen.before("c") == "a"
    unseen.gone("never")


def test_what_was_called_goes_with_what_was_asked() -> None:
    unseen, previous = Unseen(), None
    for name in ("ask", "call!", "output!", "answer", "ask 2", "call 2!"):
        unseen.stands(name.strip("!"), previous, name.startswith("ask"))
        if name.endswith("!"):
            unseen.hide(name.strip("!"), f"id of {name}" if name.startswith("call") else None)
        previous = name.strip("!")
    assert unseen.gone("answer") == [] and unseen.gone("never") == []
    assert unseen.gone("ask") == ["call", "output"]
    assert unseen.gone("ask 2", {"id of call 2!"}) == [], "its tool is at work"


def test_an_event_that_names_an_unseen_item_is_refused() -> None:
    unseen = line("a", "b!")
    for event, place in (
        ({"item_id": "b"}, "item_id"),
        ({"previous_item_id": "b"}, "previous_item_id"),
        ({"response": {"input": [3, {"type": "item_reference", "id": "b"}]}}, "response.input[1].id"),
    ):
        with pytest.raises(ProtocolError, match="Item with item_id 'b' does not exist.") as told:
            unseen.refuse(event)
        assert (told.value.code, told.value.param) == ("item_not_found", place)
    for passed in (
        {"item_id": "a"},
        {"item_id": ["b"]},
        {"response": {"input": "b"}},
        {"response": {"input": [{"type": "message", "id": "b"}]}},
    ):
        unseen.refuse(passed)


def test_items_that_are_put_in_between() -> None:
    unseen = line("a", "b!", "c")
    unseen.stands("d", "a")
    assert unseen.before("b") == "d"
    unseen.stands("e", None)
    assert unseen.before("b") == "d"


def test_calls_are_unseen_with_their_items() -> None:
    unseen = Unseen()
    unseen.hide("item", "call")
    assert "item" in unseen.items and "call" in unseen.calls and "call" not in unseen.items


def test_the_oldest_are_forgotten() -> None:
    unseen = Unseen()
    for number in range(MAX_ITEMS + 1):
        unseen.hide(f"item{number}", f"call{number}")
        unseen.stands(f"item{number}", f"item{number - 1}" if number else None)
    assert "item0" not in unseen.items and "call0" not in unseen.calls and "item1" in unseen.items
    assert unseen.before("item1") is None


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=12))
def test_whoever_sees_all_and_whoever_does_not_agree(steps: list[tuple[bool, int]]) -> None:
    unseen, whole, shown = Unseen(), list[str](), list[str]()
    for number, (hidden, place) in enumerate(steps):
        name, at = f"i{number}", min(place, len(whole))
        previous = whole[at - 1] if at else None
        whole.insert(at, name)
        unseen.stands(name, previous)
        if hidden:
            unseen.hide(name)
            continue
        told = unseen.before(previous)
        shown.insert(0 if told is None else shown.index(told) + 1, name)
    assert shown == [name for name in whole if name not in unseen.items]
