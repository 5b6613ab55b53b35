"""Settings that come before the client's first word, and that it finds in `session.created`."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.wire import Wire, fake_engine
from voice.errors import LinkClosed
from voice.links.base import memory_pair
from voice.links.preset import MOST_KEPT, PresetLink

SESSION = {"type": "realtime", "instructions": "짧게"}


def event(kind: str, **fields: Any) -> str:
    return json.dumps({"type": kind, "event_id": f"e_{kind}", **fields}, ensure_ascii=False)


async def sent(*texts: str) -> list[Any]:
    """What arrives of what the answering side sends."""
    near, far = memory_pair()
    link = PresetLink(far, SESSION, "event_1")
    for text in texts:
        await link.send(text)
    await link.close(1001, "end")
    got = []
    with pytest.raises(LinkClosed) as told:
        while True:
            got.append(await near.receive())
    assert (told.value.close_code, told.value.reason) == (1001, "end")
    return got


async def test_the_engine_finds_the_update_first_and_then_what_the_client_says() -> None:
    near, far = memory_pair()
    link = PresetLink(far, SESSION, "event_1")
    await near.send("hello")
    assert json.loads(await link.receive()) == {"type": "session.update", "event_id": "event_1", "session": SESSION}
    assert await link.receive() == "hello"


async def test_the_client_finds_the_outcome_in_session_created_and_no_update() -> None:
    created, updated = event("session.created", session={"a": 1}), event("session.updated", session={"a": 2, "n": 1.50})
    got = await sent(created, event("conversation.created"), updated, event("response.created"), event("session.updated", session={}))
    assert [json.loads(text) for text in got[:1]] == [
        {"type": "session.created", "event_id": "e_session.created", "session": {"a": 2, "n": 1.5}}
    ]
    assert got[1:] == [event("conversation.created"), event("response.created"), event("session.updated", session={})]


async def test_an_update_that_is_refused_is_told_behind_the_session_as_it_is() -> None:
    told = [event("session.created", session={"a": 1}), event("error", error={"event_id": "event_1"}), event("x")]
    assert await sent(*told) == told


async def test_what_is_kept_back_is_bounded() -> None:
    flood = [event("x", n=n) for n in range(MOST_KEPT + 3)]
    assert await sent(*flood) == flood


async def test_what_is_kept_back_is_sent_before_the_end() -> None:
    assert await sent("no JSON", event("session.created")) == ["no JSON", event("session.created")]


async def test_a_close_after_the_client_has_gone_is_harmless() -> None:
    near, far = memory_pair()
    link = PresetLink(far, SESSION, "event_1")
    await link.send(event("session.created"))
    await near.close()
    await link.close()
    with pytest.raises(LinkClosed):
        await far.receive()


async def test_a_session_with_an_engine_begins_with_the_settings() -> None:
    near, far = memory_pair()
    asked = {"type": "realtime", "instructions": "Be brief.", "audio": {"input": {"turn_detection": None}}}
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(fake_engine().serve(PresetLink(far, asked, "event_1")))
        wire = Wire(near)
        await wire.type("hello")
        await wire.until("response.done")
        session = wire.events[0]["session"]
        assert wire.kinds()[0] == "session.created" and "session.updated" not in wire.kinds()
        assert session["instructions"] == "Be brief." and session["audio"]["input"]["turn_detection"] is None
        await near.close()
