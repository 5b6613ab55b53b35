"""A key made at run time is in no byte that leaves the relay's process but the upstream's header: every surface is searched."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.http import Answer, ask, get, post
from tests.support.joined import CLOSE, TEXT, frame, handshake, raw_client, raw_server, read_frame, upgrade

ROOT = Path(__file__).resolve().parent.parent
KEY = f"sk-{secrets.token_hex(12)}"
SERVER_KEY = f"sk-front-{secrets.token_hex(12)}"


class Echoing:
    """An upstream that repeats the key wherever it can, and behaves in turn as its visitors' models say."""

    def __init__(self) -> None:
        self.keys: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = request.partition(b"Bearer ")[2].partition(b"\r")[0]
        self.keys.append(key)
        model = request.split(b" ", 2)[1].partition(b"model=")[2].decode()
        if model.startswith("http-"):
            body = b'{"error":{"message":"bad key %s","code":"%s"}}' % (key, key)
            writer.write(b"HTTP/1.1 %s No\r\nX-Key: %s\r\nContent-Length: %d\r\n\r\n" % (model[5:].encode(), key, len(body)) + body)
        elif model == "garbage":
            writer.write(b"key %s\r\n\r\n" % key)
        elif model == "broken":
            writer.write(b"HTTP/1.1 101 OK\r\nUpgrade: %s\r\n\r\n" % key)
        else:
            writer.write(upgrade(request)[:-2] + b"X-Key: %s\r\n\r\n" % key)
            spelled = b"".join(b"\\u%04x" % letter for letter in key)
            for text in (b'{"type":"error","error":{"message":"%s"}}' % key, b'{"type":"error","m":"%s"}' % spelled, b"no JSON %s" % key):
                writer.write(frame(TEXT, text, masked=False))
            writer.write(frame(CLOSE, (1008).to_bytes(2) + b"bad key " + key, masked=False))
        await writer.drain()


@asynccontextmanager
async def serving(*options: str, **environ: str) -> AsyncIterator[tuple[int, int, list[bytes]]]:
    """The real command with -v: its pid, its port, and, once the block has ended, what it wrote."""
    place = {name: value for name, value in os.environ.items() if "API_KEY" not in name} | environ
    command = [sys.executable, "-X", "dev", "-m", "voice", "-v", "serve", "--port", "0", *options]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=place, stdout=pipe, stderr=pipe)
    written: list[bytes] = []
    try:
        assert process.stdout is not None
        first = await process.stdout.readline()
        if not first:
            raise AssertionError((await process.communicate())[1].decode())
        written.append(first)
        yield process.pid, int(first.rpartition(b":")[2]), written
    finally:
        if process.returncode is None:
            process.terminate()
        written.extend(await process.communicate())


def arguments(pid: int) -> str:
    """What every user of this machine can read of a process, where there is /proc."""
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_text() if path.exists() else ""


def shown(answer: Answer) -> str:
    return f"{answer.headers} {answer.body.decode(errors='replace')}"


async def frames(port: int, model: str) -> list[str]:
    """All that a client of the relay gets, to the close."""
    got = []
    async with raw_client(port, b"", model, Authorization=f"Bearer {SERVER_KEY}") as (reader, _):
        while not got or got[-1][0] != chr(CLOSE):
            first, payload = await read_frame(reader)
            got.append(chr(first) + payload.decode(errors="replace"))
    return got


@pytest.mark.slow
@pytest.mark.parametrize("from_file", [False, True])
async def test_the_key_is_in_no_byte_that_leaves_but_the_upstreams_header(tmp_path: Path, from_file: bool) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "key").chmod(0o600)
    given = {"OPENAI_API_KEY_FILE": str(tmp_path / "key")} if from_file else {"OPENAI_API_KEY": KEY}
    echoing, surfaces = Echoing(), []
    front = {"Authorization": f"Bearer {SERVER_KEY}"}
    async with asyncio.timeout(60), raw_server(echoing) as upstream:
        where = ("--upstream", f"ws://127.0.0.1:{upstream}/v1")
        async with serving(*where, VOICE_SERVER_KEY=SERVER_KEY, **given) as (pid, port, written):
            surfaces.append(arguments(pid))
            for path in ("/", "/about", "/healthz", "/readyz", "/nothing", "/v1/realtime", "/web/app.js"):
                surfaces.append(shown(await get(port, path, **front)))
            for path in ("client_secrets", "sessions"):
                surfaces.append(shown(await post(port, f"/v1/realtime/{path}", b"", **front)))
            surfaces.append(shown(await ask(port, handshake(port))))
            for model in ("http-401", "http-403", "http-404", "http-429", "http-500", "http-200", "garbage", "broken"):
                answer = await ask(port, handshake(port, f"/v1/realtime?model={model}", **front))
                assert answer.status >= 400
                surfaces.append(shown(answer))
            told = await frames(port, "/v1/realtime?model=talk")
            assert len(told) == 4 and json.loads(told[0][1:])["error"]["message"] == "********", told
            surfaces.extend(told)
        surfaces.extend(part.decode() for part in written)
    assert set(echoing.keys) == {KEY.encode()} and len(echoing.keys) == 9, "the upstream got it each time"
    assert written[1] == b"" and "voice.engines.relay" in written[2].decode(), "-v was on"
    for surface in surfaces:
        assert KEY not in surface and KEY[3:] not in surface
        assert SERVER_KEY not in surface
