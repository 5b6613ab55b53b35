"""A link whose other end speaks a dialect: what comes in and what goes out passes an `Exchange` (`protocol/accents.py`).

    before_client   receive: the client's words, as the server knows them     send: the server's, as the client knows them
    before_server   receive: the server's words, as the client knows them     send: the client's, as the server knows them

Some words are answered by the exchange itself: a request that a dialect has no words for, for one. An answer to what was sent comes out of
`receive`. One to what was received is for `answer` to send, which has to run beside whoever uses the link: who reads never writes.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from voice.errors import LinkClosed
from voice.links.base import Link
from voice.protocol.accents import Exchange
from voice.protocol.interpreter import Passage

MOST_WAITING = 64
"""Texts in each of the two queues. When one is full, who would add to it waits, and with it the peer behind it."""
PATIENCE_S = 3.0
"""For the first words of a server, which tell its dialect and begin the session. One that says nothing is spoken to all the same."""


class SpokenLink:
    """See the top of the file; `before_client` and `before_server` make it.

    `heard`, `said`: the two ways through the exchange; `client`: that is who is heard.
    """

    def __init__(
        self, link: Link, exchange: Exchange, heard: Callable[[str], Passage], said: Callable[[str], Passage], client: bool
    ) -> None:
        self._link = link
        self._exchange = exchange
        self._heard = heard
        self._said = said
        self._client = client
        self._incoming: deque[str | bytes] = deque()
        self._answers: deque[str] = deque()
        self._changed = asyncio.Event()
        self._sending = asyncio.Lock()
        self._reading: asyncio.Timeout | None = None
        self._patient = True
        self._ended = False

    async def send(self, text: str) -> None:
        """See `Link`. A client's words wait for the server's first ones."""
        if self._patient and not self._client:
            await self._server_first()
        if self._exchange.plain:
            await self._link.send(text)
            return
        await self._until(lambda: len(self._incoming) < MOST_WAITING)
        async with self._sending:
            await self._send_answers()
            passage = self._said(text)
            for one in passage.on:
                await self._link.send(one)
        if passage.back:
            self._incoming.extend(passage.back)
            self._wake_reader()
        if self._client and self._patient:
            self._changed.set()

    async def receive(self) -> str | bytes:
        """See `Link`. A client is not read before the server's first words have gone to it."""
        if self._patient and self._client:
            await self._server_first()
        while not self._incoming:
            if self._exchange.plain:
                return await self._link.receive()
            await self._until(lambda: len(self._answers) < MOST_WAITING)
            await self._read()
        self._changed.set()
        return self._incoming.popleft()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """See `Link`."""
        self._end()
        self._incoming.clear()
        await self._link.close(code, reason)

    async def answer(self) -> None:
        """Send what the exchange answers to what comes in, until the link ends."""
        while not self._ended:
            await self._until(lambda: bool(self._answers))
            try:
                async with self._sending:
                    await self._send_answers()
            except LinkClosed:
                # Whoever uses the link is told so too.
                self._end()

    async def _send_answers(self) -> None:
        """Before anything that is said later: the peer hears everything in the order in which the exchange has given it."""
        while self._answers:
            await self._link.send(self._answers.popleft())
            self._changed.set()

    async def _read(self) -> None:
        """Take in the peer's next message; nothing, if meanwhile something else has come in."""
        try:
            async with asyncio.timeout(None) as self._reading:
                message = await self._link.receive()
        except TimeoutError:
            return
        except LinkClosed:
            self._end()
            raise
        finally:
            self._reading = None
        try:
            text = message if isinstance(message, str) else message.decode()
        except UnicodeDecodeError:
            # Whoever reads it will complain in its own way.
            self._incoming.append(message)
            return
        passage = self._heard(text)
        self._incoming.extend(passage.on)
        self._answers.extend(passage.back)
        self._changed.set()

    def _wake_reader(self) -> None:
        """Let `_read` return: an interruption that loses no message, where a task for each reader would cost each message more."""
        if self._reading is not None:
            self._reading.reschedule(asyncio.get_running_loop().time())
            self._reading = None

    async def _server_first(self) -> None:
        """Until it is known how the server speaks and how the session begins; for a while."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._until(lambda: self._exchange.settled)
        except TimeoutError:
            pass
        self._patient = False

    async def _until(self, ready: Callable[[], bool]) -> None:
        """Wait for something in a queue, for room in it, or for the end."""
        while not (ready() or self._ended):
            self._changed.clear()
            await self._changed.wait()

    def _end(self) -> None:
        self._ended = True
        self._changed.set()


def before_client(link: Link, exchange: Exchange) -> SpokenLink:
    """A client's link, as whoever serves it uses it."""
    return SpokenLink(link, exchange, exchange.up, exchange.down, client=True)


def before_server(link: Link, exchange: Exchange) -> SpokenLink:
    """A server's link, as whoever talks to it uses it."""
    return SpokenLink(link, exchange, exchange.down, exchange.up, client=False)
