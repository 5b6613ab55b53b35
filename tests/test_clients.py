"""Clients of other makers, unmodified, each in an environment of its own, hold four kinds of turn with a real `voice serve`.

A typed turn; a spoken one that the server ends; a spoken one that the client ends; and one that is spoken over a long answer, whose
answer then says what had been heard of the long one. A wire-tap between the two sees every byte, and changes none.
"""

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.certificate import self_signed
from tests.support.dialects import before_server, down
from tests.support.live_talk import live_server
from tests.support.needs import FliteWav, needs
from tests.support.oracle import judge
from tests.support.order import check
from tests.support.others import LONG, SCRIPTS, SPOKEN, TEXTS, node_scripts, python_of, told
from tests.support.tee import Call, Reply, tapped

pytestmark = [needs("openai", "flite", "pocketsphinx", "espeakng-loader"), pytest.mark.slow, pytest.mark.conformance]
OVER_MS = 2500
ANSWERS = {"text": "2 plus 2 is 4.", "voice": "7 times 8 is 56.", "manual": "9 minus 4 is 5."}


@dataclass(frozen=True, slots=True)
class Client:
    """Another maker's client."""

    script: str
    packages: tuple[str, ...]
    """From PyPI or npm. None: it is in our own environment."""
    chunk_ms: int
    """What its maker's examples take from a microphone at once, or about that."""
    bears: frozenset[str] = frozenset()
    """Codes of errors that it provokes and passes over: a cancel, for one, that meets the end of what it cancels."""
    tls: bool = False
    """It speaks TLS with `voice serve --cert`: then nobody sees what passes but itself."""
    orders: dict[str, str] = field(default_factory=dict)
    dialect: str = "ga"

    def command(self) -> list[str]:
        """Sets it up where it is not; returns what starts it."""
        name, _, kind = self.script.rpartition(".")
        if kind == "py":
            python = python_of(name.removesuffix("_client"), self.packages) if self.packages else sys.executable
            return [str(python), str(SCRIPTS / self.script)]
        script = node_scripts("npm", self.packages) / self.script
        return ["node", *_own_websocket() * (self.orders.get("transport") == "websocket"), str(script)]


def _own_websocket() -> list[str]:
    """What gives Node its own WebSocket, which it has without asking from 22 on."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    return ["--experimental-websocket"] if int(version.strip("v").split(".")[0]) < 22 else []


NPM = ("openai@^7", "ws@^8", "@openai/agents@^0.20")
CLIENTS = {
    "openai": Client("openai_client.py", (), 20),
    "openai (beta)": Client("openai_beta_client.py", (), 40, dialect="beta"),
    "agents": Client("agents_client.py", ("openai-agents~=0.24",), 40),
    "openai over TLS": Client("openai_client.py", (), 100, tls=True),
    "openai (npm, ws)": Client("openai_client.mjs", NPM, 100, tls=True, orders={"transport": "ws"}),
    "openai (npm, WebSocket)": Client("openai_client.mjs", NPM, 20, tls=True, orders={"transport": "websocket"}),
    "openai (npm, beta, ws)": Client(
        "openai_client.mjs", NPM, 50, tls=True, orders={"transport": "ws", "protocol": "beta"}, dialect="beta"
    ),
    "openai (npm, beta, WebSocket)": Client(
        "openai_client.mjs", NPM, 20, tls=True, orders={"transport": "websocket", "protocol": "beta"}, dialect="beta"
    ),
    "agents (npm)": Client("agents_client.mjs", NPM, 50),
    "livekit": Client(
        "livekit_client.py", ("livekit-agents~=1.8", "livekit-plugins-openai~=1.8"), 50, frozenset({"response_cancel_not_active"})
    ),
    "pipecat": Client("pipecat_client.py", ("pipecat-ai[openai,websockets-base]~=1.14",), 20),
    "semantic": Client("semantic_client.py", ("semantic-kernel~=1.45",), 40),
    "pydantic": Client("pydantic_client.py", ("pydantic-ai-slim[openai,realtime]~=2.68",), 100),
}
EVERY_DAY = ("openai", "openai (beta)", "agents")
"""In `make test`; the others in `make conformance` only."""


@pytest.fixture
def wavs(flite_wav: FliteWav) -> dict[str, str]:
    return {name: str(flite_wav(text, rate_hz=24_000)) for name, text in SPOKEN.items()}


def today(call: Call, dialect: str) -> Call:
    """What passed, in the words of today; in the beta it was what the beta's models say."""
    if dialect == "ga":
        return call
    for text in call.texts:
        judge("server", text, beta=True)
    told = down(before_server(dialect), [event for way, event in call.events if way == "down"])
    return replace(call, events=[("down", event) for event in told], texts=[json.dumps(event) for event in told])


