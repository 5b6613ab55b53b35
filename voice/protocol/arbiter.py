"""The talking side's one owner of `response.create`: at most one response is asked for at a time.

    SHUT --- open (the settings are in effect) ---> FREE
    FREE --- ask ----------------> ASKED --- response.created ---> ACTIVE --- response.done ---> FREE
    ASKED or ACTIVE --- ask -----> the wish waits, and is sent when FREE
    ASKED --- error with our id, "already has an active response" ---> ACTIVE, the wish waits on
    ASKED --- any other error with our id ---> FREE

A server that answers by itself (server_vad) enters at ACTIVE. `response.created` does not say which wish it answers, so an error may
still come for one that seemed fulfilled: wishes are remembered for a while. A wish may have an event before it (a typed message),
which is sent with it: sent earlier it would be answered by the response before. A wish for which there is but one right moment
(`errands.py`) does not wait here: whoever has it is told when it was not heard, and asks again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from voice.protocol.objects import ResponseParams
from voice.protocol.requests import ClientEvent, ItemCreate, ResponseCreate

UNNAMED = "?"
"""The active response, where the server has told us of it in an error only."""
MAX_WAITING = 32
"""Wishes beyond it are refused: nobody waits for so many answers."""
REMEMBERED = 8
"""Wishes that an error may still name."""


@dataclass(frozen=True, slots=True)
class _Wish:
    params: ResponseParams
    before: ClientEvent | None
    unheard: Callable[[bool], None] | None = None
    spoken_ms: int | None = None


class Arbiter:
    """See the top of the file."""

    def __init__(self, send: Callable[[ClientEvent], None], new_id: Callable[[str], str]) -> None:
        self._send = send
        self._new_id = new_id
        self._shut = True
        self._waiting: deque[_Wish] = deque()
        self._sent: dict[str, _Wish] = {}
        self._asked: str | None = None
        self.active: str | None = None
        """The id of the response in progress."""

    @property
    def busy(self) -> bool:
        """A response is in progress or asked for."""
        return self.active is not None or self._asked is not None

    @property
    def idle(self) -> bool:
        """A wish would be sent at once."""
        return not (self.busy or self._shut or self._waiting)

    @property
    def full(self) -> bool:
        """No more can wait."""
        return len(self._waiting) >= MAX_WAITING

    def ask(
        self,
        params: ResponseParams,
        before: ClientEvent | None = None,
        unheard: Callable[[bool], None] | None = None,
        spoken_ms: int | None = None,
    ) -> bool:
        """Ask for a response, now or as soon as it may be, right behind `before`; False if too many wait.

        `unheard`: called if the server refuses it or the link breaks first, with whether to ask again makes sense; the wish is forgotten.
        `spoken_ms`: where the sound of the turn begins that it answers.
        """
        if self.full:
            return False
        self._waiting.append(_Wish(params, before, unheard, spoken_ms))
        self._next()
        return True

    def open(self) -> None:
        """The server has taken the settings: answers will be what was asked for."""
        self._shut = False
        self._next()

    def created(self, response_id: str) -> None:
        """The server began a response."""
        self.active, self._asked = response_id, None

    def done(self, response_id: str) -> None:
        """The server ended a response; "" if it does not say which."""
        if not response_id or self.active in (response_id, UNNAMED, None):
            self.active = self._asked = None
            self._next()

    def refused(self, event_id: str | None, code: str | None) -> None:
        """The server answered an event of ours with an error."""
        wish = self._sent.pop(event_id or "", None)
        if wish is None:
            return
        current = event_id == self._asked
        if current:
            self._asked = None
        busy = code == "conversation_already_has_active_response"
        if busy and current:
            self.active = self.active or UNNAMED
        if wish.unheard is not None:
            wish.unheard(busy)
        elif busy:
            self._waiting.appendleft(replace(wish, before=None))
        self._next()

    def reset(self, known: Callable[[str], bool] = lambda item_id: False) -> None:
        """A new link: nothing is active there, what waits still waits, and what was asked for is asked for again.

        `known`: whether the server had taken an item: then it is restored with the others, and not sent again with its wish.
        """
        if self._asked is not None:
            wish = self._sent[self._asked]
            taken = isinstance(wish.before, ItemCreate) and known(str(wish.before.item.id))
            if wish.unheard is not None:
                wish.unheard(True)
            else:
                self._waiting.appendleft(replace(wish, before=None) if taken else wish)
        self._sent.clear()
        self.active = self._asked = None
        self._shut = True

    def drop(self, from_ms: int) -> None:
        """The sound from there on is sent again, to a new link: answers to turns in it will be asked for again, behind it."""
        self._waiting = deque(wish for wish in self._waiting if wish.spoken_ms is None or wish.spoken_ms < from_ms)
        asked = self._sent.get(self._asked or "")
        if asked is not None and asked.spoken_ms is not None and asked.spoken_ms >= from_ms:
            self._asked = None

    def _next(self) -> None:
        if not self._waiting or self.busy or self._shut:
            return
        wish = self._waiting.popleft()
        if wish.before is not None:
            self._send(wish.before)
        self._asked = self._new_id("event")
        self._sent[self._asked] = wish
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]
        self._send(ResponseCreate(event_id=self._asked, response=wish.params))
