"""What our detector says of sounds that should not end an answer, and of short words that should: the ground that barge-in is decided on.

    python bench/interjections.py [seeds]        40 of each by default; needs flite, alsa-utils, pocketsphinx-testdata; 10 s of CPU

Coughs and their like are made (`tests/support/noises.py`), each seed another one, and heard in a room. "speech" is how long silero behind the
gate says that somebody speaks, in all and without a break; it goes on for some 150 ms after the sound. "voice" are the ms of it with a pitch
(`voice/audio/voicing.py`). Least, tenth, median, ninth tenth and most of each.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.needs import ALSA_SOUNDS, SPHINX_DATA  # noqa: E402
from tests.support.noises import PEOPLE, THINGS, in_a_room  # noqa: E402
from tests.support.signals import padded, white_noise  # noqa: E402
from voice.audio.edges import highpass  # noqa: E402
from voice.audio.pcm import FRAME_MS, FRAME_SAMPLES, Framer, Samples, clip_int16, ms_in  # noqa: E402
from voice.audio.vad import make_detector  # noqa: E402
from voice.audio.voicing import has_voice  # noqa: E402
from voice.devices.wavfile import read_wav  # noqa: E402

ROOM_DBFS = -65.0
QUANTILES = (0.0, 0.1, 0.5, 0.9, 1.0)
VOICES = ("slt", "rms", "awb", "kal16")
LISTENING = ("uh huh", "mm", "yeah", "right", "okay")
STOPPING = ("stop", "wait", "no", "hey", "okay stop", "wait a moment", "what time is it")


def heard(sound: Samples, seed: int) -> tuple[int, int, int]:
    """ms of speech, of its longest run, and of voice in it."""
    padding = padded(in_a_room(sound, seed))
    quiet = white_noise(ms_in(len(padding)) + 1, ROOM_DBFS, seed)[: len(padding)]
    detector, before = make_detector(), np.zeros(FRAME_SAMPLES, np.float32)
    run = longest = total = voiced = 0
    for frame in Framer().push(clip_int16(padding.astype(np.float64) + quiet)):
        speech, clean = detector.push(frame), highpass(frame)
        run = run + FRAME_MS if speech else 0
        longest, total = max(longest, run), total + FRAME_MS * speech
        voiced += FRAME_MS * (speech and has_voice(np.concatenate((before, clean))))
        before = clean
    return total, longest, voiced


def spoken(text: str) -> Iterator[Samples]:
    """By each voice of flite."""
    with tempfile.TemporaryDirectory() as folder:
        for voice in VOICES:
            path = Path(folder) / f"{voice}.wav"
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True, timeout=60)
            yield np.concatenate(list(read_wav(path)))


def people() -> Iterator[Samples]:
    """Two words to a sentence, recorded."""
    for path in sorted(ALSA_SOUNDS.glob("*_*.wav")) + sorted(SPHINX_DATA.glob("cards/*.wav")):
        yield np.concatenate(list(read_wav(path)))


def show(name: str, sounds: Iterable[Samples]) -> None:
    found = np.array([heard(sound, seed) for seed, sound in enumerate(sounds)])
    columns = ("".join(f"{np.quantile(column, at):6.0f}" for at in QUANTILES) for column in found.T)
    print(f"{name:16} {len(found):3}  {'  '.join(columns)}", flush=True)


def main() -> int:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    print(f"{'':16} {'':3}  {'speech, ms':>30}  {'longest run':>30}  {'with a voice':>30}")
    for name, make in (PEOPLE | THINGS).items():
        show(name, (make(seed) for seed in seeds))
    for text in (*LISTENING, *STOPPING):
        show(text, spoken(text))
    show("people's words", people())
    return 0


if __name__ == "__main__":
    sys.exit(main())
