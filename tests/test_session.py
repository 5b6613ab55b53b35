"""`voice.connect()`: the session of a program, with an engine in this process and with a server."""

import asyncio
import io
import json
import secrets

import pytest

import voice
from tests.support.fakes import FakeSynthesizer
from tests.support.http import app_running
from tests.support.joined import raw_server, upgrade
from tests.support.signals import padded, speech_like
from tests.support.until import still, until
from tests.support.wire import fake_engine, left_over
from voice import connect as public
from voice.audio.pcm import samples_in
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.engines.local import MODEL
from voice.errors import LinkClosed, MissingExtra
from voice.links import dial as dialing
from voice.links.base import Link
from voice.opening import connect
from voice.protocol.notices import ErrorReported, Notice, Other, ReplyAudio, ReplyEnded, ReplyText, SessionEnded, SpeechEnded, UserText
from voice.protocol.objects import TurnDetection
from voice.session import EVENTS, Session, settings_of


@pytest.fixture(autouse=True)
async def nothing_left(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Raw servers do not answer a close; and whatever a test does, its tasks end."""
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.05)
    async with asyncio.timeout(30):
        yield
    assert not left_over()


async def until_reply(session: Session) -> list[Notice]:
    """Everything up to the end of the next answer."""
    seen: list[Notice] = []
    async for notice in session:
        seen.append(notice)
        if isinstance(notice, ReplyEnded | SessionEnded):
            return seen
    raise AssertionError


def text_of(seen: list[Notice]) -> str:
    return "".join(notice.text for notice in seen if isinstance(notice, ReplyText) and notice.final)


async def test_typed_and_spoken_turns_in_this_process() -> None:
    async with connect(engine=fake_engine(), detector=TurnDetector(TurnSettings(), make_detector())) as session:
        await session.say("hello")
        seen = await until_reply(session)
        assert text_of(seen) == "hello. 1 lines."
        assert sum(notice.samples.size for notice in seen if isinstance(notice, ReplyAudio)) == pytest.approx(
            samples_in(600, 24_000), abs=48
        )
        sound = padded(speech_like(1000), 400, 1000)
        heard = session.push_audio(sound)
        await session.room()
        seen = await until_reply(session)
        assert any(isinstance(notice, SpeechEnded) and notice.local for notice in heard)
        (said,) = [notice.text for notice in seen if isinstance(notice, UserText) and notice.final]
        assert said.startswith("heard ") and text_of(seen) == f"{said}. 3 lines."
        assert [(line.role, line.text) for line in session.history] == [
            ("user", "hello"),
            ("assistant", "hello. 1 lines."),
            ("user", said),
            ("assistant", f"{said}. 3 lines."),
        ]
        assert session.position_ms == 2400
        assert session.stats.captured == 120 == session.stats.committed + sum(session.stats.discarded.values()) + session.stats.lost


@pytest.mark.parametrize("turns", ["server", "client"])
async def test_the_same_with_a_server(turns: str) -> None:
    async with app_running(fake_engine()) as port:
        url = f"http://127.0.0.1:{port}"
        detector = TurnDetector(TurnSettings(), make_detector()) if turns == "client" else None
        async with connect(url, api_key="any", settings=settings_of(turns=turns), detector=detector) as session:
            session.push_audio(padded(speech_like(1000), 400, 1000))
            await session.room()
            seen = await until_reply(session)
            assert text_of(seen).startswith("heard ") and isinstance(seen[-1], ReplyEnded) and seen[-1].status == "completed"


async def test_a_turn_that_the_program_ends() -> None:
    async with connect(engine=fake_engine(), settings=settings_of(turns="client")) as session:
        session.push_audio(speech_like(700))
        session.commit()
        assert text_of(await until_reply(session)) == "heard 700 ms. 1 lines."


async def test_interrupting_cuts_the_answer_to_what_was_heard() -> None:
    gate = asyncio.Event()
    async with connect(engine=fake_engine(synthesizer=FakeSynthesizer(gate=gate))) as session:
        await session.say("one two three")
        async for notice in session:
            if isinstance(notice, ReplyAudio):
                session.interrupt(notice.item_id, 150)
                break
        seen = await until_reply(session)
        assert isinstance(seen[-1], ReplyEnded) and (seen[-1].status, seen[-1].reason) == ("cancelled", "client_cancelled")
        assert not any(isinstance(notice, ReplyAudio | ReplyText) for notice in seen)


class Mine(Exception):
    """The program's own."""


@pytest.mark.parametrize("exception", [Mine("x"), KeyError("x"), LinkClosed(1000), ExceptionGroup("g", [Mine("x")])])
async def test_what_the_program_raises_comes_out_as_it_is(exception: Exception) -> None:
    with pytest.raises(type(exception)) as told:
        async with connect(engine=fake_engine()) as session:
            await session.say("hello")
            raise exception
    assert told.value is exception


async def test_a_program_that_is_cancelled_ends() -> None:
    began = asyncio.Event()

    async def program() -> None:
        async with connect(engine=fake_engine()) as session:
            began.set()
            while True:
                await until_reply(session)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(program())
        await began.wait()
        task.cancel()
    assert task.cancelled()


async def test_a_timeout_around_the_session_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1), connect(engine=fake_engine()) as session:
            await until_reply(session)


