"""What we add to a language model's answer: time to its first words, and CPU for its chunks; beside the least that Python can do.

    python bench/chat.py [--chunks 20000] [--questions 200]

A scripted endpoint in a process of its own streams answers of one word a chunk, as models do. Asked are, in turn, our `ChatClient` with
the sentences made from its words, and a bare peer: a raw socket, a split at blank lines, `json.loads`, nothing checked. The figure is what
we add: first word in ms (median over questions on a kept connection), and CPU of this process for 1,000 chunks that come as fast as they
can, many in a read (a model sends 20 to 200 a second).
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from voice.engines.chat_client import ChatClient
from voice.engines.endpoint import ChatOptions
from voice.engines.streamed import Streamed
from voice.protocol.chat import Message, TextDelta

GOAL_ADDED_MS, GOAL_CPU_MS = 1.0, 15.0
ASK = (Message("user", "Talk."),)

SERVER = r"""
import asyncio, json, sys
words = int(sys.argv[1])
def chunk(text): return b"data: " + json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
    "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}], "usage": None}).encode() + b"\n\n"
def framed(data): return b"%x\r\n%s\r\n" % (len(data), data)
head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
some = b"".join(framed(chunk("word. " if n % 12 == 11 else "word ")) for n in range(20))
end = framed(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n') + b"0\r\n\r\n"
async def serve(reader, writer):
    while True:
        try: head_in = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError: return writer.close()
        length = next(int(line.split(b":")[1]) for line in head_in.split(b"\r\n") if line.lower().startswith(b"content-length"))
        long = b"long" in await reader.readexactly(length)
        writer.write(head + some)
        for _ in range(words // 20 if long else 0):
            writer.write(some)
            await writer.drain()
        writer.write(end)
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


class Bare:
    """The least: one kept connection, no limits, no checks."""

    async def connect(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._reader, self._writer = await asyncio.open_connection(parts.hostname, parts.port)

    async def ask(self, model: str) -> tuple[float, int]:
        """(seconds to the first word, words)."""
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Talk."}], "stream": True}).encode()
        began, first, count = time.perf_counter(), 0.0, 0
        self._writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        rest = b""
        while not rest.endswith(b"0\r\n\r\n"):
            *events, rest = (rest + await self._reader.read(65536)).split(b"\n\n")
            for event in events:
                at = event.find(b"data: {")
                if at >= 0 and json.loads(event[at + 6 :])["choices"][0]["delta"].get("content"):
                    count += 1
                    first = first or time.perf_counter() - began
        return first, count

    def close(self) -> None:
        self._writer.close()


async def ours(client: ChatClient) -> tuple[float, int]:
    """(seconds to the first word, words), the sentences made as for a voice."""
    began, first, count, streamed = time.perf_counter(), 0.0, 0, Streamed()
    async with aclosing(client.ask(ASK)) as pieces:
        async for piece in pieces:
            if isinstance(piece, TextDelta):
                count += 1
                first = first or time.perf_counter() - began
                streamed.push(piece.text)
    return first, count


async def measure(base_url: str, chunks: int, questions: int) -> tuple[list[float], list[float]]:
    """([our, the peer's] ms to the first word, [our, the peer's] CPU ms for 1,000 chunks)."""
    bare = Bare()
    await bare.connect(base_url)
    firsts: tuple[list[float], list[float]] = ([], [])
    async with ChatClient(ChatOptions(base_url, "short")) as short, ChatClient(ChatOptions(base_url, "long")) as long:
        for _ in range(questions):
            firsts[0].append((await ours(short))[0] * 1000)
            firsts[1].append((await bare.ask("short"))[0] * 1000)
        cpu = []
        for asking in (lambda: ours(long), lambda: bare.ask("long")):
            began = time.process_time()
            _, count = await asking()
            assert count >= chunks
            cpu.append((time.process_time() - began) * 1000 * 1000 / count)
    bare.close()
    return [statistics.median(column) for column in firsts], cpu


def main() -> int:
    """Print the figures; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--chunks", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    with subprocess.Popen([sys.executable, "-c", SERVER, str(options.chunks)], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            base_url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            first, cpu = asyncio.run(measure(base_url, options.chunks, options.questions))
        finally:
            server.kill()
    added = first[0] - first[1]
    print(f"first word, ours / bare            {first[0]:6.2f} / {first[1]:5.2f} ms: {added:.2f} ms added   goal {GOAL_ADDED_MS:.0f} ms")
    print(f"CPU per 1,000 chunks, ours / bare  {cpu[0]:6.1f} / {cpu[1]:5.1f} ms = {cpu[0] / cpu[1]:.1f}x   goal {GOAL_CPU_MS:.0f} ms")
    return 0 if added <= GOAL_ADDED_MS and cpu[0] <= GOAL_CPU_MS else 1


if __name__ == "__main__":
    sys.exit(main())
