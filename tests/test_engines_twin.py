"""The twin as an engine: two runs are equal byte for byte, sessions are apart, and what passes is written down."""

import asyncio
import io
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.fakes import FakeSynthesizer
from tests.support.needs import needs
from tests.support.signals import padded, speech_like
from tests.support.wire import Wire, talking, transcript
from voice.engines import tts
from voice.engines.script import default_script, read_script
from voice.engines.twin import MODEL, TwinEngine, TwinOptions, twin_engine
from voice.errors import LinkClosed, MissingExtra
from voice.links.base import memory_pair
from voice.links.trace import Sink, WireTraces
from voice.policy.faults import FaultPlan, read_faults

DONE = "response.done"
SCRIPT = """
    voice = "tones"
    expires_at = 2000000000
    [[reply]]
    heard = "where is my order"
    transcript_delay_ms = 40
    delay_ms = 20
    say = "Let me look. One moment."
    calls = [{name = "lookup", arguments = {id = 7}}, {name = "weather"}]
    pace = 30.0
    [[reply]]
    when = {output_of = "*"}
    say = "It says {output}."
    pace = 40
    [[reply]]
    say = "Bye."
    pace = inf
    usage = {text_in = 3, text_out = 4}
"""


class Notes:
    """What each session of a twin has written down."""

    def __init__(self) -> None:
        self.files: list[io.StringIO] = []

    @contextmanager
    def __call__(self, number: int) -> Iterator[Sink]:
        assert number == len(self.files) + 1
        self.files.append(io.StringIO())
        yield self.files[-1]

    def texts(self) -> list[str]:
        """The traces, without the times."""
        return [re.sub(r'^\{"t":[\d.]+,', "{", file.getvalue(), flags=re.M) for file in self.files]


async def conversation(wire: Wire) -> None:
    """A spoken turn, two outputs, a typed turn and a mistake."""
    await wire.settle(transcription={"model": "any"})
    await wire.push(padded(speech_like(800), 400, 800))
    called = await wire.until(DONE)
    while not wire.of("conversation.item.input_audio_transcription.completed"):
        await wire.next()
    for item in called["response"]["output"]:
        if item["type"] == "function_call":
            output = {"type": "function_call_output", "call_id": item["call_id"], "output": f"{item['name']} done"}
            await wire.send("conversation.item.create", item=output)
    await wire.send("response.create")
    await wire.until(DONE)
    await wire.send("conversation.item.delete", item_id="nobody", event_id="mine")
    await wire.until("error")
    await wire.type("bye")
    await wire.until("rate_limits.updated")


async def run(hurry: bool, faults: FaultPlan | None = None) -> list[str]:
    """Two conversations, one after the other, with a new twin."""
    notes = Notes()
    options = TwinOptions(hurry=hurry, witness=WireTraces(notes, time.monotonic), faults=faults)
    engine = TwinEngine(read_script(SCRIPT, "s.toml"), None, options)
    for _ in range(2):
        async with talking(engine, ordered=faults is None) as wire:
            await conversation(wire)
    assert engine.begun == 2
    return notes.texts()


@pytest.mark.parametrize("hurry", [False, True])
async def test_two_runs_give_equal_traces(hurry: bool) -> None:
    first, second = await run(hurry), await run(hurry)
    assert first == second and len(first) == 2
    events = [json.loads(line) for line in first[0].splitlines()]
    downs = [line["event"]["type"] for line in events if line["dir"] == "down"]
    assert len(downs) > 60 and downs.count(DONE) == 3 and downs[0] == "session.created"
    assert {line["event"]["type"] for line in events if line["dir"] == "up"} >= {"session.update", "input_audio_buffer.append"}
    # Session by session the ids are others, so that nobody takes one session's for another's.
    assert first[0] != first[1] and not set(re.findall(r"resp_\w+", first[0])) & set(re.findall(r"resp_\w+", first[1]))


FAULTS = """
    seed = 7
    [[fault]]
    do = "drop"
    on = { event = "response.output_audio_transcript.delta" }
    p = 0.3
    [[fault]]
    do = "duplicate"
    on = { event = "response.output_audio.delta" }
    p = 0.2
    [[fault]]
    do = "reorder"
    on = { event = "response.function_call_arguments.delta", index = 0 }
    [[fault]]
    do = "error"
    on = { event = "response.output_item.added", index = 1 }
    session = 2
"""


async def test_two_runs_with_the_same_faults_give_equal_traces() -> None:
    first, second = [await run(hurry=False, faults=read_faults(FAULTS, "f.toml")) for _ in range(2)]
    without = await run(hurry=False)
    assert first == second
    assert first[0] != without[0] and first[1] != without[1]
    # Chance is the seed's, and not the same in each session.
    assert re.sub("_00[12]x", "_", first[0]) != re.sub("_00[12]x", "_", first[1])


async def test_with_and_without_its_waits_a_script_gives_the_same() -> None:
    assert await run(hurry=False) == await run(hurry=True)


