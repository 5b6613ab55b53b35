"""A session outlives its links: what was said is known to the next server, what was being said is heard there, and it ends when it must."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.signals import speech_like
from tests.support.until import until
from voice import keeper as keeping
from voice.audio.pcm import silence
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.engines.base import Called, Prompt
from voice.engines.local import LocalEngine, LocalOptions
from voice.errors import LinkClosed
from voice.keeper import Keeper, OpenedLink
from voice.links.base import Link, memory_pair
from voice.opening import connect
from voice.policy.retry import RetrySettings
from voice.protocol.client import ClientSession
from voice.protocol.lines import Line
from voice.protocol.notices import (
    LinkLost,
    LinkRestored,
    Notice,
    ReplyEnded,
    SessionEnded,
    SessionReady,
    ToolEnded,
    ToolStarted,
    TurnCommitted,
    UserText,
)
from voice.session import Session, settings_of

QUICK = RetrySettings(first_s=0.01, cap_s=0.02, tries=4, stable_s=60.0)


class Engine:
    """An engine that remembers its links, so that a test can cut them, and what its responder was asked."""

    def __init__(self, life_s: float = 3600.0) -> None:
        self.links: list[Link] = []
        self.prompts: list[Prompt] = []
        self.transcriber = FakeTranscriber()
        self.call = ""
        """A function that is called when somebody says so."""
        self._options = LocalOptions(life_s=life_s)

    async def serve(self, link: Link) -> LinkClosed:
        self.links.append(link)
        responder = FakeResponder(answer=self._answer)
        return await LocalEngine(self.transcriber, FakeSynthesizer(), lambda: responder, self._options).serve(link)

    def _answer(self, prompt: Prompt) -> list[str | Called]:
        self.prompts.append(prompt)
        if self.call and prompt.lines[-1] == Line("user", "call"):
            return [Called("", self.call, "{}")]
        return [f"Answer {len(self.prompts)}."]

    async def cut(self, code: int = 1006) -> None:
        await self.links[-1].close(code, "cut")


@asynccontextmanager
async def talking(engine: Engine, turns: str = "server") -> AsyncIterator[tuple[Session, "Heard"]]:
    detector = TurnDetector(TurnSettings(), make_detector(kind="energy"))
    async with asyncio.timeout(30), connect(engine=engine, settings=settings_of(turns=turns), detector=detector, retry=QUICK) as session:
        yield session, Heard(session)


class Heard:
    """The session's events, waited for."""

    def __init__(self, session: Session) -> None:
        self.seen: list[Notice] = []
        self._events = aiter(session)

    async def until(self, wanted: Callable[[Notice], bool]) -> Notice:
        while True:
            self.seen.append(await anext(self._events))
            if wanted(self.seen[-1]):
                return self.seen[-1]

    async def ready(self) -> None:
        await self.until(lambda notice: isinstance(notice, SessionReady))

    async def reply(self) -> ReplyEnded:
        ended = await self.until(lambda notice: isinstance(notice, ReplyEnded))
        assert isinstance(ended, ReplyEnded)
        return ended

    async def restored(self) -> LinkRestored:
        restored = await self.until(lambda notice: isinstance(notice, LinkRestored))
        assert isinstance(restored, LinkRestored)
        return restored

    def count(self, kind: type) -> int:
        return sum(isinstance(notice, kind) for notice in self.seen)


async def push(session: Session, *pieces: object) -> None:
    for piece in pieces:
        session.push_audio(piece)  # type: ignore[arg-type]
        await session.room()


async def test_what_was_said_is_known_on_the_next_link() -> None:
    engine = Engine()
    async with talking(engine) as (session, heard):
        await session.say("my name is on the door")
        await heard.reply()
        await engine.cut()
        assert (await heard.restored()) == LinkRestored(2, planned=False)
        await session.say("what did i say")
        await heard.reply()
        assert [(line.role, line.text) for line in engine.prompts[-1].lines] == [
            ("user", "my name is on the door"),
            ("assistant", "Answer 1."),
            ("user", "what did i say"),
        ]
        assert [line.text for line in session.history] == ["my name is on the door", "Answer 1.", "what did i say", "Answer 2."]
    assert heard.count(LinkLost) == 1


