"""What a client and a server say to each other, each in its own dialect; and which that is, where nobody has said so.

    a client   today's, until its first `session.update` has no `type` and names settings as the beta did: beta from there on
    a server   today's, unless the first settings that it tells (`session.created`) are flat: then it is beta, or the dialect that alone has one of them

Of two that speak alike nothing is translated. `links/spoken.py` puts an `Exchange` on a link.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import msgspec

from voice.protocol.dialect import DIALECTS, Dialect
from voice.protocol.dialect_link import type_of
from voice.protocol.flat import PLACES
from voice.protocol.interpreter import ClientInterpreter, Passage, ServerInterpreter

GA, BETA = DIALECTS["ga"], DIALECTS["beta"]
AUTO = "auto"
"""In place of a dialect's name: it is to be heard."""
FLAT_KEYS = frozenset({"temperature", *(name for name, place in PLACES.items() if place != (name,))})
"""Settings that stand directly in a session in the beta only; others, such as `instructions`, do so today too."""
_BEGINNINGS = frozenset({"session.created", "transcription_session.created"})
_ONCE = "transcription_"
"""In front of a type: the beta's sessions that only write down."""
_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeError)

NewId = Callable[[str], str]


def known(name: str) -> Dialect | None:
    """The dialect of that name; None for "auto". Raises: KeyError."""
    return None if name == AUTO else DIALECTS[name]


class _Interpreter(Protocol):
    """See `interpreter.py`."""

    def up(self, text: str) -> Passage:
        """A message of the client."""

    def down(self, text: str) -> Passage:
        """A message of the server."""


class _Told(msgspec.Struct):
    """What tells a dialect."""

    type: str = ""
    session: Any = None


class _Party:
    """One of the two. `dialect` None: to be heard in the first message of one of the `telling` types; `flat`: by settings that are flat."""

    def __init__(
        self,
        dialect: Dialect | None,
        telling: tuple[str, ...],
        make: Callable[[Dialect], _Interpreter],
        flat: Callable[[dict[str, Any]], Dialect] = lambda _: BETA,
    ) -> None:
        self.settled = dialect is not None
        self._telling = telling
        self._make = make
        self._flat = flat
        self.speak(dialect or GA)

    def speak(self, dialect: Dialect) -> None:
        """It speaks this from now on."""
        self.dialect = dialect
        self._interpreter = None if dialect.plain else self._make(dialect)

    @property
    def interpreted(self) -> bool:
        """Its words are not today's."""
        return self._interpreter is not None

    def listen(self, text: str) -> None:
        """What it says, as it said it."""
        if not self.settled and (told := _settings(text, self._telling)) is not None:
            self.settled = True
            if told.type.startswith(_ONCE) or ("type" not in told.session and not FLAT_KEYS.isdisjoint(told.session)):
                self.speak(self._flat(told.session))

    def up(self, texts: Iterable[str]) -> Passage:
        """Messages of the client, through its interpreter."""
        return _through(None if self._interpreter is None else self._interpreter.up, texts)

    def down(self, texts: Iterable[str]) -> Passage:
        """Messages of the server."""
        return _through(None if self._interpreter is None else self._interpreter.down, texts)


class Exchange:
    """See the top of the file; one object a link. A dialect of None is to be heard. `new_id`: an id for a kind of thing, "event"."""

    def __init__(self, client: Dialect | None, server: Dialect | None, new_id: NewId) -> None:
        self._client = _Party(client, ("session.update",), lambda dialect: ClientInterpreter(dialect, new_id))
        telling = ("session.created", "session.updated")
        self._server = _Party(server, telling, lambda dialect: ServerInterpreter(dialect, new_id), _service)
        self._begun = False

    @property
    def settled(self) -> bool:
        """What the client says can be said to the server: its dialect is known and, where something is or may be translated, the session has begun.

        What begins with a session, such as its turn detection, is then the same for all clients, however soon they speak.
        """
        return self._server.settled and (self._begun or (self._alike and self._client.settled))

    @property
    def plain(self) -> bool:
        """Nothing is translated, now or later."""
        return self._alike and self._client.settled and self._server.settled

    @property
    def _alike(self) -> bool:
        return self._client.dialect is self._server.dialect or not (self._client.interpreted or self._server.interpreted)

    def up(self, text: str) -> Passage:
        """A message of the client: what the server is told, and what the client is answered at once."""
        self._client.listen(text)
        if self._alike:
            return Passage((text,))
        said = self._client.up((text,))
        told = self._server.up(said.on)
        return Passage(told.on, said.back + self._client.down(told.back).on)

    def down(self, text: str) -> Passage:
        """A message of the server: what the client is told, and what the server is answered at once."""
        self._server.listen(text)
        self._begun = self._begun or type_of(text) in _BEGINNINGS
        if self._alike:
            return Passage((text,))
        said = self._server.down((text,))
        told = self._client.down(said.on)
        return Passage(told.on, said.back + self._server.up(told.back).on)


def _through(translate: Callable[[str], Passage] | None, texts: Iterable[str]) -> Passage:
    """All of them, one after the other."""
    if translate is None:
        return Passage(tuple(texts))
    passages = [translate(text) for text in texts]
    if len(passages) == 1:
        return passages[0]
    return Passage(tuple(text for one in passages for text in one.on), tuple(text for one in passages for text in one.back))


def _service(session: dict[str, Any]) -> Dialect:
    """The dialect of flat settings that a server tells."""
    return next((row for row in DIALECTS.values() if _shows(row, session)), BETA)


def _shows(row: Dialect, session: dict[str, Any]) -> bool:
    """Whether settings have something that only this dialect has: what each update has to say in it, or its word for no turn detection."""
    nobody, detection = row.detection.nobody, session.get("turn_detection")
    kind = nobody.get("type") if isinstance(nobody, dict) else None
    shown = kind is not None and isinstance(detection, dict) and detection.get("type") == kind
    return shown or not row.settings.always.keys().isdisjoint(session)


def _settings(text: str, telling: tuple[str, ...]) -> _Told | None:
    """The settings that a message tells, or asks for; None if it has none."""
    if not any(name in text for name in telling):
        return None
    try:
        told = msgspec.json.decode(text, type=_Told)
    except _UNREADABLE:
        return None
    if told.type.removeprefix(_ONCE) not in telling or not isinstance(told.session, dict):
        return None
    return told
