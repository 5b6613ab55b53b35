"""Twenty people talk to one server for some minutes, typing and speaking: its memory does not grow, and nothing is left open."""

import asyncio
import base64
import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.support.live_talk import live_process
from tests.support.needs import FliteWav, needs
from tests.support.order import check
from tests.support.until import until
from voice.audio.pcm import to_bytes
from voice.links.dial import DialedLink, dial

pytestmark = [
    pytest.mark.apart,
    needs("flite", "pocketsphinx", "espeakng-loader"),
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to look at a process"),
]
PEOPLE, WARM, HALF = 20, 5, 6
"""So many people, and so many visits of each: first until every process and model that is kept ready is there, then twice to compare."""
WAIT_S = 900.0
PIPES = 10
"""To the processes of the recogniser and the synthesiser, which come with the first visit."""
GROWTH = 16 << 20
"""Of the second half; one visit takes 0.3 MiB of sound and events, which a leak would keep 120 times. Seen: 1 MiB."""
TYPED = {"what is two plus two": "2 plus 2 is 4.", "what is nine times nine": "9 times 9 is 81."}
SPOKEN = {"what is seven times eight": "7 times 8 is 56.", "what is nine minus four": "9 minus 4 is 5."}
MANUAL = {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 16_000}, "turn_detection": None}}}


class Person:
    """One client, which comes and goes: each visit is a new link with a typed and a spoken turn."""

    def __init__(self, url: str, sounds: dict[str, bytes], first: int) -> None:
        self._url, self._sounds, self._turn = url, sounds, first

    async def visit(self) -> None:
        link = await dial(self._url)
        events = [json.loads(await link.receive())]
        await link.send(json.dumps({"type": "session.update", "session": MANUAL}))
        typed, answer = list(TYPED.items())[self._turn % len(TYPED)]
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": typed}]}
        await link.send(json.dumps({"type": "conversation.item.create", "item": item}))
        assert await self._answer(link, events) == answer
        spoken, answer = list(SPOKEN.items())[self._turn % len(SPOKEN)]
        for at in range(0, len(self._sounds[spoken]), 3200):
            audio = base64.b64encode(self._sounds[spoken][at : at + 3200]).decode()
            await link.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await link.send(json.dumps({"type": "input_audio_buffer.commit"}))
        assert await self._answer(link, events) == answer
        await link.close()
        check(events)
        self._turn += 1

    async def _answer(self, link: DialedLink, events: list[dict[str, Any]]) -> str:
        await link.send(json.dumps({"type": "response.create"}))
        words = ""
        while True:
            event = json.loads(await link.receive())
            events.append(event)
            if event["type"] == "response.done":
                words = event["response"]["output"][0]["content"][0]["transcript"]
            elif event["type"] == "rate_limits.updated":
                return words


def memory(pid: int) -> int:
    """Bytes of a process and its children that are in memory and no one else's."""
    tasks = [pid, *(int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    pages = 0
    for one in tasks:
        fields = Path(f"/proc/{one}/statm").read_text().split()
        pages += int(fields[1]) - int(fields[2])
    return pages * os.sysconf("SC_PAGE_SIZE")


def opened(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def sessions(base: str) -> int:
    with urllib.request.urlopen(f"{base}/healthz", timeout=60) as answer:
        return int(json.load(answer)["sessions"])


@pytest.fixture
def sounds(flite_wav: FliteWav) -> dict[str, bytes]:
    return {text: to_bytes(soundfile.read(flite_wav(text), dtype="int16")[0]) for text in SPOKEN}


async def test_memory_does_not_grow_and_nothing_is_left_open(sounds: dict[str, bytes]) -> None:
    async with asyncio.timeout(WAIT_S), live_process() as (base, pid):
        url = f"{base.replace('http', 'ws')}/v1/realtime"
        people = [Person(url, sounds, number) for number in range(PEOPLE)]
        at_rest = opened(pid)

        async def come_and_go(person: Person, visits: int) -> None:
            for _ in range(visits):
                await person.visit()

        async def all_of_them(visits: int) -> int:
            async with asyncio.TaskGroup() as group:
                for person in people:
                    group.create_task(come_and_go(person, visits), name="a person")
            await until(lambda: sessions(base) == 0)
            await until(lambda: opened(pid) <= at_rest + PIPES)
            return memory(pid)

        await all_of_them(WARM)
        before = await all_of_them(HALF)
        after = await all_of_them(HALF)
    assert after - before < GROWTH, f"{before >> 20} MiB, then {after >> 20} MiB"
