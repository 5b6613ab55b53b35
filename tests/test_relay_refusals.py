"""Before the upgrade: what a client of a relay is told when the upstream does not take its session."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from tests.support.http import Answer, app_running, ask, get, post
from tests.support.joined import CLOSE, handshake, raw_client, raw_server, read_frame, upgrade
from tests.support.relayed import KEY, relay_to, relayed
from tests.support.wire import fake_engine
from voice.engines import relay
from voice.links import dial as dialing

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def short_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """These upstreams do not answer a close."""
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.05)


async def told(talk: Talk) -> Answer:
    """What a client of a relay to such an upstream is told."""
    async with raw_server(talk) as upstream, relayed(upstream) as port:
        answer = await ask(port, handshake(port))
        assert (await get(port, "/healthz")).json["sessions"] == 0
    assert KEY not in answer.body.decode() and KEY not in str(answer.headers)
    return answer


def answering(status: str, body: str = "", *headers: str) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        data = body.encode()
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + data)
        await writer.drain()

    return talk


WORDS = f'{{"error":{{"message":"Incorrect API key provided: {KEY}.","code":"invalid_api_key"}}}}'


@pytest.mark.parametrize(
    ("talk", "status", "code", "words"),
    [
        (answering("401 No"), 401, "invalid_api_key", "the key was refused"),
        (answering("401 No", WORDS), 401, "invalid_api_key", "Incorrect API key provided: ********"),
        (answering("403 No"), 403, "upstream_forbidden", "not allowed"),
        (answering("404 No"), 404, "model_not_found", "nothing is served there"),
        (answering("404 No", '{"error":{"code":"no_such_model","message":"No gpt-x."}}'), 404, "no_such_model", "No gpt-x."),
        (answering("429 No", '{"error":{"code":"insufficient_quota"}}'), 429, "insufficient_quota", "too many requests"),
        (answering("400 No", '{"error":{"code":"invalid_model","message":"Bad."}}'), 400, "invalid_model", "Bad."),
        (answering("500 No"), 502, "upstream_failed", "the server failed"),
        (answering("503 No"), 503, "upstream_overloaded", "the server failed"),
        (answering("200 OK", "<html>Log in</html>", "Content-Type: text/html"), 502, "upstream_not_realtime", "that is a page"),
        (answering("302 Found", "", "Location: http://127.0.0.1:1/"), 502, "upstream_not_realtime", "it points to another address"),
        (answering("418 Tea"), 502, "upstream_not_realtime", "HTTP 418"),
    ],
)
async def test_an_answer_that_is_no_websocket_is_told_in_the_services_form(talk: Talk, status: int, code: str, words: str) -> None:
    answer = await told(talk)
    error = answer.json["error"]
    assert (answer.status, error["code"], error["param"]) == (status, code, None)
    assert error["type"] == ("server_error" if status >= 500 else "invalid_request_error")
    assert words in error["message"]


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ("Retry-After: 7", "7"),
        ("Retry-After: 0.2", "1"),
        ("Retry-After: 1e9", "86400"),
        ("Retry-After: soon", "10"),
        ("X: y", "10"),
    ],
)
@pytest.mark.parametrize("status", ["429 No", "503 No"])
async def test_how_long_to_wait_is_passed_on(status: str, given: str, passed_on: str) -> None:
    answer = await told(answering(status, "", given))
    assert answer.headers["retry-after"] == passed_on


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9\r\n")
    await reader.read()


async def unproven(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(upgrade(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
    await reader.read()


@pytest.mark.parametrize("talk", [hang_up, reset, other, unproven])
async def test_an_upstream_that_is_not_to_be_reached_is_502(talk: Talk) -> None:
    answer = await told(talk)
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_unreachable")
    assert "the log of this server says why" in answer.json["error"]["message"]


async def test_an_upstream_that_is_down_is_502_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    async with raw_server(hang_up) as upstream:
        pass
    async with asyncio.timeout(30), app_running(relay_to(upstream)) as port:
        answer = await ask(port, handshake(port))
    assert (answer.status, answer.json["error"]["code"]) == (502, "upstream_unreachable")
    assert f"cannot reach 127.0.0.1:{upstream}" in caplog.text


async def test_a_silent_upstream_is_504_before_the_client_loses_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    assert relay.REACH_S < dialing.OPEN_TIMEOUT_S
    monkeypatch.setattr(relay, "REACH_S", 0.1)
    answer = await told(lambda reader, writer: asyncio.sleep(5))
    assert (answer.status, answer.json["error"]["code"]) == (504, "upstream_timeout")


async def test_a_session_that_is_being_dialled_has_a_place_and_gives_it_back() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()

    async with asyncio.timeout(30), raw_server(late) as upstream, app_running(relay_to(upstream), max_sessions=1) as port:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(ask(port, handshake(port)))
            await asked.wait()
            assert (await ask(port, handshake(port))).status == 429
            go_on.set()
        assert first.result().status == 502
        assert (await ask(port, handshake(port))).status == 502


async def test_a_client_that_goes_while_its_session_is_dialled_lets_the_upstream_go() -> None:
    reached, left = asyncio.Event(), asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        reached.set()
        await asyncio.sleep(0.1)
        writer.write(upgrade(request))
        if (await reader.readexactly(1))[0] == CLOSE:
            left.set()

    async with raw_server(late) as upstream, relayed(upstream) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(handshake(port))
        await reached.wait()
        writer.transport.abort()
        await left.wait()


async def test_who_may_not_come_in_costs_no_dial() -> None:
    dialled = False

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dialled
        dialled = True

    async with asyncio.timeout(30), raw_server(look) as upstream, app_running(relay_to(upstream), server_key="sk-front") as port:
        assert (await ask(port, handshake(port, Origin="http://evil.example"))).status == 403
        assert (await ask(port, handshake(port))).status == 401
        assert (await ask(port, handshake(port, Authorization=f"Bearer {KEY}"))).status == 401, "the upstream's key is none of ours"
        assert (await get(port, "/v1/realtime", Authorization="Bearer sk-front")).status == 426
    assert not dialled


async def test_a_browser_gets_its_subprotocol_and_the_upstream_sees_nothing_of_the_client() -> None:
    heads: list[str] = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        heads.append(request.decode())
        writer.write(upgrade(request))
        await reader.read()

    async with raw_server(look) as upstream, relayed(upstream) as port:
        given = {"Sec_WebSocket_Protocol": "realtime, openai-insecure-api-key.ek_page", "Cookie": "a=page", "User_Agent": "page/1"}
        answer = await ask(port, handshake(port, Origin=f"http://127.0.0.1:{port}", **given))
    assert answer.status == 101 and answer.headers["sec-websocket-protocol"] == "realtime"
    assert "page" not in heads[0] and "Origin" not in heads[0]


async def test_the_settings_of_a_secret_reach_the_upstream_first() -> None:
    async with app_running(fake_engine(), server_key=KEY) as upstream, relayed(upstream) as port:
        asked = {"session": {"type": "realtime", "model": "gpt-page", "instructions": "Be brief."}}
        value = (await post(port, "/v1/realtime/client_secrets", asked)).json["value"]
        async with raw_client(port, Authorization=f"Bearer {value}") as (reader, _):
            created = (await read_frame(reader))[1]
    assert b'"instructions":"Be brief."' in created and b'"model":"gpt-page"' in created and b"session.created" in created
