"""What a piece of sound costs on the wire, at both ends: our codec and sessions, beside the openai package doing the same for its user.

    python bench/wire.py [--pieces 2000] [--rounds 9]

Up: 16 kHz sound becomes an append at the client and samples in the buffer at the server. Down: 24 kHz sound becomes deltas at the server
and samples at the client. The peer is the openai package's own code on the same texts: `RealtimeConnection.send` and `parse_event` at the
client, its models at the server, and beside them what its user has to write: base64, and numpy over the bytes. Ours is told twice: the
codec alone, and the session with all that it does (resampling where rates differ, the buffer, the ledger, the order of events).
CPU time of this process, median over rounds that take turns; no socket and no detector on either side.
"""

import argparse
import base64
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from voice.audio.pcm import Samples, from_bytes, samples_in, to_bytes
from voice.audio.turns import TurnDetector, TurnSettings
from voice.protocol.client import ClientSession
from voice.protocol.codec import decode_client, decode_server, encode
from voice.protocol.events import AudioDelta
from voice.protocol.objects import Audio, AudioFormat, AudioInput, Session
from voice.protocol.requests import BufferAppend
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults

GOAL = 0.55
"""Of the peer's CPU (PERF P5): for the codec at both ends, and for the client's whole session. The package has no server: beside ours
stand its models alone, so the server's session is told without a goal."""
PIECES_MS = (40, 100)
UP_HZ, DOWN_HZ = 16_000, 24_000
Way = Callable[[], object]


def noise(ms: int, rate_hz: int) -> Samples:
    """Loud enough that nothing in it is short when written down."""
    return np.random.default_rng(1).integers(-20_000, 20_000, samples_in(ms, rate_hz)).astype(np.int16)


def counted() -> Callable[[str], str]:
    """Ids as long as real ones."""
    count = [0]

    def new_id(kind: str) -> str:
        count[0] += 1
        return f"{kind}_{count[0]:022d}"

    return new_id


class Deaf:
    """A detector that hears nothing: what it would cost is no affair of the wire."""

    def push(self, frame: Samples) -> bool:
        return False

    def reset(self) -> None:
        pass

    def tune(self, threshold: float) -> None:
        pass


