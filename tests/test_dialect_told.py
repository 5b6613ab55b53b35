"""What a client has been told: places, names, and what can be told again."""

from tests.support.dialects import counted
from voice.protocol.dialect_told import KEPT_ITEMS, Told


def item(item_id: str) -> dict[str, str]:
    return {"id": item_id, "type": "message", "role": "user"}


def told(places: bool = True) -> Told:
    return Told(counted("x"), places)


def test_the_first_event_made_of_another_has_its_id() -> None:
    one, source = told(), {"type": "theirs", "event_id": "event_9", "more": 1}
    one.put("ours", source, less=2)
    one.put("ours", source)
    assert [event["event_id"] for event in one.take()] == ["event_9", "event_x1"]
    assert one.take() == []


def test_an_item_stands_where_it_is_said_to_stand() -> None:
    one = told()
    for item_id, source in (
        ("a", {}),
        ("b", {"previous_item_id": None}),
        ("c", {"previous_item_id": "b"}),
        ("d", {"previous_item_id": "who?"}),
    ):
        one.added(item(item_id), dict(source))
    assert [event["previous_item_id"] for event in one.take()] == [None, None, "b", "a"]


def test_where_null_means_nothing_an_item_stands_last() -> None:
    one = told(places=False)
    for item_id in "ab":
        one.added(item(item_id), {"previous_item_id": None})
    assert [event["previous_item_id"] for event in one.take()] == [None, "a"]


def test_an_item_keeps_its_place_to_the_end() -> None:
    one = told()
    one.added(item("a"), {})
    one.added(item("b"), {})
    one.added(item("c"), {"previous_item_id": "a"})
    one.done(item("b"), {})
    assert one.take()[-1]["previous_item_id"] == "a"


def test_what_is_forgotten_is_gone() -> None:
    one = told()
    one.added(item("a"), {})
    one.sound_ms["a"] = 10
    one.forget("a")
    one.forget("never there")
    assert not one.items and not one.sound_ms and one.place("b") is None


def test_only_so_many_items_are_kept() -> None:
    one = told()
    for number in range(KEPT_ITEMS + 5):
        one.added(item(str(number)), {})
    assert len(one.items) == KEPT_ITEMS and "0" not in one.items