@pytest.mark.parametrize("turns", ["server", "client"])
async def test_speech_that_was_cut_is_heard_whole_by_the_next_server(turns: str) -> None:
    engine = Engine()
    async with talking(engine, turns) as (session, heard):
        await heard.ready()
        await push(session, silence(300), speech_like(600))
        await engine.cut()
        await heard.restored()
        await push(session, speech_like(400), silence(1200))
        text = await heard.until(lambda notice: isinstance(notice, UserText) and notice.final)
        await heard.reply()
        assert isinstance(text, UserText)
        heard_ms = int(text.text.split()[1])
        assert 1400 <= heard_ms <= 1900, "the whole of the turn, with padding and the silence that ended it"
        assert heard.count(TurnCommitted) == 1
        total = session.stats
        assert total.lost == 0 and total.captured == total.committed + sum(total.discarded.values())
        assert total.committed * 20 >= heard_ms - 60


@pytest.mark.parametrize("turns", ["server", "client"])
async def test_a_turn_whose_words_nobody_knows_yet_is_sent_again(turns: str) -> None:
    engine = Engine()
    engine.transcriber.gate = asyncio.Event()
    async with talking(engine, turns) as (session, heard):
        await push(session, silence(300), speech_like(800), silence(900))
        await heard.until(lambda notice: isinstance(notice, TurnCommitted))
        await engine.cut()
        await heard.restored()
        engine.transcriber.gate.set()
        await push(session, silence(600))
        await heard.until(lambda notice: isinstance(notice, UserText) and notice.final)
        assert (await heard.reply()).status == "completed"
        users = [line for line in session.history if line.role == "user"]
        assert len(users) == 1 and users[0].text.startswith("heard ")
        assert len(engine.prompts) == 1


async def test_a_turn_that_is_known_is_not_heard_twice() -> None:
    """The silence behind it is sent again, for the beginning of the next turn, and nothing of the turn itself."""
    engine = Engine()
    async with talking(engine) as (session, heard):
        await heard.ready()
        await push(session, silence(300), speech_like(800), silence(640))
        await heard.reply()
        await engine.cut()
        await heard.restored()
        await push(session, silence(1500), speech_like(800), silence(1000))
        await heard.reply()
        assert heard.count(TurnCommitted) == 2 and len(engine.prompts) == 2


async def test_an_answer_of_which_nothing_had_come_is_asked_for_again() -> None:
    engine = Engine()
    engine.transcriber.gate = asyncio.Event()
    async with talking(engine) as (session, heard):
        await heard.ready()
        await engine.cut()
        await session.say("hello")
        await heard.restored()
        assert (await heard.reply()).status == "completed"
        assert [line.text for line in engine.prompts[-1].lines] == ["hello"]
        assert len(engine.prompts) == 1


async def test_a_session_moves_before_its_server_ends_it() -> None:
    engine = Engine(life_s=3.0)
    async with talking(engine) as (session, heard):
        await session.say("one")
        await heard.reply()
        assert (await heard.restored()) == LinkRestored(2, planned=True)
        await session.say("two")
        await heard.reply()
        assert [line.text for line in engine.prompts[-1].lines] == ["one", "Answer 1.", "two"]
        assert heard.count(LinkLost) == 0


@pytest.mark.parametrize(("code", "retry"), [(1000, False), (1008, False)])
async def test_an_end_that_is_final_is_the_end(code: int, retry: bool) -> None:
    engine = Engine()
    async with talking(engine) as (session, heard):
        await session.say("hello")
        await heard.reply()
        await engine.cut(code)
        assert await heard.until(lambda notice: isinstance(notice, SessionEnded)) == SessionEnded(code, "cut", retry)
        assert heard.count(LinkLost) == 0


async def test_it_is_given_up_in_the_end_and_said_each_time() -> None:
    class Closing:
        async def serve(self, link: Link) -> LinkClosed:
            await link.close(1011, "no")
            return LinkClosed(1011)

    async with asyncio.timeout(30), connect(engine=Closing(), retry=QUICK) as session:
        seen = [notice async for notice in session]
    lost = [notice for notice in seen if isinstance(notice, LinkLost)]
    assert len(lost) == QUICK.tries and all(notice.retry_in_s <= QUICK.cap_s for notice in lost)
    assert seen[-1] == SessionEnded(1011, "no", True)