def server_session() -> ServerSession:
    """One that takes 16 kHz and leaves the turns to the client."""
    session = ServerSession(defaults("voice", "sess_1", 9, "voice"), counted(), lambda _: TurnDetector(TurnSettings(), Deaf()), 1e9)
    settings = {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": UP_HZ}, "turn_detection": None}}}
    session.receive(json.dumps({"type": "session.update", "session": settings}), 0.0)
    session.outgoing()
    return session


def up_client(ms: int, pieces: int) -> dict[str, Way]:
    """Sound of the microphone -> text of an append."""
    sound, sdk = noise(ms, UP_HZ), connection()

    def codec() -> None:
        for _ in range(pieces):
            encode(BufferAppend(audio=to_bytes(sound)))

    def session() -> None:
        heard = AudioInput(format=AudioFormat("audio/pcm", UP_HZ), turn_detection=None)
        client = ClientSession(Session(type="realtime", audio=Audio(heard)), counted())
        client.connected()
        settings = client.outgoing()[0].replace('"session.update"', '"session.updated"')
        client.receive(settings, 0.0)
        for _ in range(pieces):
            client.push_audio(sound)
            assert client.outgoing()

    def peer() -> None:
        for _ in range(pieces):
            sdk.input_audio_buffer.append(audio=base64.b64encode(sound.tobytes()).decode())

    return {"codec": codec, "session": session, "peer": peer}


def up_server(ms: int, pieces: int) -> dict[str, Way]:
    """Text of an append -> samples in the buffer."""
    from openai.types.realtime import RealtimeClientEvent
    from pydantic import TypeAdapter

    text, models = encode(BufferAppend(audio=to_bytes(noise(ms, UP_HZ)))), TypeAdapter[Any](RealtimeClientEvent)

    def codec() -> None:
        for _ in range(pieces):
            event = decode_client(text)
            assert isinstance(event, BufferAppend) and from_bytes(event.audio).size

    def session() -> None:
        answering = server_session()
        for _ in range(min(pieces, 600_000 // ms)):
            answering.receive(text, 0.0)
        assert not answering.outgoing()

    def peer() -> None:
        for _ in range(pieces):
            event = models.validate_json(text)
            assert np.frombuffer(base64.b64decode(event.audio), "<i2").size

    return {"codec": codec, "session": session, "peer": peer}


def down_server(ms: int, pieces: int) -> dict[str, Way]:
    """Sound of the engine -> text of a delta."""
    from openai.types.realtime import ResponseAudioDeltaEvent

    sound = noise(ms, DOWN_HZ)
    where: dict[str, Any] = {"response_id": f"resp_{1:022d}", "item_id": f"item_{1:022d}", "output_index": 0, "content_index": 0}

    def codec() -> None:
        for _ in range(pieces):
            encode(AudioDelta(event_id=f"event_{1:022d}", **where, delta=to_bytes(sound)))

    def session() -> None:
        answering = server_session()
        answering.begin_reply()
        response_id = json.loads(answering.outgoing()[-1])["response"]["id"]
        for _ in range(pieces):
            answering.sound(response_id, sound, DOWN_HZ)
            assert answering.outgoing()

    def peer() -> None:
        for _ in range(pieces):
            audio = base64.b64encode(sound.tobytes()).decode()
            ResponseAudioDeltaEvent(type="response.output_audio.delta", event_id=f"event_{1:022d}", delta=audio, **where).to_json(
                indent=None
            )

    return {"codec": codec, "session": session, "peer": peer}


def down_client(ms: int, pieces: int) -> dict[str, Way]:
    """Text of a delta -> samples for the loudspeaker."""
    where: dict[str, Any] = {"response_id": f"resp_{1:022d}", "item_id": f"item_{1:022d}", "output_index": 0, "content_index": 0}
    text, sdk = encode(AudioDelta(event_id=f"event_{1:022d}", **where, delta=to_bytes(noise(ms, DOWN_HZ)))), connection()

    def codec() -> None:
        for _ in range(pieces):
            event = decode_server(text)
            assert isinstance(event, AudioDelta) and from_bytes(event.delta).size

    def session() -> None:
        client = ClientSession(Session(), counted())
        client.connected()
        for _ in range(pieces):
            assert client.receive(text, 0.0)

    def peer() -> None:
        for _ in range(pieces):
            event = sdk.parse_event(text)
            assert event.type == "response.output_audio.delta"
            assert np.frombuffer(base64.b64decode(event.delta), "<i2").size

    return {"codec": codec, "session": session, "peer": peer}


def connection() -> Any:
    """The openai package's connection over a socket that goes nowhere."""
    from openai.resources.realtime.realtime import RealtimeConnection

    class Nowhere:
        def send(self, text: str) -> None: ...

    return RealtimeConnection(Nowhere())  # type: ignore[arg-type]


STEPS = {
    "append, at the client": up_client,
    "append, at the server": up_server,
    "delta, at the server": down_server,
    "delta, at the client": down_client,
}


def measure(ways: dict[str, Way], pieces: int, rounds: int) -> dict[str, float]:
    """us of CPU for a piece, each way; median over rounds that take turns."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            way()
            taken[name].append((time.process_time() - began) / pieces * 1e6)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pieces", type=int, default=2000, help="pieces of sound in a round")
    arguments.add_argument("--rounds", type=int, default=9)
    chosen = arguments.parse_args()
    print(
        f"{'us of CPU for a piece':<32}{'codec':>8}{'session':>9}{'openai':>8}{'ratios':>14}   goal {GOAL}x, of the server's sessions none"
    )
    missed = False
    for ms in PIECES_MS:
        for name, make in STEPS.items():
            cost = measure(make(ms, chosen.pieces), chosen.pieces, chosen.rounds)
            codec, session = cost["codec"] / cost["peer"], cost["session"] / cost["peer"]
            good = max(codec, session if name.endswith("client") else codec) <= GOAL
            missed |= not good
            numbers = f"{cost['codec']:8.1f}{cost['session']:9.1f}{cost['peer']:8.1f}{codec:7.2f}x{session:5.2f}x"
            print(f"{f'{ms} ms: {name}':<32}{numbers}{'' if good else '   missed'}", flush=True)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
