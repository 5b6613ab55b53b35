"""How far the microphone is trusted: how much speech an interruption takes now, and whether it is heard at all.

`audio/evidence.py` says it frame by frame, from what is measured of the echo. Where no speech would do (half-duplex) the microphone is shut while something
is played; people see that, and are told once if it lasts. While nothing is played there is no echo: whoever speaks then is trusted, and an answer that
comes meanwhile waits for its turn.
"""

import math
from collections.abc import Callable

from voice.audio.evidence import LEAST_MS, needed_by
from voice.audio.pcm import FRAME_MS
from voice.devices.base import Microphone
from voice.protocol.floor import Floor

LASTING_MS = 3_000
"""Of playback with the microphone shut. Every conversation at a loudspeaker begins with one or two seconds of it."""
SHUT = "while an answer is played the microphone is shut, or it would hear it: headphones (--headphones) let you interrupt by speaking; Enter always stops it"
PLAIN = "this server decides by itself what interrupts an answer: a cough may"
OPEN = "the echo is under control: you can interrupt by speaking"


class Trust:
    """See the top of the file. `half_duplex`: not at all; `headphones`: the microphone cannot hear the loudspeaker."""

    def __init__(self, microphone: Microphone, floor: Floor, note: Callable[[str], None], half_duplex: bool, headphones: bool) -> None:
        self._microphone = microphone
        self._floor = floor
        self._note = note
        self._half_duplex = half_duplex
        self._headphones = headphones
        self._shut_ms = 0
        self._told = False
        self._plain_told = False

    def needed_ms(self, playing: bool, ducked: bool) -> float:
        """Of speech, now; infinite: none will do. `ducked`: it is being decided about some, so that the microphone stays as open as it was."""
        needed_ms = math.inf if self._half_duplex else needed_by(self._microphone.echo, self._headphones)
        shut = math.isinf(needed_ms)
        self._floor.needed_ms = needed_ms if playing else None
        self._floor.half_duplex = shut and not ducked
        if not playing:
            return LEAST_MS
        self._tell(shut)
        return needed_ms

    def tell_plain(self) -> None:
        """The server does not let us decide what interrupts: said once."""
        if not self._plain_told:
            self._plain_told = True
            self._note(PLAIN)

    def _tell(self, shut: bool) -> None:
        before = self._told
        self._shut_ms = self._shut_ms + FRAME_MS if shut else 0
        if self._shut_ms >= LASTING_MS and not self._told:
            self._told = True
            self._note(SHUT)
        elif before and not shut:
            self._told = False
            self._note(OPEN)
