"""What a session's responder has to say by itself (its timers): when, and whether it is said or only left as word.

responder: due ---> `all`: said at once, where answers come by themselves
               ---> `word`: left in the conversation, where they must be asked for ---> `asked_for`, word for word: said
                                                                                   ---> `all`: said, once answers come by themselves
"""

import logging
from collections.abc import Callable, Sequence

from voice.engines.base import Responder, Said
from voice.engines.verbatim import ordered
from voice.protocol.orders import ReplyWanted

log = logging.getLogger(__name__)

MAX_LEFT = 64
"""Words that were left, and that nobody has asked for, beyond it are forgotten, the oldest first."""


class Announcer:
    """See the top of the file. `now` is monotonic seconds."""

    def __init__(self, responder: Responder, now: Callable[[], float]) -> None:
        self._responder = responder
        self._now = now
        self._left: dict[str, Sequence[Said]] = {}

    def all(self) -> Sequence[Said]:
        """All that there is to say, word that was left included."""
        left = [sentence for word in self._left.values() for sentence in word]
        self._left.clear()
        return (*left, *self._new())

    def word(self) -> str:
        """What there is to say that no word was left of yet; "" for nothing."""
        said = self._new()
        text = " ".join(sentence.text for sentence in said)
        if text:
            self._left[text] = said
            if len(self._left) > MAX_LEFT:
                del self._left[next(iter(self._left))]
        return text

    def asked_for(self, order: ReplyWanted) -> Sequence[Said]:
        """What is said, if a client asks for word that was left, in just these words."""
        return self._left.pop(ordered(order.instructions) or "", ()) if order.instructed else ()

    def due_s(self, look_again_s: float | None) -> float | None:
        """When to look next (monotonic): when something is due, or at `look_again_s` while there is word that nobody has asked for."""
        times = (self._responder.due_s(), look_again_s if self._left else None)
        return min((at for at in times if at is not None), default=None)

    def _new(self) -> Sequence[Said]:
        try:
            return self._responder.announce(self._now())
        except Exception:
            # A bug in a responder must not take the session along; nobody waits for this, so the log is all.
            log.exception("an announcement failed")
            return ()
