"""Asks one chat endpoint and hands on its answer as it comes, over the `aiohttp` client. Foreign exceptions end here.

Connections are kept, so only the first question pays for TCP and TLS. Closing an answer, or cancelling who waits for it, closes its
connection at once: that is how an endpoint learns that nobody wants the rest. Tried again is only what failed before the first word.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Self, TypeVar

import aiohttp

from voice.engines.endpoint import ChatOptions, ChatTimeouts, is_loopback
from voice.engines.refusals import knows_no_tools, of_end, of_status, shown
from voice.errors import ChatError
from voice.policy.retry import Backoff
from voice.protocol.chat import (
    AnswerReader,
    CallDelta,
    ChatRequest,
    Failed,
    Finished,
    Message,
    Piece,
    TextDelta,
    Usage,
    Used,
    encode,
    pieces_of,
    problem_of,
    question,
)
from voice.protocol.tools import Toolbox

log = logging.getLogger(__name__)

MAX_ERROR_BYTES = 64 << 10
"""Of an error's body."""
MAX_ANSWER_BYTES = 4 << 20
"""Of an answer that is not streamed."""
DRAIN_S = 0.1
"""For the end of the body behind `[DONE]`: with it the connection can be used again."""
GRACE_S = 0.3
"""For the usage, and the stream's end, once the model has ended."""
KEEPALIVE_S = 75.0
"""Between two questions a person may talk, or listen, for a minute. Servers that close earlier are noticed."""

NO_TOOLS = Toolbox()
T = TypeVar("T")


@dataclass(slots=True)
class AskCount:
    """What one question took; for a log, and for who counts."""

    tries: int = 0
    first_token_s: float | None = None
    """From the question to the first word, tries that failed included."""
    total_s: float = 0.0
    """Of waiting for the endpoint."""
    usage: Usage | None = None
    """As the endpoint counts; None if it does not say (or was not listened to so far)."""


class ChatClient:
    """One endpoint. Use inside `async with`; any number of questions at once."""

    def __init__(self, options: ChatOptions, chance: Callable[[], float] = random.random) -> None:
        self.options = options
        self._chance = chance
        self._stack = AsyncExitStack()
        self._with_usage = True
        self._with_tools = True

    async def __aenter__(self) -> Self:
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_S, limit=0),
                timeout=aiohttp.ClientTimeout(total=None, connect=self.options.timeouts.connect_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=not is_loopback(self.options.url),
            )
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    async def ask(
        self, messages: Sequence[Message], count: AskCount | None = None, toolbox: Toolbox = NO_TOOLS
    ) -> AsyncGenerator[Piece, None]:
        """The answer: text, calls of the toolbox's functions, the finish reason, the usage. Never a `Failed`. `count` is filled in on the way.

        Raises: ChatError.
        """
        patience = _Patience(self.options.timeouts, count or AskCount())
        backoff = Backoff(self._chance, self.options.retries)
        while True:
            patience.count.tries += 1
            try:
                async with aclosing(self._once(messages, toolbox, patience)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except ChatError as exc:
                delay_s = backoff.next_delay_s(retry_after_s=exc.retry_after_s) if exc.retryable and not patience.begun else None
                if delay_s is None or delay_s >= patience.left_s():
                    raise
                log.debug("asking %s again in %.2f s: %s", self.options.host, delay_s, exc)
            await patience.during(asyncio.sleep(delay_s))

    async def _once(self, messages: Sequence[Message], toolbox: Toolbox, patience: "_Patience") -> AsyncGenerator[Piece, None]:
        response = await self._post(messages, toolbox, patience)
        try:
            if response.content_type == "application/json":
                pieces = self._whole(await self._body(response, patience, MAX_ANSWER_BYTES))
                for piece in pieces:
                    yield patience.seen(piece)
                return
            if response.content_type == "text/html":
                raise ChatError("not_a_model", "a page of HTML instead of an answer", status=response.status)
            reader = AnswerReader()
            while not reader.ended:
                try:
                    chunk = await self._chunk(response, patience)
                except ChatError:
                    if not reader.finished:
                        raise
                    # All was said, and the endpoint forgets to say that it has ended.
                    return
                for piece in reader.push(chunk) if chunk else reader.close():
                    yield patience.seen(self._good(piece))
            await self._drain(response)
        finally:
            response.close()

    async def _post(self, messages: Sequence[Message], toolbox: Toolbox, patience: "_Patience") -> aiohttp.ClientResponse:
        """The answer's head; its status is 200. Raises: ChatError."""
        with_usage = self._with_usage
        toolbox = toolbox if self._with_tools else NO_TOOLS
        response = await self._sent(question(self.options.model, messages, toolbox, with_usage), patience)
        if response.status == 200:
            return response
        try:
            problem = problem_of(await self._body(response, patience, MAX_ERROR_BYTES))
        finally:
            response.close()
        if with_usage and response.status in (400, 422) and "stream_options" in f"{problem.message} {problem.param}":
            # Older endpoints do not know the wish for a usage: from now on they are asked without it.
            self._with_usage = False
            return await self._post(messages, toolbox, patience)
        if toolbox.usable and response.status >= 400 and knows_no_tools(problem):
            log.warning(
                "%s cannot call functions with %s: %s", self.options.host, self.options.model, shown(problem.message, self.options.api_key)
            )
            self._with_tools = False
            return await self._post(messages, toolbox, patience)
        raise of_status(response.status, response.headers, problem, self.options.api_key)

    async def _sent(self, asked: ChatRequest, patience: "_Patience") -> aiohttp.ClientResponse:
        body = encode(asked)
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            **self.options.headers(),
        }
        # No redirects: the key goes to the host that it was given for.
        sent = self._session.post(self.options.url, data=body, headers=headers, allow_redirects=False)
        return await self._safe(patience.during(sent))

    async def _chunk(self, response: aiohttp.ClientResponse, patience: "_Patience") -> bytes:
        """More of the stream; b"" at its end. Raises: ChatError."""
        try:
            return await self._safe(patience.during(response.content.readany()))
        except aiohttp.ClientPayloadError:
            return b""

    async def _body(self, response: aiohttp.ClientResponse, patience: "_Patience", limit: int) -> bytes:
        """A short body, cut at the limit. Raises: ChatError."""
        body = b""
        while len(body) < limit and (chunk := await self._chunk(response, patience)):
            body += chunk
        return body[:limit]

    def _whole(self, body: bytes) -> list[Piece]:
        """An endpoint that does not stream has answered at once. Raises: ChatError."""
        pieces = [self._good(piece) for piece in pieces_of(body)]
        if not pieces:
            raise of_end(Failed("garbage"), self.options.api_key)
        return pieces if any(isinstance(piece, Finished) for piece in pieces) else [*pieces, Finished("stop")]

    def _good(self, piece: Piece) -> Piece:
        if isinstance(piece, Failed):
            raise of_end(piece, self.options.api_key)
        return piece

    async def _drain(self, response: aiohttp.ClientResponse) -> None:
        """Read to the end of the body, if it is near."""
        try:
            async with asyncio.timeout(DRAIN_S):
                while await response.content.readany():
                    pass
        except (TimeoutError, aiohttp.ClientError):
            # All was said: at worst the next question needs another connection.
            pass

    async def _safe(self, waiting: Awaitable[T]) -> T:
        """Translate what aiohttp raises. Raises: ChatError, ClientPayloadError."""
        try:
            return await waiting
        except aiohttp.ClientPayloadError:
            raise
        except aiohttp.ConnectionTimeoutError as exc:
            reason = f"no connection within {self.options.timeouts.connect_s:g} s"
            raise ChatError("connect_timeout", reason, retryable=True) from exc
        except aiohttp.ClientSSLError as exc:
            raise ChatError("untrusted", shown(f"TLS: {exc}", self.options.api_key)) from exc
        except aiohttp.ClientHttpProxyError as exc:
            # Without the cause here and below: it carries the request's headers.
            raise ChatError("unreachable", f"the proxy answers with {exc.status}") from None
        except aiohttp.ClientConnectorError as exc:
            raise ChatError("unreachable", shown(str(exc.os_error), self.options.api_key), retryable=True) from exc
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as exc:
            raise ChatError("hung_up", "the connection was closed before an answer", retryable=True) from exc
        except aiohttp.ClientError as exc:
            raise ChatError("not_a_model", f"no HTTP: {type(exc).__name__}") from None


