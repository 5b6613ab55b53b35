"""When nobody speaks for too long after an answer (`idle_timeout_ms`): the silence becomes a turn, and the engine says something.

    OFF ------- an answer is done -----------------------------> ANSWERED
    ANSWERED -- the next tick ---------------------------------> PLAYING
    PLAYING --- as long as its sound is, then Step.LISTEN -----> WAITING
    WAITING --- idle_timeout_ms, then Step.TIMEOUT ------------> OFF
    any ------- speech, another answer, other turn detection --> OFF

As the service documents it the time counts from `response.done` plus the length of the answer's sound: that is when a client has played
it. Before the first answer nothing is counted.
"""

from enum import Enum


class _State(Enum):
    OFF = "off"
    ANSWERED = "answered"
    PLAYING = "playing"
    WAITING = "waiting"


class Step(Enum):
    """What is to be done."""

    LISTEN = "listen"
    """The answer has been played: what is heard from here on may become the turn."""
    TIMEOUT = "timeout"
    """Nobody has spoken."""


class Idle:
    """See the top of the file. An engine that ends an answer tells no time, so the count begins with the next tick: `deadline` asks for one."""

    def __init__(self) -> None:
        self._state = _State.OFF
        self._at = 0.0
        self._sound_s = 0.0
        self._timeout_s = 0.0

    def answered(self, sound_ms: int, timeout_ms: int) -> None:
        """An answer is done that has so much sound."""
        self._state, self._at = _State.ANSWERED, 0.0
        self._sound_s, self._timeout_s = sound_ms / 1000, timeout_ms / 1000

    def off(self) -> None:
        """There is no silence to count."""
        self._state = _State.OFF

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        return None if self._state is _State.OFF else self._at

    def tick(self, now: float) -> Step | None:
        """What time has brought about, one step a call: call again until there is none."""
        if self._state is _State.ANSWERED:
            self._state, self._at = _State.PLAYING, now + self._sound_s
        if self._state is _State.OFF or now < self._at:
            return None
        if self._state is _State.PLAYING:
            self._state, self._at = _State.WAITING, self._at + self._timeout_s
            return Step.LISTEN
        self._state = _State.OFF
        return Step.TIMEOUT