@pytest.mark.parametrize("wording", ["error", "event"])
async def test_an_expired_session_whose_socket_stays_open_is_left(wording: str) -> None:
    told = []

    class Expiring:
        async def serve(self, link: Link) -> LinkClosed:
            told.append(await link.receive())
            if len(told) == 1:
                error = {"type": "invalid_request_error", "code": "session_expired", "message": "over"}
                event = {"type": "error", "error": error} if wording == "error" else {"type": "session.expired"}
                await link.send(json.dumps(event))
            try:
                while True:
                    await link.receive()
            except LinkClosed as ended:
                return ended

    async with asyncio.timeout(30), connect(engine=Expiring(), retry=QUICK) as session:
        assert await Heard(session).restored() == LinkRestored(2, planned=False)


async def test_links_that_nobody_uses_are_closed() -> None:
    """Also the one that was dialled for a move when the session ends."""
    opened: list[tuple[Link, Link]] = []

    async def open_link() -> OpenedLink:
        opened.append(memory_pair())
        return OpenedLink(opened[-1][0], None)

    async def tell(notice: Notice) -> None:
        pass

    core = ClientSession(settings_of(), lambda kind: kind)
    first = await open_link()
    keeper = Keeper(core, first.link, open_link, lambda link, number: link, tell, lambda: 0.0, QUICK)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(keeper.run(first))
        await asyncio.sleep(0)
        await keeper.close()
        await running
    for _, far in opened:
        with pytest.raises(LinkClosed):
            while True:
                await far.receive()


class Far:
    """A link that leads out of this process, as far as anybody can tell; if it is dead it does not close either."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.dead = False

    async def send(self, text: str) -> None:
        await self.link.send(text)

    async def receive(self) -> str | bytes:
        return await self.link.receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.dead:
            await asyncio.sleep(60)
        await self.link.close(code, reason)


@pytest.mark.parametrize("far", [True, False])
async def test_after_sleep_a_link_to_elsewhere_is_dialled_again_whatever_it_looks_like(far: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "LOOK_S", 0.005)
    monkeypatch.setattr(keeping, "DEAD_TIMEOUT_S", 0.02)
    slept_s = 0.0
    monkeypatch.setattr(keeping, "always_s", lambda: keeping.waking_s() + slept_s)
    opened: list[Far] = []
    told: list[Notice] = []

    async def open_link() -> OpenedLink:
        near, _ = memory_pair()
        opened.append(Far(near))
        return OpenedLink(opened[-1] if far else near, None)

    async def tell(notice: Notice) -> None:
        told.append(notice)

    first = await open_link()
    opened[0].dead = far
    keeper = Keeper(
        ClientSession(settings_of(), lambda kind: kind), first.link, open_link, lambda link, number: link, tell, lambda: 0.0, QUICK
    )
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        running = group.create_task(keeper.run(first))
        await asyncio.sleep(0.02)
        assert not told
        slept_s = 3_600.0
        if far:
            await until(lambda: len(told) == 2)
            assert isinstance(told[0], LinkLost) and (told[0].close_code, told[0].reason) == (1006, "the machine has slept")
            assert told[1] == LinkRestored(2, planned=False)
        else:
            await asyncio.sleep(0.05)
            assert not told, "an engine in this process has slept too"
        assert len(opened) == 1 + far
        await keeper.close()
        await running


@pytest.mark.parametrize("cut_before", [False, True])
async def test_a_function_outlives_its_link(cut_before: bool) -> None:
    """What it comes to is told to the next server with its call; a function that had ended is known there."""
    engine, gate, runs = Engine(), asyncio.Event(), []

    async def slow() -> str:
        runs.append(True)
        await gate.wait()
        return "clear"

    engine.call = "slow"
    async with talking(engine) as (session, heard):
        session.tool(slow)
        await session.say("call")
        await heard.until(lambda notice: isinstance(notice, ToolStarted))
        if cut_before:
            await heard.reply()
            await engine.cut()
            await heard.restored()
            gate.set()
        else:
            gate.set()
            await heard.reply()
            await heard.reply()
            await engine.cut()
            await heard.restored()
            await session.say("again")
        await heard.until(lambda notice: isinstance(notice, ReplyEnded) and len(engine.prompts) == (2 if cut_before else 3))
        (call,) = [line.call for line in engine.prompts[-1].lines if line.call is not None]
        outputs = [(line.call_id, line.text) for line in engine.prompts[-1].lines if line.role == "tool"]
        assert outputs == [(call.call_id, "clear")] and call.name == "slow"
        assert runs == [True] and heard.count(ToolEnded) == 1
