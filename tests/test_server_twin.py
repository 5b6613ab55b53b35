"""`voice.twin()`: a twin in this process, for other people's tests."""

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import voice
from tests.support.needs import needs
from tests.support.wire import Wire, left_over
from voice.engines.script import read_script
from voice.engines.twin import TwinEngine, TwinOptions, twin_engine
from voice.errors import ConfigError, UsageError
from voice.links.dial import dial
from voice.protocol.dialect import DIALECTS
from voice.protocol.notices import ReplyEnded, ReplyText

SCRIPT = 'voice = "tones"\n[[reply]]\nsay = "Hello, {heard}."\n'


async def say(url: str | None, text: str, engine: TwinEngine | None = None) -> str:
    """The answer, to our own client."""
    said = ""
    async with voice.connect(url, engine=engine) as session:
        await session.say(text)
        async for event in session:
            if isinstance(event, ReplyText) and event.final:
                said = event.text
            if isinstance(event, ReplyEnded):
                break
    return said


async def test_a_twin_answers_and_remembers_what_passed() -> None:
    before = left_over()
    async with asyncio.timeout(30), voice.twin(SCRIPT, hurry=True) as twin:
        assert twin.url == f"{twin.address.replace('http', 'ws')}/v1/realtime" and twin.base_url == f"{twin.address}/v1"
        assert await say(twin.url, "you") == "Hello, you."
        assert await say(twin.url, "again") == "Hello, again."
        first, second = twin.sessions
        (asked,) = second.up("conversation.item.create")
        assert asked["item"]["content"][0]["text"] == "again"
        assert first.down()[0]["type"] == "session.created" and first.down("response.done")[0]["response"]["status"] == "completed"
        assert [line["link"] for line in first.lines] == [1] * len(first.lines) and first.up()[0]["type"] == "session.update"
        health = await asyncio.to_thread(lambda: json.load(urllib.request.urlopen(f"{twin.address}/healthz", timeout=30)))
        assert health["engine"] == "twin" and health["status"] == "ok"
    assert left_over() == before


async def test_a_script_is_a_text_a_path_or_read_already(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCRIPT)
    same = {"voice": "tones", "reply": [{"say": "Hello, {heard}."}]}
    for script in (tmp_path / "s.toml", read_script(SCRIPT, "mine"), same):
        async with voice.twin(script) as twin:
            assert twin.engine.script.replies[0].say == "Hello, {heard}."
    async with voice.twin() as twin:
        assert [reply.say for reply in twin.engine.script.replies] == ["{output}", "{heard}"]
    with pytest.raises(ConfigError, match="script:3: no key 'sya' here: did you mean 'say'"):
        async with voice.twin("\n[[reply]]\nsya = 'x'"):
            raise AssertionError


async def test_a_twin_in_this_process_needs_no_socket() -> None:
    async with asyncio.timeout(30), twin_engine(read_script(SCRIPT, "s.toml"), TwinOptions(hurry=True)) as engine:
        assert await say(None, "you", engine) == "Hello, you."
    assert engine.sessions == 0 and engine.begun == 1


@needs("openai")
async def test_the_openai_client_talks_to_it() -> None:
    from openai import AsyncOpenAI

    script = """
        voice = "tones"
        [[reply]]
        call = {name = "lookup", arguments = {id = 7}}
        [[reply]]
        when = {output_of = "lookup"}
        say = "It is {output}."
    """
    async with asyncio.timeout(30), voice.twin(script) as twin, AsyncOpenAI(base_url=twin.base_url, api_key="any") as client:
        async with client.realtime.connect(model="gpt-realtime") as link:
            await link.conversation.item.create(item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]})
            await link.response.create()
            async for event in link:
                if event.type == "response.function_call_arguments.done":
                    assert (event.name, event.arguments) == ("lookup", '{"id": 7}')
                    output = {"type": "function_call_output", "call_id": event.call_id, "output": "here"}
                if event.type == "response.done":
                    break
            await link.conversation.item.create(item=output)
            await link.response.create()
            async for event in link:
                if event.type == "response.done":
                    assert event.response.output[0].content[0].transcript == "It is here."
                    break
        secret = await client.realtime.client_secrets.create(session={"type": "realtime"})
        assert secret.value.startswith("ek_")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_our_client_understands_it_in_every_dialect(dialect: str) -> None:
    async with asyncio.timeout(30), voice.twin(SCRIPT, hurry=True, dialect=dialect) as twin:
        assert await say(twin.url, "you") == "Hello, you."


async def test_a_life_is_as_long_as_it_is_told() -> None:
    async with asyncio.timeout(30), voice.twin(SCRIPT, life_s=0.3) as twin:
        async with voice.connect(twin.url, reconnect=False) as session:
            ended = [event async for event in session][-1]
        assert isinstance(ended, voice.SessionEnded) and ended.close_code == 1001


async def test_a_twin_speaks_a_dialect_to_everybody_and_the_same_each_time() -> None:
    texts: list[list[object]] = []
    for _ in range(2):
        async with asyncio.timeout(30), voice.twin(f"expires_at = 1\n{SCRIPT}", hurry=True, dialect="beta") as twin:
            link = await dial(twin.url)
            wire = Wire(link)
            assert "modalities" in (await wire.until("session.created"))["session"]
            await wire.send("session.update", session={"input_audio_format": "pcm16", "instructions": "Be brief."})
            await wire.until("session.updated")
            await wire.type("you")
            await wire.until("rate_limits.updated")
            await link.close()
        kinds = wire.kinds()
        assert "response.audio.delta" in kinds and "response.output_audio.delta" not in kinds
        texts.append(list(wire.events))
    assert texts[0] == texts[1]
    with pytest.raises(UsageError, match="no dialect 'betta': did you mean 'beta'?"):
        async with voice.twin(dialect="betta"):
            raise AssertionError


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"script": "greeting.toml"}, "script: 'greeting.toml' is taken for TOML, not for the name of a file"),
        ({"faults": "broken.toml"}, "faults: 'broken.toml' is taken for TOML, not for the name of a file"),
        ({"script": 7}, "script is TOML as text, the Path of a file, or a whole file as a mapping, not 7"),
        ({"faults": 7}, "faults is TOML as text, the Path of a file, or a whole file as a mapping, not 7"),
        ({"life_s": "x"}, "life_s is a number of seconds, above 0 and below 1e[+]09, not 'x'"),
    ],
)
async def test_wrong_arguments_are_told_before_it_stands(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=f"^{says}"):
        async with voice.twin(**given):
            raise AssertionError
