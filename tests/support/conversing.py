"""One conversation of our own client, the same whatever stands between it and the engine: spoken, typed, a function call, an interruption."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from tests.support.fakes import FakeSynthesizer, FakeTranscriber
from tests.support.signals import padded
from tests.support.wire import fake_engine
from voice.audio.pcm import Samples
from voice.devices.wavfile import read_wav
from voice.engines.base import Called, Heard, Prompt, Said, Saying
from voice.engines.local import LocalEngine
from voice.protocol.notices import (
    ErrorReported,
    Notice,
    ReplyAudio,
    ReplyEnded,
    ReplyText,
    SessionReady,
    SpeechBegan,
    TurnCommitted,
    UserText,
)
from voice.protocol.objects import Content, Item, ResponseParams
from voice.protocol.objects import Session as Settings
from voice.protocol.requests import ItemCreate, ResponseCreate
from voice.session import Session, settings_of

SPOKEN = "fixtures/wav/time-slt.wav"
HEARD = "what time is it"
LONG = " ".join(f"word{n}" for n in range(60))
ARGUMENTS = '{"city": "Oslo", "days": 2}'
TOOL = {
    "type": "function",
    "name": "weather",
    "description": "The weather of a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
}


class Answering:
    """Calls a function for "weather", reads its output, says sixty words to "go on", repeats anything else."""

    async def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        last = prompt.lines[-1]
        if "weather" in last.text and prompt.toolbox.usable:
            # In pieces, as a model writes them.
            for piece in (ARGUMENTS[:9], ARGUMENTS[9:12], ARGUMENTS[12:]):
                yield Called("call_weather", "weather", piece)
        elif last.text == "go on":
            yield Said(LONG + ".")
        else:
            yield Said(f"{last.text or last.role}.")

    def due_s(self) -> float | None:
        return None

    def announce(self, now: float) -> tuple[Said, ...]:
        return ()


def answering_engine(life_s: float = 60.0) -> LocalEngine:
    """The local engine that hears one sentence in everything, and answers as `Answering` does; in real time, so that it can be interrupted."""
    transcriber = FakeTranscriber()
    transcriber.heard = Heard(HEARD)
    return fake_engine(transcriber, FakeSynthesizer(), Answering(), pace=3.0, life_s=life_s)


def spoken() -> Samples:
    """A question, and the silence that ends it."""
    return padded(np.concatenate(list(read_wav(SPOKEN))), 300, 1200)


def settings() -> Settings:
    """Those of our client, and the function."""
    return msgspec.structs.replace(settings_of(), tools=[TOOL], instructions="Be brief.")


@dataclass(frozen=True, slots=True)
class Told:
    """What the program was told, without what may differ from run to run: names, times and how sound is cut up."""

    user: list[str]
    assistant: list[str]
    calls: list[tuple[str, str, str]]
    statuses: list[tuple[str, str]]
    items: list[tuple[str, str, str]]
    """(type, role, text) of all items that responses were told to have."""
    sound_ms: list[int]
    """Of each answer that was not interrupted, to 20 ms."""
    errors: list[str]


class Conversation:
    """See the top of the file. `seen`: every notice."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.seen: list[Notice] = []
        self._notices = session.__aiter__()

    async def until(self, kind: type[Notice]) -> Any:
        """The next notice of this kind."""
        async for notice in self._notices:
            self.seen.append(notice)
            if isinstance(notice, kind):
                return notice
        raise AssertionError(f"the session ended before {kind.__name__}: {self.seen[-3:]}")

    async def hold(self) -> Told:
        """All of it."""
        await self.until(SessionReady)
        await self.spoken_turn()
        await self.typed_turn("hello there")
        await self.called_turn()
        await self.interrupted_turn()
        await self.barged_turn()
        await self.typed_turn("and now")
        return self.told()

    def speak(self, sound: Samples) -> None:
        """Into the microphone, faster than anybody can."""
        for at in range(0, sound.size, 320):
            self.session.push_audio(sound[at : at + 320])

    async def spoken_turn(self) -> None:
        self.speak(spoken())
        await self.session.room()
        await self.until(TurnCommitted)
        await self.until(ReplyEnded)
        if not any(isinstance(notice, UserText) and notice.final for notice in self.seen):
            await self.until(UserText)

    async def typed_turn(self, text: str) -> None:
        await self.session.say(text)
        await self.until(ReplyEnded)

    async def called_turn(self) -> None:
        await self.session.say("weather please")
        ended = await self.until(ReplyEnded)
        (call,) = ended.output
        output = Item(type="function_call_output", call_id=call.call_id, output="rain in Oslo")
        # As a program does it that handles its calls itself.
        core = self.session._core
        core._send(ItemCreate(item=output))
        core._send(ResponseCreate(response=ResponseParams()))
        self.session._keeper.kick()
        await self.until(ReplyEnded)

    async def interrupted_turn(self) -> None:
        await self.session.say("go on")
        began = await self.until(ReplyAudio)
        self.session.interrupt(began.item_id, 100)
        await self.until(ReplyEnded)

    async def barged_turn(self) -> None:
        """The user speaks over the answer: it is stopped, cut to what was heard, and what was said over it is answered."""
        await self.session.say("go on")
        began = await self.until(ReplyAudio)
        sound, begun = spoken(), 16 * 800
        self.speak(sound[:begun])
        await self.until(SpeechBegan)
        self.session.interrupt(began.item_id, 150)
        assert (await self.until(ReplyEnded)).response_id == began.response_id
        self.speak(sound[begun:])
        await self.until(ReplyEnded)
        if sum(isinstance(notice, UserText) and notice.final for notice in self.seen) < 2:
            await self.until(UserText)

    def told(self) -> Told:
        """What has been seen so far."""
        ended = [notice for notice in self.seen if isinstance(notice, ReplyEnded)]
        sound: dict[str, int] = {}
        for notice in self.seen:
            if isinstance(notice, ReplyAudio):
                sound[notice.response_id] = sound.get(notice.response_id, 0) + notice.samples.size * 1000 // notice.rate_hz
        items = [item for one in ended for item in one.output]
        return Told(
            user=[notice.text for notice in self.seen if isinstance(notice, UserText) and notice.final],
            assistant=[notice.text for notice in self.seen if isinstance(notice, ReplyText) and notice.final],
            calls=[(str(item.name), str(item.call_id), str(item.arguments)) for item in items if item.type == "function_call"],
            statuses=[(one.status, one.reason) for one in ended],
            items=[(item.type, str(item.role), _text(item)) for one in ended if one.status == "completed" for item in one.output],
            sound_ms=[20 * round(sound.get(one.response_id, 0) / 20) for one in ended if one.status == "completed"],
            errors=[notice.code or "" for notice in self.seen if isinstance(notice, ErrorReported)],
        )


def _text(item: Item) -> str:
    content = item.content if isinstance(item.content, list) else []
    return "|".join(f"{part.type}:{part.transcript or part.text}" for part in content if isinstance(part, Content))
