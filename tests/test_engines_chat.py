"""The chat responder: what the model is asked, what is said and when, and what is said when it goes wrong."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC

import pytest

from tests.support.chat_server import (
    BEGIN,
    END,
    SOON_S,
    Body,
    ChatServer,
    HangUp,
    Script,
    Send,
    Wait,
    answer,
    chat_server,
    chunk,
    data,
    refusal,
    words,
)
from voice.engines import wording
from voice.engines.base import BrokenOff, Heard, Prompt, Said
from voice.engines.chat import GO_ON, SILENCE, UNSURE_NOTE, ChatResponder, excuse
from voice.engines.chat_client import ChatClient
from voice.engines.endpoint import ChatOptions, ChatTimeouts
from voice.engines.refusals import CODES
from voice.errors import ChatError
from voice.policy.retry import RetrySettings
from voice.protocol.lines import Line

FRIDAY = 1_795_190_999.0
"""2026-11-20 16:09:59 UTC."""
KEY = f"sk-{secrets.token_hex(10)}"
PATIENT = ChatTimeouts(connect_s=5.0, first_token_s=5.0, idle_s=5.0, total_s=9.0)
QUICK = ChatTimeouts(connect_s=5.0, first_token_s=0.3, idle_s=0.3, total_s=9.0)


def typed(*texts: str) -> Prompt:
    """A conversation of typed lines, the user's and the assistant's in turn."""
    return Prompt([Line(("user", "assistant")[n % 2], text) for n, text in enumerate(texts)])


@asynccontextmanager
async def chatting(*scripts: Script, **changes: object) -> AsyncIterator[tuple[ChatServer, ChatResponder]]:
    async with asyncio.timeout(30), chat_server(*scripts) as server:
        options = ChatOptions(server.base_url, "small", KEY, timeouts=PATIENT, retries=RetrySettings(0.01, 0.02, 1))
        async with ChatClient(replace(options, **changes)) as client:  # type: ignore[arg-type]
            yield server, ChatResponder(client, UTC)


async def said_by(responder: ChatResponder, prompt: Prompt, now: float = 0.0) -> list[Said]:
    async with aclosing(responder.respond(prompt, now, FRIDAY)) as answer:
        return [said async for said in answer]


def shown(server: ChatServer, n: int = -1) -> list[tuple[str, str]]:
    """(role, content) of what the model was shown, without the system message."""
    return [(line["role"], line["content"]) for line in server.requests[n].json["messages"][1:]]


def system(server: ChatServer, n: int = -1) -> str:
    first = server.requests[n].json["messages"][0]
    assert first["role"] == "system"
    return str(first["content"])


async def test_the_answer_is_said_sentence_by_sentence_each_in_its_language() -> None:
    async with chatting(answer("It is sun", "ny. ", "안녕하", "세요. ", "Bye.", step=1)) as (_, responder):
        assert await said_by(responder, typed("weather?")) == [Said("It is sunny."), Said("안녕하세요.", "ko"), Said("Bye.")]


async def test_a_sentence_is_said_before_the_model_has_ended() -> None:
    more = asyncio.Event()
    async with chatting([BEGIN, words("First. ", "Sec"), Wait(more), words("ond."), *END]) as (_, responder):
        async with aclosing(responder.respond(typed("talk"), 0.0, FRIDAY)) as answer_:
            assert await anext(answer_) == Said("First.")
            more.set()
            assert await anext(answer_) == Said("Second.")


async def test_a_long_first_sentence_is_begun_before_it_is_complete() -> None:
    more = asyncio.Event()
    async with chatting([BEGIN, words("The capital of France is Paris, a city on the river S"), Wait(more), *END]) as (_, responder):
        async with aclosing(responder.respond(typed("talk"), 0.0, FRIDAY)) as answer_:
            assert await anext(answer_) == Said("The capital of France is Paris,")


async def test_the_last_sentence_does_not_wait_for_the_stream_to_end() -> None:
    async with chatting([BEGIN, words("All of it."), Body(data(chunk(None, "stop"))), Wait(9)]) as (_, responder):
        async with aclosing(responder.respond(typed("talk"), 0.0, FRIDAY)) as answer_:
            assert await anext(answer_) == Said("All of it.")


async def test_the_model_is_shown_the_conversation_the_time_and_the_instructions() -> None:
    lines = [Line("user", "Hi."), Line("assistant", "Hello!"), Line("system", "Be brief."), Line("user", "날씨?")]
    async with chatting(answer("맑아요.")) as (server, responder):
        await said_by(responder, Prompt(lines, instructions="You are a pirate."))
        assert shown(server) == [("user", "Hi."), ("assistant", "Hello!"), ("system", "Be brief."), ("user", "날씨?")]
        assert "For the user it is Friday, November 20th, 2026, 4:09 PM." in system(server)
        assert system(server).endswith("\n\nYou are a pirate.")
        assert UNSURE_NOTE not in system(server)


@pytest.mark.parametrize(("heard", "want"), [("fr", "fr"), ("en-GB", "en-GB"), ("ko", "en"), ("zh-HK", "en")])
async def test_latin_letters_are_spoken_in_the_language_that_was_heard(heard: str, want: str) -> None:
    async with chatting(answer("Oui. ", "네.")) as (_, responder):
        found = await said_by(responder, Prompt([Line("user", "x y")], Heard("x y", heard)))
        assert found == [Said("Oui.", want), Said("네.", "ko")]


async def test_a_guess_of_the_recogniser_is_called_one() -> None:
    async with chatting(answer("What?")) as (server, responder):
        await said_by(responder, Prompt([Line("user", "wreck a nice beach")], Heard("wreck a nice beach", confidence=0.3)))
        assert system(server).endswith(UNSURE_NOTE)


async def test_old_exchanges_are_not_shown() -> None:
    texts = [f"{'question' if n % 2 == 0 else 'answer'} {n} {'x' * 400}" for n in range(41)]
    async with chatting(answer("Yes."), history_tokens=1000) as (server, responder):
        await said_by(responder, typed(*texts))
        assert [role for role, _ in shown(server)][0] == "user" and shown(server)[-1] == ("user", texts[-1])
        assert 3 <= len(shown(server)) < 9


async def test_a_conversation_that_the_model_finds_too_long_is_halved_until_it_fits() -> None:
    no = refusal(400, '{"error":{"message":"maximum context length is 100 tokens"}}')
    texts = [f"{n} {'x' * 400}" for n in range(9)]
    async with chatting(no, no, answer("Yes."), answer("Again."), no) as (server, responder):
        assert await said_by(responder, typed(*texts)) == [Said("Yes.")]
        sizes = [len(shown(server, n)) for n in range(3)]
        assert sizes[0] == 9 and sizes[0] > sizes[1] > sizes[2] and shown(server)[-1] == ("user", texts[-1])
        assert await said_by(responder, typed(*texts)) == [Said("Again.")]
        assert len(shown(server)) == sizes[2]
        # What is too long by itself cannot be made shorter.
        (said,) = await said_by(responder, typed("x" * 4000))
        assert said == excuse(ChatError("too_long", ""), responder._client.options) and len(server.requests) == 5


@pytest.mark.parametrize("heard", [0, 5, 12, 40, 200])
async def test_an_excuse_that_was_interrupted_is_not_shown_either(heard: int) -> None:
    async with chatting([BEGIN, words("Half a"), Send(b"0\r\n\r\n")], answer("Yes.")) as (server, responder):
        said = await said_by(responder, typed("hello"))
        told = f"Half a {said[-1].text[:heard]}".strip()
        await said_by(responder, typed("hello", told, "again"))
        assert shown(server)[1] == ("assistant", told if heard == 5 else "Half a")


async def test_somebody_is_asked_also_where_the_user_has_not_spoken_last() -> None:
    async with chatting(answer("Ahoy.")) as (server, responder):
        assert await said_by(responder, Prompt([], instructions="Greet the user.")) == [Said("Ahoy.")]
        assert shown(server) == [("user", GO_ON)]
        await said_by(responder, typed("Tell a story.", "Once upon a time"))
        assert shown(server)[-2:] == [("assistant", "Once upon a time"), ("user", GO_ON)]


async def test_the_model_finds_something_to_say_when_nobody_has_spoken_for_long() -> None:
    async with chatting(answer("Shall I go on?")) as (server, responder):
        lines = [Line("user", "Tell a story."), Line("assistant", "Once upon a time"), Line("system", "Nobody spoke."), Line("user", "")]
        assert await said_by(responder, Prompt(lines, Heard("", confidence=0.1, silent=True))) == [Said("Shall I go on?")]
        assert shown(server)[-3:] == [("assistant", "Once upon a time"), ("system", "Nobody spoke."), ("user", SILENCE)]
        assert UNSURE_NOTE not in system(server)


@pytest.mark.parametrize(
    "prompt", [Prompt([]), typed("  "), Prompt([Line("user", "")], Heard("")), Prompt([Line("user", "old"), Line("user", "")], Heard(""))]
)
async def test_the_model_is_not_asked_about_nothing(prompt: Prompt) -> None:
    async with chatting(answer("no")) as (server, responder):
        (said,) = await said_by(responder, prompt)
        assert said.text and said.text != "no" and not server.requests


async def test_timers_are_kept_here() -> None:
    async with chatting(answer("no")) as (server, responder):
        assert await said_by(responder, typed("set a timer for ten seconds"), now=5.0) == [Said("Your timer for 10 seconds is set.")]
        assert responder.due_s() == 15.0
        assert await said_by(responder, typed("how long is left on my timer"), now=6.0) == [Said("9 seconds left on your timer.")]
        assert responder.announce(15.0) == [Said("Your timer for 10 seconds is done.")] and responder.due_s() is None
        (asked,) = await said_by(responder, typed("타이머 맞춰 줘"))
        assert asked.language == "ko"
        await said_by(responder, typed("타이머 맞춰 줘", asked.text, "5분"), now=0.0)
        assert responder.due_s() == 300.0
        assert not server.requests
        await said_by(responder, typed("what is seven times eight"))
        assert len(server.requests) == 1


async def test_thoughts_of_the_model_are_not_said() -> None:
    async with chatting(answer("<think>Hm. ", "Seven.", "</think>", "Seven.")) as (_, responder):
        assert await said_by(responder, typed("x")) == [Said("Seven.")]


@pytest.mark.parametrize(
    ("script", "before", "code"),
    [
        (refusal(401), [], "key_refused"),
        (refusal(403), [], "key_refused"),
        (refusal(404, '{"error":{"code":"model_not_found"}}'), [], "unknown_model"),
        (refusal(429, retry_after="3600"), [], "rate_limited"),
        (refusal(503), [], "server_error"),
        (refusal(200, "<html>", "text/html"), [], "not_a_model"),
        ([BEGIN, Body(b"data: garbage\n\n"), Wait(9)], [], "garbage"),
        ([BEGIN, words("One. ", "The answer is for"), Send(b"0\r\n\r\n")], ["One.", "The answer is for"], "cut_short"),
        ([BEGIN, words("One. ", "The answer is for"), HangUp(reset=True)], ["One.", "The answer is for"], "cut_short"),
        ([Wait(9)], [], "first_token_timeout"),
        ([BEGIN, words("One. Two"), Wait(9)], ["One.", "Two"], "idle_timeout"),
        ([HangUp()], [], "hung_up"),
        (answer(), [], "empty_answer"),
        (answer("  \n"), [], "empty_answer"),
        (answer("<think>for ever"), [], "empty_answer"),
        ([BEGIN, words("One."), Body(data(chunk(None, "content_filter"), "[DONE]")), Send(b"0\r\n\r\n")], ["One."], "filtered"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_said_and_the_next_question_is_asked_again(script: Script, before: list[str], code: str) -> None:
    tries = 2 if code in ("server_error", "hung_up") else 1
    timeouts = QUICK if code.endswith("timeout") else PATIENT
    async with chatting(*[script] * tries, answer("Better now."), timeouts=timeouts) as (server, responder):
        said = await said_by(responder, typed("hello"))
        assert [item.text for item in said[:-1]] == before
        assert said[-1] == excuse(ChatError(code, ""), replace(responder._client.options))
        told = [item.text for item in said]
        assert await said_by(responder, typed("hello", " ".join(told), "again")) == [Said("Better now.")]
        # The model is not shown our excuse as something that it said.
        kept = [("assistant", " ".join(before))] if before else []
        assert shown(server) == [("user", "hello"), *kept, ("user", "again")]


async def test_a_korean_question_gets_a_korean_excuse() -> None:
    async with chatting(refusal(401)) as (server, responder):
        (said,) = await said_by(responder, typed("날씨가 어때?"))
        assert said.language == "ko" and server.host in said.text


def test_each_code_has_its_own_sentence_in_both_languages() -> None:
    options = ChatOptions("https://llm.example/v1", "small", KEY)
    for language in ("en", "ko"):
        texts = {excuse(ChatError(code, f"the key {KEY}"), options, language).text for code in CODES}
        assert len(texts) == len(CODES)
        assert not any(KEY in text or "{" in text for text in texts)
        names = {name.removeprefix("chat_") for name in wording.answers()[language] if name.startswith("chat_")}
        assert names == CODES
    said = excuse(ChatError("first_token_timeout", ""), options)
    assert said.text == "The language model at llm.example does not answer. I waited for 30 seconds."


async def test_an_answer_without_end_is_ended() -> None:
    endless = [BEGIN, *[words("word " * 200 + ". ")] * 100]
    async with chatting(endless) as (server, responder):
        *said, last = await said_by(responder, typed("talk"))
        assert last == BrokenOff("max_output_tokens")
        assert 19_000 < sum(len(item.text) for item in said) < 21_500
        await server.requests[0].gone.wait()


@pytest.mark.parametrize("script", [[BEGIN, words("First. ", "Second. Th"), Wait(9)], [Wait(9)]])
async def test_closing_the_answer_reaches_the_endpoint_at_once(script: Script) -> None:
    async with chatting(script) as (server, responder):

        async def listen() -> None:
            await said_by(responder, typed("talk"))

        task = asyncio.ensure_future(listen())
        await server.asked.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        at_s = asyncio.get_running_loop().time()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.requests[0].gone.wait()
        assert asyncio.get_running_loop().time() - at_s < SOON_S


async def test_two_sessions_keep_their_own_timers_and_share_connections() -> None:
    async with chatting(answer("A."), answer("B.")) as (server, one):
        other = ChatResponder(one._client, UTC)
        await said_by(one, typed("set a timer for ten seconds"))
        assert other.due_s() is None
        assert await said_by(one, typed("x")) == [Said("A.")] and await said_by(other, typed("y")) == [Said("B.")]
        assert [asked.connection for asked in server.requests] == [1, 1]


async def test_no_key_in_what_is_said_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echoes: Sequence[Script] = [
        refusal(401, f'{{"error":{{"message":"Incorrect API key: {KEY}"}}}}'),
        refusal(400, f'{{"error":{{"message":"{KEY}"}}}}'),
        [BEGIN, Body(data(f'{{"error":{{"message":"{KEY}"}}}}')), Send(b"0\r\n\r\n")],
    ]
    async with chatting(*echoes) as (_, responder):
        for _ in echoes:
            assert KEY not in " ".join(said.text for said in await said_by(responder, typed("x")))
    assert KEY not in caplog.text and "HTTP 401" in caplog.text
