"""Short-lived secrets over HTTP: who gets one, what it opens, what is refused with which words."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.http import Answer, app_running, ask, get, post
from tests.support.joined import handshake, raw_client, read_frame
from tests.support.needs import skip_without
from tests.support.relayed import KEY, relay_to
from tests.support.wire import fake_engine
from voice.engines.functions import function_tool
from voice.engines.local import MODEL, LocalEngine, LocalOptions
from voice.engines.toolset import Toolset
from voice.server import secrets

PATH = "/v1/realtime/client_secrets"
OLDER = "/v1/realtime/sessions"
BRIEF = {"type": "realtime", "instructions": "짧게 답해.", "audio": {"output": {"voice": "verse"}}}
SERVER_KEY = KEY[::-1]


async def minted(body: object, path: str = PATH, **headers: str) -> Answer:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        return await post(port, path, body, **headers)


@pytest.mark.parametrize(("asked", "life_s"), [({}, 600), ({"seconds": 10}, 10), ({"anchor": "created_at", "seconds": 7200}, 7200)])
async def test_a_secret_lives_as_long_as_was_asked(asked: dict[str, Any], life_s: int) -> None:
    began_s = time.time()
    answer = await minted({"expires_after": asked, "session": BRIEF})
    assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
    assert set(answer.json) == {"value", "expires_at", "session"} and answer.json["value"].startswith("ek_")
    assert began_s - 1 <= answer.json["expires_at"] - life_s <= time.time() + 1  # whole seconds
    session = answer.json["session"]
    assert session["object"] == "realtime.session" and session["id"].startswith("sess_") and session["model"] == MODEL
    assert session["instructions"] == "짧게 답해." and session["audio"]["output"]["voice"] == "verse"


@pytest.mark.parametrize(
    "body", [b"", b"{}", {"session": None}, {"expires_after": None}, {"session": {"type": "realtime", "model": "gpt-realtime"}}]
)
async def test_nothing_has_to_be_asked_for(body: object) -> None:
    answer = await minted(body)
    assert answer.status == 200 and answer.json["session"]["audio"]["output"]["voice"] == "fake voice"


async def test_the_answer_is_what_the_openai_client_reads() -> None:
    skip_without("openai")
    from openai.types.beta.realtime import SessionCreateResponse
    from openai.types.realtime import ClientSecretCreateResponse

    answer = (await minted({"session": BRIEF})).json
    answer["session"]["audio"]["output"]["voice"] = "verse"
    ClientSecretCreateResponse.model_validate(answer)
    older = (await minted({"voice": "verse", "input_audio_format": "pcm16"}, OLDER)).json
    SessionCreateResponse.model_validate(older)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"{", "invalid_json", None),
        (b"[]", "invalid_type", None),
        (b"\xff", "invalid_json", None),
        (b"[" * 50_000, "invalid_json", None),
        ({"sesion": {}}, "unknown_parameter", "sesion"),
        ({"session": []}, "invalid_type", "session"),
        ({"session": {"instructions": "x"}}, "missing_required_parameter", "session.type"),
        ({"session": {"type": "live"}}, "invalid_value", "session.type"),
        ({"session": {"type": "transcription", "instructions": "x"}}, "unknown_parameter", "session.instructions"),
        ({"session": {"type": "transcription", "model": "whisper-1"}}, "unknown_parameter", "session.model"),
        ({"session": {"type": "realtime", "instuctions": "x"}}, "unknown_parameter", "session.instuctions"),
        ({"session": {"type": "realtime", "instructions": 5}}, "invalid_type", "session.instructions"),
        ({"session": {"type": "realtime", "audio": {"output": {"speed": 9}}}}, "invalid_value", "session.audio.output.speed"),
        ({"expires_after": 5}, "invalid_type", "expires_after"),
        ({"expires_after": {"seconds": 9}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": 7201}}, "invalid_value", "expires_after.seconds"),
        ({"expires_after": {"seconds": True}}, "invalid_type", "expires_after.seconds"),
        ({"expires_after": {"seconds": "60"}}, "invalid_type", "expires_after.seconds"),
        ({"expires_after": {"anchor": "now"}}, "invalid_value", "expires_after.anchor"),
    ],
)
async def test_what_cannot_be_is_named(body: object, code: str, param: str | None) -> None:
    answer = await minted(body)
    assert (answer.status, answer.json["error"]["code"], answer.json["error"]["param"]) == (400, code, param)
    assert answer.json["error"]["type"] == "invalid_request_error" and answer.json["error"]["message"].endswith(".")


async def test_a_name_of_the_server_s_own_tools_is_refused_at_once() -> None:
    tools = Toolset([function_tool(lambda: 7, name="count")])
    engine = LocalEngine(FakeTranscriber(), FakeSynthesizer(), FakeResponder, LocalOptions(tools=tools))
    body = {"session": {"type": "realtime", "tools": [{"type": "function", "name": "count"}]}}
    async with asyncio.timeout(30), app_running(engine) as port:
        answer = await post(port, PATH, body)
    assert (answer.status, answer.json["error"]["param"]) == (400, "session.tools[0].name")


async def test_a_session_that_fits_no_header_and_a_body_that_fits_nowhere() -> None:
    noise = "".join(chr(0xAC00 + (n * 7919) % 11_000) for n in range(5_000))
    answer = await minted({"session": {"type": "realtime", "instructions": noise}})
    assert (answer.status, answer.json["error"]["code"]) == (400, "string_above_max_length")
    huge = await minted(b'{"session":"' + b"x" * (1 << 20))
    assert huge.status == 413 and "error" in huge.json


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "BODY_TIMEOUT_S", 0.1)
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 9\r\n\r\n"
        assert (await ask(port, head.encode())).status == 408


async def test_the_older_requests_take_flat_settings_and_a_minute() -> None:
    flat = {
        "model": "gpt-4o-realtime-preview",
        "modalities": ["audio", "text"],
        "voice": "verse",
        "instructions": "Be brief.",
        "temperature": 0.7,
    }
    answer = await minted(flat, OLDER)
    body = answer.json
    assert answer.status == 200 and body["object"] == "realtime.session" and body.items() >= flat.items()
    assert body["client_secret"]["value"].startswith("ek_") and abs(body["client_secret"]["expires_at"] - time.time() - 60) < 3
    bad = await minted({"voise": "x"}, OLDER)
    assert (bad.status, bad.json["error"]["param"]) == (400, "voise")
    longer = await minted({"client_secret": {"expires_after": {"anchor": "created_at", "seconds": 100}}}, OLDER)
    assert abs(longer.json["client_secret"]["expires_at"] - time.time() - 100) < 3


WRITTEN_DOWN = "/v1/realtime/transcription_sessions"
FLAT: dict[str, Any] = {"input_audio_format": "pcm16", "input_audio_transcription": {"model": "gpt-4o-transcribe", "language": "en"}}


async def test_a_secret_for_a_session_that_only_writes_down() -> None:
    asked = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}, "turn_detection": None}}}
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        answer = (await post(port, PATH, {"session": asked})).json
        session = answer["session"]
        assert (session["type"], session["object"]) == ("transcription", "realtime.transcription_session")
        assert session["id"].startswith("sess_") and session["audio"]["input"]["transcription"] == {"model": FakeTranscriber.name}
        older = (await post(port, WRITTEN_DOWN, FLAT)).json
        assert (
            older["object"] == "realtime.transcription_session" and older["input_audio_transcription"] == FLAT["input_audio_transcription"]
        )
        for secret in (answer["value"], older["client_secret"]["value"]):
            # The address cannot make it a conversation, nor name a model.
            async with raw_client(port, b"", "/v1/realtime?model=x&intent=", Authorization=f"Bearer {secret}") as (reader, _):
                created = json.loads((await read_frame(reader))[1])
            assert (created["type"], created["session"]["type"]) == ("session.created", "transcription")
        assert created["session"]["audio"]["input"]["transcription"] == {"model": FakeTranscriber.name, "language": "en"}


async def test_what_a_secret_of_a_relay_brings_is_for_the_upstream_to_judge() -> None:
    async with asyncio.timeout(30), app_running(relay_to(1)) as port:
        answer = await post(port, WRITTEN_DOWN, FLAT)
        assert (answer.status, answer.json["object"]) == (200, "realtime.transcription_session")
        odd = {"type": "realtime", "audio": {"input": {"turn_detection": {"type": "azure_semantic_vad", "x": 1}}}}
        told = (await post(port, PATH, {"session": odd})).json["session"]
        assert told["audio"] == odd["audio"] and told["object"] == "realtime.session"


async def test_a_page_talks_with_a_secret_as_its_subprotocol_and_never_sees_it_again() -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), server_key=SERVER_KEY) as port:
        answer = await post(port, PATH, {"session": {**BRIEF, "model": "one"}}, Authorization=f"Bearer {SERVER_KEY}")
        secret = answer.json["value"]
        offered = f"realtime, openai-insecure-api-key.{secret}, openai-agents-sdk.0.1"
        head = await ask(port, handshake(port, "/v1/realtime?model=two", Sec_WebSocket_Protocol=offered, Origin=f"http://127.0.0.1:{port}"))
        assert head.status == 101 and head.headers["sec-websocket-protocol"] == "realtime"
        assert secret not in str(head.headers)
        async with raw_client(port, b"", "/v1/realtime?model=two", Authorization=f"Bearer {secret}") as (reader, _):
            created = json.loads((await read_frame(reader))[1])
        assert created["type"] == "session.created" and created["session"]["instructions"] == "짧게 답해."
        assert created["session"]["model"] == "one", "the model is the secret's, not the page's"


async def test_with_a_server_key_nothing_under_v1_opens_without() -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), server_key=SERVER_KEY) as port:
        value = (await post(port, PATH, b"", Authorization=f"Bearer {SERVER_KEY}")).json["value"]
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {value[:-1]}"}, {"api_key": "wrong"}):
            for answer in (await ask(port, handshake(port, **headers)), await post(port, PATH, b"", **headers)):
                assert (answer.status, answer.json["error"]["code"]) == (401, "invalid_api_key")
                assert answer.headers["www-authenticate"] == "Bearer"
        for headers in ({"Authorization": f"Bearer {SERVER_KEY}"}, {"api_key": SERVER_KEY}, {"Authorization": f"Bearer {value}"}):
            assert (await ask(port, handshake(port, **headers))).status == 101
        nested = await post(port, PATH, b"", Authorization=f"Bearer {value}")
        assert (nested.status, nested.json["error"]["code"]) == (403, "insufficient_permissions")
        assert [(await get(port, path)).status for path in ("/", "/healthz", "/readyz")] == [200, 200, 200]


async def test_an_expired_secret_is_401_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        value = (await post(port, PATH, {"expires_after": {"seconds": 10}})).json["value"]
        assert (await ask(port, handshake(port, Authorization=f"Bearer {value}"))).status == 101
        later = time.time() + 11
        monkeypatch.setattr(time, "time", lambda: later)
        answer = await ask(port, handshake(port, Authorization=f"Bearer {value}"))
        assert (answer.status, answer.json["error"]["code"]) == (401, "token_expired")


@pytest.mark.parametrize("shared", [True, False])
async def test_a_secret_opens_the_other_nodes_of_a_service_and_no_strangers(shared: bool) -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), server_key=SERVER_KEY) as one:
        value = (await post(one, PATH, b"", Authorization=f"Bearer {SERVER_KEY}")).json["value"]
        async with app_running(fake_engine(), server_key=SERVER_KEY if shared else KEY) as other:
            answer = await ask(other, handshake(other, Authorization=f"Bearer {value}"))
    assert answer.status == (101 if shared else 401)


SHOP = "https://shop.example"


@pytest.mark.parametrize(("origin", "status"), [(None, 200), (SHOP, 200), ("own", 200), ("https://evil.example", 403), ("null", 403)])
async def test_pages_of_allowed_origins_get_secrets_and_may_read_them(origin: str | None, status: int) -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), origins=frozenset({SHOP})) as port:
        given = {"Origin": f"http://127.0.0.1:{port}" if origin == "own" else origin} if origin else {}
        answer = await post(port, PATH, b"", **given)
        assert answer.status == status and answer.headers["vary"] == "Origin"
        assert answer.headers.get("access-control-allow-origin") == (SHOP if origin == SHOP else None)
        assert "access-control-allow-credentials" not in answer.headers
        asked = await get(port, PATH, "OPTIONS", **given)
        assert asked.status == (204 if status == 200 else 403)
        assert (asked.headers.get("access-control-allow-origin") == SHOP) == (origin == SHOP)
        socket = await ask(port, handshake(port, **given))
        assert socket.status == (101 if status == 200 else 403)
