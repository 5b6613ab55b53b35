"""What answers: the interfaces of the local engine's three places, and of an engine as a whole.

Each has a contract test that runs on every implementation (`tests/test_engines_contract.py`).
A new model is one class in `stt.py`, `tts.py` or `responder.py`, and one line in the tables at their ends.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from voice.audio.pcm import Samples
from voice.protocol.lines import Line
from voice.protocol.tools import Toolbox

SURE = 0.5
"""From this confidence on words are no guess."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recogniser understood of one utterance."""

    text: str
    """Lower-case words; "" if nothing was understood."""
    language: str = "en"
    """BCP 47 code of the language that the recogniser takes it for."""
    confidence: float = 1.0
    """0..1: under `SURE` the words are a guess."""
    command: bool = False
    """True if the words are exactly a sentence that the skills know."""
    silent: bool = False
    """True if nobody was heard to speak for so long that the session made a turn of the silence."""

    @property
    def guess(self) -> bool:
        """Whether the words are no more than a guess."""
        return self.confidence < SURE and not self.command


@dataclass(frozen=True, slots=True)
class SoFar:
    """What a recogniser has understood of an utterance that may go on."""

    text: str
    """Lower-case words; "" if nothing was understood yet."""
    command: bool = False
    """True if the words are a sentence of the recogniser's grammar, or the beginning of one."""
    whole: bool = False
    """True if they are all of it."""
    ending: float | None = None
    """How often a sentence ends behind these words, 0..1, by the recogniser's language model; None if it has none."""


@runtime_checkable
class Foretelling(Protocol):
    """A `Hearing` that can say in the middle of an utterance what it has heard. One that cannot leaves the end of a turn to silence."""

    async def so_far(self) -> SoFar | None:
        """All that was fed up to now; None if it was dropped. What `finish` says stays the same. One question at a time. Raises: WorkerDied."""


class Hearing(Protocol):
    """One utterance on its way through a recogniser."""

    def feed(self, samples: Samples) -> None:
        """More speech: int16, mono, 16 kHz, any length. Never blocks; work begins at once."""

    async def finish(self) -> Heard:
        """The end of the utterance: all of it that was understood. Raises: WorkerDied."""

    def drop(self) -> None:
        """Forget the utterance. Harmless after `finish` and when called twice."""


class Transcriber(Protocol):
    """A recogniser. Utterances are independent: the same samples give the same text, whatever came before."""

    name: str

    def listen(self) -> Hearing:
        """Begin an utterance. Any number may be open at once; those beyond the recogniser's places wait."""


@dataclass(frozen=True, slots=True)
class WordTime:
    """When a word of a text is heard, in ms from the start of the text's audio."""

    text: str
    start_ms: int
    end_ms: int
    """Its last audible sample, not the end of the pause behind it."""
    closes: int | None = None
    """How many characters of the text have been said with it, punctuation behind it included; None: look for the word."""
    estimated: bool = False
    """Whether its time was guessed: the voice tells none."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A piece of synthesised speech."""

    samples: Samples
    """int16, mono."""
    rate_hz: int
    words: tuple[WordTime, ...] = ()
    """Words that begin in this piece; empty where the synthesiser tells none."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a text is to be spoken."""

    voice: str = ""
    """Whose voice; a name that the synthesiser does not know is its own."""
    speed: float = 1.0
    """How fast: 0.25 to 1.5; 1 is the voice's own speed."""


class Synthesizer(Protocol):
    """A speaker. The same text gives the same samples."""

    name: str
    licence: str

    def speak(self, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """One sentence as speech, piece by piece. Closing the iterator stops the work at once. Raises: WorkerDied."""


@runtime_checkable
class Mannered(Protocol):
    """What a synthesiser has beside `speak` if it can change its voice and its speed; without it, it speaks as it does."""

    def speak_as(self, manner: Manner, text: str, language: str = "en") -> AsyncGenerator[Speech, None]:
        """`speak` in this manner; the words' times are those of what is heard."""

    def voices(self) -> Sequence[str]:
        """The names that `Manner.voice` can choose from; its own name, which is not among them, stands for its usual voice."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a responder is asked to answer."""

    lines: Sequence[Line]
    """The conversation, oldest first; the last user line is the one to answer, or the outputs of tools behind it."""
    heard: Heard | None = None
    """How the last user line was heard; None if it was typed."""
    instructions: str = ""
    """The session's (or the response's) instructions."""
    toolbox: Toolbox = Toolbox()
    """Which functions may be called, and whether one must."""
    spoken: bool = True
    """The answer is heard, not read."""
    beside: bool = False
    """Out of band: nothing of the answer stays in the conversation."""
    instructed: bool = False
    """The instructions are for this answer alone."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence (or part of one) of an answer."""

    text: str
    language: str = "en"
    """Which voice speaks it."""


@dataclass(frozen=True, slots=True)
class Called:
    """More of the call of a function: the first piece names it, the same `call_id` adds to its arguments."""

    call_id: str
    name: str
    arguments: str
    """A piece of JSON; all pieces together are an object."""


@dataclass(frozen=True, slots=True)
class BrokenOff:
    """The answer is not complete, and nothing more comes of it."""

    reason: str = ""
    """"max_output_tokens" (the model's own limit) or "content_filter"; "": it has failed."""
    failure: str = ""
    """Why it failed, in a sentence."""


Saying = Said | Called | BrokenOff
"""What an answer consists of."""


class Responder(Protocol):
    """Finds the words of an answer. One object serves one session and may remember things in it."""

    def respond(self, prompt: Prompt, now: float, wall_s: float) -> AsyncGenerator[Saying, None]:
        """The answer, sentence by sentence, and the functions that it calls. `now` is monotonic, `wall_s` is Unix time; both in seconds.
        Closing the iterator stops the work at once."""

    def due_s(self) -> float | None:
        """When it next has something to say by itself (a timer), in monotonic seconds; None if never."""

    def announce(self, now: float) -> Sequence[Said]:
        """What has become due by `now`, told once."""
