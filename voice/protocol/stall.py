"""When the sound stops coming in a turn that ends by meaning: time goes on where sound does not, so that the turn has an end.

    NONE ----- a turn is open, and no pause of it is being judged ---------> COUNTING
    COUNTING - sound ------------------------------------------------------> COUNTING, from there
    COUNTING - the turn ends, or a pause is judged ------------------------> NONE
    COUNTING - the silence that is left to wait, and `LATE_S` more --------> NONE, told once by `tick`

Clients with a gate of their own stop sending in the silence; others send one clip. Of `server_vad` it is documented that the silence must
be sent; `semantic_vad` names no silence that a client could send.
"""

LATE_S = 1.0
"""Sound may come in pieces of a second, or be late by so much, and still makes the same turns."""


class Stall:
    """See the top of the file. Messages tell no time, so sound counts from the tick behind it."""

    def __init__(self) -> None:
        self._sound_at: float | None = None
        self._since: float | None = None
        self._at: float | None = None

    def sound(self) -> None:
        """Sound has come."""
        self._sound_at = None

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""
        return self._at

    def tick(self, now: float, left_ms: int | None) -> bool:
        """Whether the turn is over. `left_ms`: how much more silence would end it; None: there is none to wait for."""
        if self._sound_at is None:
            self._sound_at = now
        if left_ms is None:
            self._since = self._at = None
            return False
        if self._since is None:
            self._since = now
        self._at = max(self._sound_at + left_ms / 1000, self._since) + LATE_S
        if now < self._at:
            return False
        self._since = self._at = None
        return True
