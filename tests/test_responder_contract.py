"""What every responder must do. A new one is one more line in the table.

It answers anything at all with at least a word, the same object serves one session, an answer that nobody wants any more is over at once
and harms no other, and what it announces is announced once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC

import pytest

from tests.support.chat_server import BEGIN, END, Wait, answer, chat_server, refusal, words
from tests.support.fakes import FakeResponder
from tests.support.wire import left_over
from voice.engines.base import Heard, Prompt, Responder, Said
from voice.engines.chat import ChatResponder
from voice.engines.chat_client import ChatClient
from voice.engines.endpoint import ChatOptions
from voice.engines.responder import SkillsResponder
from voice.protocol.lines import Line

FRIDAY = 1_795_190_999.0
Make = Callable[[], AbstractAsyncContextManager[Callable[[], Responder]]]


@asynccontextmanager
async def skills() -> AsyncIterator[Callable[[], Responder]]:
    yield lambda: SkillsResponder(UTC)


@asynccontextmanager
async def fake() -> AsyncIterator[Callable[[], Responder]]:
    yield FakeResponder


@asynccontextmanager
async def chat() -> AsyncIterator[Callable[[], Responder]]:
    async with chat_server(answer("One. ", "Two. ", "Three.")) as server, ChatClient(ChatOptions(server.base_url, "m")) as client:
        yield lambda: ChatResponder(client, UTC)


@asynccontextmanager
async def slow_chat() -> AsyncIterator[Callable[[], Responder]]:
    script = [BEGIN, words("One. "), Wait(0.02), words("Two."), *END]
    async with chat_server(script) as server, ChatClient(ChatOptions(server.base_url, "m")) as client:
        yield lambda: ChatResponder(client, UTC)


@asynccontextmanager
async def refused_chat() -> AsyncIterator[Callable[[], Responder]]:
    async with chat_server(refusal(401)) as server, ChatClient(ChatOptions(server.base_url, "m")) as client:
        yield lambda: ChatResponder(client, UTC)


RESPONDERS: dict[str, Make] = {"skills": skills, "fake": fake, "chat": chat, "slow chat": slow_chat, "refused chat": refused_chat}
PROMPTS = [
    Prompt([Line("user", "hello")]),
    Prompt([Line("user", "hello")], Heard("hello", confidence=0.1)),
    Prompt([Line("user", "")], Heard("")),
    Prompt([Line("system", "x"), Line("assistant", "y")], instructions="Talk."),
    Prompt([Line("user", "안녕하세요"), Line("user", "\ud83d {0} %s </script> \x00\x1b[31m")]),
    Prompt([Line("user", "word " * 3000)]),
    Prompt([Line("user", "ㅋ" * 3000)]),
    Prompt([Line("user", "?!... 😀")]),
    Prompt([Line("user", "hello"), Line("assistant", "hi")] * 200),
]


@pytest.fixture(params=RESPONDERS)
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Callable[[], Responder]]:
    async with asyncio.timeout(30), RESPONDERS[request.param]() as made:
        yield made


async def collect(responder: Responder, prompt: Prompt) -> list[Said]:
    async with aclosing(responder.respond(prompt, 0.0, FRIDAY)) as said:
        return [one async for one in said]


async def test_whatever_is_said_is_answered_with_words(make: Callable[[], Responder]) -> None:
    responder = make()
    for prompt in PROMPTS:
        said = await collect(responder, prompt)
        assert said and all(one.text.strip() == one.text and one.text and one.language for one in said), prompt.lines[-1].text[:20]


async def test_an_answer_given_up_leaves_nothing_and_harms_no_other(make: Callable[[], Responder]) -> None:
    responder, prompt = make(), Prompt([Line("user", "what can you do")])
    want = await collect(responder, prompt)
    before = left_over()
    for _ in range(3):
        async with aclosing(responder.respond(prompt, 0.0, FRIDAY)) as said:
            assert await anext(said) == want[0]
        with pytest.raises(StopAsyncIteration):
            await anext(said)
    assert left_over() == before
    assert await collect(responder, prompt) == want


async def test_a_task_that_is_cancelled_ends(make: Callable[[], Responder]) -> None:
    responder, prompt = make(), Prompt([Line("user", "what can you do")])
    want = await collect(responder, prompt)
    for steps in (1, 2, 5, 20):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(collect(responder, prompt))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
    assert await collect(responder, prompt) == want


async def test_sessions_at_the_same_time_do_not_mix(make: Callable[[], Responder]) -> None:
    want = await collect(make(), PROMPTS[0])
    assert await asyncio.gather(*(collect(make(), PROMPTS[0]) for _ in range(8))) == [want] * 8


async def test_nothing_is_announced_that_nobody_asked_for(make: Callable[[], Responder]) -> None:
    responder = make()
    assert responder.due_s() is None and not responder.announce(1e9)
