"""What nobody heard of an answer that was stopped."""

from voice.protocol.objects import Content, Item, Response
from voice.protocol.unheard import Unheard


def item(item_id: str, kind: str = "output_audio") -> Item:
    return Item(type="message", id=item_id, role="assistant", content=[Content(kind)])


HEARD_MS = {"begun": 40}
OUTPUT = [
    item("begun"),
    item("late"),
    item("written", "output_text"),
    Item(type="function_call", id="call"),
    item("of a beta service", "audio"),
]


def over(unheard: Unheard, response_id: str = "r1") -> list[str]:
    return unheard.over(Response(id=response_id, output=OUTPUT), lambda item_id: HEARD_MS.get(item_id, 0))


def test_sound_that_had_not_begun_when_its_answer_was_stopped_is_deleted_once_that_is_over() -> None:
    unheard = Unheard()
    unheard.stop("r1")
    assert unheard.stopped("r1") and not unheard.stopped("r2")
    assert over(unheard, "r0") == []
    assert over(unheard) == ["late", "of a beta service"]
    assert not unheard.stopped("r1") and over(unheard) == [], "once"


def test_an_answer_that_nobody_stopped_stays() -> None:
    unheard = Unheard()
    unheard.stop(None)
    assert over(unheard) == [] and not unheard.stopped("")


def test_an_item_that_waited_behind_another_goes_with_the_next_answer_that_is_over() -> None:
    unheard = Unheard()
    unheard.add("behind")
    unheard.add("behind")
    assert over(unheard) == ["behind"] and over(unheard) == []


def test_what_is_gone_with_the_link_is_not_deleted() -> None:
    unheard = Unheard()
    unheard.add("behind")
    unheard.stop("r1")
    unheard.clear()
    assert over(unheard) == []
