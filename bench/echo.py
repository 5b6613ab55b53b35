"""P10: interruptions through the echo canceller, in synthetic rooms, with the machines of `voice talk`.

    python bench/echo.py [seconds of each scene, 40]        needs flite, livekit, silero, alsa-utils and pocketsphinx-testdata; minutes

Delays x reverberation x {linear, clipping loudspeaker, two clocks 100 ppm apart} x {echo only, double talk, user only}: each a conversation from its
first frame on (`tests/support/echo_talk.py`). Answers are flite's, users are recordings of people and flite's other voices, as loud in the
microphone as the echo (-24 against -26 dBFS). A word that goes up intact stops an answer once it is known; recognising is not part of this.
Ends with 1 if a goal is missed.
"""

import itertools
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.echo_talk import Outcome, Said, Utterance, converse, spoken_at  # noqa: E402
from tests.support.needs import alsa_recordings, sphinx_recordings  # noqa: E402
from tests.support.rooms import Room  # noqa: E402
from tests.support.signals import at_level  # noqa: E402
from voice.audio.pcm import Samples, ms_in  # noqa: E402
from voice.audio.vad import make_detector  # noqa: E402
from voice.devices.canceller import make_canceller  # noqa: E402
from voice.devices.wavfile import read_wav  # noqa: E402

DELAYS_MS, RT60S_MS, KINDS = (20, 80, 200, 400), (150, 400, 800), ("linear", "clipping", "drift")
ANSWER = (
    "The weather in the mountains is fine today, and it will stay so until the evening, when some rain comes from the west. After that the night "
    "will be cold and clear. If you plan a walk, take a jacket with you, because the wind can be strong. The last bus leaves at half past six."
)
ORDERS = ("wait, I have another question", "stop it please, and tell me the time", "no, I did not ask for that")
ANSWER_DBFS, USER_DBFS = -20.0, -24.0
FIRST_MS = 2_000
"""False stops and ducks are counted from here on."""
GOAL_STOPPED, GOAL_DUCK_MS, GOAL_HALF_DUPLEX_MS = 0.95, 300, 2_000


@dataclass(slots=True)
class Sum:
    """Of one kind of scene."""

    played_min: float = 0.0
    false_ducks: int = 0
    false_stops: int = 0
    half_duplex_ms: int = 0
    """The most of a session."""

    def add(self, outcome: Outcome) -> None:
        self.played_min += max(0, outcome.played_ms - FIRST_MS) / 60_000
        self.false_ducks += sum(at_ms > FIRST_MS for at_ms in outcome.false_ducks)
        self.false_stops += sum(at_ms > FIRST_MS for at_ms in outcome.false_stops)
        self.half_duplex_ms = max(self.half_duplex_ms, outcome.half_duplex_ms)

    def row(self, name: str) -> str:
        ducks, stops = (count / max(self.played_min, 1e-9) for count in (self.false_ducks, self.false_stops))
        return f"{name:12} {self.played_min:6.1f} min   {ducks:5.2f} false ducks/min   {stops:5.2f} false stops/min   half-duplex {self.half_duplex_ms} ms"


def flite(text: str, voice: str, level_dbfs: float) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True, timeout=60)
        return at_level(np.concatenate(list(read_wav(path))).astype(float), level_dbfs)


def people() -> list[Samples]:
    """What people said in 1 to 4 s, without the silence around it."""
    found = []
    for recording in (*alsa_recordings(), *sphinx_recordings()):
        sound = np.concatenate(list(read_wav(recording.path)))
        loud = np.abs(sound.astype(float)) > np.abs(sound.astype(float)).max() * 10 ** (-30 / 20)
        sound = sound[loud.argmax() : len(sound) - loud[::-1].argmax()]
        if 900 < ms_in(len(sound)) < 4_000:
            found.append(at_level(sound.astype(float), USER_DBFS))
    return found


