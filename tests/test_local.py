"""The embedded engine as a whole: many sessions on shared models, each with a memory of its own."""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

import voice
from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.needs import needs
from tests.support.signals import white_noise
from tests.support.until import still
from tests.support.wire import Wire, fake_engine, left_over, talking
from voice.audio.pcm import Samples
from voice.engines import stt, tts
from voice.engines.local import LIFE_S, MAX_WAITING_BYTES, MODEL, LocalEngine, LocalOptions, counted_ids, local_engine, random_id
from voice.errors import MissingError, UsageError, first_of
from voice.links.base import Link, memory_pair
from voice.links.driver import Driver


def test_random_ids_are_unique_and_of_a_safe_form() -> None:
    made = [random_id("item") for _ in range(1000)]
    assert len(set(made)) == 1000 and all(re.fullmatch(r"item_[0-9a-f]{24}", one) for one in made)


def test_counted_ids_are_the_same_in_every_run_and_apart_by_side() -> None:
    server, client = counted_ids("s"), counted_ids("c")
    assert [server("item"), server("item"), server("event"), client("item")] == [
        "item_s000001",
        "item_s000002",
        "event_s000001",
        "item_c000001",
    ]


async def test_a_session_tells_its_model_its_voice_and_its_end() -> None:
    async with asyncio.timeout(30), talking(fake_engine(life_s=120)) as wire:
        session = wire.events[0]["session"]
    assert (session["model"], session["audio"]["output"]["voice"]) == (MODEL, "fake voice")
    options = LocalOptions()
    assert (options.life_s, options.clocks.pace) == (LIFE_S, 3.0)
    assert session["expires_at"] == pytest.approx(options.clocks.wall_s() + 120, abs=5)


async def test_every_session_has_a_responder_of_its_own() -> None:
    made: list[FakeResponder] = []

    def responder() -> FakeResponder:
        made.append(FakeResponder())
        return made[-1]

    engine = LocalEngine(FakeTranscriber(), FakeSynthesizer(), responder, LocalOptions())
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        wires = []
        for _ in range(3):
            near, far = memory_pair()
            group.create_task(engine.serve(far))
            wires.append(Wire(near))
        for n, wire in enumerate(wires):
            await wire.type(f"question {n}")
            await wire.until("response.done")
        assert engine.sessions == 3
        for wire in wires:
            await wire.link.close()
    assert engine.sessions == 0
    assert sorted([line.text for line in one.prompts[0].lines] for one in made) == [[f"question {n}"] for n in range(3)]


async def test_a_session_that_is_cancelled_forgets_what_it_was_hearing() -> None:
    transcriber = FakeTranscriber()
    engine = fake_engine(transcriber)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        near, far = memory_pair()
        serving = group.create_task(engine.serve(far))
        wire = Wire(near)
        await wire.settle(turn_detection=None)
        await wire.push(_noise())
        await wire.send("input_audio_buffer.commit")
        await wire.push(_noise())
        await wire.until("input_audio_buffer.committed")
        serving.cancel()
    assert [hearing.dropped for hearing in transcriber.hearings] == [True, True]
    assert engine.sessions == 0 and not left_over()


async def test_a_bug_in_the_driver_comes_out_and_nothing_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    transcriber = FakeTranscriber()
    engine = fake_engine(transcriber)
    kick = Driver.kick

    def broken(driver: Driver[object]) -> None:
        if transcriber.hearings:
            raise ZeroDivisionError("a bug")
        kick(driver)

    monkeypatch.setattr(Driver, "kick", broken)
    near, far = memory_pair()
    wire = Wire(near)
    await wire.send("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    await wire.push(_noise())
    async with asyncio.timeout(30):
        with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
            await engine.serve(far)
    assert engine.sessions == 0 and transcriber.hearings[0].dropped and not left_over()


async def test_a_client_that_writes_and_does_not_read_is_not_read_either() -> None:
    sent = 0

    async def flood(link: Link) -> None:
        nonlocal sent
        while True:
            await link.send('{"type":"nonsense","event_id":"' + "x" * 200 + '"}')
            sent += 1

    async with asyncio.timeout(30), talking(fake_engine()) as wire, asyncio.TaskGroup() as group:
        flooding = group.create_task(flood(wire.link))
        before = await still(lambda: sent)
        stood = [await wire.link.receive() for _ in range(sent - 64)]
        assert all('"type":"error"' in str(text) for text in stood)
        assert 0.8 * MAX_WAITING_BYTES < sum(len(text) for text in stood) < 1.2 * MAX_WAITING_BYTES
        while sent == before:
            await wire.next()
        flooding.cancel()


async def test_an_engine_that_cannot_get_ready_says_why_without_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def __init__(self, *rest: object) -> None: ...

        async def __aenter__(self) -> "Missing":
            return self

        async def __aexit__(self, *rest: object) -> None: ...

        async def warm(self) -> None:
            raise MissingError("no voice of that name")

    monkeypatch.setattr(tts, "make_synthesizer", Missing)
    monkeypatch.setattr(stt, "SphinxTranscriber", Missing)
    with pytest.raises(MissingError, match="no voice of that name"):
        async with local_engine(LocalOptions(warm=True)):
            raise AssertionError


class Deaf(FakeTranscriber):
    """A recogniser without processes: what a block ends within its first moment would be on its way still."""

    def __init__(self, *rest: object) -> None:
        super().__init__()

    async def __aenter__(self) -> "Deaf":
        return self

    async def __aexit__(self, *rest: object) -> None: ...


@needs("espeakng-loader")
@pytest.mark.parametrize("block", [voice.connect, voice.serve, voice.twin, local_engine], ids=["connect", "serve", "twin", "local_engine"])
async def test_what_the_program_raises_in_a_block_comes_out_as_it_is(
    block: Callable[[], AbstractAsyncContextManager[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stt, "SphinxTranscriber", Deaf)
    for raised in (ValueError("own"), asyncio.CancelledError(), KeyboardInterrupt()):
        with pytest.raises(type(raised)) as told:
            async with asyncio.timeout(60), block():
                raise raised
        assert told.value is raised and not left_over()


@needs("espeakng-loader")
async def test_a_function_that_no_model_can_be_told_of_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stt, "SphinxTranscriber", Deaf)

    def bad(*words: str) -> None: ...

    with pytest.raises(UsageError, match=r"cannot be passed by name: '\*words: str'"):
        async with voice.connect(tools=[bad]):
            raise AssertionError
    with pytest.raises(UsageError, match=r"cannot be passed by name: '\*words: str'"):
        async with voice.connect() as session:
            session.tool(bad)


@needs("espeakng-loader")
async def test_a_bug_of_the_engine_beside_the_block_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def bug(worker: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(stt, "SphinxTranscriber", Deaf)
    monkeypatch.setattr("voice.workers.process.Worker.run", bug)
    with pytest.raises(ExceptionGroup) as told:
        async with asyncio.timeout(60), local_engine():
            await asyncio.Event().wait()
    assert isinstance(first_of(told.value), ZeroDivisionError)


def _noise() -> Samples:
    return white_noise(200)
