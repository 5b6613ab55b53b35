"""Shared traces of a talking session: what a program does and what the server sends, and what must come of it, for Python and for
web/session.js.

    python -m tests.support.session_trace        writes fixtures/traces/session-*.jsonl anew, from runs of our own engine

A line is `{"dir": "do" | "down" | "up" | "note" | "history", "event"}`. `do`: what the program does; `down`: what the server sent, as the
trace of a real run (`voice/links/trace.py`) has it, or as another server would; `up`: what the session sends, in order; `note`: what it
tells the program about the line before; `history`, last: the conversation. Ids of the session count up.
"""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import voice
from tests.support.session_scripts import SCRIPTED
from voice.audio.pcm import from_bytes, samples_in, silence, to_bytes
from voice.devices.wavfile import read_wav
from voice.protocol.client import ClientSession
from voice.protocol.inbound import input_rate, output_rate
from voice.protocol.notices import (
    ErrorReported,
    Notice,
    Other,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyLost,
    ReplyText,
    SessionReady,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    TurnResent,
    UserText,
)
from voice.protocol.objects import Audio, AudioFormat, AudioInput, AudioOutput, Session, Transcription, TurnDetection

FIXTURES = Path(__file__).resolve().parent.parent.parent / "fixtures"
CHUNK_MS = 100
REPLY_HZ = 8000
"""Of the replies in real runs: the files stay small."""
Line = dict[str, Any]


def counted_ids() -> Callable[[str], str]:
    """item_client000001, event_client000001, item_client000002, ..."""
    counts: Counter[str] = Counter()

    def new_id(kind: str) -> str:
        counts[kind] += 1
        return f"{kind}_client{counts[kind]:06d}"

    return new_id


def settings() -> Session:
    """What web/session.js asks for, but for the rate of the replies."""
    hearing = AudioInput(transcription=Transcription(model="whisper-1"), turn_detection=TurnDetection("server_vad", 0.5, 300, 500))
    speaking = AudioOutput(format=AudioFormat("audio/pcm", REPLY_HZ))
    return Session(type="realtime", output_modalities=["audio"], audio=Audio(hearing, speaking))


def run(steps: Iterable[Line]) -> Iterator[Line]:
    """The lines `do` and `down` of a trace, each with what comes of it now, whatever the trace says."""
    session = ClientSession(settings(), counted_ids())
    for step in steps:
        if step["dir"] not in ("do", "down"):
            continue
        yield step
        notices = session.receive(json.dumps(step["event"]), 0.0) if step["dir"] == "down" else _do(session, step["event"])
        yield from ({"dir": "note", "event": told(notice)} for notice in notices)
        yield from ({"dir": "up", "event": json.loads(text)} for text in session.outgoing())
    yield {
        "dir": "history",
        "event": [[line.item_id, line.role, line.text, line.status, line.estimated] for line in session.inbound.history],
    }


def _do(session: ClientSession, event: Line) -> list[Notice]:
    match event["do"]:
        case "connected":
            return session.connected()
        case "say":
            session.say(event["text"])
        case "push":
            return session.push_audio(from_bytes(base64.b64decode(event["audio"])))
        case "interrupt":
            session.interrupt(event["item_id"], event["heard_ms"])
        case unknown:
            raise AssertionError(unknown)
    return []


