"""Which sound is still wanted."""

import numpy as np

from voice.protocol.notices import ReplyAudio
from voice.protocol.played import REMEMBERED, Played


def sound(response_id: str, item_id: str) -> ReplyAudio:
    return ReplyAudio(response_id, item_id, np.zeros(10, np.int16), 24_000)


def test_items_belong_to_their_reply_in_order() -> None:
    played = Played()
    played.begin("r1")
    assert all(played.wants(sound("r1", item)) for item in ("a", "b", "a"))
    assert played.end("r1") == ["a", "b"] == played.items("r1")
    assert played.items("r2") == [] == played.items(None) == played.end("r2")


def test_a_stopped_reply_is_stopped_as_a_whole() -> None:
    played = Played()
    played.begin("r1")
    assert played.wants(sound("r1", "a"))
    played.stop(("a",))
    assert not played.wants(sound("r1", "a")) and not played.wants(sound("r1", "b"))
    assert played.was_stopped("r1") and played.items("r1") == ["a"]
    played.begin("r2")
    assert played.wants(sound("r2", "c")) and not played.was_stopped("r2")


def test_a_complete_reply_that_is_being_heard_can_be_stopped_and_the_next_one_on_its_way_with_it() -> None:
    played = Played()
    played.begin("r1")
    played.wants(sound("r1", "a"))
    played.end("r1")
    played.begin("r2")
    played.stop(("a",))
    assert played.was_stopped("r1") and played.was_stopped("r2") and not played.wants(sound("r2", "b"))


def test_a_reply_that_was_over_before_is_not_touched() -> None:
    played = Played()
    for name in ("r1", "r2"):
        played.begin(name)
        played.wants(sound(name, f"{name} item"))
        played.end(name)
    played.stop(("r2 item",))
    assert played.was_stopped("r2") and not played.was_stopped("r1")


def test_it_does_not_grow() -> None:
    played = Played()
    for number in range(REMEMBERED + 5):
        played.begin(f"r{number}")
        played.wants(sound(f"r{number}", f"i{number}"))
        played.end(f"r{number}")
    assert played.items("r0") == [] and played.items(f"r{REMEMBERED + 4}") == [f"i{REMEMBERED + 4}"]
