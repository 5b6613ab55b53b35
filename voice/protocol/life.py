"""When a session is to move to a new link: before the server ends it, in a quiet moment if there is one.

`expires_at` is the server's wall clock, which may be far from ours: what counts is the session's age since the link was there, and its
life, `expires_at` less the server's own time at the handshake. A server that names neither is never left early.
"""

MARGIN_S = 60.0
MARGIN_SHARE = 0.3
"""A move is looked for in the last minute of a life, or in its last third if it is short."""
LAST_S = 5.0
LAST_SHARE = 0.05
"""So long before the end it is made, quiet or not."""
LOOK_AGAIN_S = 0.25


class Life:
    """The life of the session on its present link. Times are monotonic seconds unless they are called `server_s`."""

    def __init__(self) -> None:
        self._born = 0.0
        self._server_s: float | None = None
        self._life_s: float | None = None
        self._asked = False
        self._look_at = 0.0

    def begin(self, now: float, server_s: float | None) -> None:
        """A link is there; `server_s` is the server's Unix time at its handshake, None if it did not tell."""
        self._born, self._server_s, self._life_s, self._asked = now, server_s, None, False
        self._look_at = 0.0

    def expires(self, expires_at: int | None) -> None:
        """The server has said when the session ends."""
        if expires_at is None or self._server_s is None or expires_at <= self._server_s:
            return
        self._life_s = expires_at - self._server_s
        self._look_at = self._born + self._life_s - min(MARGIN_S, MARGIN_SHARE * self._life_s)

    def due(self, now: float, quiet: bool) -> bool:
        """Whether to move now; said once for each link."""
        if self._life_s is None or self._asked or now < self._look_at:
            return False
        last = self._born + self._life_s - min(LAST_S, LAST_SHARE * self._life_s)
        self._asked = quiet or now >= last
        self._look_at = min(now + LOOK_AGAIN_S, max(last, now + 0.01))
        return self._asked

    def deadline(self) -> float | None:
        """When `due` wants to be asked; None: never."""
        return None if self._life_s is None or self._asked else self._look_at