async def test_a_server_that_goes_is_the_last_event_however_often_it_is_asked() -> None:
    async with app_running(fake_engine(life_s=0.2)) as port, connect(f"ws://127.0.0.1:{port}", reconnect=False) as session:
        seen = [notice async for notice in session]
        assert seen[-1] == SessionEnded(1001, "Your session hit its maximum duration.", True)
        assert any(isinstance(notice, ErrorReported) and notice.code == "session_expired" for notice in seen)
        assert [notice async for notice in session] == [seen[-1]]
        await session.say("nobody hears this")
        session.push_audio(speech_like(100))
        await session.room()


@pytest.mark.parametrize(
    ("code", "retry"), [(1000, False), (1001, True), (1008, False), (1009, False), (1011, True), (1013, True), (4000, True)]
)
async def test_whether_another_try_may_do_better(code: int, retry: bool) -> None:
    class Closing:
        async def serve(self, link: Link, model: str = MODEL) -> LinkClosed:
            await link.close(code, "so")
            return LinkClosed(code)

    async with connect(engine=Closing(), reconnect=False) as session:
        assert [notice async for notice in session] == [SessionEnded(code, "so", retry)]


async def test_a_server_that_vanishes_may_come_back() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        await writer.drain()

    async with raw_server(talk) as port, connect(f"ws://127.0.0.1:{port}", reconnect=False) as session:
        assert (await until_reply(session))[-1] == SessionEnded(1006, "", True)


async def test_an_engine_with_a_bug_ends_the_session_and_not_the_program(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def serve(self, link: Link, model: str = MODEL) -> LinkClosed:
            await link.receive()
            raise ZeroDivisionError("a bug")

    async with connect(engine=Broken(), reconnect=False) as session:
        assert (await until_reply(session))[-1] == SessionEnded(1011, "the engine failed", True)
        await session.say("still here")
    assert "a bug" in caplog.text


async def test_closing_ends_the_events() -> None:
    async with app_running(fake_engine()) as port, connect(f"ws://127.0.0.1:{port}") as session:
        await session.close()
        assert (await until_reply(session))[-1] == SessionEnded(1000, "", False)


async def test_no_engine_installed_is_a_sentence_and_not_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    find = importlib.util.find_spec
    absent = {"pocketsphinx", "espeakng_loader"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in absent else find(name, *rest))
    with pytest.raises(MissingExtra, match=r'pip install "voice\[local\]"') as told:
        async with connect():
            raise AssertionError
    assert told.value.exit_code == 69


async def test_unread_events_stand_still_instead_of_growing() -> None:
    sent = 0

    class Chatty:
        async def serve(self, link: Link, model: str = MODEL) -> LinkClosed:
            nonlocal sent
            try:
                while True:
                    await link.send(json.dumps({"type": "rate_limits.updated", "event_id": str(sent), "rate_limits": []}))
                    sent += 1
            except LinkClosed as ended:
                return ended

    async with connect(engine=Chatty()) as session:
        await until(lambda: sent >= EVENTS)
        await still(lambda: sent)
        assert EVENTS <= sent < EVENTS + 200
        ids = []
        async for notice in session:
            assert isinstance(notice, Other)
            ids.append(notice.event.event_id)  # type: ignore[union-attr]
            if len(ids) == 2 * EVENTS:
                break
    assert ids == [str(n) for n in range(2 * EVENTS)]


async def test_the_trace_is_in_the_form_of_the_contract_and_without_the_key() -> None:
    sink = io.StringIO()
    async with app_running(fake_engine()) as port:
        async with connect(f"ws://127.0.0.1:{port}?voice_ext=0", api_key=(key := secrets.token_hex(12)), trace=sink) as session:
            await session.say("hello")
            await until_reply(session)
    lines = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert {tuple(line) for line in lines} == {("t", "dir", "link", "event")}
    assert all(0 <= line["t"] < 60 and line["link"] == 1 for line in lines)
    assert [line["event"]["type"] for line in lines if line["dir"] == "up"] == [
        "session.update",
        "conversation.item.create",
        "response.create",
    ]
    assert key not in sink.getvalue()


def test_the_usual_settings() -> None:
    server = settings_of(threshold=0.7, prefix_padding_ms=200, silence_duration_ms=800, voice="espeak", instructions="be brief")
    assert server.audio.input.turn_detection == TurnDetection("server_vad", 0.7, 200, 800)  # type: ignore[union-attr]
    assert (server.output_modalities, server.instructions) == (["audio"], "be brief")
    client = settings_of(turns="client", text_only=True)
    assert client.audio.input.turn_detection is None and client.output_modalities == ["text"]  # type: ignore[union-attr]


def test_the_public_names_are_those_of_the_module() -> None:
    assert voice.connect is connect is public and voice.Session is Session
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        voice.nothing  # noqa: B018