def told(notice: Notice) -> list[Any]:
    """A notice as both languages write it; the words of a complaint about what cannot be read are each one's own."""
    name = type(notice).__name__
    match notice:
        case SessionReady():
            return [name, input_rate(notice.settings), output_rate(notice.settings)]
        case SpeechBegan() | SpeechEnded():
            return [name, notice.at_ms, notice.item_id]
        case TurnCommitted():
            return [name, notice.item_id]
        case UserText():
            return [name, notice.item_id, notice.text, notice.final, notice.failed]
        case ReplyBegan():
            return [name, notice.response_id]
        case ReplyText():
            return [name, notice.response_id, notice.item_id, notice.text, notice.final]
        case ReplyAudio():
            return [name, notice.response_id, notice.item_id, notice.samples.size, int(notice.samples.sum()), notice.rate_hz]
        case ReplyEnded():
            return [name, notice.response_id, notice.status, notice.reason]
        case ErrorReported(code="unreadable_event" | "unreadable_audio"):
            return [name, "unreadable"]
        case ErrorReported():
            return [name, notice.code, notice.message, notice.param, notice.event_id]
        case TurnResent():
            return [name, notice.item_id]
        case ReplyLost():
            return [name, notice.response_id, notice.again]
        case Other(event=event):
            return [name, getattr(event, "type", None) or event.__struct_config__.tag]
        case _:
            raise AssertionError(name)


class Recorder:
    """A sink of links/trace.py that keeps what comes down, and in between what the program does."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def write(self, line: str, /) -> None:
        entry = json.loads(line)
        if entry["dir"] == "down":
            self.lines.append({"dir": "down", "event": entry["event"]})

    def do(self, what: str, **how: Any) -> None:
        self.lines.append({"dir": "do", "event": {"do": what, **how}})


async def _reply(session: voice.Session, recorder: Recorder, interrupt_at: int | None = None) -> None:
    """Everything up to the end of the next answer, which is interrupted at its n-th piece of sound if that is asked for."""
    pieces = 0
    async for notice in session:
        if isinstance(notice, ReplyAudio) and interrupt_at is not None:
            pieces += 1
            if pieces == interrupt_at:
                recorder.do("interrupt", item_id=notice.item_id, heard_ms=250)
                session.interrupt(notice.item_id, 250)
        if isinstance(notice, ReplyEnded):
            return


async def _say(session: voice.Session, recorder: Recorder, text: str) -> None:
    recorder.do("say", text=text)
    await session.say(text)


async def _push(session: voice.Session, recorder: Recorder, name: str) -> None:
    samples = [*read_wav(str(FIXTURES / "wav" / name)), silence(700)]
    for whole in samples:
        step = samples_in(CHUNK_MS)
        for at in range(0, len(whole), step):
            recorder.do("push", audio=base64.b64encode(to_bytes(whole[at : at + step])).decode())
            session.push_audio(whole[at : at + step])
    await session.room()


async def typed(session: voice.Session, recorder: Recorder) -> None:
    """Questions in two languages, the second before the first is answered."""
    await _say(session, recorder, "what is seven times eight")
    await _say(session, recorder, "7 곱하기 8은?")
    await _reply(session, recorder)
    await _reply(session, recorder)


async def spoken(session: voice.Session, recorder: Recorder) -> None:
    """A spoken question, then a typed one."""
    await _push(session, recorder, "time-slt.wav")
    await _reply(session, recorder)
    await _say(session, recorder, "thank you")
    await _reply(session, recorder)


async def interrupted(session: voice.Session, recorder: Recorder) -> None:
    """An answer that is stopped, and a question after it."""
    await _say(session, recorder, "what can you do")
    await _reply(session, recorder, interrupt_at=2)
    await _say(session, recorder, "what is two plus two")
    await _reply(session, recorder)


async def record() -> dict[str, list[Line]]:
    """Real runs of the local engine, by name."""
    runs: dict[str, list[Line]] = {}
    async with voice.local_engine() as engine:
        for program in (typed, spoken, interrupted):
            recorder = Recorder()
            recorder.do("connected")
            async with voice.connect(engine=engine, settings=settings(), new_id=counted_ids(), trace=recorder) as session:
                await program(session, recorder)
            runs[program.__name__] = recorder.lines
    return runs


def write() -> None:
    """Every trace anew."""
    for name, steps in {**asyncio.run(record()), **SCRIPTED}.items():
        path = FIXTURES / "traces" / f"session-{name}.jsonl"
        path.write_text("".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in run(steps)))


if __name__ == "__main__":
    write()