@dataclass(frozen=True, slots=True)
class Scene:
    """A room, and who speaks in it."""

    delay_ms: int
    rt60_ms: int
    kind: str
    answers: tuple[Samples, ...]
    users: tuple[Samples, ...]
    duration_ms: int

    def outcomes(self) -> list[Outcome]:
        """Of echo only and of double talk; in linear rooms of double talk where no words come and of the user only, too."""
        where = Room(
            delay_ms=self.delay_ms,
            rt60_ms=self.rt60_ms,
            clip_db=6.0 if self.kind == "clipping" else None,
            drift_ppm=100.0 if self.kind == "drift" else 0.0,
            seed=self.delay_ms + self.rt60_ms,
        )
        said = list(spoken_at(self.users, 4_000, self.duration_ms, self.delay_ms + self.rt60_ms))
        found = [run(where, self.answers, [], self.duration_ms), run(where, self.answers, said, self.duration_ms)]
        if self.kind == "linear":
            found += [run(where, self.answers, said, self.duration_ms, words_come=False), run(where, [], said, self.duration_ms)]
        for outcome in found:
            outcome.cleared.clear()
        return found


def run(where: Room, answers: Sequence[Samples], said: Sequence[Utterance], duration_ms: int, words_come: bool = True) -> Outcome:
    canceller = make_canceller()
    assert canceller is not None, "livekit is installed"
    return converse(where, answers, said, canceller, make_detector(), duration_ms, words_come)


def stopped(said: Sequence[Said]) -> str:
    ducks, stops = ([getattr(one, name) for one in said if getattr(one, name) is not None] for name in ("ducked_ms", "stopped_ms"))
    words = sum(one.by_words_ms is not None for one in said)
    return (
        f"{len(stops)} of {len(said)} ({len(stops) / len(said):.3f}; {words} by words)   ducked after {np.median(ducks):.0f} ms "
        f"(p95 {np.quantile(ducks, 0.95):.0f})   stopped after {np.median(stops):.0f} ms (p95 {np.quantile(stops, 0.95):.0f})"
    )


def main(duration_ms: int) -> int:
    answers = [flite(ANSWER, voice, ANSWER_DBFS) for voice in ("slt", "rms", "awb")] * 3
    users = [*people(), *(flite(order, "kal16", USER_DBFS) for order in ORDERS)]
    sums = {name: Sum() for name in ("echo only", "double talk", *KINDS)}
    with_words: list[Said] = []
    alone: list[Said] = []
    heard = said_alone = 0
    scenes = [Scene(*where, tuple(answers), tuple(users), duration_ms) for where in itertools.product(DELAYS_MS, RT60S_MS, KINDS)]
    # The canceller's library cannot be used behind a fork.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for scene, outcomes in zip(scenes, pool.map(Scene.outcomes, scenes), strict=True):
            echo, both = outcomes[:2]
            if len(outcomes) > 2:
                length, only = outcomes[2:]
                alone += [one for one in length.said if one.over_answer]
                said_alone += len(only.said)
                heard += sum(any(only.heard[one.utterance.start_ms // 20 : one.utterance.end_ms // 20 + 10]) for one in only.said)
            for outcome, name in ((echo, "echo only"), (both, "double talk"), (echo, scene.kind), (both, scene.kind)):
                sums[name].add(outcome)
            with_words += [one for one in both.said if one.over_answer]
            where = f"{scene.delay_ms:4} ms, RT60 {scene.rt60_ms} ms, {scene.kind:9}"
            print(f"{where} ERLE {np.median(echo.erle_db[100:]):3.0f} dB   {stopped(both.said)}", flush=True)
    for name, each in sums.items():
        print(each.row(name))
    print(f"interruptions stopped: {stopped(with_words)}")
    print(f"by length alone, where no words come: {stopped(alone)}")
    print(f"user only: {heard} of {said_alone} heard")
    ducked = float(np.median([one.ducked_ms for one in with_words if one.ducked_ms is not None]))
    share = sum(one.stopped_ms is not None for one in with_words) / len(with_words)
    reached = (
        sums["echo only"].false_stops + sums["double talk"].false_stops == 0,
        share >= GOAL_STOPPED,
        ducked <= GOAL_DUCK_MS,
        max(each.half_duplex_ms for each in sums.values()) <= GOAL_HALF_DUPLEX_MS,
        heard == said_alone,
    )
    print(
        f"goals: 0 false stops, {GOAL_STOPPED} stopped, ducked after {GOAL_DUCK_MS} ms (median), half-duplex {GOAL_HALF_DUPLEX_MS} ms, all heard: {reached}"
    )
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main(1_000 * int(sys.argv[1]) if len(sys.argv) > 1 else 40_000))
