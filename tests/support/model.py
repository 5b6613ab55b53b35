"""A language model that calls what a test says, and a session with it whose events are waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.support.fakes import FakeSynthesizer, FakeTranscriber
from tests.support.wire import fake_engine, left_over
from voice.engines.base import Called, Prompt, Responder, Said
from voice.opening import connect
from voice.protocol.notices import Notice, ReplyEnded, ReplyText
from voice.session import Session, settings_of


class Model:
    """A responder that calls what it is told to, and says what came of it. `lines` are those of its last prompt."""

    name = "model"

    def __init__(self, *calls: tuple[str, str]) -> None:
        self.calls = list(calls)
        self.prompts: list[Prompt] = []

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncIterator[Called | Said]:
        self.prompts.append(prompt)
        last = prompt.lines[-1]
        if last.role == "user" and last.text.startswith("call"):
            for n, (name, arguments) in enumerate(self.calls):
                yield Called(f"call_{len(self.prompts)}_{n}", name, arguments)
        elif last.role == "tool":
            yield Said(" and ".join(self.outputs))
        else:
            yield Said(f"You said {last.text}.")

    def due_s(self) -> float | None:
        return None

    def announce(self, now: float) -> list[Said]:
        return []

    @property
    def outputs(self) -> list[str]:
        return [line.text for line in self.prompts[-1].lines if line.role == "tool"]


@asynccontextmanager
async def talking(model: Responder, *tools: Callable[..., Any], **options: Any) -> AsyncIterator["Talk"]:
    before = left_over()
    async with asyncio.timeout(30):
        engine = fake_engine(FakeTranscriber(), FakeSynthesizer(), responder=model)
        async with connect(engine=engine, tools=tools, settings=settings_of(text_only=True), **options) as session:
            yield Talk(session)
    assert left_over() == before


class Talk:
    """A session and what it has told."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seen: list[Notice] = []
        self._events = aiter(session)

    async def until(self, *kinds: type) -> Any:
        while True:
            self.seen.append(await anext(self._events))
            if isinstance(self.seen[-1], kinds):
                return self.seen[-1]

    async def answer(self, text: str = "call") -> str:
        """What is said to this, behind the functions that it calls."""
        await self.session.say(text)
        while True:
            seen = len(self.seen)
            ended: ReplyEnded = await self.until(ReplyEnded)
            said = [notice.text for notice in self.seen[seen:] if isinstance(notice, ReplyText) and notice.final]
            if said or ended.status != "completed":
                return " ".join(said)

    def of(self, kind: type) -> list[Any]:
        return [notice for notice in self.seen if isinstance(notice, kind)]
