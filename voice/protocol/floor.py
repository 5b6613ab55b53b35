"""Who has the floor in a conversation at a loudspeaker: the state that people see, and whether the microphone is open.

    RECONNECTING  there is no link
    SPEAKING      a reply is heard, or was until a moment ago
    THINKING      somebody has spoken or typed, and is not answered yet
    MUTED         the user has shut the microphone, or push-to-talk, and the key is not down
    LISTENING     all else

The first that is so, in this order. Without an echo canceller a microphone beside a loudspeaker hears the reply: half-duplex keeps it shut
while something is played and `HOLD_S` longer.
"""

import enum

HOLD_S = 0.3
"""A room's reverberation, and what is on its way through the card."""


class State(enum.Enum):
    """See the top of the file; the values are the contract's."""

    LISTENING = "listening"
    THINKING = "thinking"
    SPEAKING = "speaking"
    RECONNECTING = "reconnecting"
    MUTED = "muted"


class Floor:
    """See the top of the file. `now` is monotonic seconds."""

    def __init__(self, half_duplex: bool = False, push_to_talk: bool = False) -> None:
        self.linked = True
        """There is a link to the server."""
        self.pressed = False
        """Push-to-talk: the user has the floor."""
        self.pressed_ms = 0
        """Since when, in ms of the captured sound."""
        self.muted = False
        """The user has shut the microphone."""
        self.ended = False
        """The session is over."""
        self.left = False
        """The user has ended the conversation."""
        self.half_duplex = half_duplex
        """The microphone is shut while something is played."""
        self.needed_ms: float | None = None
        """How much speech an interruption takes now (infinite: none will do); None: nothing is played."""
        self._push_to_talk = push_to_talk
        self._held_until = 0.0

    def step(self, now: float, playing: bool, waiting: bool) -> State:
        """The state now. `playing`: the loudspeaker has something; `waiting`: a turn has no complete answer yet."""
        if playing and self.half_duplex:
            self._held_until = now + HOLD_S
        if not self.linked:
            return State.RECONNECTING
        if playing or now < self._held_until:
            return State.SPEAKING
        if waiting:
            return State.THINKING
        return State.MUTED if self.shut else State.LISTENING

    def stopped(self) -> None:
        """The user has stopped the reply: whoever does that wants to be heard at once."""
        self._held_until = 0.0

    @property
    def shut(self) -> bool:
        """The user has shut the microphone: what it hears is nobody's business."""
        return self.muted or (self._push_to_talk and not self.pressed)

    def open(self, now: float, playing: bool) -> bool:
        """Whether the microphone is to be heard."""
        if self.muted:
            return False
        if self._push_to_talk:
            return self.pressed
        return not (self.half_duplex and (playing or now < self._held_until))
