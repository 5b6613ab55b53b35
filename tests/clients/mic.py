"""What a client's script has at hand: its orders, a microphone at the pace of a real one, a loudspeaker that knows what was heard.

Scripts run in the client's own environment: standard library only. A script is called with one argument, a JSON object:

    url, chunk_ms, over_ms, texts {text, long}, wavs {voice, manual, barge} (24 kHz, mono, 16-bit), cafile?, transport?

and prints one, as its last line:

    client, version, errors [..], turns {text, voice, manual, barge: {answer, heard, audio_ms}}, events? [["up"|"down", event] ..]

The turn "barge" is the one that was said over the long answer, when `over_ms` of it had been heard.
"""

import asyncio
import json
import sys
import time
import wave

RATE_HZ = 24_000
BYTES_MS = 2 * RATE_HZ // 1000


def orders():
    """What the script has to do."""
    return json.loads(sys.argv[1])


def sound_of(path):
    """The samples of a WAV, as bytes."""
    with wave.open(path) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (RATE_HZ, 1, 2)
        return wav.readframes(wav.getnframes())


class Microphone:
    """Gives `send` a chunk every `chunk_ms`: silence, but while it was told to speak. It never hurries, as no microphone does."""

    def __init__(self, send, chunk_ms):
        self._send = send
        self._chunk_ms = chunk_ms
        self._sound = bytearray()
        self._spoken = asyncio.Event()
        self._task = None

    async def __aenter__(self):
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *exc):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def say(self, path):
        """Speak a WAV; returns when the last chunk of it is sent."""
        self._spoken.clear()
        self._sound += sound_of(path)
        await self._spoken.wait()

    async def _run(self):
        size, due_s = self._chunk_ms * BYTES_MS, time.monotonic()
        while True:
            chunk = bytes(self._sound[:size])
            del self._sound[:size]
            await self._send(chunk + bytes(size - len(chunk)))
            if not self._sound:
                self._spoken.set()
            due_s += self._chunk_ms / 1000
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))


class Loudspeaker:
    """Plays what comes of one item, from its first byte on, at the pace of a real one."""

    def __init__(self):
        self.item_id = None
        self.received_ms = 0.0
        self._since_s = 0.0

    def play(self, item_id, size):
        """Bytes of an item; another one than before starts anew."""
        if item_id != self.item_id:
            self.item_id, self.received_ms, self._since_s = item_id, 0.0, time.monotonic()
        self.received_ms += size / BYTES_MS

    @property
    def heard_ms(self):
        """How much of the item was heard."""
        return int(min(self.received_ms, 1000 * (time.monotonic() - self._since_s)))

    async def then(self, heard_ms, what):
        """Wait until so much was heard, then for `what`."""
        while True:
            if (left_ms := heard_ms - self.heard_ms) <= 0:
                return await what
            await asyncio.sleep(max(10, left_ms) / 1000)
