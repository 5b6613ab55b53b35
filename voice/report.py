"""Who is told what happens in `voice talk`: a terminal, plain lines, JSON (`commands/`), or a test."""

from dataclasses import dataclass
from typing import Protocol

from voice.protocol.captions import Caption


@dataclass(frozen=True, slots=True)
class Meters:
    """How it stands at this moment. Levels are dBFS, -100.0 for silence; None: not known."""

    microphone_dbfs: float | None = None
    """Of what is sent, the loudest 20 ms since the last time."""
    loudspeaker_dbfs: float | None = None
    """Of what is played."""
    erle_db: float | None = None
    """By how much the canceller lowers the echo (0 without one); None: there is no echo, or it has not been measured yet."""
    half_duplex: bool = False
    """While something is played the microphone is shut."""
    needed_ms: float | None = None
    """How much speech an interruption takes now (infinite: none will do); None: nothing is played."""
    underruns: int = 0
    """How often playback has run dry in mid-reply."""
    buffered_ms: int = 0
    """Sound that waits to be played."""
    link: str = "up"
    """The way to the server: up, lost."""
    recording: str = ""
    """Where the conversation is recorded; "": it is not."""
    muted: bool = False
    """The user has shut the microphone."""
    talking: bool = False
    """Push-to-talk, and the key is down."""


class Report(Protocol):
    """Takes what happens, as it happens."""

    live: bool
    """Whether captions and meters are looked at; else they are not made."""

    def result(self, line: dict[str, object]) -> None:
        """A turn, or the summary at the end."""

    def note(self, text: str) -> None:
        """Something that a person should know."""

    def state(self, state: str) -> None:
        """Another state."""

    def caption(self, who: str, text: str) -> None:
        """What `who` ("you" or "voice") said."""

    def saying(self, captions: tuple[Caption, ...]) -> None:
        """What has been recognised and heard of the turns that are not over, oldest first; of each once more just before its result."""

    def meters(self, meters: Meters) -> None:
        """How it stands; ten times a second at most."""
