"""One conversation through every dialect gives the same: our client straight, and through a relay, to a server that speaks it."""

import asyncio

import pytest

from tests.support.conversing import Conversation, Told, answering_engine, settings
from tests.support.http import app_running
from tests.support.relayed import quiet, relayed
from tests.support.tee import tapped
from voice.engines.destination import Destination
from voice.opening import connect
from voice.protocol.dialect import DIALECTS
from voice.protocol.notices import LinkRestored, SessionReady
from voice.replay import ReplayOptions, replay


async def conversation(url: str, dialect: str) -> Told:
    async with asyncio.timeout(30), connect(url, dialect=dialect, settings=settings()) as session:
        return await Conversation(session).hold()


KNOWN: list[Told] = []


@pytest.fixture
async def today() -> Told:
    """What is told where everybody speaks the protocol of today; held once."""
    if not KNOWN:
        async with app_running(answering_engine()) as port:
            KNOWN.append(await conversation(f"ws://127.0.0.1:{port}", "ga"))
    return KNOWN[0]


async def test_what_is_told_is_a_conversation(today: Told) -> None:
    assert today.user == ["what time is it", "what time is it"] and today.errors == []
    assert today.calls == [("weather", "call_weather", '{"city": "Oslo", "days": 2}')]
    assert " ".join(status for status, _ in today.statuses) == "completed " * 4 + "cancelled cancelled completed completed"
    words = "what time is it.|hello there.||rain in Oslo.|what time is it.|and now."
    assert [text.removeprefix("output_audio:") for _, _, text in today.items] == words.split("|")
    assert today.sound_ms == [800, 400, 0, 600, 800, 400]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_straight(dialect: str, today: Told) -> None:
    async with app_running(answering_engine(), dialect=dialect) as port:
        assert await conversation(f"ws://127.0.0.1:{port}", dialect) == today


@pytest.mark.parametrize(
    ("client", "dialect"), [*(("ga", name) for name in DIALECTS), *(("beta", name) for name in ("ga", "beta", "xai", "qwen"))]
)
async def test_through_a_relay(client: str, dialect: str, today: Told) -> None:
    async with app_running(answering_engine(), dialect=dialect) as upstream, relayed(upstream, dialect=dialect, front=client) as port:
        assert await conversation(f"ws://127.0.0.1:{port}", client) == today
        await quiet(upstream)


@pytest.mark.parametrize("dialect", ["ga", "beta"])
async def test_a_dialect_that_nobody_names_is_heard(dialect: str, today: Told) -> None:
    async with app_running(answering_engine(), dialect=dialect) as upstream, relayed(upstream, dialect="auto") as port:
        assert await conversation(f"ws://127.0.0.1:{upstream}", "auto") == today
        assert await conversation(f"ws://127.0.0.1:{port}", "auto") == today


async def test_a_server_that_speaks_both_is_asked_for_the_beta(today: Told) -> None:
    async with app_running(answering_engine()) as upstream, tapped(upstream) as (port, calls), relayed(port, dialect="beta") as front:
        assert await conversation(f"ws://127.0.0.1:{port}", "beta") == today
        assert await conversation(f"ws://127.0.0.1:{front}", "ga") == today
    for call in calls:
        assert call.headers()["openai-beta"] == "realtime=v1"
        assert "type" not in call.down("session.created")[0]["session"]
    assert not {event["type"] for call in calls for way, event in call.events} & {"conversation.item.added", "response.output_audio.delta"}


@pytest.mark.parametrize("dialect", ["beta", "xai", "qwen", "glm"])
async def test_a_link_that_breaks_is_restored_in_the_dialect(dialect: str) -> None:
    async with app_running(answering_engine(life_s=2.0), dialect=dialect) as upstream, tapped(upstream) as (port, calls):
        async with asyncio.timeout(30), connect(f"ws://127.0.0.1:{port}", dialect=dialect, settings=settings()) as session:
            talk = Conversation(session)
            await talk.until(SessionReady)
            await talk.typed_turn("hello there")
            restored = await talk.until(LinkRestored)
            assert restored.number == 2
            await talk.until(SessionReady)
            await talk.typed_turn("and again")
            assert [(line.role, line.text) for line in session.history] == [
                *(("user", "hello there"), ("assistant", "hello there.")),
                *(("user", "and again"), ("assistant", "and again.")),
            ]
    first, second = calls[:2]
    told = [part["text"] for event in second.up("conversation.item.create") for part in event["item"]["content"]]
    assert told[:2] == ["hello there", "hello there."]
    kinds = [part["type"] for event in second.up("conversation.item.create") for part in event["item"]["content"]]
    assert kinds[:2] == ["input_text", "output_text" if dialect == "xai" else "text"], "as the dialect writes what an assistant said"
    assert "type" not in first.down("session.created")[0]["session"] and "type" not in second.up("session.update")[0]["session"]


class Lines:
    """A report that is kept."""

    def __init__(self) -> None:
        self.results: list[dict[str, object]] = []

    def result(self, line: dict[str, object]) -> None:
        self.results.append(line)

    def note(self, text: str) -> None:
        raise AssertionError(text)

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        pass


async def test_a_replay_reports_the_same_in_every_dialect() -> None:
    told = {}
    for dialect in DIALECTS:
        async with app_running(answering_engine(), dialect=dialect) as port:
            report = Lines()
            server = Destination(f"ws://127.0.0.1:{port}", dialect=dialect)
            async with asyncio.timeout(30):
                assert await replay(ReplayOptions(["fixtures/wav/two-turns.wav"], url=server), report)
        told[dialect] = report.results
    assert [line.get("status") for line in told["ga"]] == ["completed", "completed", None]
    assert [name for name, lines in told.items() if lines != told["ga"]] == []
