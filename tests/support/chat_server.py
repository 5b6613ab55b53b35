"""A chat endpoint on loopback that does what a test writes: delays, cuts, garbage, refusals, ends in the middle.

It speaks HTTP by hand, so that it can do what no library would: answer with a word, hang up, cut a chunk in two.

    async with chat_server(answer("Hello.", " Bye.")) as server:
        ... server.base_url ... server.requests[0].json["messages"] ...

A script is a list of steps for each request in turn; the last one serves all that follow.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes as they are."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes of a chunked body, in writes of `step` bytes (0: in one)."""

    data: bytes
    step: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds, or until something happens."""

    until: float | asyncio.Event


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection; `reset`: with an RST."""

    reset: bool = False


SOON_S = 2.5
"""Far less than the `Wait(9)` of a script: who was served within it has not waited for that."""
Step = Send | Body | Wait | HangUp
Script = Sequence[Step]


@dataclass(slots=True)
class Asked:
    """One request."""

    line: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    at_s: float
    connection: int
    gone_s: float | None = None
    """When the client was seen to have closed the connection."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class ChatServer:
    """See the top of the file."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self.scripts = list(scripts)
        self.requests: list[Asked] = []
        self.asked = asyncio.Event()
        self.connections = 0
        self.port = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event) -> None:
        """One connection. `gone` is set when the client has closed it."""
        self.connections += 1
        connection = self.connections
        try:
            while not gone.is_set() and not writer.is_closing():
                await self._request(reader, writer, gone, connection)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Event, connection: int) -> None:
        """One request and its answer, as far as the client wants it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (item.partition(":") for item in rest) if name}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(line, headers, body, time.monotonic(), connection)
        self.requests.append(asked)
        self.asked.set()
        script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch(gone, asked), name="scripted watch")
            acting = group.create_task(self._act(script, writer), name="scripted act")
            await asyncio.wait([watching, acting], return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            acting.cancel()

    async def _watch(self, gone: asyncio.Event, asked: Asked) -> None:
        await gone.wait()
        asked.gone_s = time.monotonic()
        asked.gone.set()

    async def _act(self, script: Script, writer: asyncio.StreamWriter) -> None:
        try:
            for step in script:
                await self._do(step, writer)
        except ConnectionError:
            pass

    async def _do(self, step: Step, writer: asyncio.StreamWriter) -> None:
        match step:
            case Send():
                writer.write(step.data)
            case Body():
                for at in range(0, len(step.data), size := step.step or max(1, len(step.data))):
                    piece = step.data[at : at + size]
                    writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    await writer.drain()
                    await asyncio.sleep(0)
            case Wait():
                await (step.until.wait() if isinstance(step.until, asyncio.Event) else asyncio.sleep(step.until))
            case HangUp():
                if step.reset:
                    writer.transport.abort()
                writer.close()
        await writer.drain()


class _Connection(asyncio.StreamReaderProtocol):
    """Tells when the client has closed its side, which a reader tells only to whoever reads."""

    def __init__(self, server: ChatServer, tasks: "set[asyncio.Task[None]]") -> None:
        self._gone = asyncio.Event()
        self._server = server
        self._tasks = tasks
        super().__init__(asyncio.StreamReader(), self._connected)

    def eof_received(self) -> bool:
        self._gone.set()
        return bool(super().eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        super().connection_lost(exc)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name("scripted connection")
        self._tasks.add(task)
        try:
            await self._server.serve(reader, writer, self._gone)
        except asyncio.CancelledError:
            # The end of the test: raised again it would be logged as an error of the callback.
            pass


def data(*texts: str) -> bytes:
    """Events of a stream."""
    return "".join(f"data: {text}\n\n" for text in texts).encode()


def chunk(content: str | None = None, finish: str | None = None) -> str:
    """One chunk of an answer."""
    delta = {} if content is None else {"content": content}
    return json.dumps(
        {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}, ensure_ascii=False
    )


ROLE = '{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}'
USAGE = '{"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29}}'
BEGIN = Send(HEAD.encode())
END: Script = (Body(data(chunk(None, "stop"), USAGE, "[DONE]")), Send(b"0\r\n\r\n"))


def words(*texts: str, step: int = 0) -> Body:
    """Words of an answer, one chunk each."""
    return Body(data(*map(chunk, texts)), step)


def answer(*texts: str, step: int = 0, pause_s: float = 0.0, before: Callable[[], Script] = tuple) -> Script:
    """A whole streamed answer; `before`: what happens first; `pause_s` between the words."""
    steps: list[Step] = [*before(), BEGIN, Body(data(ROLE))]
    for text in texts:
        steps += [words(text, step=step), *([Wait(pause_s)] if pause_s else [])]
    return [*steps, *END]


def refusal(status: int, body: str = "", content_type: str = "application/json", **headers: str) -> Script:
    """An HTTP status instead of an answer; `retry_after="2"` is a header."""
    lines = [f"HTTP/1.1 {status} No", f"Content-Type: {content_type}", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return [Send("\r\n".join([*lines, "", body]).encode())]


@asynccontextmanager
async def chat_server(*scripts: Script) -> AsyncIterator[ChatServer]:
    """A server on a free port of loopback; it ends with the block."""
    server = ChatServer(scripts)
    tasks: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(lambda: _Connection(server, tasks), "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
