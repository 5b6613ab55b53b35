"""What a row of the dialects (`dialect.py`) is made of: ways to differ, each a field whose default is the protocol of today."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from voice.audio.encoding import PCM, PCMA, PCMU

Names = Mapping[str, str]
NOTHING: frozenset[str] = frozenset()
_NO_NAMES: Mapping[str, Any] = MappingProxyType({})
_OWN: Names = MappingProxyType({PCM: PCM, PCMU: PCMU, PCMA: PCMA})


@dataclass(frozen=True, slots=True)
class Wording:
    """How the settings of a session or of a response are written."""

    flat: frozenset[str] = NOTHING
    """Settings that are written by their flat name (`flat.py`), beside the others."""
    typed: bool = True
    """A session says its `type`."""
    spoken: tuple[str, ...] = ("audio",)
    """The modalities that ask for a spoken answer."""
    written: tuple[str, ...] = ("text",)
    """Those that ask for a written one."""
    voice_objects: bool = False
    """A voice is {name, type}: a name with a language in it (en-US-AvaNeural) is one of the service's own, another one is the model's."""
    wrapped_tools: bool = False
    """A tool is {type, function: {name, ...}}, as in chat completions."""
    transcriber: str | None = None
    """The one model that writes down what is said, whichever was asked for."""
    always: Mapping[str, Any] = field(default_factory=lambda: _NO_NAMES)
    """What each `session.update` has to say besides."""
    untaken: frozenset[str] = NOTHING
    """Settings of today, by flat or own name, that are not taken and so not sent."""
    own: frozenset[str] = NOTHING
    """Settings of the service's own, which a client of today is not told. One within another is "turn_detection.languages"."""
    transcription_sessions: bool = False
    """A session that only writes down has events of its own, `transcription_session.*`."""


@dataclass(frozen=True, slots=True)
class Detecting:
    """How the end of a turn is detected."""

    kinds: Names = field(default_factory=lambda: _NO_NAMES)
    """Kinds that have another name, or are replaced: ours -> theirs."""
    keys: frozenset[str] | None = None
    """What may be said beside the kind; None: all that today's protocol says."""
    nobody: Any = None
    """What says that the client ends turns."""
    at_first: bool = True
    """A session begins with it. Where it does not, it is asked for when the session begins; or switched off, for a client of the dialect."""
    repeated: bool = False
    """Each update of the settings has to say it again, or it is off."""


@dataclass(frozen=True, slots=True)
class Sounding:
    """How sound is written."""

    formats_in: Names = field(default_factory=lambda: _OWN)
    """What may go up: our names -> theirs, the usual one first."""
    formats_out: Names = field(default_factory=lambda: _OWN)
    """What may come down."""
    rates_in_hz: tuple[int, ...] = (24_000,)
    """Rates of PCM that may go up, the usual one first; none: any. Sound of another rate is resampled."""
    rates_out_hz: tuple[int, ...] = (24_000,)
    """Rates of PCM that may come down."""
    rate_field: str | None = None
    """The flat setting that tells the rate of what goes up, where the name of the format does not."""
    wav: bool = False
    """Each piece of sound that goes up is a whole WAV file."""


@dataclass(frozen=True, slots=True)
class Telling:
    """How a server tells what happens."""

    names: Names = field(default_factory=lambda: _NO_NAMES)
    """Events with another name: ours -> theirs."""
    old_content: bool = False
    """What an assistant says is `text` and `audio` in items, not `output_text` and `output_audio`."""
    silent_about: frozenset[str] = NOTHING
    """Events of today that it does not send."""
    call_names: bool = True
    """`response.function_call_arguments.done` tells the name of the function."""
    item_names: bool = True
    """The events of speech and of an answer's pieces tell their item."""
    places: bool = True
    """Where `previous_item_id` is null, nothing stands before the item. Elsewhere it stands behind all others."""
    whole_words: bool = False
    """The user's words come as all words so far, each time, before they come as what they are in the end."""
    words_usage: bool = True
    """The end of a transcription tells its usage."""
    usage_outside: bool = False
    """A response's usage stands beside it; inside are {} and a word instead of `status_details`."""
    greets: tuple[str, ...] = ()
    """Events without content that come right behind `session.created`."""
    chatter: frozenset[str] = NOTHING
    """Events that say nothing to anybody else, and are not passed on."""
    extras: frozenset[str] = NOTHING
    """Fields of events, items and usages that say nothing to anybody else, and are not passed on."""
