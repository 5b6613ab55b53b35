"""A language model as a voice: through the local engine, from a question to the sound of its answer."""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest

from tests.support.chat_server import BEGIN, END, SOON_S, Body, ChatServer, Script, Send, Wait, answer, chat_server, refusal, words
from tests.support.fakes import FakeSynthesizer, FakeTranscriber
from tests.support.needs import FliteWav, needs
from tests.support.signals import padded, speech_like
from tests.support.wire import Wire, talking
from voice.audio.pcm import silence
from voice.cli import main
from voice.devices.wavfile import read_wav
from voice.engines.cascade import Clocks
from voice.engines.chat import ChatResponder
from voice.engines.chat_client import ChatClient
from voice.engines.endpoint import ChatOptions, ChatTimeouts
from voice.engines.local import LocalEngine, LocalOptions, local_engine
from voice.engines.tts import EspeakSynthesizer
from voice.opening import connect
from voice.policy.retry import RetrySettings
from voice.protocol.notices import ReplyAudio, ReplyEnded, ReplyText, UserText

ROOT = Path(__file__).resolve().parent.parent
REPLY = "response.done"
KEY = f"sk-{secrets.token_hex(10)}"
PATIENT, QUICK = ChatTimeouts(5.0, 5.0, 5.0, 9.0), ChatTimeouts(5.0, 0.4, 5.0, 9.0)


@asynccontextmanager
async def talking_to_a_model(
    *scripts: Script, synthesizer: FakeSynthesizer | None = None, timeouts: ChatTimeouts = PATIENT
) -> AsyncIterator[tuple[ChatServer, Wire]]:
    """A session with the local engine: fakes hear and speak, a scripted model answers."""
    async with chat_server(*scripts) as server:
        options = ChatOptions(server.base_url, "small", KEY, timeouts=timeouts, retries=RetrySettings(0.01, 0.02, 1))
        async with ChatClient(options) as client:
            settings = LocalOptions(clocks=Clocks(asyncio.get_running_loop().time, lambda: 1_795_190_999.0, None), chat=options)
            voice = synthesizer or FakeSynthesizer()
            async with talking(LocalEngine(FakeTranscriber(), voice, lambda: ChatResponder(client, UTC), settings)) as wire:
                yield server, wire


def transcript(done: dict[str, object]) -> str:
    response: dict[str, object] = done["response"]  # type: ignore[assignment]
    return " ".join(part["transcript"] for item in response["output"] for part in item["content"])  # type: ignore[attr-defined]


async def test_the_first_sound_comes_before_the_model_has_ended() -> None:
    more = asyncio.Event()
    async with talking_to_a_model([BEGIN, words("First one. ", "And"), Wait(more), words(" second."), *END]) as (_, wire):
        await wire.type("talk")
        await wire.until("response.output_audio.delta")
        more.set()
        done = await wire.until(REPLY)
        assert (done["response"]["status"], transcript(done)) == ("completed", "First one. And second.")
        assert wire.sound_ms == pytest.approx(4 * 200, abs=2)


async def test_a_spoken_question_is_what_the_model_is_asked() -> None:
    async with talking_to_a_model(answer("Yes.")) as (server, wire):
        await wire.settle(transcription={"model": "any"})
        await wire.push(padded(speech_like(1000), 400, 1000))
        assert transcript(await wire.until(REPLY)) == "Yes."
        (words_,) = (event["transcript"] for event in wire.of("conversation.item.input_audio_transcription.completed"))
        assert server.requests[0].json["messages"][1:] == [{"role": "user", "content": words_}]


async def test_speaking_over_the_answer_stops_the_model_at_once() -> None:
    script = [BEGIN, words("First one. ", "Second one. "), Wait(9)]
    async with talking_to_a_model(script, answer("Yes?"), synthesizer=FakeSynthesizer(gate=asyncio.Event())) as (server, wire):
        await wire.settle()
        await wire.type("talk")
        await wire.until("response.output_audio.delta")
        await wire.push(padded(speech_like(800), 400, 0))
        done = await wire.until(REPLY)
        at_s = asyncio.get_running_loop().time()
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        await server.requests[0].gone.wait()
        assert asyncio.get_running_loop().time() - at_s < SOON_S
        await wire.push(silence(1000))


@pytest.mark.parametrize("end", ["cancel", "leave"])
async def test_whoever_cancels_or_leaves_stops_the_model_at_once(end: str) -> None:
    async with talking_to_a_model([Wait(9)]) as (server, wire):
        await wire.type("talk")
        await server.asked.wait()
        await (wire.send("response.cancel") if end == "cancel" else wire.link.close(1001))
        at_s = asyncio.get_running_loop().time()
        await server.requests[0].gone.wait()
        assert asyncio.get_running_loop().time() - at_s < SOON_S


