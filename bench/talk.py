"""From the end of speech to the first sound of the reply, through each way to the local engine, broken down.

    python bench/talk.py [--runs 1] [WAV...]

Ways: `voice replay --realtime` (its speaker is the arrival of the first delta), `voice talk` with files, `voice talk` on virtual sound cards
(PortAudio over a private PulseAudio, where that is installed). Steps, medians in ms: `turn` from the last voiced sample to the
server's word that the turn is over (the silence window of 500 ms is in it), `answer` from there to the first delta, `sound` from
there to the first sample in the air. Goal: the cards add at most 150 ms to replay: the latencies that are asked for (30 in, 40 out),
a block each way, a frame, and PulseAudio.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.devices.open import open_devices
from voice.engines.local import LocalEngine, LocalOptions, local_engine
from voice.opening import connect
from voice.replay import ReplayOptions, replay
from voice.session import settings_of
from voice.talk import Talk, TalkOptions

ROOT = Path(__file__).resolve().parent.parent
FILES = [ROOT / "fixtures/wav" / name for name in ("time-slt.wav", "miles-kal16.wav", "sum-awb.wav")]
GOAL_MS = 150


@dataclass(frozen=True)
class Steps:
    """One turn, in ms."""

    turn: float
    answer: float
    sound: float

    @property
    def whole(self) -> float:
        return self.turn + self.answer + self.sound


class Clocked:
    """A trace that remembers when each event was written, and a report that keeps the turns."""

    def __init__(self) -> None:
        self.at_s: dict[str, list[float]] = {"input_audio_buffer.speech_stopped": [], "response.output_audio.delta": []}
        self.turns: list[dict[str, Any]] = []
        self.told = asyncio.Event()
        self._open = False

    def write(self, text: str) -> None:
        kind = json.loads(text)["event"].get("type", "")
        if kind == "input_audio_buffer.speech_stopped":
            self._open = True
        elif kind != "response.output_audio.delta" or not self._open:
            return
        else:
            self._open = False
        self.at_s[kind].append(time.monotonic())

    def result(self, line: dict[str, object]) -> None:
        if line["event"] == "turn":
            self.turns.append(line)
            self.told.set()

    def note(self, text: str) -> None:
        pass

    def state(self, state: str) -> None:
        pass

    def caption(self, who: str, text: str) -> None:
        pass

    def progress(self, file: str, done_ms: int, total_ms: int) -> None:
        pass

    def steps(self, began_s: Sequence[float | None]) -> list[Steps]:
        """`began_s`: when the first sample of each reply was heard."""
        found = []
        stopped, first = self.at_s.values()
        for turn, told_s, delta_s, heard_s in zip(self.turns, stopped, first, began_s, strict=False):
            if turn["first_audio_ms"] is not None and heard_s is not None:
                answer, sound = (delta_s - told_s) * 1000, (heard_s - delta_s) * 1000
                found.append(Steps(turn["first_audio_ms"] - answer - sound, answer, sound))
        return found


class Listening:
    """A loudspeaker, and when each item was begun."""

    def __init__(self, speaker: Any) -> None:
        self._speaker = speaker
        self.items: list[str] = []

    def play(self, item_id: str, samples: Any, rate_hz: int) -> None:
        if item_id not in self.items:
            self.items.append(item_id)
        self._speaker.play(item_id, samples, rate_hz)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._speaker, name)


async def nothing() -> AsyncIterator[str]:
    """Nobody types."""
    await asyncio.Event().wait()
    yield ""


async def through_replay(files: Sequence[Path]) -> list[Steps]:
    """`voice replay --realtime`; the first delta is its sound."""
    with tempfile.TemporaryDirectory() as folder:
        report = Clocked()
        await replay(ReplayOptions([str(file) for file in files], out=Path(folder), realtime=True), report)
        stopped, first = [], []
        for line in (Path(folder) / "trace.jsonl").read_text("utf-8").splitlines():
            entry = json.loads(line)
            kind = entry["event"].get("type")
            if kind == "input_audio_buffer.speech_stopped":
                stopped.append(entry["t"])
            elif kind == "response.output_audio.delta" and len(first) < len(stopped):
                first.append(entry["t"])
        report.at_s = {"stopped": stopped, "first": first}
        return report.steps(first)


async def through_talk(engine: LocalEngine, files: Sequence[Path], cards: Any) -> list[Steps]:
    """`voice talk` on `cards`, or with files where there are none."""
    found: list[Steps] = []
    for file in files:
        report = Clocked()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(asyncio.timeout(60))
            names = (None, None) if cards else (str(file), "null")
            opened = await stack.enter_async_context(open_devices(*names, report.note))
            detector = TurnDetector(TurnSettings(), make_detector())
            session = await stack.enter_async_context(connect(engine=engine, settings=settings_of(), detector=detector, trace=report))
            speaker = Listening(opened.speaker)
            talk = Talk(TalkOptions(half_duplex=opened.beside), session, opened.microphone, speaker, report)
            group = await stack.enter_async_context(asyncio.TaskGroup())
            running = group.create_task(talk.run(nothing()), name="talk")
            if cards:
                await asyncio.sleep(1)
                await cards.say(file)
                await report.told.wait()
                running.cancel()
            await asyncio.wait([running])
            found += report.steps([opened.speaker.began_s(item) for item in speaker.items])
    return found


async def measure(files: Sequence[Path]) -> dict[str, list[Steps]]:
    """The steps of each turn, for each way."""
    # The tests' sound cards are not installed with the package.
    sys.path.insert(0, str(ROOT))
    from tests.support.needs import missing
    from tests.support.virtual_audio import virtual_audio

    ways = {"replay --realtime": await through_replay(files)}
    async with local_engine(LocalOptions(warm=True)) as engine:
        ways["talk, files"] = await through_talk(engine, files, None)
        if reason := missing("pulseaudio") or missing("libportaudio2"):
            print(f"talk, virtual cards: {reason}")
            return ways
        with tempfile.TemporaryDirectory() as folder:
            async with virtual_audio(Path(folder)) as cards:
                # PortAudio looks there when it starts, which is after this.
                os.environ.update(cards.environment)
                ways["talk, virtual cards"] = await through_talk(engine, files, cards)
    return ways


def main() -> int:
    """Print a row for each way; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("files", nargs="*", type=Path)
    options = parser.parse_args()
    ways = asyncio.run(measure((options.files or FILES) * options.runs))
    print(f"{'way':22}{'turns':>6}{'turn':>8}{'answer':>8}{'sound':>8}{'whole p50':>11}{'worst':>8}")
    for name, steps in ways.items():
        if not steps:
            print(f"{name:22}     0")
            continue
        middle = [statistics.median(getattr(step, part) for step in steps) for part in ("turn", "answer", "sound", "whole")]
        print(f"{name:22}{len(steps):>6}" + "".join(f"{value:>8.0f}" for value in middle[:3]) + f"{middle[3]:>11.0f}", end="")
        print(f"{max(step.whole for step in steps):>8.0f}")
    if "talk, virtual cards" not in ways:
        return 0
    sound = statistics.median(step.turn + step.sound for step in ways["talk, virtual cards"])
    plain = statistics.median(step.turn + step.sound for step in ways["replay --realtime"])
    print(f"the cards add {sound - plain:.0f} ms (goal {GOAL_MS} ms)")
    return 0 if sound - plain <= GOAL_MS else 1


if __name__ == "__main__":
    sys.exit(main())