async def test_what_is_told_does_not_depend_on_the_clock() -> None:
    async with talking(TwinEngine(read_script(SCRIPT, "s.toml"))) as wire:
        assert wire.events[0]["session"]["expires_at"] == 2000000000
        await wire.type("x")
        assert (await wire.until("rate_limits.updated"))["rate_limits"][0]["reset_seconds"] == 0
    async with talking(TwinEngine(default_script(), None, TwinOptions(life_s=100))) as wire:
        assert wire.events[0]["session"]["expires_at"] == pytest.approx(TwinOptions().clocks.wall_s() + 100, abs=5)
        assert (wire.events[0]["session"]["model"], wire.events[0]["session"]["audio"]["output"]["voice"]) == (MODEL, "tones")


async def test_replies_go_on_from_session_to_session_or_begin_anew() -> None:
    replies = '[[reply]]\nsay = "one"\n[[reply]]\nsay = "two"\n'
    for order, want in (("life", ["one", "two", "one"]), ("session", ["one", "one", "one"])):
        engine = TwinEngine(read_script(f'order = "{order}"\npace = inf\n{replies}', "s.toml"))
        said = []
        for _ in range(3):
            async with talking(engine) as wire:
                await wire.type("x")
                said.append(transcript(await wire.until(DONE)))
        assert said == want


async def test_without_a_script_it_repeats_what_it_was_told() -> None:
    async with talking(TwinEngine(default_script(), None, TwinOptions(hurry=True))) as wire:
        await wire.type("Hello, twin.")
        assert transcript(await wire.until(DONE)) == "Hello, twin."
        await wire.settle()
        await wire.push(padded(speech_like(1000), 400, 1000))
        assert re.fullmatch(r"\d{4} ms of speech", transcript(await wire.until(DONE)))


async def test_a_session_that_only_writes_down_takes_the_words_of_each_reply() -> None:
    engine = TwinEngine(read_script('[[reply]]\nheard = "one"\nsay = "a"\n[[reply]]\nsay = "b"\n', "s.toml"))
    near, far = memory_pair()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(engine.transcribe(far))
        wire = Wire(near)
        assert (await wire.until("session.created"))["session"]["type"] == "transcription"
        sound = padded(speech_like(800), 400, 800)
        heard = []
        for _ in range(3):
            await wire.push(sound)
            heard.append((await wire.until("conversation.item.input_audio_transcription.completed"))["transcript"])
        await near.close()
    assert heard[0] == heard[2] == "one" and heard[1].endswith("ms of speech")
    assert not wire.of("response.created")


async def test_a_session_ends_at_its_time_with_a_word() -> None:
    async with talking(TwinEngine(default_script(), None, TwinOptions(life_s=0.2))) as wire:
        assert (await wire.until("error"))["error"]["code"] == "session_expired"
        with pytest.raises(LinkClosed) as told:
            await wire.next()
        assert told.value.close_code == 1001


async def test_a_script_chooses_the_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    class Voice(FakeSynthesizer):
        async def __aenter__(self) -> "Voice":
            return self

        async def __aexit__(self, *rest: object) -> None:
            made.append("closed")

    def make(name: str) -> Voice:
        made.append(name)
        if name == "flite":
            raise MissingExtra("flite", "local")
        return Voice()

    monkeypatch.setattr(tts, "make_synthesizer", make)
    for name, voice in (("tones", "tones"), ("auto", "fake voice"), ("espeak", "fake voice")):
        async with twin_engine(read_script(f'voice = "{name}"\n[[reply]]\nsay = "x"', "s.toml")) as engine:
            assert engine.voice.name == voice
    assert made == ["auto", "closed", "espeak", "closed"]
    with pytest.raises(MissingExtra):
        async with twin_engine(read_script('voice = "flite"\n[[reply]]\nsay = "x"', "s.toml")):
            raise AssertionError


async def test_where_no_voice_is_installed_words_are_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(name: str) -> None:
        raise MissingExtra("espeak", "local")

    monkeypatch.setattr(tts, "make_synthesizer", make)
    async with twin_engine() as engine:
        assert engine.voice.name == "tones"


@pytest.mark.slow
@needs("espeakng-loader")
async def test_a_real_voice_speaks_and_two_runs_are_equal() -> None:
    found = []
    for _ in range(2):
        notes = Notes()
        script = read_script('expires_at = 1\n[[reply]]\nsay = "One, two. Three and four."\npace = inf', "s.toml")
        async with twin_engine(script, TwinOptions(witness=WireTraces(notes, time.monotonic))) as engine, asyncio.timeout(30):
            assert engine.voice.name == "espeak"
            async with talking(engine, within_s=30) as wire:
                await wire.type("x")
                done = await wire.until("rate_limits.updated") and wire.of(DONE)[0]
                assert transcript(done) == "One, two. Three and four." and wire.sound_ms > 1000
        found.append(notes.texts())
    assert found[0] == found[1]
