"""Speech detectors and the turns they make: people's recordings, clean and in noise, and sounds that are no speech.

    python bench/vad.py [auto|webrtc|silero|energy ...]        needs alsa-utils and pocketsphinx-testdata; a minute of CPU

Every recording has 1 s of silence around it. The reference is the level of the clean recording: speech is what lies within 35 dB of
its loudest 10 ms and 10 dB over its quietest tenth; pauses under 200 ms are speech. CPU is the process's own time, so a busy machine
does not change it much. "mode 2" is webrtcvad alone, as a baseline.
"""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import webrtcvad
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support import signals  # noqa: E402
from tests.support.needs import ALSA_SOUNDS, SPHINX_DATA  # noqa: E402
from voice.audio.pcm import Framer, Samples, ms_in, silence  # noqa: E402
from voice.audio.turns import SpeechStarted, SpeechStopped, TurnDetector, TurnSettings  # noqa: E402
from voice.audio.vad import Detector, make_detector  # noqa: E402
from voice.devices.wavfile import read_wav  # noqa: E402

FRAME_MS = 20
GOAL_EDGE_MS, GOAL_SPEECH_US, GOAL_QUIET_US = 40, 5000, 700


class Mode2:
    """webrtcvad as it comes."""

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(2)

    def push(self, frame: Samples) -> bool:
        """See voice.audio.vad.Detector."""
        return bool(self._vad.is_speech(frame.tobytes(), 16_000))

    def reset(self) -> None:
        """See voice.audio.vad.Detector."""
        self._vad = webrtcvad.Vad(2)


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording with silence around it."""

    name: str
    samples: Samples
    speech: NDArray[np.bool_]
    """Of each frame of 20 ms, by the reference."""
    start_ms: int
    end_ms: int


@dataclass(slots=True)
class Score:
    """What one detector did to one set of clips."""

    frames: list[float]
    false_alarms: list[float]
    start_ms: list[int]
    end_ms: list[int]
    told_ms: list[int]
    not_one: int = 0
    clips: int = 0
    cpu_s: float = 0.0
    audio_s: float = 0.0


def clips() -> Iterable[Clip]:
    for path in sorted(ALSA_SOUNDS.glob("*_*.wav")):
        yield clip(path.name, np.concatenate(list(read_wav(path))))
    for path in sorted(SPHINX_DATA.glob("cards/*.wav")) + sorted(SPHINX_DATA.glob("librivox/*.wav")):
        yield clip(path.name, np.concatenate(list(read_wav(path))))
    for name in ("goforward.raw", "numbers.raw", "something.raw"):
        yield clip(name, np.fromfile(SPHINX_DATA / name, "<i2"))


def clip(name: str, recording: Samples) -> Clip:
    samples = signals.padded(recording)
    steps = samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float)
    steps -= steps.mean(axis=1, keepdims=True)
    level = 10 * np.log10((steps**2).mean(axis=1) + 1e-9)
    quiet = np.quantile(level[level > 0], 0.1)
    where = np.flatnonzero(level > max(level.max() - 35, min(quiet + 10, level.max() - 15)))
    speech = np.zeros(len(level), bool)
    for left, right in zip(where, [*where[1:], where[-1]], strict=True):
        speech[left : right if right - left <= 20 else left + 1] = True
    speech[where[-1]] = True
    pairs = speech[: len(speech) // 2 * 2].reshape(-1, 2).any(axis=1)
    return Clip(name, samples, pairs, int(where[0]) * 10, (int(where[-1]) + 1) * 10)


def measure(make: Callable[[], Detector], what: Iterable[Clip], snr_db: int | None) -> Score:
    score = Score([], [], [], [], [])
    for each in what:
        sound = each.samples if snr_db is None else signals.add_noise(each.samples, snr_db)
        detector = make()
        heard = np.array([detector.push(frame) for frame in Framer().push(sound)])[: len(each.speech)]
        want = each.speech[: len(heard)]
        score.frames.append(float((heard == want).mean()))
        score.false_alarms.append(float((heard & ~want).sum() / max(1, (~want).sum())))
        turns = TurnDetector(TurnSettings(), make())
        before = time.process_time()
        told = [(turns.position_ms, event) for at in range(0, len(sound), 320) for event in turns.push(sound[at : at + 320])]
        score.cpu_s += time.process_time() - before
        score.audio_s += ms_in(len(sound)) / 1000
        score.clips += 1
        score.not_one += len(told) != 2
        starts = [event.voiced_start_ms for _, event in told if isinstance(event, SpeechStarted)]
        ends = [(at_ms, event.voiced_end_ms) for at_ms, event in told if isinstance(event, SpeechStopped)]
        if starts and ends:
            score.start_ms.append(starts[0] - each.start_ms)
            score.end_ms.append(ends[-1][1] - each.end_ms)
            score.told_ms.append(ends[-1][0] - each.end_ms - 500)
    return score


def row(name: str, score: Score) -> str:
    def spread(values: list[int]) -> str:
        return f"{np.median(values):5.0f} {np.quantile(np.abs(values), 0.95):5.0f}" if values else "    -     -"

    return (
        f"{name:16} {np.mean(score.frames):6.3f} {np.mean(score.false_alarms):6.3f}   {spread(score.start_ms)}   {spread(score.end_ms)}"
        f"   {spread(score.told_ms)}   {score.not_one:3}/{score.clips}   {1e6 * score.cpu_s / score.audio_s:6.0f}"
    )


def no_speech() -> dict[str, Samples]:
    noises = {f"white {level}": signals.white_noise(20_000, level) for level in (-60, -40, -20, -10)}
    recorded = np.concatenate(list(read_wav(ALSA_SOUNDS / "Noise.wav")))
    return {
        "silence": silence(20_000),
        **noises,
        "pink -30": signals.pink_noise(20_000, -30),
        "hum": signals.hum(20_000),
        "tone": signals.tone(20_000),
        "tone, 2 s": signals.padded(signals.tone(2000)),
        "white, 2 s": signals.padded(signals.white_noise(2000, -20)),
        "keyboard": signals.clicks(20_000),
        "Noise.wav": signals.padded(recorded),
    }


def false_turns(make: Callable[[], Detector], sound: Samples) -> tuple[int, float]:
    """(turns, CPU us for each second)."""
    turns = TurnDetector(TurnSettings(), make())
    before = time.process_time()
    events = [event for at in range(0, len(sound), 320) for event in turns.push(sound[at : at + 320])]
    cpu_us = 1e6 * (time.process_time() - before) / (len(sound) / 16_000)
    return sum(isinstance(event, SpeechStarted) for event in events), cpu_us


def main() -> int:
    if not (SPHINX_DATA.exists() and ALSA_SOUNDS.exists()):
        print("needs the recordings: apt-get install alsa-utils pocketsphinx-testdata")
        return 1
    people = list(clips())
    kinds = sys.argv[1:] or ["mode 2", "energy", "webrtc", "silero", "auto"]
    makers: dict[str, Callable[[], Detector]] = {k: Mode2 if k == "mode 2" else lambda k=k: make_detector(kind=k) for k in kinds}  # type: ignore[misc]
    print(f"{len(people)} recordings   frames  false   start p50/95   end p50/95    told p50/95 (ms)  not one  us/s")
    missed = []
    for name, make in makers.items():
        for snr_db in (None, 20, 10):
            score = measure(make, people, snr_db)
            print(row(f"{name} {'clean' if snr_db is None else f'{snr_db} dB'}", score))
            if name == "auto":
                missed += [f"turns at {snr_db} dB"] if score.not_one else []
                missed += ["CPU of speech"] if 1e6 * score.cpu_s / score.audio_s > GOAL_SPEECH_US else []
                edges = [abs(float(np.median(values))) for values in (score.start_ms, score.end_ms)]
                missed += ["edges"] if snr_db is None and max(edges) > GOAL_EDGE_MS else []
    for name, make in makers.items():
        told = {sound: false_turns(make, samples) for sound, samples in no_speech().items()}
        print(f"{name:8}", "  ".join(f"{sound}: {turns} ({cpu_us:.0f})" for sound, (turns, cpu_us) in told.items()))
        if name == "auto":
            missed += [f"{turns} turns in {sound}" for sound, (turns, _) in told.items() if turns]
            missed += ["CPU of a quiet room"] if told["white -60"][1] > GOAL_QUIET_US else []
    print("turns where nobody speaks, and in brackets us/s" + (f"; MISSED: {', '.join(missed)}" if missed else "; all goals reached"))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
