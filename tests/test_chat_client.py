"""The client of a chat endpoint, against one that misbehaves on command."""

import asyncio
import contextlib
import logging
import secrets
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace

import pytest

from tests.support.chat_server import (
    BEGIN,
    END,
    SOON_S,
    Body,
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
from voice.engines.chat_client import AskCount, ChatClient
from voice.engines.endpoint import ChatOptions, ChatTimeouts
from voice.engines.refusals import CODES
from voice.errors import ChatError
from voice.policy.retry import RetrySettings
from voice.protocol.chat import Finished, Message, Piece, TextDelta, Usage, Used

KEY = f"sk-{secrets.token_hex(12)}"
QUICK = ChatTimeouts(connect_s=1.0, first_token_s=2.0, idle_s=2.0, total_s=3.0)
ASK = (Message("user", "안녕?"),)
USED = Used(Usage(19, 10, 29))


def options(base_url: str, **changes: object) -> ChatOptions:
    return replace(ChatOptions(base_url, "small", KEY, timeouts=QUICK, retries=RetrySettings(0.01, 0.02, 2, longest_wait_s=0.2)), **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def client(base_url: str, **changes: object) -> AsyncIterator[ChatClient]:
    async with asyncio.timeout(30), ChatClient(options(base_url, **changes)) as made:
        yield made


async def ask(client: ChatClient, count: AskCount | None = None, messages: Sequence[Message] = ASK) -> list[Piece]:
    return [piece async for piece in client.ask(messages, count)]


async def failure(*scripts: Script, **changes: object) -> ChatError:
    """How one question ends."""
    async with chat_server(*scripts) as server, client(server.base_url, **changes) as asking:
        with pytest.raises(ChatError) as told:
            await ask(asking)
    assert told.value.code in CODES and KEY not in str(told.value)
    return told.value


async def test_an_answer_comes_with_its_usage_and_is_counted() -> None:
    async with chat_server(answer("안녕", "하세요. ", pause_s=0.02)) as server, client(server.base_url) as asking:
        count = AskCount()
        assert await ask(asking, count) == [TextDelta("안녕"), TextDelta("하세요. "), Finished("stop"), USED]
        (asked,) = server.requests
    assert asked.line == "POST /v1/chat/completions HTTP/1.1"
    assert asked.headers["authorization"] == f"Bearer {KEY}" and asked.headers["accept-encoding"] == "identity"
    assert asked.json == {
        "model": "small",
        "messages": [{"role": "user", "content": "안녕?"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert count.tries == 1 and count.usage == USED.usage
    assert count.first_token_s is not None and 0 < count.first_token_s < count.total_s - 0.03


async def test_words_come_as_they_are_sent() -> None:
    more = asyncio.Event()
    script = [BEGIN, words("First. "), Wait(more), words("Second."), *END]
    async with chat_server(script) as server, client(server.base_url) as asking, aclosing(asking.ask(ASK)) as pieces:
        assert await anext(pieces) == TextDelta("First. ")
        more.set()
        assert await anext(pieces) == TextDelta("Second.")


@pytest.mark.parametrize("step", [1, 7])
async def test_any_cut_of_the_bytes_gives_the_same_answer(step: int) -> None:
    async with chat_server(answer("안녕하세요 👋🏽. ", "둘.", step=step)) as server, client(server.base_url) as asking:
        assert await ask(asking) == [TextDelta("안녕하세요 👋🏽. "), TextDelta("둘."), Finished("stop"), USED]


async def test_the_connection_is_kept_for_the_next_question() -> None:
    async with chat_server(answer("One."), answer("Two.")) as server, client(server.base_url) as asking:
        assert (await ask(asking))[0] == TextDelta("One.")
        assert (await ask(asking))[0] == TextDelta("Two.")
        assert [asked.connection for asked in server.requests] == [1, 1]


async def test_an_endpoint_that_does_not_stream_is_understood() -> None:
    body = '{"choices":[{"message":{"role":"assistant","content":"Hi."}}],"usage":{"total_tokens":5}}'
    async with chat_server(refusal(200, body)) as server, client(server.base_url) as asking:
        assert await ask(asking) == [TextDelta("Hi."), Used(Usage(total_tokens=5)), Finished("stop")]


async def test_an_endpoint_that_does_not_know_stream_options_is_asked_without() -> None:
    no = refusal(400, '{"error":{"message":"Unrecognized request argument supplied: stream_options","param":null}}')
    async with chat_server(no, answer("One."), answer("Two.")) as server, client(server.base_url) as asking:
        assert (await ask(asking))[0] == TextDelta("One.")
        await ask(asking)
        assert ["stream_options" in asked.json for asked in server.requests] == [True, False, False]
    async with chat_server(no, no, answer("One.")) as server, client(server.base_url) as asking:
        assert [pieces[0] for pieces in await asyncio.gather(ask(asking), ask(asking))] == [TextDelta("One.")] * 2


async def test_what_comes_behind_the_end_costs_no_time() -> None:
    silent = [BEGIN, Body(data(chunk("Hi."), chunk(None, "stop"), "[DONE]")), Wait(9)]
    async with chat_server(silent) as server, client(server.base_url) as asking:
        began = time.monotonic()
        assert await ask(asking) == [TextDelta("Hi."), Finished("stop")]
        assert time.monotonic() - began < SOON_S
    forgetful = [BEGIN, Body(data(chunk("Hi.", "stop"))), Wait(9)]
    async with chat_server(forgetful) as server, client(server.base_url) as asking:
        assert await ask(asking) == [TextDelta("Hi."), Finished("stop")]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (refusal(401, f'{{"error":{{"message":"Incorrect API key provided: {KEY}"}}}}'), "key_refused"),
        (refusal(403, "Forbidden", "text/plain"), "key_refused"),
        (refusal(404, '{"error":{"message":"The model does not exist","code":"model_not_found"}}'), "unknown_model"),
        (refusal(404, "<html>404</html>", "text/html"), "not_a_model"),
        (refusal(400, '{"error":"bad"}'), "bad_request"),
        (refusal(200, "<html>Sign in to this network</html>", "text/html; charset=utf-8"), "not_a_model"),
        (refusal(302, "", location="http://elsewhere.example/"), "not_a_model"),
        (refusal(200, "garbage"), "garbage"),
        (refusal(200, '{"ok":true}'), "garbage"),
        (refusal(200, '{"error":{"message":"no credit","code":"insufficient_quota"}}'), "no_credit"),
        ([BEGIN, Body(b"\x00\xff not a stream\n" * 10), Send(b"0\r\n\r\n")], "garbage"),
        ([BEGIN, Body(b"data: {oops\n\n"), Send(b"0\r\n\r\n")], "garbage"),
        ([BEGIN, Body(b"x" * (2 << 20)), Wait(9)], "garbage"),
        ([BEGIN, words("The answer"), Send(b"0\r\n\r\n")], "cut_short"),
        ([BEGIN, words("The answer"), HangUp()], "cut_short"),
        ([BEGIN, words("The answer"), HangUp(reset=True)], "cut_short"),
        ([BEGIN, words("The"), Body(data('{"error":{"message":"overloaded"}}')), Wait(9)], "error_frame"),
        ([Send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), HangUp()], "not_a_model"),
        ([HangUp()], "hung_up"),
    ],
)  # fmt: skip
async def test_each_way_to_fail_has_its_code(script: Script, code: str) -> None:
    assert (await failure(script)).code == code


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    async with chat_server([]) as server:
        gone = server.base_url
    async with client(gone) as asking:
        count = AskCount()
        with pytest.raises(ChatError) as told:
            await ask(asking, count)
    assert (told.value.code, told.value.retryable, count.tries) == ("unreachable", True, 3)


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    async with client("http://nothing.invalid/v1", retries=RetrySettings(tries=0)) as asking:
        with pytest.raises(ChatError) as told:
            await ask(asking)
    assert told.value.code == "unreachable"


async def test_a_proxy_is_asked_for_what_is_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with chat_server(answer("Here.")) as endpoint, chat_server(answer("There."), refusal(407), [HangUp()]) as proxy:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        async with client("http://llm.invalid/v1") as far, client(endpoint.base_url) as near:
            assert (await ask(far))[0] == TextDelta("There.")
            assert proxy.requests[0].line == "POST http://llm.invalid/v1/chat/completions HTTP/1.1"
            assert (await ask(near))[0] == TextDelta("Here.")
            with pytest.raises(ChatError) as told:
                await ask(far)
            assert (told.value.code, told.value.status) == ("unreachable", 407)
        proxy.scripts[:] = [refusal(407)]
        async with client("https://llm.invalid/v1") as far:
            with pytest.raises(ChatError) as told:
                await ask(far)
        assert told.value.code == "unreachable" and "authorization" not in proxy.requests[-1].headers
        assert proxy.requests[-1].line == "CONNECT llm.invalid:443 HTTP/1.1"


async def test_a_server_without_tls_is_not_trusted() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        async with client(f"https://127.0.0.1:{port}/v1") as asking:
            with pytest.raises(ChatError) as told:
                await ask(asking)
    assert (told.value.code, told.value.retryable) == ("untrusted", False)


@pytest.mark.parametrize(
    ("script", "limits", "code", "after_s"),
    [
        ([Wait(9)], replace(QUICK, first_token_s=0.1), "first_token_timeout", 0.1),
        ([BEGIN, Wait(9)], replace(QUICK, first_token_s=0.1), "first_token_timeout", 0.1),
        # Comments and empty chunks are no words.
        ([BEGIN, *[Body(b": ping\n\n"), Wait(0.02)] * 99], replace(QUICK, first_token_s=0.1), "first_token_timeout", 0.1),
        ([BEGIN, words("The"), Wait(9)], replace(QUICK, idle_s=0.1), "idle_timeout", 0.1),
        ([BEGIN, *[words("and "), Wait(0.05)] * 40], replace(QUICK, idle_s=0.2, total_s=0.25), "total_timeout", 0.25),
        # The body of a refusal that does not come.
        ([Send(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n"), Wait(9)], replace(QUICK, first_token_s=0.1), "first_token_timeout", 0.1),
    ],
)  # fmt: skip
async def test_each_limit_ends_with_its_own_error(script: Script, limits: ChatTimeouts, code: str, after_s: float) -> None:
    began = time.monotonic()
    error = await failure(script, timeouts=limits)
    assert error.code == code and not error.retryable
    assert after_s <= time.monotonic() - began < after_s + SOON_S


async def test_a_connection_that_is_not_made_in_time_has_its_own_error() -> None:
    with contextlib.ExitStack() as sockets:
        # A listener whose queue is full and that takes nobody out of it.
        listening = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listening.getsockname()[1]
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        await asyncio.sleep(0.05)
        limits = replace(QUICK, connect_s=0.1)
        async with client(f"http://127.0.0.1:{port}", timeouts=limits, retries=RetrySettings(0.01, 0.02, 1)) as asking:
            count = AskCount()
            with pytest.raises(ChatError) as told:
                await ask(asking, count)
    assert (told.value.code, told.value.retryable, count.tries) == ("connect_timeout", True, 2)


async def test_the_time_in_which_an_answer_is_spoken_is_nobody_s_waiting() -> None:
    limits = replace(QUICK, idle_s=0.2, total_s=0.6)
    async with chat_server(answer("One. ", "Two. ", "Three.")) as server, client(server.base_url, timeouts=limits) as asking:
        found = []
        async for piece in asking.ask(ASK):
            found.append(piece)
            await asyncio.sleep(0.25)
        assert found == [TextDelta("One. "), TextDelta("Two. "), TextDelta("Three."), Finished("stop"), USED]


@pytest.mark.parametrize(
    "bad",
    [refusal(429), refusal(500), refusal(503, retry_after="0.02"), [HangUp()], [BEGIN, Body(data('{"error":{"code":502,"message":"x"}}'))]],
)
async def test_what_may_pass_is_tried_again_at_most_twice(bad: Script) -> None:
    async with chat_server(bad, bad, answer("Yes.")) as server, client(server.base_url) as asking:
        count = AskCount()
        assert (await ask(asking, count))[0] == TextDelta("Yes.")
        assert count.tries == len(server.requests) == 3
    async with chat_server(bad) as server, client(server.base_url) as asking:
        with pytest.raises(ChatError):
            await ask(asking)
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    "bad",
    [
        refusal(401),
        refusal(404),
        refusal(400),
        refusal(200, "garbage"),
        refusal(429, '{"error":{"code":"insufficient_quota"}}'),
        refusal(429, retry_after="3600"),
    ],
)
async def test_what_does_not_pass_is_not_tried_again(bad: Script) -> None:
    async with chat_server(bad) as server, client(server.base_url) as asking:
        with pytest.raises(ChatError):
            await ask(asking)
        assert len(server.requests) == 1


async def test_nothing_is_tried_again_once_a_word_has_come() -> None:
    bad = [BEGIN, words("The "), Body(data('{"error":{"code":500,"message":"x"}}')), Send(b"0\r\n\r\n")]
    async with chat_server(bad, answer("no")) as server, client(server.base_url) as asking:
        found = []
        with pytest.raises(ChatError) as told:
            async for piece in asking.ask(ASK):
                found.append(piece)
        assert found == [TextDelta("The ")] and told.value.code == "server_error" and len(server.requests) == 1


async def test_the_wait_that_the_endpoint_asks_for_is_kept() -> None:
    async with chat_server(refusal(429, retry_after="0.1"), answer("Yes.")) as server, client(server.base_url) as asking:
        await ask(asking)
        assert server.requests[1].at_s - server.requests[0].at_s >= 0.1


@pytest.mark.parametrize("script", [[BEGIN, words("One. "), Wait(9)], [BEGIN, *[words("word ")] * 50_000]])
async def test_closing_an_answer_reaches_the_endpoint_at_once(script: Script) -> None:
    async with chat_server(script) as server, client(server.base_url) as asking:
        async with aclosing(asking.ask(ASK)) as pieces:
            await anext(pieces)
        closed_s = time.monotonic()
        await server.requests[0].gone.wait()
        assert server.requests[0].gone_s is not None and server.requests[0].gone_s - closed_s < SOON_S


@pytest.mark.parametrize("script", [[Wait(9)], [BEGIN, Wait(9)], refusal(503, retry_after="0.2")])
async def test_cancelling_whoever_waits_reaches_the_endpoint_at_once(script: Script) -> None:
    async with chat_server(script) as server, client(server.base_url) as asking:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(ask(asking))
            await server.asked.wait()
            await asyncio.sleep(0.05)
            waiting.cancel()
            cancelled_s = time.monotonic()
        if script[0] == Wait(9) or script[0] == BEGIN:
            await server.requests[0].gone.wait()
            assert server.requests[0].gone_s is not None and server.requests[0].gone_s - cancelled_s < SOON_S
        assert len(server.requests) == 1


async def test_questions_at_the_same_time_do_not_mix() -> None:
    scripts = [answer(f"{n}.", pause_s=0.01) for n in range(10)]
    async with chat_server(*scripts) as server, client(server.base_url) as asking:
        found = await asyncio.gather(*(ask(asking) for _ in range(10)))
    assert sorted(piece.text for pieces in found for piece in pieces if isinstance(piece, TextDelta)) == [f"{n}." for n in range(10)]
    assert all(pieces[1:] == [Finished("stop"), USED] for pieces in found)


async def test_the_key_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = refusal(500, f'{{"error":{{"message":"upstream key {KEY} is over its limit"}}}}')
    async with (
        chat_server(echo, [HangUp()], refusal(401, f'{{"error":{{"message":"{KEY}"}}}}')) as server,
        client(server.base_url) as asking,
    ):
        with pytest.raises(ChatError) as told:
            await ask(asking)
    assert KEY not in caplog.text and KEY not in repr(told.value) and "again" in caplog.text
