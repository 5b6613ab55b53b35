"""Both sessions over ten thousand messages: what they keep stops growing, whatever a peer sends or leaves out."""

import base64
import gc
import json
import sys
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType

import numpy as np
import pytest

from tests.support.pair import Pair
from tests.support.served import LIFE_S, counted, loud_turns, sound
from voice.audio.pcm import to_bytes
from voice.protocol.client import ClientSession
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection
from voice.protocol.orders import ListenEnded, ReplyWanted
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults

pytestmark = pytest.mark.slow

MESSAGES = 10_000
STILL = 20_000
"""Bytes that may be kept more after the second half than after the first: one long item for a short one, one sound for another."""
SPEECH = base64.b64encode(to_bytes(sound("#" * 6, 24_000))).decode()


ATOMS = (str, bytes, int, float, bool, type(None), type, ModuleType, FunctionType, BuiltinFunctionType)


def held(root: object) -> int:
    """The bytes of all that an object holds, at any depth; code and types are nobody's."""
    seen: set[int] = set()
    todo, total = [root], 0
    while todo:
        one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, type | ModuleType | BuiltinFunctionType):
            continue
        if isinstance(one, FunctionType):
            todo += [cell.cell_contents for cell in one.__closure__ or ()]
            continue
        total += sys.getsizeof(one)
        if isinstance(one, np.ndarray):
            total += one.nbytes if one.base is not None else 0
        elif not isinstance(one, ATOMS):
            # Of a struct that holds no container Python does not keep track: its fields are asked for by name.
            todo += gc.get_referents(one) or [getattr(one, name) for name in getattr(one, "__struct_fields__", ())]
    return total


class Talk:
    """A server's session and a client that never gets tired; nothing that was sent is kept. Each message is a second after the last."""

    def __init__(self) -> None:
        self.session = ServerSession(defaults("m", "sess_1", 9, "v"), counted("s"), loud_turns, LIFE_S * 1000)
        self.session.judged_elsewhere = True  # type: ignore[attr-defined]
        self.now = 0.0

    def send(self, kind: str, **fields: object) -> None:
        self.now += 1.0
        for order in self.session.receive(json.dumps({"type": kind, **fields}), self.now):
            if isinstance(order, ListenEnded):
                self.session.transcribed(order.item_id, "what he said " * 5, order.audio_ms)
            elif isinstance(order, ReplyWanted):
                self.session.say(order.response_id, "word " * 20)
                self.session.sound(order.response_id, sound("#" * 10, 24_000), 24_000)
                self.session.call(order.response_id, "", "f", '{"a": 1}')
                self.session.end_reply(order.response_id)
        self.session.outgoing()

    def manual_turn(self, n: int) -> None:
        if n == 0:
            self.send("session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        self.send("input_audio_buffer.append", audio=SPEECH)
        self.send("input_audio_buffer.commit")
        self.send("response.create")

    def typed(self, n: int) -> None:
        """Until no room is left: then each is refused."""
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": f"{n} " * 50}]}
        self.send("conversation.item.create", item=item, event_id=f"e{n}")
        if n % 3 == 0:
            self.send("conversation.item.delete", item_id=f"item_s{n // 2 + 1}")

    def beside(self, n: int) -> None:
        item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": SPEECH}]}
        self.send("response.create", response={"conversation": "none", "input": [item], "metadata": {"n": str(n)}})

    def begun_and_stopped(self, n: int) -> None:
        text = json.dumps({"type": "response.create", "response": {"conversation": "none" if n % 2 else "auto"}})
        [order] = [order for order in self.session.receive(text, self.now) if isinstance(order, ReplyWanted)]
        self.session.say(order.response_id, "word")
        self.send("response.cancel", response_id=order.response_id)

    def spoken(self, n: int) -> None:
        """The detector's turns, and settings that change."""
        self.send("input_audio_buffer.append", audio=base64.b64encode(to_bytes(sound("#" * 15 + "." * 30, 24_000))).decode())
        self.send("session.update", session={"type": "realtime", "instructions": f"{n} " * 200})

    def nonsense(self, n: int) -> None:
        self.send(f"thing {n}", event_id=f"e{n}")
        self.send("conversation.item.retrieve", item_id=f"item {n}")
        self.send("conversation.item.truncate", item_id=f"item {n}", content_index=0, audio_end_ms=n)


MESSAGES_OF: dict[Callable[[Talk, int], None], int] = {
    Talk.typed: 1,
    Talk.beside: 1,
    Talk.begun_and_stopped: 2,
    Talk.nonsense: 3,
    Talk.manual_turn: 3,
    Talk.spoken: 4,
}


@pytest.mark.parametrize("act", MESSAGES_OF, ids=lambda act: act.__name__)
def test_a_server_s_session_stops_growing(act: Callable[[Talk, int], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds of sound and items are brought within reach: what is looked for is what has none."""
    monkeypatch.setattr("voice.protocol.conversation.MAX_SOUND_BYTES", 1 << 20)
    monkeypatch.setattr("voice.protocol.conversation.MAX_ITEMS", 200)
    talk = Talk()
    rounds = MESSAGES // MESSAGES_OF[act]
    for n in range(rounds // 2):
        act(talk, n)
    half = held(talk.session)
    for n in range(rounds // 2, rounds):
        act(talk, n)
    assert held(talk.session) - half < STILL
    assert 5_000 < half < 20 << 20
    assert len(talk.session.conversation) <= 200


def recorded() -> str:
    pair = Pair(Session(audio=Audio(AudioInput(transcription=Transcription(), turn_detection=TurnDetection()))))
    pair.push("." * 25 + "#" * 20 + "." * 30)
    pair.deliver(pair.server.say("Well,", sound("#" * 2, 24_000)))
    pair.push("." * 10 + "#" * 20 + "." * 30)
    pair.reply()
    return "\n".join(json.dumps(event) for event in pair.server.sent)


@pytest.mark.parametrize("kept", ["all", "no ends", "no beginnings", "only sound"])
def test_a_client_s_session_stops_growing(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that names everything anew for a day, also one that forgets half of its events."""
    lines = recorded().split("\n")
    gone = {"all": ("nothing",), "no ends": ('.done"', '.completed"'), "no beginnings": ('.created"', '.added"', '_started"')}
    if kept == "only sound":
        lines = [line for line in lines if "output_audio.delta" in line]
    lines = [line for line in lines if not any(end in line.partition(", ")[0] for end in gone.get(kept, ("nothing",)))]
    client = ClientSession(Session(), counted("c"))
    client.connected()

    def run(first: int, last: int) -> None:
        for n in range(first, last):
            for line in lines:
                client.receive(line.replace("_s", f"_{n}x"), float(n))
            client.push_audio(sound("." * 5))
            client.interrupt(f"item_{n}x2", 100)
            client.outgoing()

    rounds = MESSAGES // len(lines)
    monkeypatch.setattr("voice.protocol.history.MAX_LINES", 100)
    run(0, rounds)
    half = held(client)
    run(rounds, 2 * rounds)
    assert held(client) - half < STILL
    assert 5_000 < half < 20 << 20