async def test_what_goes_wrong_is_heard_and_the_session_lives() -> None:
    scripts = [
        refusal(401, f'{{"error":{{"message":"bad key {KEY}"}}}}'),
        [BEGIN, words("Half a sen"), Send(b"0\r\n\r\n")],
        [BEGIN, Body(b"garbage\n\n"), Send(b"0\r\n\r\n")],
        [Wait(9)],
        answer("All is well."),
    ]
    async with talking_to_a_model(*scripts, timeouts=QUICK) as (server, wire):
        found = []
        for _ in scripts:
            before_ms = wire.sound_ms
            await wire.type("hello")
            done = await wire.until(REPLY)
            assert done["response"]["status"] == "completed" and wire.sound_ms > before_ms + 400
            found.append(transcript(done))
        assert found == [
            f"The language model at {server.host} refuses the key. Please check the key and what it may be used for.",
            "Half a sen The language model stopped in the middle of its answer.",
            f"The language model at {server.host} sends something that I cannot read.",
            f"The language model at {server.host} does not answer. I waited for 1 second.",
            "All is well.",
        ]
        assert KEY not in json.dumps(wire.events)
        said = [line["content"] for line in server.requests[-1].json["messages"] if line["role"] == "assistant"]
        assert said == ["Half a sen"]


async def test_a_sentence_cut_by_an_interruption_is_what_the_model_is_told() -> None:
    async with talking_to_a_model(answer("One two three four five. ", "Six seven."), answer("Well.")) as (server, wire):
        await wire.type("talk")
        done = await wire.until(REPLY)
        item = done["response"]["output"][0]["id"]
        await wire.send("conversation.item.truncate", item_id=item, content_index=0, audio_end_ms=450)
        await wire.until("conversation.item.truncated")
        await wire.type("go on")
        await wire.until(REPLY)
        assert {"role": "assistant", "content": "One two"} in server.requests[1].json["messages"]


def test_our_own_address_is_78(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:8765/v1")
    monkeypatch.setenv("OPENAI_MODEL", "small")
    assert main(["serve", "--port", "8765"]) == 78
    told = capsys.readouterr()
    assert told.out == "" and "this server" in told.err


@pytest.mark.slow
@needs("flite", "pocketsphinx", "espeakng-loader")
async def test_a_spoken_question_is_answered_in_sound_while_the_model_still_writes(flite_wav: FliteWav) -> None:
    more = asyncio.Event()
    script = [BEGIN, words("The capital of France is Paris. ", "It is"), Wait(more), words(" old."), *END]
    async with asyncio.timeout(60), chat_server(script) as server:
        options = LocalOptions(chat=ChatOptions(server.base_url, "small"))
        async with local_engine(options) as engine, connect(engine=engine) as session, aclosing(aiter(session)) as events:  # type: ignore[type-var]
            for samples in read_wav(str(flite_wav("what is the capital of france"))):
                session.push_audio(samples)
                await session.room()
            session.push_audio(silence(1500))
            heard, said = "", ""
            async for event in events:
                match event:
                    case UserText(final=True):
                        heard = event.text
                    case ReplyAudio():
                        more.set()
                    case ReplyText(final=True):
                        said = event.text
                    case ReplyEnded():
                        break
    assert (heard, said) == ("what is the capital of france", "The capital of France is Paris. It is old.")
    assert server.requests[0].json["messages"][-1] == {"role": "user", "content": heard}


@pytest.mark.slow
@needs("flite", "pocketsphinx", "espeakng-loader")
async def test_replay_speaks_a_korean_answer_with_the_korean_voice(flite_wav: FliteWav) -> None:
    korean, english = "서울은 대한민국의 수도입니다.", "It is a big city."
    async with asyncio.timeout(60), chat_server(answer(korean, " ", english, step=5)) as server:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "VOICE_"))}
        environ |= {"OPENAI_BASE_URL": server.base_url, "OPENAI_MODEL": "small", "OPENAI_API_KEY": KEY}
        wav = str(flite_wav("tell me about seoul"))
        command = [sys.executable, "-m", "voice", "-v", "replay", "--json", "--speech", "espeak", wav]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, env=environ, cwd=ROOT, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert KEY.encode() not in out + err
    turn, summary = (json.loads(line) for line in out.decode().splitlines())
    assert (turn["assistant_text"], turn["status"], summary["errors"]) == (f"{korean} {english}", "completed", [])
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    async with EspeakSynthesizer() as synthesizer:
        spoken_ms = {}
        for language in ("ko", "en"):
            pieces = [piece for text, tongue in ((korean, language), (english, "en")) async for piece in synthesizer.speak(text, tongue)]
            spoken_ms[language] = sum(piece.samples.size * 1000 / piece.rate_hz for piece in pieces)
    assert turn["reply_ms"] == pytest.approx(spoken_ms["ko"], abs=3)
    assert abs(spoken_ms["ko"] - spoken_ms["en"]) > 50
