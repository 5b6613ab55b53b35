"""The shop as a whole: a spoken "where is my order", answered in sound by both engines, customers apart, and other people's clients."""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import voice
from examples.shop.service import additions
from examples.shop.store import Shop
from tests.support.chat_server import BEGIN, ChatServer, Script, answer, chat_server
from tests.support.http import app_running, post
from tests.support.needs import FliteWav, needs
from tests.support.order import check
from tests.support.tee import Call, tapped
from tests.test_engines_chat_tools import FINISH, calls, function
from voice.audio.pcm import RATE_HZ, Samples, silence
from voice.audio.resample import Resampler
from voice.devices.wavfile import read_wav
from voice.engines.endpoint import ChatOptions
from voice.engines.local import LocalEngine, LocalOptions, local_engine
from voice.engines.relay import RelayEngine, Upstream
from voice.protocol.dialect import DIALECTS

ROOT = Path(__file__).resolve().parent.parent
KEY = f"sk-{secrets.token_hex(12)}"
ASKED = "where is my order"
SCRIPT = """
voice = "flite"
order = "session"

[[reply]]
calls = [{ name = "look_up_order", arguments = {} }]

[[reply]]
when = { output_of = "look_up_order" }
say = "{output}"

[[reply]]
calls = [{ name = "refund_order", arguments = { number = 1004 } }]

[[reply]]
when = { output_of = "refund_order" }
say = "{output}"
"""


class Clerk(list[Script]):
    """A scripted model: looks the newest order up, then says what it has read in the tool's output."""

    def __init__(self) -> None:
        super().__init__([[], []])
        self.server: ChatServer | None = None

    def __getitem__(self, n: Any) -> Any:
        assert self.server is not None
        last = self.server.requests[-1].json["messages"][-1]
        if last["role"] != "tool":
            return [BEGIN, calls(function(0, f"call_{n}", name="look_up_order", arguments="{}")), *FINISH]
        return answer(f"I have looked. {last['content']}")


@contextlib.asynccontextmanager
async def clerk() -> AsyncIterator[ChatServer]:
    async with chat_server() as server:
        model = Clerk()
        model.server = server
        server.scripts = model
        yield server


@contextlib.asynccontextmanager
async def shop_at(engine: LocalEngine | RelayEngine, shop: Shop, tools_inside: bool = False) -> AsyncIterator[int]:
    extra = additions(shop)
    async with contextlib.AsyncExitStack() as stack:
        if extra.tools is not None and not tools_inside:
            await stack.enter_async_context(extra.tools)
        yield await stack.enter_async_context(
            app_running(engine, additions=replace(extra, tools=None) if tools_inside else extra, server_key=KEY)
        )


async def secret(port: int, user: str) -> str:
    answered = await post(port, "/v1/realtime/client_secrets", {"voice_user": user}, Authorization=f"Bearer {KEY}")
    return str(answered.json["value"])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop.sqlite")


async def conversation(url: str, credential: str, said: str | Path) -> tuple[str, str, Samples]:
    """Says one thing, by voice or in writing: what was heard, what was answered in words, and in sound (16 kHz)."""
    heard, told, pieces = "", "", list[Samples]()
    async with voice.connect(url, api_key=credential) as session:
        if isinstance(said, Path):
            for samples in read_wav(str(said)):
                session.push_audio(samples)
                await session.room()
            session.push_audio(silence(1500))
        else:
            await session.say(said)
        async for event in session:
            match event:
                case voice.UserText(final=True):
                    heard = event.text
                case voice.ReplyText(final=True):
                    told = f"{told} {event.text}".strip()
                case voice.ReplyAudio():
                    resampler = Resampler(event.rate_hz, RATE_HZ)
                    pieces += [resampler.push(event.samples), resampler.flush()]
                case voice.ReplyEnded() | voice.SessionEnded():
                    break
    return heard, told, np.concatenate([*pieces, silence(400)])


async def recognised(sound: Samples) -> str:
    """What a listener understands."""
    async with local_engine(LocalOptions(synthesizer="flite")) as engine:
        hearing = engine.transcriber.listen()
        hearing.feed(sound)
        return (await hearing.finish()).text


