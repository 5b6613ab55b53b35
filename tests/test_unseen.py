"""Places in a conversation of which some items are not seen."""

from hypothesis import given, settings
from hypothesis import strategies as st

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
