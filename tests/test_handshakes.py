"""How real clients ask for a session: their requests as they were on the wire, each answered with a session that is theirs.

What differs: case and order of the headers, how a key is shown, which subprotocols and extensions are offered, and the path.
"""

import asyncio
import json

import pytest

from tests.support.http import app_running
from tests.support.joined import TEXT, frame, read_frame
from tests.support.wire import fake_engine

# The key and its answer are those of RFC 6455, 1.3.
KEY, ACCEPTED = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

CLIENTS = {
    "openai (Python)": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
        Authorization: Bearer x
        Accept: application/json
        Content-Type: application/json
        User-Agent: AsyncOpenAI/Python 3.51.0
        X-Stainless-Async: async:asyncio
    """,
    "openai (Python) for Azure": """
        GET /openai/realtime?api-version=2025-04-01-preview&deployment=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
        api-key: x
        User-Agent: AsyncAzureOpenAI/Python 3.51.0
    """,
    "openai-agents (Python)": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
        Authorization: Bearer x
        User-Agent: Agents/Python 0.24.0
    """,
    "livekit-agents": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        User-Agent: LiveKit Agents
        Authorization: Bearer x
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: KEY
        Accept: */*
        Accept-Encoding: gzip, deflate
    """,
    "@openai/agents": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        Authorization: Bearer x
        User-Agent: Agents/JavaScript 0.20.0
        X-OpenAI-Agents-SDK: openai-agents-sdk.0.20.0
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: KEY
        Connection: Upgrade
        Upgrade: websocket
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
        Host: 127.0.0.1:PORT
    """,
    "ws (npm), as a browser": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Key: KEY
        Connection: Upgrade
        Upgrade: websocket
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
        Sec-WebSocket-Protocol: realtime,openai-insecure-api-key.x
        Host: 127.0.0.1:PORT
    """,
    "Node": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        host: 127.0.0.1:PORT
        connection: upgrade
        upgrade: websocket
        sec-websocket-key: KEY
        sec-websocket-version: 13
        sec-websocket-protocol: realtime, openai-insecure-api-key.x, openai-agents-sdk.0.20.0
        sec-websocket-extensions: permessage-deflate; client_max_window_bits
        accept: */*
        accept-language: *
        sec-fetch-mode: websocket
        user-agent: node
        pragma: no-cache
        cache-control: no-cache
        accept-encoding: gzip, deflate
    """,
    "a browser that keeps connections": """
        GET /v1/realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Accept: */*
        Accept-Encoding: gzip, deflate, br, zstd
        Sec-WebSocket-Version: 13
        Origin: http://127.0.0.1:PORT
        Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.x
        Sec-WebSocket-Extensions: permessage-deflate
        Sec-WebSocket-Key: KEY
        Connection: keep-alive, Upgrade
        Sec-Fetch-Dest: empty
        Sec-Fetch-Mode: websocket
        Sec-Fetch-Site: same-origin
        Pragma: no-cache
        Cache-Control: no-cache
        Upgrade: WebSocket
    """,
    "an address without /v1": """
        GET /realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
    """,
    "Azure's newer path": """
        GET /openai/v1/realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
        api-key: x
    """,
    "a slash at the end, and a name in percents": """
        GET /v1/realtime/?model=gpt%2Drealtime&unknown=1 HTTP/1.1
        Host: 127.0.0.1:PORT
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
    """,
    "by a proxy, with two lines of subprotocols": """
        GET http://127.0.0.1:PORT/v1/realtime?model=gpt-realtime HTTP/1.1
        Host: 127.0.0.1:PORT
        Via: 1.1 proxy
        Upgrade: websocket
        Connection: Upgrade
        Sec-WebSocket-Key: KEY
        Sec-WebSocket-Version: 13
        Sec-WebSocket-Protocol: openai-insecure-api-key.x
        Sec-WebSocket-Protocol: realtime
    """,
}


def request(client: str, port: int) -> bytes:
    lines = CLIENTS[client].replace("PORT", str(port)).replace("KEY", KEY, 1).strip().splitlines()
    return "\r\n".join([*(line.strip() for line in lines), "", ""]).encode()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("at_once", [1, 1 << 16], ids=["byte by byte", "at once"])
async def test_a_client_is_let_in_as_it_asks(client: str, at_once: int) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = request(client, port) + frame(TEXT, b'{"type": "input_audio_buffer.clear"}')
        for at in range(0, len(sent), at_once):
            writer.write(sent[at : at + at_once])
            await writer.drain()
            await asyncio.sleep(0)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        events = [json.loads((await read_frame(reader))[1]) for _ in range(2)]
        writer.transport.abort()
    assert head.startswith("http/1.1 101 ") and f"sec-websocket-accept: {ACCEPTED.lower()}\r\n" in head
    assert ("sec-websocket-protocol: realtime\r\n" in head) == ("sec-websocket-protocol" in CLIENTS[client].lower())
    assert "sec-websocket-extensions" not in head and "insecure-api-key" not in head
    # What came right behind the request is answered too.
    assert [event["type"] for event in events] == ["session.created", "input_audio_buffer.cleared"]
    assert events[0]["session"]["model"] == "gpt-realtime"
