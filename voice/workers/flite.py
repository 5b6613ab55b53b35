"""The flite child: `python -m voice.workers.flite rms`.

flite (CMU, a licence like BSD's) is used where the system has it; it speaks English only. Its clustergen voices shape
noise from libc's `rand()`: seeding that before each text makes the same text give the same samples.

The words' times are known before the first sample is made: the durations of all segments are in the utterance.
"""

import ctypes
import ctypes.util
import re
import sys
import unicodedata
from typing import Any

from voice.errors import MissingError
from voice.workers.speaking import Mark, Put, serve

_LEAST_SAMPLES = 1600
"""100 ms at 16 kHz: how much flite collects before it calls back."""
_SEED = 1
_CONTINUE = 0
_STOP = -1
_START_OF_WORD = b"R:SylStructure.daughter1.daughter1.R:Segment.p.end"
_START_OF_TOKEN = b"daughter1." + _START_OF_WORD


class _Voice(ctypes.Structure):
    """The head of `cst_voice` of cst_voice.h."""

    _fields_ = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


class _Wave(ctypes.Structure):
    """`cst_wave` of cst_wave.h."""

    _fields_ = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Wave), ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_void_p)


class _Streaming(ctypes.Structure):
    """The head of `cst_audio_streaming_info` of cst_audio.h."""

    _fields_ = [("min_buffsize", ctypes.c_int), ("asc", _Callback)]


class Flite:
    """flite with one of its voices. Raises: MissingError if the library or the voice is not installed."""

    def __init__(self, voice: str) -> None:
        self._voices: dict[str, Any] = {}
        self._stretches: dict[str, float] = {}
        """How slowly each speaks by itself: kal is a tenth slower than it was recorded."""
        self._libc = ctypes.CDLL(None)
        # The C side keeps a bare pointer to the callback: this reference keeps it alive.
        self._callback = _Callback(self._chunk)
        self.rate_hz = 16_000
        self._put: Put = lambda audio, marks: False
        self._utterance: int | None = None
        self._positions: list[int] = []
        self._usual = voice
        _check(voice)
        self._flite = _library("flite")
        _declare(self._flite)
        self._flite.flite_init()
        self._voice(voice)

    def _voice(self, name: str) -> Any:
        """One of flite's voices, ready to speak piece by piece. Raises: MissingError."""
        if name not in self._voices:
            _check(name)
            register = getattr(_library(f"flite_cmu_us_{name}"), f"register_cmu_us_{name}")
            register.restype = ctypes.POINTER(_Voice)
            voice = register(None)
            info = self._flite.new_audio_streaming_info()
            info.contents.min_buffsize = _LEAST_SAMPLES
            info.contents.asc = self._callback
            self._flite.feat_set(voice.contents.features, b"streaming_info", self._flite.audio_streaming_info_val(info))
            self._stretches[name] = self._flite.get_param_float(voice.contents.features, b"duration_stretch", 1.0)
            self._voices[name] = voice
        return self._voices[name]

    def speak(self, order: dict[str, Any], put: Put) -> None:
        """Speak the text of the order, with its voice and at its speed, if it names any. Raises: MissingError."""
        self._put = put
        name = order.get("voice", self._usual)
        voice = self._voice(name)
        self._flite.feat_set_float(voice.contents.features, b"duration_stretch", self._stretches[name] / order.get("speed", 1.0))
        tokens = [(token.start(), _readable(token.group())) for token in re.finditer(r"\S+", order["text"])]
        tokens = [(position, word) for position, word in tokens if any(character.isalnum() for character in word)]
        if not tokens:
            return
        text = " ".join(word for _, word in tokens)
        self._positions = [position for position, _ in tokens]
        self._libc.srand(_SEED)
        self._utterance = self._flite.new_utterance()
        try:
            self._flite.utt_set_input_text(self._utterance, text.encode("ascii"))
            self._flite.utt_init(self._utterance, voice)
            self._flite.utt_synth(self._utterance)
        finally:
            self._flite.delete_utterance(self._utterance)
            self._utterance = None

    def rest(self) -> None:
        """Nothing to prepare."""

    def _chunk(self, wave: Any, start: int, size: int, last: int, info: object) -> int:
        """flite's callback: `size` samples from `start` on are ready."""
        self.rate_hz = wave.contents.sample_rate
        marks = self._find_marks() if start == 0 else []
        audio = ctypes.string_at(wave.contents.samples + 2 * start, size * 2)
        return _CONTINUE if self._put(audio, marks) else _STOP

    def _find_marks(self) -> list[Mark]:
        """Where each token of the text begins: flite's tokens are the text's runs of non-space, in order."""
        marks = []
        token = self._flite.relation_head(self._flite.utt_relation(self._utterance, b"Token"))
        for position in self._positions:
            if not token:
                break
            # A token of punctuation alone has no words, and so no time of its own.
            if self._flite.ffeature_string(token, b"daughter1.name") not in (None, b"0"):
                marks.append((int(self._flite.ffeature_float(token, _START_OF_TOKEN) * self.rate_hz), position))
            token = self._flite.item_next(token)
        return marks


def _check(voice: str) -> None:
    if not re.fullmatch(r"[a-z0-9]+", voice):
        raise MissingError(f"flite has no voice {voice!r}")


def _readable(word: str) -> str:
    """What flite can read of a word: ASCII, letters without their accents. Other scripts are silent."""
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()


def _library(name: str) -> ctypes.CDLL:
    """One of flite's libraries; they find one another's symbols only if they are global."""
    path = ctypes.util.find_library(name)
    if path is None:
        raise MissingError(f"the library lib{name} is not installed (Debian: apt-get install flite)")
    try:
        return ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    except OSError as exc:
        raise MissingError(f"the library {path} cannot be loaded: {exc}") from exc


def _declare(flite: ctypes.CDLL) -> None:
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "new_audio_streaming_info": (ctypes.POINTER(_Streaming), []),
        "audio_streaming_info_val": (pointer, [pointer]),
        "feat_set": (None, [pointer, text, pointer]),
        "feat_set_float": (None, [pointer, text, ctypes.c_float]),
        "get_param_float": (ctypes.c_float, [pointer, text, ctypes.c_float]),
        "new_utterance": (pointer, []),
        "utt_set_input_text": (ctypes.c_int, [pointer, text]),
        "utt_init": (pointer, [pointer, pointer]),
        "utt_synth": (pointer, [pointer]),
        "delete_utterance": (None, [pointer]),
        "utt_relation": (pointer, [pointer, text]),
        "relation_head": (pointer, [pointer]),
        "item_next": (pointer, [pointer]),
        "ffeature_string": (text, [pointer, text]),
        "ffeature_float": (ctypes.c_float, [pointer, text]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(flite, name)
        function.restype, function.argtypes = result, arguments


if __name__ == "__main__":
    serve(lambda: Flite(sys.argv[1] if len(sys.argv) > 1 else "rms"))
