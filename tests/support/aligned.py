"""When each word of a recording ends, as an independent ear finds it: a recogniser that is told what is said looks for when.

It can lose the last words of a sentence; what it cannot find it does not tell. Its frames are 10 ms.
"""

import functools
from typing import Any

import numpy as np

from voice.audio.pcm import RATE_HZ, Samples, clip_int16

PAD_MS = 500
NOISE = 10.0
"""Amplitude of the noise that is added: the recogniser finds no end of speech in digital silence."""


@functools.cache
def _decoder() -> Any:
    from pocketsphinx import Config, Decoder, get_model_path

    config = Config()
    config["hmm"] = get_model_path("en-us/en-us")
    config["dict"] = get_model_path("en-us/cmudict-en-us.dict")
    config["lm"] = None
    config["loglevel"] = "FATAL"
    config["beam"], config["pbeam"], config["wbeam"], config["maxhmmpf"] = 1e-200, 1e-200, 1e-150, -1
    return Decoder(config)


def word_ends(samples: Samples, words: list[str]) -> list[int]:
    """Where each of these words ends, in ms: `samples` are 16 kHz, `words` as a dictionary spells them, several for a number
    ("three hundred [and] one": what is in brackets may be missing). Those at the end that were not found are left out."""
    decoder = _decoder()
    decoder.add_jsgf_string("said", f"#JSGF V1.0; grammar said; public <said> = {' '.join(words)};")
    decoder.activate_search("said")
    pad = PAD_MS * RATE_HZ // 1000
    sound = np.random.default_rng(1).normal(0, NOISE, len(samples) + 2 * pad)
    sound[pad : pad + len(samples)] += samples
    decoder.start_utt()
    decoder.process_raw(clip_int16(sound).tobytes(), full_utt=True)
    decoder.end_utt()
    found = [(segment.word.split("(")[0], segment.end_frame) for segment in decoder.seg() if segment.word[0].isalpha()]
    ends, at = [], 0
    for word in words:
        for part in word.split():
            heard = found[at][0] if at < len(found) else ""
            at += heard == part.strip("[]")
            assert heard in ("", part.strip("[]")) or part[0] == "[", f"heard {found[at:]} for {part!r}"
            if not heard:
                return ends
        ends.append((found[at - 1][1] + 1) * 10 - PAD_MS)
    return ends
