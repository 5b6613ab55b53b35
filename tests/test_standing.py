"""A twin in a thread of its own: what it can be told while it stands, and that nothing of it is left."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

import voice.testing
from tests.support.needs import needs
from voice.errors import ConfigError, UsageError
from voice.testing import twin
from voice.testing.standing import VoiceTwin

WAIT_S = 20.0


@contextmanager
def talking(url: str) -> Iterator[ClientConnection]:
    with connect(url, proxy=None) as socket:
        yield socket


def ask(socket: ClientConnection) -> str:
    """The words of the next answer."""
    socket.send('{"type":"response.create"}')
    while (event := json.loads(socket.recv(WAIT_S)))["type"] != "response.done":
        pass
    (part,) = event["response"]["output"][0]["content"]
    return str(part["transcript"])


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "voice twin"]


def test_a_synchronous_client_is_answered_and_watched() -> None:
    with twin([{"say": "One."}, {"say": "Two."}]) as standing:
        assert standing.url == f"{standing.address.replace('http', 'ws')}/v1/realtime" and standing.base_url == f"{standing.address}/v1"
        with talking(standing.url) as socket:
            assert [ask(socket), ask(socket), ask(socket)] == ["One.", "Two.", "One."]
        assert standing.wait_ended() == (1000, "")
        (session,) = standing.sessions
        assert [event["type"] for event in session.received] == ["response.create"] * 3
        assert len(session.events("response.done")) == 3 and session.sent[0]["type"] == "session.created"
        standing.complain()
    assert threads() == []


async def test_a_coroutine_waits_without_standing_still() -> None:
    with twin() as standing:
        async with connect_async(standing.url, proxy=None) as socket:
            with pytest.raises(AssertionError, match="_async"):
                standing.wait_for("response.done")
            waiting = asyncio.create_task(standing.wait_for_async("response.done", timeout_s=WAIT_S))
            await socket.send('{"type":"response.create"}')
            assert (await waiting)["response"]["status"] == "completed"
            with pytest.raises(AssertionError, match="has not ended yet"):
                standing.wait_ended()
        assert await standing.wait_ended_async(timeout_s=WAIT_S) == (1000, "")


def test_a_twin_learns_another_script_and_other_faults() -> None:
    with twin([{"say": "Before."}]) as standing:
        with talking(standing.url) as running:
            assert ask(running) == "Before."
            standing.script('[[reply]]\nsay = "After."\n[[reply]]\nsay = "More."')
            standing.faults([{"do": "close", "code": 4004, "session": 2, "on": {"event": "response.done"}}])
            assert ask(running) == "Before.", "a session that runs keeps its script"
            with talking(standing.url) as socket:
                assert ask(socket) == "After."
            with talking(standing.url) as socket, pytest.raises(ConnectionClosed):
                ask(socket)
            assert standing.wait_ended(3)[0] == 4004
            standing.complain()
        with pytest.raises(ConfigError, match=r"^script\.reply\[0\]\.sai: no key 'sai'"):
            standing.script([{"sai": "x"}])
        with pytest.raises(ConfigError, match="^faults:2: nothing is called"):
            standing.faults('[[fault]]\ndo = "x"')
        with talking(standing.url) as socket:
            assert ask(socket) == "After.", "the script stands as it was, and begins anew"


def test_what_was_not_used_is_complained_about() -> None:
    faults: list[dict[str, Any]] = [{"do": "rst", "at_s": 3600}, {"do": "drop", "p": 0.1}, {"do": "refuse", "session": 2}]
    with twin([{"say": "One."}, {"say": "Two."}], faults) as standing:
        with talking(standing.url) as socket:
            ask(socket)
        with pytest.raises(AssertionError) as told:
            standing.complain()
    lines = str(told.value).splitlines()
    assert lines[0] == (
        "reply 2 was not used; the fault at faults.fault[0] has not happened; the fault at faults.fault[2] has not happened"
    )
    assert lines[1].startswith("  session 1 (")


def test_each_session_may_begin_with_the_first_reply() -> None:
    with twin('order = "session"\n[[reply]]\nsay = "One."\n[[reply]]\nsay = "Two."') as standing:
        for _ in range(2):
            with talking(standing.url) as socket:
                assert ask(socket) == "One."
        with pytest.raises(AssertionError, match="reply 2 was not used"):
            standing.complain()


def test_a_client_that_is_left_open_holds_nothing_up() -> None:
    with twin() as standing:
        left = connect(standing.url, proxy=None)
        assert json.loads(left.recv(WAIT_S))["type"] == "session.created"
        began_s = time.monotonic()
    assert threads() == [] and time.monotonic() - began_s < 30  # its session would go on for an hour
    with pytest.raises(ConnectionClosed):
        left.recv(WAIT_S)
    left.close()


def test_a_program_that_fails_is_told_its_own_exception() -> None:
    with pytest.raises(ZeroDivisionError), twin():
        raise ZeroDivisionError
    assert threads() == []


def test_several_stand_at_once() -> None:
    with twin([{"say": "One."}]) as one, twin([{"say": "Two."}]) as other:
        assert one.url != other.url
        with talking(one.url) as first, talking(other.url) as second:
            assert [ask(first), ask(second)] == ["One.", "Two."]


def test_its_life_and_its_dialect() -> None:
    with twin(life_s=0.3, dialect="beta") as standing, talking(standing.url) as socket:
        created = json.loads(socket.recv(WAIT_S))
        assert "modalities" in created["session"]
        assert standing.wait_ended(timeout_s=WAIT_S)[0] == 1001
        assert standing.sessions[0].sent[-1]["error"]["code"] == "session_expired"
    with pytest.raises(UsageError, match="no dialect 'betta'"), twin(dialect="betta"):
        raise AssertionError


@needs("espeakng-loader")
def test_a_named_voice_speaks_in_a_thread_too() -> None:
    with twin('voice = "espeak"\n[[reply]]\nsay = "Hello."\npace = inf') as standing, talking(standing.url) as socket:
        assert ask(socket) == "Hello."
        standing.script([{"say": "By tones."}])
        with talking(standing.url) as other:
            assert ask(other) == "By tones."
        assert ask(socket) == "Hello.", "the voice stays as long as its sessions may"


def test_a_twin_that_cannot_stand_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*given: object) -> None:
        raise OSError("no port")

    monkeypatch.setattr("voice.testing.inside.served", fails)
    with pytest.raises(OSError, match="no port"), twin():
        raise AssertionError
    assert threads() == []


def test_the_module_says_what_it_offers() -> None:
    assert voice.testing.twin is twin and VoiceTwin.__doc__
