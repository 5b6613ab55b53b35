"""Clients of the beta at our server: how they are known, and that they are spoken to in their own words, by every engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.support.http import app_running, post
from tests.support.relayed import quiet, relayed
from tests.support.signals import tone
from tests.support.wire import Wire, fake_engine
from voice.links.dial import DialedLink
from voice.protocol.dialect import DIALECTS
from voice.server.twin import twin as voice_twin

HEADER = {"OpenAI-Beta": "realtime=v1"}
FLAT = {"modalities": ["text", "audio"], "turn_detection": None, "input_audio_format": "pcm16", "instructions": "Be brief."}
TEXT_CREATE = {"modalities": ["text"]}


@asynccontextmanager
async def client(
    port: int, headers: dict[str, str] | None = None, protocols: tuple[str, ...] = (), query: str = "?model=m"
) -> AsyncIterator[Wire]:
    """A link to our server as some client would ask for it."""
    async with asyncio.timeout(30):
        offered = [Subprotocol(name) for name in protocols] or None
        connection = await connect(
            f"ws://127.0.0.1:{port}/v1/realtime{query}", additional_headers=headers, subprotocols=offered, proxy=None, compression=None
        )
        wire = Wire(DialedLink(connection))
        yield wire
        await wire.link.close()


async def spoken_turn(wire: Wire) -> list[str]:
    """Settings, a turn by hand and its answer, all in the beta; gives the words of the answer in the order in which they came."""
    await wire.send("session.update", session=FLAT)
    updated = (await wire.until("session.updated"))["session"]
    assert updated["modalities"] == ["audio", "text"] or updated["modalities"] == ["text", "audio"]
    assert (updated["turn_detection"], updated["instructions"], updated["input_audio_format"]) == (None, "Be brief.", "pcm16")
    assert "type" not in updated and "audio" not in updated
    await wire.push(tone(600))
    await wire.send("input_audio_buffer.commit")
    await wire.send("response.create")
    done = await wire.until("response.done")
    assert {"conversation.item.created", "response.audio.delta", "response.audio_transcript.delta", "response.audio.done"} <= set(
        wire.kinds()
    )
    assert not [
        kind for kind in wire.kinds() if "output_audio." in kind or "output_audio_" in kind or kind.startswith("conversation.item.added")
    ]
    (item,) = done["response"]["output"]
    assert [part["type"] for part in item["content"]] == ["audio"]
    return [part["transcript"] for part in item["content"]]


BETA_CLIENTS = {
    "header": {"headers": HEADER},
    "header among others": {"headers": {"OpenAI-Beta": "assistants=v2, Realtime=v1"}},
    "subprotocol": {"protocols": ("realtime", "openai-insecure-api-key.x", "openai-beta.realtime-v1")},
    "only the subprotocol": {"protocols": ("openai-beta.realtime-v1",)},
}


@pytest.mark.parametrize("how", BETA_CLIENTS)
async def test_a_client_that_asks_for_the_beta_gets_it_from_the_first_word(how: str) -> None:
    async with app_running(fake_engine()) as port, client(port, **BETA_CLIENTS[how]) as wire:  # type: ignore[arg-type]
        created = (await wire.until("session.created"))["session"]
        assert "type" not in created and created["output_audio_format"] == "pcm16" and "audio" in created["modalities"]
        (words,) = await spoken_turn(wire)
        # The fake recogniser tells how much it heard; at 24 kHz 600 ms of 16 kHz last 400.
        assert words.startswith("heard 400 ms")


async def test_a_client_that_shows_the_beta_at_once_is_welcomed_in_the_words_of_today() -> None:
    async with app_running(fake_engine()) as port:
        for _ in range(10):
            async with client(port) as wire:
                await wire.send("session.update", session=FLAT)
                assert "audio" in (await wire.until("session.created"))["session"]
                assert "audio" not in (await wire.until("session.updated"))["session"]


async def test_a_client_that_shows_the_beta_in_its_first_settings_gets_it_from_there_on() -> None:
    async with app_running(fake_engine()) as port, client(port) as wire:
        assert (await wire.until("session.created"))["session"]["type"] == "realtime"
        (words,) = await spoken_turn(wire)
        assert words.startswith("heard 400 ms")


@pytest.mark.parametrize(
    ("session", "code"),
    [
        ({"instructions": "Be brief."}, "missing_required_parameter"),
        ({}, "missing_required_parameter"),
        ({"type": "realtime", "voice": "x"}, "unknown_parameter"),
    ],
)
async def test_a_client_of_today_that_makes_a_mistake_is_told_and_stays_one_of_today(session: dict[str, object], code: str) -> None:
    async with app_running(fake_engine()) as port, client(port) as wire:
        await wire.send("session.update", session=session)
        assert (await wire.until("error"))["error"]["code"] == code
        await wire.send("session.update", session=FLAT)
        assert (await wire.until("error"))["error"]["code"] == "unknown_parameter", "the first settings decide"
        await wire.type("hello")
        assert "response.output_audio.delta" in [(await wire.until("response.done"))["type"], *wire.kinds()]


@pytest.mark.parametrize("headers", [{"OpenAI-Beta": "assistants=v2"}, {"OpenAI-Beta": "realtime=v2"}, {"OpenAI-Beta": ""}])
async def test_another_beta_is_not_this_one(headers: dict[str, str]) -> None:
    async with app_running(fake_engine()) as port, client(port, headers) as wire:
        assert (await wire.until("session.created"))["session"]["type"] == "realtime"


@pytest.mark.parametrize("dialect", ["ga", "beta"])
async def test_a_server_may_have_one_dialect_for_all(dialect: str) -> None:
    async with app_running(fake_engine(), dialect=dialect) as port:
        for headers in (HEADER, {}):
            async with client(port, headers) as wire:
                assert ("type" in (await wire.until("session.created"))["session"]) == (dialect == "ga")


async def test_a_session_that_only_writes_down() -> None:
    async with app_running(fake_engine()) as port, client(port, HEADER, query="?intent=transcription") as wire:
        await wire.send("transcription_session.update", session={"input_audio_format": "pcm16", "turn_detection": None})
        await wire.until("transcription_session.updated")
        await wire.push(tone(600))
        await wire.send("input_audio_buffer.commit")
        told = await wire.until("conversation.item.input_audio_transcription.completed")
        assert told["transcript"] == "heard 400 ms"


@pytest.mark.parametrize("upstream_dialect", ["ga", "beta"])
@pytest.mark.parametrize("old", [True, False])
async def test_a_session_that_only_writes_down_through_a_relay(old: bool, upstream_dialect: str) -> None:
    async with app_running(fake_engine(), dialect=upstream_dialect) as upstream, relayed(upstream, dialect=upstream_dialect) as port:
        async with client(port, HEADER if old else {}, query="?intent=transcription") as wire:
            if old:
                await wire.send("transcription_session.update", session={"input_audio_format": "pcm16", "turn_detection": None})
                await wire.until("transcription_session.updated")
            else:
                session = {
                    "type": "transcription",
                    "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24_000}, "turn_detection": None}},
                }
                await wire.send("session.update", session=session)
                assert (await wire.until("session.updated"))["session"]["type"] == "transcription"
            await wire.push(tone(600))
            await wire.send("input_audio_buffer.commit")
            told = await wire.until("conversation.item.input_audio_transcription.completed")
            assert told["transcript"] == "heard 400 ms"


@pytest.mark.parametrize("how", ["header", "first settings"])
@pytest.mark.parametrize("dialect", ["ga", "beta", "qwen"])
async def test_a_secret_brings_its_settings_along_for_a_client_of_the_beta(how: str, dialect: str) -> None:
    async with (
        app_running(fake_engine(), dialect=dialect) as upstream,
        relayed(upstream, dialect=dialect) as front,
        app_running(fake_engine()) as local,
    ):
        for port in (front, local):
            made = (await post(port, "/v1/realtime/client_secrets", {"session": {"type": "realtime", "instructions": "Minted."}})).json
            headers = {"Authorization": f"Bearer {made['value']}", **(HEADER if how == "header" else {})}
            async with client(port, headers) as wire:
                created = (await wire.until("session.created"))["session"]
                assert created["instructions"] == "Minted." and ("type" in created) == (how != "header")
                (words,) = await spoken_turn(wire)
                assert words.startswith("heard 400 ms")


@pytest.mark.parametrize("how", [*BETA_CLIENTS, "first settings"])
@pytest.mark.parametrize("upstream_dialect", ["ga", "beta"])
@pytest.mark.parametrize("known", [True, False])
async def test_through_a_relay_to_any_upstream(how: str, upstream_dialect: str, known: bool) -> None:
    async with (
        app_running(fake_engine(), dialect=upstream_dialect) as upstream,
        relayed(upstream, dialect=upstream_dialect if known else "auto") as port,
    ):
        async with client(port, **BETA_CLIENTS.get(how, {})) as wire:  # type: ignore[arg-type]
            created = await wire.until("session.created")
            assert ("type" in created["session"]) == (how == "first settings")
            (words,) = await spoken_turn(wire)
            assert words.startswith("heard 400 ms")
        await quiet(upstream)


async def begun(wire: Wire, **session: object) -> list[tuple[str, object]]:
    """What a client is told that asks for these settings at once, and for a typed answer: events, and the turn detection that they tell."""
    if session:
        await wire.send("session.update", session=session)
    await wire.send(
        "conversation.item.create", item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
    )
    await wire.send("response.create")
    await wire.until("response.done")
    return [(event["type"], event["session"]["turn_detection"]) for event in wire.events if event["type"].startswith("session.")]


@pytest.mark.parametrize("dialect", ["xai", "stepfun", "glm"])
async def test_a_session_begins_in_the_same_way_however_soon_the_client_speaks(dialect: str) -> None:
    off = DIALECTS[dialect].detection.nobody
    async with app_running(fake_engine(), dialect=dialect) as port:
        for wait in (False, True):
            async with client(port) as wire:
                if wait:
                    await wire.until("session.created")
                assert await begun(wire, instructions="hi") == [("session.created", off), ("session.updated", off)]
        async with client(port) as wire:
            assert await begun(wire) == [("session.created", off)], "nobody has asked for anything"


@pytest.mark.parametrize("dialect", ["xai", "stepfun", "glm"])
async def test_a_client_of_a_relay_is_told_of_its_own_requests_only(dialect: str) -> None:
    async with app_running(fake_engine(), dialect=dialect) as upstream, relayed(upstream, dialect=dialect) as port:
        for wait in (False, True):
            for session, told in (({}, []), ({"type": "realtime", "instructions": "hi"}, ["session.updated"])):
                async with client(port) as wire:
                    if wait:
                        await wire.until("session.created")
                    if session:
                        await wire.send("session.update", session=session)
                    await wire.type("hello")
                    await wire.until("response.done")
                    assert [kind for kind in wire.kinds() if kind.startswith("session.")] == ["session.created", *told]


async def test_nothing_is_answered_before_the_session_has_begun() -> None:
    async with app_running(fake_engine(), dialect="qwen") as upstream, relayed(upstream, dialect="qwen") as port:
        async with client(port) as wire:
            await wire.send("conversation.item.delete", item_id="i")
            assert [(await wire.next())["type"], (await wire.next())["type"]] == ["session.created", "error"]


async def test_a_service_that_is_only_heard_tells_each_call_once() -> None:
    script = '[[reply]]\ncall = {name = "weather", arguments = {city = "Oslo"}}'
    async with (
        voice_twin(script, dialect="glm") as twin,
        relayed(int(twin.address.rpartition(":")[2]), dialect="auto") as port,
        client(port) as wire,
    ):
        await wire.type("hello")
        done = await wire.until("response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["function_call"]
        assert "heartbeat" not in wire.kinds()
