"""The espeak-ng child: `python -m voice.workers.espeak`.

espeak-ng is GPL-3, keeps all its state in global variables, and is therefore alone in a process of its own, loaded
at run time from the `espeakng-loader` package (the extra `local`).

The same text must give the same samples. espeak-ng carries a lot over from one text to the next: its noise generator,
the phase of flutter and of the wave, the last formants, and after an abort the rest of the queue. `espeak_Terminate`
and `espeak_ng_SetRandSeed` reset only a part of it (measured on 1.52.0), so that the library is unloaded and loaded again
for each text, which takes 2 ms and is done after the text before, while nobody waits.
"""

import _ctypes
import ctypes
import re
from collections.abc import Callable
from typing import Any

from voice.errors import MissingError
from voice.workers.speaking import Mark, Put, serve

_CHUNK_MS = 100
_SEED = ctypes.c_long(1)
_OUTPUT_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_CHARACTER = 1
_EVENT_END = 0
_EVENT_WORD = 1
_LETTER = re.compile(r"[^\W_]")
_PARAMETERS = {"rate_wpm": 1, "volume": 2, "pitch": 3, "range": 4, "gap": 7}
"""Numbers of `espeak_PARAMETER`; gap counts 10 ms at the default speed."""


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """espeak-ng, new for each text. Raises: MissingError if the library or its voices cannot be loaded."""

    def __init__(self, library: str, voices: str) -> None:
        self._library = library
        self._voices = voices
        self._put: Put = lambda audio, marks: False
        self._text = ""
        # The C side keeps a bare pointer to the callback: this reference keeps it alive.
        self._callback = _Callback(self._chunk)
        self._espeak: ctypes.CDLL | None = None
        self.rate_hz = 0
        self._fresh: ctypes.CDLL | None = self._load()

    def speak(self, order: dict[str, Any], put: Put) -> None:
        """Speak the text of the order with the first of its voices that there is. Raises: MissingError."""
        espeak = self._fresh or self._load()
        self._fresh = None
        self._choose(espeak, order["voices"])
        for name, number in _PARAMETERS.items():
            if name in order:
                espeak.espeak_SetParameter(number, order[name], 0)
        self._put = put
        self._text = order["text"]
        text = self._text.encode()
        espeak.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, _CHARACTER, 0, _UTF8, None, None)

    def rest(self) -> None:
        """Load the library anew, so that the next order need not wait for it."""
        if self._fresh is None:
            self._fresh = self._load()

    def _load(self) -> ctypes.CDLL:
        if self._espeak is not None:
            self._espeak.espeak_Terminate()
            _unload(self._espeak)
        try:
            espeak = ctypes.CDLL(self._library)
            rate_hz = espeak.espeak_Initialize(_OUTPUT_SYNCHRONOUS, _CHUNK_MS, self._voices.encode(), _DO_NOT_EXIT)
        except (OSError, AttributeError) as exc:
            raise MissingError(f"espeak-ng cannot be loaded ({exc}): install the package espeakng-loader again") from exc
        if rate_hz <= 0:
            raise MissingError(f"espeak-ng finds no voices in {self._voices}: install the package espeakng-loader again")
        espeak.espeak_SetSynthCallback(self._callback)
        if hasattr(espeak, "espeak_ng_SetRandSeed"):
            espeak.espeak_ng_SetRandSeed(_SEED)  # it has just seeded its noise from the clock
        self.rate_hz = rate_hz
        self._espeak = espeak
        return espeak

    @staticmethod
    def _choose(espeak: ctypes.CDLL, voices: list[str]) -> None:
        if not any(espeak.espeak_SetVoiceByName(name.encode()) == 0 for name in voices):
            raise MissingError(f"espeak-ng has none of the voices {', '.join(voices)}")

    def _chunk(self, wave: int | None, count: int, events: Any) -> int:
        """espeak's callback: so many samples at `wave`, and the events up to them. 1 aborts."""
        marks: list[Mark] = []
        index = 0
        while events[index].type != _EVENT_END:
            if events[index].type == _EVENT_WORD:
                marks.append((events[index].sample, self._letter(events[index].text_position - 1)))
            index += 1
        audio = ctypes.string_at(wave, count * 2) if wave and count else b""
        if not audio and not marks:
            return 0
        return 0 if self._put(audio, marks) else 1

    def _letter(self, position: int) -> int:
        """The first letter or digit from there on: espeak places "what" of "wait - what" at the hyphen."""
        found = _LETTER.search(self._text, position)
        return found.start() if found else position


def _unload(library: ctypes.CDLL) -> None:
    """Take the library out of memory, and its global variables with it."""
    close: Callable[[int], object] = getattr(_ctypes, "dlclose", None) or _ctypes.FreeLibrary  # type: ignore[attr-defined]
    close(library._handle)


def _make() -> Espeak:
    try:
        import espeakng_loader
    except ImportError as exc:
        raise MissingError(f"the package espeakng-loader cannot be imported: {exc}") from exc
    return Espeak(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


if __name__ == "__main__":
    serve(_make)
