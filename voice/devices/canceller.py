"""Takes the loudspeaker's sound out of the microphone's: WebRTC's echo canceller (AEC3), noise suppressor and high-pass, from `livekit`.

Gain control is off: it makes the first seconds worse, and a detector wants levels that stay (`audio/gain.py` comes behind it).
"""

import logging
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Samples, from_bytes, to_bytes

log = logging.getLogger(__name__)

PIECE_SAMPLES = RATE_HZ // 100
"""WebRTC takes 10 ms."""
WARM_FRAMES = 10
"""The first frames take up to 30 ms, the later ones 0.1: those are not to be the conversation's."""
MOST_DELAY_MS = 500
"""WebRTC cuts what is longer."""


class Canceller(Protocol):
    """One object for a whole call: what it has learnt of a room must not be learnt again with each answer."""

    def process(self, captured: Samples, played: Samples, delay_ms: int) -> Samples:
        """The microphone's sound without the loudspeaker's: a frame of 320 samples each, int16, mono, 16 kHz; under 1 ms of work.

        `delay_ms`: a hint how much later than `played` its echo is in `captured`.
        """
        ...


def make_canceller(headphones: bool = False) -> Canceller | None:
    """A canceller that is ready; None where none is installed. Loads a library (0.5 s): not on the event loop.

    `headphones`: there is no echo, so only noise is taken out: a canceller that has not learnt its room yet takes the user's first words for echo.
    """
    try:
        rtc = import_module("livekit.rtc")
        canceller = LivekitCanceller(rtc, not headphones)
    except ImportError as exc:
        # Not installed, or for another system; either way there is none.
        log.debug("no echo canceller: %s", exc)
        return None
    silence = np.zeros(FRAME_SAMPLES, np.int16)
    for _ in range(WARM_FRAMES):
        canceller.process(silence, silence, 0)
    return canceller


class LivekitCanceller:
    """See the top of the file."""

    def __init__(self, rtc: Any, echo: bool = True) -> None:
        """`rtc`: the module; `echo`: take it out, too. Raises: ImportError if its library cannot be loaded here."""
        self._frame = rtc.AudioFrame
        self._module = rtc.AudioProcessingModule(
            echo_cancellation=echo, noise_suppression=True, high_pass_filter=True, auto_gain_control=False
        )

    def process(self, captured: Samples, played: Samples, delay_ms: int) -> Samples:
        """See Canceller."""
        done = bytearray()
        for at in range(0, len(captured), PIECE_SAMPLES):
            near, far = (self._frame(to_bytes(side[at : at + PIECE_SAMPLES]), RATE_HZ, 1, PIECE_SAMPLES) for side in (captured, played))
            self._module.process_reverse_stream(far)
            self._module.set_stream_delay_ms(max(0, min(delay_ms, MOST_DELAY_MS)))
            self._module.process_stream(near)
            done += bytes(near.data)
        return from_bytes(bytes(done))
