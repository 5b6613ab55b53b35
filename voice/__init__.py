"""voice: talk to any model by voice, from a terminal, a page or a WAV file. See docs/api.md."""

__version__ = "0.1.0"
TYPE_CHECKING = False
"""As `typing.TYPE_CHECKING`, without the import, which would cost half of `voice --help`."""

if TYPE_CHECKING:
    from voice.engines.local import local_engine as local_engine
    from voice.errors import ToolError as ToolError
    from voice.protocol.dead_air import Filler as Filler
    from voice.protocol.notices import ErrorReported as ErrorReported
    from voice.protocol.notices import LinkLost as LinkLost
    from voice.protocol.notices import LinkRestored as LinkRestored
    from voice.protocol.notices import Other as Other
    from voice.protocol.notices import ReplyAudio as ReplyAudio
    from voice.protocol.notices import ReplyBegan as ReplyBegan
    from voice.protocol.notices import ReplyEnded as ReplyEnded
    from voice.protocol.notices import ReplyLost as ReplyLost
    from voice.protocol.notices import ReplyText as ReplyText
    from voice.protocol.notices import SessionEnded as SessionEnded
    from voice.protocol.notices import SessionReady as SessionReady
    from voice.protocol.notices import SpeechBegan as SpeechBegan
    from voice.protocol.notices import SpeechEnded as SpeechEnded
    from voice.protocol.notices import ToolEnded as ToolEnded
    from voice.protocol.notices import ToolStarted as ToolStarted
    from voice.protocol.notices import TurnCommitted as TurnCommitted
    from voice.protocol.notices import TurnResent as TurnResent
    from voice.protocol.notices import UserText as UserText
    from voice.server.serving import serve as serve
    from voice.server.twin import twin as twin
    from voice.session import Session as Session
    from voice.session import hold
    from voice.session import settings_of as settings_of

    connect = hold

_HOMES = {
    "Session": "voice.session",
    "connect": "voice.opening",
    "settings_of": "voice.session",
    "local_engine": "voice.engines.local",
    "serve": "voice.server.serving",
    "twin": "voice.server.twin",
}
_NOTICES = (
    *("ErrorReported", "LinkLost", "LinkRestored", "Other", "ReplyAudio", "ReplyBegan", "ReplyEnded", "ReplyLost", "ReplyText"),
    *("SessionEnded", "SessionReady", "SpeechBegan", "SpeechEnded", "ToolEnded", "ToolStarted", "TurnCommitted", "TurnResent"),
    "UserText",
)
_HOMES |= {"Filler": "voice.protocol.dead_air", "ToolError": "voice.errors"}
_HOMES |= dict.fromkeys(_NOTICES, "voice.protocol.notices")
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    """The public names, imported when they are asked for: `import voice` costs nothing."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'voice' has no attribute '{name}'")
    found: object = getattr(import_module(_HOMES[name]), name)
    return found
