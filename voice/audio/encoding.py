"""How sound is written in bytes on the wire: 16-bit PCM of some rate, or G.711 at 8 kHz."""

from collections.abc import Callable
from dataclasses import dataclass

from voice.audio import g711
from voice.audio.pcm import Samples, from_bytes, to_bytes

PCM, PCMU, PCMA = "audio/pcm", "audio/pcmu", "audio/pcma"
"""Names as on the wire of the Realtime protocol."""

_CODECS: dict[str, tuple[int, Callable[[Samples], bytes], Callable[[bytes], Samples]]] = {
    PCM: (2, to_bytes, from_bytes),
    PCMU: (1, g711.encode_mu, g711.decode_mu),
    PCMA: (1, g711.encode_a, g711.decode_a),
}
TELEPHONE = frozenset({PCMU, PCMA})
"""Those whose rate is fixed: `g711.RATE_HZ`."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """One form of sound on the wire; `name` is one of the three above."""

    name: str
    rate_hz: int

    @property
    def sample_bytes(self) -> int:
        """How many bytes a sample takes."""
        return _CODECS[self.name][0]

    def encode(self, samples: Samples) -> bytes:
        """Samples (int16, mono, of this rate, any length) as bytes."""
        return _CODECS[self.name][1](samples)

    def decode(self, data: bytes) -> Samples:
        """Bytes as samples of this rate. Raises: ValueError if they end within a sample."""
        return _CODECS[self.name][2](data)