@needs("flite", "pocketsphinx")
@pytest.mark.parametrize("tools_inside", [True, False])
async def test_a_spoken_question_is_answered_by_a_model_that_looks_it_up(tools_inside: bool, shop: Shop, flite_wav: FliteWav) -> None:
    inside = additions(shop).tools if tools_inside else None
    async with asyncio.timeout(120), clerk() as model, contextlib.AsyncExitStack() as stack:
        if inside is not None:
            await stack.enter_async_context(inside)
        options = LocalOptions(synthesizer="flite", chat=ChatOptions(model.base_url, "small"), tools=inside)
        engine = await stack.enter_async_context(local_engine(options))
        port = await stack.enter_async_context(shop_at(engine, shop, tools_inside))
        heard, told, sound = await conversation(f"http://127.0.0.1:{port}", await secret(port, "1"), flite_wav(ASKED))
    assert heard == ASKED
    assert told == f"I have looked. {shop.look_up('1', None)}"
    assert "rain jacket is on its way" in await recognised(sound)
    first, second = (request.json["messages"] for request in model.requests)
    assert '"membership":"gold"' in first[0]["content"] and "customer service" in first[0]["content"]
    assert [line["role"] for line in second[-2:]] == ["assistant", "tool"]


@needs("flite", "pocketsphinx")
async def test_the_same_through_a_relay(shop: Shop, flite_wav: FliteWav) -> None:
    async with asyncio.timeout(120), voice.twin(SCRIPT, hurry=True) as twin, shop_at(RelayEngine(Upstream(twin.url)), shop) as port:
        async with tapped(port) as (tap, seen):
            _, told, sound = await conversation(f"http://127.0.0.1:{tap}", await secret(port, "1"), flite_wav(ASKED))
    assert told == shop.look_up("1", None)
    assert "rain jacket is on its way" in await recognised(sound)
    [up] = [event for event in twin.sessions[0].up("session.update") if event["session"].get("tools")]
    assert [tool["name"] for tool in up["session"]["tools"]] == ["look_up_order", "refund_order", "exchange_order"]
    unseen(seen[0])


def unseen(call: Call) -> None:
    """The client is told of words only, in order."""
    down = [event for way, event in call.events if way == "down"]
    check(down, complete=False)
    for name in ("look_up_order", "refund_order", "membership", "function_call", "customer service"):
        assert name not in json.dumps(down), name


async def test_customers_see_and_change_their_own_orders_only(shop: Shop) -> None:
    script = SCRIPT.replace('"flite"', '"tones"')
    async with asyncio.timeout(60), voice.twin(script, hurry=True) as twin, shop_at(RelayEngine(Upstream(twin.url)), shop) as port:
        url = f"http://127.0.0.1:{port}"
        for account, newest, refund in (("1", "Order 1003", "There is no order 1004 on this account."), ("2", "Order 1005", "Order 1004")):
            async with voice.connect(url, api_key=await secret(port, account)) as session:
                for said, told in ((ASKED, newest), ("refund order 1004", refund)):
                    await session.say(said)
                    assert (await answered(session)).startswith(told)
    assert "refunded" in shop.look_up("2", 1004)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_upstream_may_speak_any_dialect(dialect: str, shop: Shop) -> None:
    script = SCRIPT.replace('"flite"', '"tones"')
    async with asyncio.timeout(60), voice.twin(script, hurry=True, dialect=dialect) as twin:
        async with shop_at(RelayEngine(Upstream(twin.url, dialect=dialect)), shop) as port:
            async with voice.connect(f"http://127.0.0.1:{port}", api_key=await secret(port, "1")) as session:
                await session.say(ASKED)
                assert await answered(session) == shop.look_up("1", None)


async def answered(session: voice.Session) -> str:
    said = ""
    async for event in session:
        if isinstance(event, voice.ReplyText) and event.final:
            said = event.text
        elif isinstance(event, voice.ReplyEnded | voice.SessionEnded):
            break
    return said


@needs("espeakng-loader", "pocketsphinx")
def test_the_command_takes_typed_lines() -> None:
    lines = "call look up order 1003\nrefund order 1001\nrefund order 1001\nrefund order 1004\n\n"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "VOICE_")) or name == "VOICE_CONFIG"}
    command = [sys.executable, "-m", "examples.shop", "--text"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=100, cwd=ROOT, env=environ)
    assert done.returncode == 0, done.stderr
    look, paid, again, other = done.stdout.splitlines()
    assert look.startswith("Order 1003, the rain jacket, is on its way.")
    assert "is refunded" in paid and "done once" in again and other == "There is no order 1004 on this account."


def test_the_command_says_what_is_wrong() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.shop", "--engine", "relay"], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert done.returncode == 78 and "relay to where?" in done.stderr and "Traceback" not in done.stderr
