"""`GET /v1/realtime`: who is let in, and what happens to a session whose engine fails."""

import asyncio

import pytest

from tests.support.fakes import FakeTranscriber
from tests.support.http import app_running, ask
from tests.support.joined import BINARY, TEXT, frame, handshake, raw_client, read_frame
from tests.support.signals import tone
from tests.support.wire import Wire, fake_engine
from voice.engines.local import MODEL
from voice.errors import LinkClosed
from voice.links.base import Link
from voice.links.dial import dial


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 101),
        ("http://127.0.0.1:{port}", 101),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1.evil:{port}", 403),
        ("http://127.0.0.1:1", 403),
        ("https://127.0.0.1:{port}", 403),
    ],
)
@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic eDp5", "nonsense"])
async def test_the_origin_decides_and_no_authorization_is_too_odd(origin: str | None, status: int, authorization: str | None) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        given = {"Origin": origin.format(port=port)} if origin else {}
        given |= {"Authorization": authorization} if authorization else {}
        answer = await ask(port, handshake(port, **given))
    assert answer.status == status
    if status == 403:
        assert answer.json["error"]["code"] == "origin_not_allowed"


async def test_a_host_that_is_not_ours_is_refused_even_with_its_own_origin() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        answer = await ask(port, handshake(port, Host=f"evil.example:{port}", Origin=f"http://evil.example:{port}"))
    assert (answer.status, answer.json["error"]["code"]) == (403, "host_not_allowed")


async def test_beyond_the_sessions_that_fit_there_is_a_time_to_come_back() -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), max_sessions=2) as port:
        links = [await dial(f"ws://127.0.0.1:{port}/v1/realtime") for _ in range(2)]
        answer = await ask(port, handshake(port))
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        assert answer.json["error"] == {
            "message": "Too many sessions: try again later.",
            "type": "invalid_request_error",
            "code": "rate_limit_exceeded",
            "param": None,
        }
        await links[0].close()
        while answer.status == 429:
            answer = await ask(port, handshake(port))
        assert answer.status == 101
        await links[1].close()


async def test_a_refused_request_takes_no_place() -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), max_sessions=1) as port:
        for _ in range(3):
            assert (await ask(port, handshake(port, Origin="http://evil.example"))).status == 403
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        await link.close()


@pytest.mark.parametrize(
    ("query", "model"), [("", MODEL), ("?model=gpt-realtime", "gpt-realtime"), ("?model=", MODEL), ("?model=%ED%95%9C", "\ud55c")]
)
async def test_the_model_is_what_the_client_asks_for(query: str, model: str) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime{query}"))
        created = await wire.until("session.created")
        assert created["session"]["model"] == model
        await wire.link.close()


async def test_a_session_whose_engine_fails_ends_with_1011_and_the_others_talk_on(caplog: pytest.LogCaptureFixture) -> None:
    engine = fake_engine()
    serve, first = engine.serve, True

    async def broken(link: Link, model: str = MODEL) -> LinkClosed:
        nonlocal first
        if first:
            first = False
            raise ZeroDivisionError("a bug")
        return await serve(link, model)

    engine.serve = broken  # type: ignore[method-assign]
    async with asyncio.timeout(30), app_running(engine, max_sessions=1) as port:
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        with pytest.raises(LinkClosed) as told:
            await link.receive()
        assert (told.value.close_code, told.value.reason) == (1011, "the engine failed")
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime"))
        await wire.until("session.created")
        await wire.type("hello")
        assert (await wire.until("response.done"))["response"]["status"] == "completed"
        await wire.link.close()
    assert "a bug" in caplog.text


async def test_a_session_that_is_over_is_closed_with_its_reason() -> None:
    async with asyncio.timeout(30), app_running(fake_engine(life_s=0.1)) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime"))
        assert (await wire.until("error"))["error"]["code"] == "session_expired"
        with pytest.raises(LinkClosed) as told:
            await wire.next()
        assert (told.value.close_code, told.value.reason) == (1001, "Your session hit its maximum duration.")


async def test_a_client_that_says_everything_at_once_and_in_binary_is_understood() -> None:
    say = b'{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}}'
    behind = frame(TEXT, say) + frame(BINARY, b'{"type":"response.create"}')
    async with asyncio.timeout(30), app_running(fake_engine()) as port, raw_client(port, behind) as (reader, _):
        while b'"response.done"' not in (await read_frame(reader))[1]:
            pass


async def test_a_session_that_only_writes_down() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime?intent=transcription"))
        created = await wire.until("session.created")
        assert (created["session"]["type"], created["session"]["object"]) == ("transcription", "realtime.transcription_session")
        heard = {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": None, "transcription": {"model": "whisper-1"}}
        await wire.send("session.update", session={"type": "transcription", "audio": {"input": heard}})
        updated = await wire.until("session.updated")
        assert updated["session"]["audio"]["input"]["transcription"] == {"model": FakeTranscriber.name}
        await wire.push(tone(600))
        await wire.send("input_audio_buffer.commit")
        item_id = (await wire.until("input_audio_buffer.committed"))["item_id"]
        completed = await wire.until("conversation.item.input_audio_transcription.completed")
        assert completed["item_id"] == item_id and completed["transcript"]
        await wire.send("response.create", event_id="mine")
        assert (await wire.until("error"))["error"]["event_id"] == "mine"
        assert not [kind for kind in wire.kinds() if kind.startswith("response.")]
        await wire.link.close()


async def test_a_model_beside_the_intent_to_transcribe_is_refused_where_a_browser_can_read_it() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime?intent=transcription&model=whisper-1"))
        error = (await wire.next())["error"]
        assert (error["code"], error["param"], error["type"]) == ("invalid_model", "model", "invalid_request_error")
        with pytest.raises(LinkClosed) as told:
            await wire.next()
        assert (told.value.close_code, told.value.reason) == (4000, "invalid_request_error.invalid_model")


@pytest.mark.parametrize("query", ["?intent=conversation", "?intent=", "?intent=Transcription&model=x"])
async def test_any_other_intent_is_a_conversation(query: str) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        wire = Wire(await dial(f"ws://127.0.0.1:{port}/v1/realtime{query}"))
        assert (await wire.until("session.created"))["session"]["type"] == "realtime"
        await wire.link.close()