def proved(calls: list[Call], bears: frozenset[str]) -> list[Reply]:
    """What went over the wire is what the protocol says; returns the replies."""
    for call in calls:
        for text in call.texts:
            judge("server", text)
        check([event for way, event in call.events if way == "down"])
        assert {event["error"]["code"] for event in call.down("error")} <= bears
    return [reply for call in calls for reply in call.replies()]


def held(said: dict[str, Any], calls: list[Call], replies: list[Reply]) -> None:
    """The four turns are what they should be, for the client as on the wire."""
    turns = said["turns"]
    assert said["errors"] == []
    assert {name: turns[name]["answer"].strip() for name in ANSWERS} == ANSWERS
    assert {name: turns[name]["heard"].strip() for name in SPOKEN} == SPOKEN
    for name, turn in turns.items():
        (sent_ms,) = (reply.audio_ms for reply in replies if reply.words == turn["answer"].strip())
        assert turn["audio_ms"] == pytest.approx(sent_ms, abs=2), name
    (cancelled,) = (reply for reply in replies if reply.status != "completed")
    assert cancelled.status == "cancelled" and LONG.startswith(cancelled.words)
    (cut,) = (event for call in calls for event in call.down("conversation.item.truncated") if event["item_id"] == cancelled.item_id)
    assert OVER_MS < cut["audio_end_ms"] < OVER_MS + 1500, "it was cut where the user began to speak"
    assert cut["audio_end_ms"] <= cancelled.audio_ms, "nothing is heard that was not sent"
    heard = re.fullmatch(r"I said: (\w.*\w)[.,]?", turns["barge"]["answer"].strip())
    assert heard and cut["transcript"].rstrip(",") == heard[1] and LONG.startswith(heard[1])
    assert 2 <= len(heard[1].split()) <= 6, "some three seconds of it"


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.apart] * (name not in EVERY_DAY)) for name in CLIENTS])
async def test_four_kinds_of_turn(name: str, wavs: dict[str, str], tmp_path: Path) -> None:
    client = CLIENTS[name]
    command = client.command()
    orders = {"chunk_ms": client.chunk_ms, "over_ms": OVER_MS, "texts": TEXTS, "wavs": wavs, **client.orders}
    if client.tls:
        cert, key = self_signed(tmp_path)
        async with live_server("--cert", str(cert), "--key", str(key)) as base:
            url = f"{base.replace('https', 'wss')}/v1/realtime"
            said = await told(command, {"url": url, "cafile": str(cert), **orders}, tmp_path)
        events = [(way, event) for way, event in said["events"]]
        calls = [Call(events=events, texts=[json.dumps(event) for way, event in events if way == "down"])]
    else:
        async with live_server() as base, tapped(int(base.rpartition(":")[2])) as (port, calls):
            said = await told(command, {"url": f"ws://127.0.0.1:{port}/v1/realtime", **orders}, tmp_path)
    calls = [today(call, client.dialect) for call in calls]
    if called := said["turns"].pop("call", None):
        assert called["arguments"] == {"city": "Oslo"} and "rain" in called["answer"], "a function was called, and its output answered"
    held(said, calls, proved(calls, client.bears))
