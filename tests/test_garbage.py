"""Frames that are no event, each in its own way."""

import json

import pytest

from tests.support.needs import missing
from tests.support.oracle import judge
from voice.policy.deeds import Fail, Garbage
from voice.policy.garbage import Raw, Send, error_text, rubbish

EVENT = '{"type":"response.done","event_id":"e1","index":3,"item":{"id":"x"},"list":[1],"on":true,"none":null,"text":"\ud55c\uad6d\uc5b4"}'


@pytest.mark.parametrize(
    "message", [EVENT, EVENT.encode(), "", "no JSON", "[1]", "[" * 100_000], ids=["text", "bytes", "none", "no JSON", "a list", "deep"]
)
@pytest.mark.parametrize("kind", ["not_json", "truncated"])
def test_what_is_no_json(kind: str, message: str | bytes) -> None:
    frame = rubbish(Garbage(kind), message)  # type: ignore[arg-type]
    assert isinstance(frame, Send) and frame.text
    with pytest.raises((json.JSONDecodeError, RecursionError)):
        json.loads(frame.text)


def test_a_truncated_event_is_the_first_half_of_this_one() -> None:
    assert rubbish(Garbage("truncated"), EVENT) == Send(EVENT[: len(EVENT) // 2])


@pytest.mark.parametrize("message", [EVENT, "", "no JSON", "[1]"])
def test_wrong_types_are_an_event_of_which_nothing_fits(message: str) -> None:
    frame = rubbish(Garbage("types"), message)
    assert isinstance(frame, Send)
    event = json.loads(frame.text)
    assert isinstance(event["type"], str) and isinstance(event["event_id"], str)
    if message == EVENT:
        was = json.loads(EVENT)
        assert event.keys() == was.keys() and event["type"] == "response.done"
        assert [type(event[name]) is not type(was[name]) for name in was] == [name not in ("type", "event_id") for name in was]


def test_frames_that_are_no_text() -> None:
    binary, broken = rubbish(Garbage("binary"), EVENT), rubbish(Garbage("utf8"), EVENT)
    assert isinstance(binary, Raw) and not binary.text
    assert isinstance(broken, Raw) and broken.text
    for frame in (binary, broken):
        with pytest.raises(UnicodeDecodeError):
            frame.data.decode()


@pytest.mark.parametrize("text", ["", "[]", '{"type":"x.ping"}', "\ud55c"])
def test_a_text_of_your_own_goes_out_as_it_is(text: str) -> None:
    assert rubbish(Garbage(text=text), EVENT) == Send(text)


@pytest.mark.parametrize("about", [None, "mine"])
def test_an_error_is_one_of_the_protocols(about: str | None) -> None:
    text = error_text(Fail("t", "c", "m", "p"), "event_1", about)
    error = {"type": "t", "code": "c", "message": "m", "param": "p", "event_id": about}
    assert json.loads(text) == {"type": "error", "event_id": "event_1", "error": error}
    if not missing("openai"):
        judge("server", text)
        judge("server", error_text(Fail(), "event_2", about))
