"""A user's turns and words, retold in the order of today's protocol.

    speech_started > speech_stopped > committed > item.added > item.done, and final words behind that

Services tell the item before the turn is over, or never; leave its name out until it is committed; send all words again and again. So a turn
is told in one breath when it is committed (or an answer to it begins), and words that come too early wait for it.
"""

from collections.abc import Callable

from voice.protocol.dialect_items import parts_of
from voice.protocol.dialect_told import Event, Item, Told, remember

STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
COMMITTED = "input_audio_buffer.committed"
WORDS = "conversation.item.input_audio_transcription."
UNKNOWN_USAGE = {"type": "duration", "seconds": 0.0}
"""Of a transcription whose service does not tell what it took."""
HELD_EVENTS = 64
"""Words that may wait for their turn; the oldest are dropped."""


class Turns:
    """See the top of the file."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._open: str | None = None
        self._anonymous = False
        self._stop: Event | None = None
        self._heard_ms = 0
        self._over: dict[str, None] = {}
        self.sounds_given = 0
        """Items with sound that the client has given and the service has not told yet."""
        self._words = Words(told, lambda item_id: item_id == self._open)

    def started(self, event: Event) -> None:
        """Somebody begins to speak."""
        self.settle()
        item_id = event.get("item_id")
        if item_id is not None and (item_id in self._over or item_id == self._open):
            return
        self._anonymous = not item_id
        self._open = item_id or self._told.new_id("item")
        self._heard_ms = _ms(event.get("audio_start_ms"), self._heard_ms)
        self._told.put(STARTED, event, item_id=self._open, audio_start_ms=self._heard_ms)

    def stopped(self, event: Event) -> None:
        """And ends. It is told when the turn is committed."""
        if event.get("item_id") in self._over and event.get("item_id") is not None:
            return
        if self._open is None:
            self.started({"item_id": event.get("item_id"), "audio_start_ms": event.get("audio_end_ms")})
        self._stop = event

    def committed(self, event: Event) -> None:
        """The turn is an item."""
        theirs = event.get("item_id")
        ours = self._open if self._open is not None and (self._anonymous or theirs in (None, self._open)) else theirs
        item_id = ours or self._told.new_id("item")
        if theirs and theirs != item_id:
            remember(self._told.names, theirs, item_id)
        if item_id not in self._over:
            self._tell(item_id, event)

    def heard(self, event: Event) -> None:
        """Words of a turn, or of an item that was given. Those that are all in the end say that the turn is over, too."""
        if event.get("item_id") == self._open and not still_heard(event):
            self.settle()
        self._words.hear(event)

    def item(self, item: Item) -> bool:
        """The service tells an item: whether it is the one of a turn, and so is told with that. Sound that was not given was heard."""
        if item["id"] == self._open and self._stop is not None:
            self.settle()
        if item["id"] == self._open or item["id"] in self._over:
            return True
        if not any(part.get("type") == "input_audio" for part in parts_of(item)):
            return False
        if self.sounds_given:
            self.sounds_given -= 1
            return False
        self._tell(item["id"], {})
        return True

    def given(self, item_id: str) -> None:
        """An item that was given is there."""
        self._words.release(item_id)

    def settle(self) -> None:
        """What was said is over, and something else begins that comes behind it."""
        if self._open is not None and self._stop is not None:
            self._tell(self._open, {})

    def cleared(self) -> None:
        """The open turn is forgotten."""
        self._open = self._stop = None

    def _tell(self, item_id: str, source: Event) -> None:
        if item_id == self._open:
            stop = self._stop or {}
            self._heard_ms = _ms(stop.get("audio_end_ms"), self._heard_ms)
            self._told.put(STOPPED, stop, item_id=item_id, audio_end_ms=self._heard_ms)
            self.cleared()
        remember(self._over, item_id, None)
        self._told.put(COMMITTED, source, item_id=item_id, previous_item_id=self._told.place(item_id))
        content = [{"type": "input_audio", "transcript": None}]
        item = {"id": item_id, "object": "realtime.item", "type": "message", "status": "completed", "role": "user", "content": content}
        self._told.added(item, {})
        self._told.done(item, {})
        self._words.release(item_id)


class Words:
    """What the user said, by item and part."""

    def __init__(self, told: Told, speaking: Callable[[str], bool]) -> None:
        """`speaking`: whether an item is the turn that is open."""
        self._told = told
        self._speaking = speaking
        self._so_far: dict[tuple[str, int], str] = {}
        self._final: dict[tuple[str, int], None] = {}
        self._held: list[Event] = []

    def hear(self, event: Event) -> None:
        """Words, in whichever way they come: more of them, all so far, all in the end, or that there are none."""
        so_far = still_heard(event)
        item_id, index = str(event.get("item_id")), event.get("content_index")
        index = index if type(index) is int else 0
        if (item_id, index) in self._final:
            return
        if item_id not in self._told.items and not (so_far and self._speaking(item_id)):
            self._held.append(event)
            del self._held[:-HELD_EVENTS]
            return
        where = {"item_id": item_id, "content_index": index}
        event.pop("status", None)
        if so_far:
            said = self._so_far.get((item_id, index), "")
            if new := new_words(event, said):
                remember(self._so_far, (item_id, index), said + new)
                self._told.put(f"{WORDS}delta", event, **where, delta=new)
            return
        remember(self._final, (item_id, index), None)
        self._so_far.pop((item_id, index), None)
        if event["type"] == f"{WORDS}completed":
            transcript = event.get("transcript") or ""
            self._remember(item_id, index, transcript)
            self._told.put(event["type"], event, **where, transcript=transcript, usage=event.get("usage") or UNKNOWN_USAGE)
        else:
            self._told.put(event["type"], event, **where, error=event.get("error") or {})

    def release(self, item_id: str) -> None:
        """The item is there: what waited for it is told."""
        held, self._held = self._held, []
        for event in held:
            theirs = str(event.get("item_id"))
            if self._told.names.get(theirs, theirs) == item_id:
                self.hear({**event, "item_id": item_id})
            else:
                self._held.append(event)

    def _remember(self, item_id: str, index: int, transcript: str) -> None:
        item = self._told.items[item_id]
        content = parts_of(item)
        if index < len(content):
            changed = [{**part, "transcript": transcript} if at == index else part for at, part in enumerate(content)]
            self._told.keep({**item, "content": changed})


def new_words(event: Event, said: str) -> str:
    """What words are new behind those that were `said`; none if all that is heard so far has become something else."""
    whole = event.pop("transcript", None)
    if whole is None:
        return str(event.get("delta") or "")
    return str(whole)[len(said) :] if str(whole).startswith(said) else ""


def still_heard(event: Event) -> bool:
    """Whether more words may follow."""
    kind = event["type"].removeprefix(WORDS)
    return kind in ("delta", "updated") or (kind == "completed" and event.get("status") == "in_progress")


def _ms(value: object, otherwise: int) -> int:
    """A time, if it is one and not before the other."""
    return max(value, otherwise) if type(value) is int else otherwise