class _Patience:
    """Counts what is waited for an endpoint, and no more: not the time in which an answer is spoken."""

    def __init__(self, timeouts: ChatTimeouts, count: AskCount) -> None:
        self.begun = False
        """Whether a word has come: then nothing is tried again."""
        self.count = count
        self._timeouts = timeouts
        self._finished = False

    def left_s(self) -> float:
        """How long the next wait may last."""
        return self._limit()[0]

    async def during(self, waiting: Awaitable[T]) -> T:
        """Wait for that. Raises: ChatError when patience ends, and what is waited for raises."""
        left_s, error = self._limit()
        began = time.monotonic()
        try:
            async with asyncio.timeout(left_s) as limit:
                return await waiting
        except TimeoutError as exc:
            if not limit.expired():
                raise
            raise error from exc
        finally:
            self.count.total_s += time.monotonic() - began

    def seen(self, piece: Piece) -> Piece:
        """A piece has come."""
        match piece:
            case TextDelta() | CallDelta():
                if not self.begun:
                    self.begun = True
                    self.count.first_token_s = self.count.total_s
            case Used():
                self.count.usage = piece.usage
            case Finished():
                self._finished = True
            case Failed():
                pass
        return piece

    def _limit(self) -> tuple[float, ChatError]:
        """The nearest of the limits, and what is raised when it is reached."""
        limits, spent_s = self._timeouts, self.count.total_s
        if self._finished:
            step = (GRACE_S, ChatError("idle_timeout", "the stream did not end"))
        elif self.begun:
            step = (limits.idle_s, ChatError("idle_timeout", f"nothing more for {limits.idle_s:g} s"))
        else:
            step = (limits.first_token_s - spent_s, ChatError("first_token_timeout", f"no word within {limits.first_token_s:g} s"))
        total = (limits.total_s - spent_s, ChatError("total_timeout", f"the answer was not complete within {limits.total_s:g} s"))
        return total if total[0] < step[0] else step
