"""A conversation with a misbehaving twin as docs/faults.md tells it: each line is done or looked at, over a real socket.

you: X, you say: X, you connect, you leave        what the client does; it connects when it has to
hears W W, hears at most W W, heard: X, done: X, error: CODE, MESSAGE, gets X      what comes, and nothing else
nothing for N ms[, pings are answered], nothing more, and no pong
closed: CODE[, REASON], reset, refused: ...
"""

import asyncio
import base64
import json
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.support.signals import padded, speech_like
from voice.audio.pcm import to_bytes

WAIT_S = 20.0
HEARD = "conversation.item.input_audio_transcription.completed"
DELTA = "response.output_audio.delta"
END = "the end of the play"
Frame = str | bytes


class Play:
    """One client. `words`: what each piece of sound says."""

    def __init__(self, url: str, words: dict[str, str]) -> None:
        self._url = url
        self._words = words
        self._socket: ClientConnection | None = None
        self._frames: list[Frame] = []
        self._came_s = 0.0

    async def line(self, text: str) -> None:
        """One line. Raises: AssertionError."""
        what, _, rest = text.partition(": ")
        match what.split():
            case ["you"]:
                item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": rest}]}
                await self._send({"type": "conversation.item.create", "item": item}, {"type": "response.create"})
            case ["you", "say"]:
                await self._say()
            case ["you", "connect"]:
                await self._open()
            case ["you", "leave"]:
                await self._leave()
            case ["hears", "at", "most", *words]:
                await self._hears_at_most(words)
            case ["hears", *words]:
                for word in words:
                    await self._expect(f"hears {word}")
            case ["nothing", *_]:
                await self._nothing(text)
            case ["closed"] | ["reset"]:
                ended = await self._end()
                assert ended == text, f"{ended!r}, not {text!r}"
            case ["refused"]:
                how = await self._refusal()
                assert how == rest, f"{how!r}, not {rest!r}"
            case _:
                await self._expect(text)

    async def _expect(self, text: str) -> None:
        told = await self._next()
        right = told.startswith(text) if text.startswith("gets ") else told == text
        assert right, f"{told[:200]!r}, not {text!r}"

    async def over(self) -> None:
        """Nothing else may come."""
        if self._socket is None:
            return
        try:
            await self._socket.send(json.dumps({"type": "conversation.item.delete", "item_id": "x", "event_id": END}))
            await self._expect(END)
        finally:
            await self._leave()

    async def _open(self) -> ClientConnection:
        if self._socket is None:
            self._socket = await connect(self._url, proxy=None, open_timeout=WAIT_S, close_timeout=0.2)
            assert json.loads(await self._socket.recv())["type"] == "session.created"
            self._came_s = time.monotonic()
        return self._socket

    async def _leave(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def _send(self, *events: dict[str, Any]) -> None:
        socket = await self._open()
        try:
            for event in events:
                await socket.send(json.dumps(event))
        except ConnectionClosed:
            pass  # how it has ended is for a later line to say

    async def _say(self) -> None:
        """Speech at 16 kHz, written down."""
        hearing = {"format": {"type": "audio/pcm", "rate": 16_000}, "transcription": {"model": "any"}}
        sound = to_bytes(padded(speech_like(800), 400, 800))
        pieces = [base64.b64encode(sound[at : at + 3200]).decode() for at in range(0, len(sound), 3200)]
        await self._send(
            {"type": "session.update", "session": {"type": "realtime", "audio": {"input": hearing}}},
            *({"type": "input_audio_buffer.append", "audio": piece} for piece in pieces),
        )

    async def _next(self) -> str:
        """The next frame that a line would tell."""
        assert self._socket is not None, "there is no connection"
        while True:
            async with asyncio.timeout(WAIT_S):
                frame = await self._socket.recv()
            if (told := self._told(frame)) is not None:
                self._came_s = time.monotonic()
                return told

    def _told(self, frame: Frame) -> str | None:
        """A frame as a line; None: it is as always."""
        if isinstance(frame, bytes):
            return f"gets {len(frame)} bytes"
        try:
            event = json.loads(frame)
        except ValueError:
            return f"gets {frame}"
        match event:
            case {"type": "response.output_audio.delta", "delta": str(delta)}:
                return f"hears {self._words[delta]}"
            case {"type": "response.output_audio.delta"} | {"type": "ping"}:
                return f"gets {frame}"
            case {"type": "conversation.item.input_audio_transcription.completed"}:
                return f"heard: {event['transcript']}"
            case {"type": "response.done"}:
                return f"done: {event['response']['status']}"
            case {"type": "error", "error": {"event_id": "the end of the play"}}:
                return END
            case {"type": "error"}:
                return f"error: {event['error']['code']}, {event['error']['message']}"
        return None

    async def _hears_at_most(self, words: list[str]) -> None:
        for word in words:
            try:
                await self._expect(f"hears {word}")
            except ConnectionClosed:
                return

    async def _nothing(self, text: str) -> None:
        """Silence, and what becomes of a ping in it."""
        socket, before_s = await self._open(), self._came_s
        pong = await socket.ping()
        if "no pong" in text:
            await asyncio.sleep(0.4)
            assert not pong.done()
            await self._leave()
            return
        if "pings are answered" in text:
            async with asyncio.timeout(WAIT_S):
                await pong
        least_s = int(text.split()[2]) / 1000
        try:
            async with asyncio.timeout(least_s - (time.monotonic() - before_s)):
                while self._told(frame := await socket.recv()) is None:
                    pass
        except TimeoutError:
            return
        raise AssertionError(f"{text}, but {frame!r} after {time.monotonic() - before_s:.3f} s")

    async def _end(self) -> str:
        """How the connection ends, when nothing else comes."""
        try:
            told = await self._next()
        except ConnectionClosed as ended:
            self._socket = None
            frame = ended.rcvd or ended.sent
            if frame is None:
                return "reset" if isinstance(ended.__cause__, ConnectionResetError) else "closed: 1006"
            reason = frame.reason if ended.rcvd else ""
            return f"closed: {int(frame.code)}{', ' if reason else ''}{reason}"
        raise AssertionError(f"not the end: {told}")

    async def _refusal(self) -> str:
        await self._leave()
        try:
            await connect(self._url, proxy=None, open_timeout=0.5)
        except InvalidStatus as exc:
            response = exc.response
            after = [f"Retry-After {response.headers['Retry-After']}"] if "Retry-After" in response.headers else []
            return ", ".join([str(response.status_code), *after, json.loads(response.body or b"{}")["error"]["code"]])
        except TimeoutError:
            return "silence"
        except (InvalidHandshake, OSError, EOFError):
            return "cut"
        return "let in"
