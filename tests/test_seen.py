"""What a twin has seen: kept by one thread, waited for by another, told clearly where it did not come."""

import threading
from typing import Any

import pytest

from voice.links.sights import Began, Ended, Received, Refused, Sent, Sight
from voice.policy.deeds import Refuse
from voice.testing.seen import Log

SIGHTS: list[tuple[int, Sight]] = [
    (1, Refused(Refuse(status=429))),
    (2, Began()),
    (2, Sent('{"type":"session.created","n":1}')),
    (3, Began()),
    (2, Received('{"type":"response.create","n":2}')),
    (3, Received('{"type":"response.create","n":3}')),
    (3, Received("no JSON")),
    (3, Sent(b"\xff")),
    (3, Sent("[]")),
    (2, Ended(1011, "why")),
    (4, Refused(Refuse("cut"))),
]


def log() -> Log:
    made = Log()
    for number, sight in SIGHTS:
        made(number, sight)
    return made


def test_sessions_have_their_events_in_order() -> None:
    one, two, three, four = log().sessions()
    assert (one.refused, two.refused, four.refused) == (429, None, 0)
    assert two.sent == [{"type": "session.created", "n": 1}] and two.received == [{"type": "response.create", "n": 2}]
    assert (two.ended, three.ended) == ((1011, "why"), None)
    assert three.received[1] == {"type": "", "raw": "no JSON"} and [event["raw"] for event in three.sent] == [b"\xff", "[]"]
    assert len(three.events("*")) == 4 and three.events("response.*") == three.received[:1]
    assert str(two) == "session 2 (ended with 1011) received response.create; was sent session.created"
    assert str(three) == "session 3 (open) received response.create, (no event); was sent (no event) x 2"
    assert str(one).startswith("session 1 (refused)")


def test_what_is_there_is_found_by_index_and_session() -> None:
    made = log()
    assert [made.wait_for("response.create", index, 0.0, None)["n"] for index in (0, 1)] == [2, 3]
    assert made.wait_for("response.create", 0, 0.0, 3)["n"] == 3
    assert made.wait_for("session.*", 0, 0.0, None)["n"] == 1
    assert made.wait_ended(2, 0.0) == (1011, "why")


def test_what_does_not_come_is_told_with_what_came() -> None:
    made = log()
    with pytest.raises(AssertionError) as told:
        made.wait_for("response.cancel", 0, 0.01, None)
    assert str(told.value).splitlines()[0] == "no 'response.cancel' with index 0 within 0.01 s"
    assert len(str(told.value).splitlines()) == 5 and "session 2 (ended with 1011)" in str(told.value)
    with pytest.raises(AssertionError, match=r"^no 'response.create' with index 1 within 0.01 s\n  session 2 \(ended[^\n]*$"):
        made.wait_for("response.create", 1, 0.01, 2)
    with pytest.raises(AssertionError, match="^session 3 has not ended within 0.01 s"):
        made.wait_ended(3, 0.01)
    with pytest.raises(
        AssertionError, match="^no 'x' with index 0 yet .a coroutine waits with the methods that end in _async.; no client has come"
    ):
        Log().wait_for("x", 0, 0.0, None)


def test_many_kinds_are_cut_short() -> None:
    made = Log()
    made(1, Began())
    for n in range(40):
        made(1, Sent(f'{{"type":"t{n}"}}'))
    assert str(made.sessions()[0]).endswith("t10, t11, ...")


def test_another_thread_is_woken() -> None:
    made = Log()
    found: list[Any] = []
    waiting = [
        threading.Thread(target=lambda: found.append(made.wait_for("a", 1, 20.0, None))),
        threading.Thread(target=lambda: found.append(made.wait_ended(1, 20.0))),
    ]
    for thread in waiting:
        thread.start()
    for sight in (Began(), Sent('{"type":"a","n":0}'), Sent('{"type":"a","n":1}'), Ended(1000, "")):
        made(1, sight)
    for thread in waiting:
        thread.join(20)
    assert {"type": "a", "n": 1} in found and (1000, "") in found
