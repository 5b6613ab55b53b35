"""The conversation as the answering side keeps it: items in order, their sound, and their text for the next answer.

Bounded: a client's items are refused when there are too many, what is said drives out the oldest, and the oldest sound goes when there is too
much of it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
from msgspec import UNSET

from voice.audio.encoding import Encoding
from voice.audio.pcm import Samples, empty, ms_in
from voice.audio.resample import resample
from voice.errors import ProtocolError
from voice.protocol.codec import MAX_ITEM_BYTES, size_of
from voice.protocol.heard import Spread
from voice.protocol.objects import Content, Item

MAX_ITEMS = 2_000
MAX_TEXT_BYTES = 8 << 20
"""Of all items together as they came, written as JSON: what clients gave, in whatever field."""
MAX_SOUND_BYTES = 8 << 20
"""Of all items together; an item that has lost its sound is retrieved with its transcript."""
MAX_RETRIEVED_BYTES = 700_000
"""Of one item: beyond it the event would pass 1 MiB, which common clients refuse (close 1009)."""
_SOUND = {"input_audio", "output_audio"}


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """The end of a word of a reply, in ms from the item's first sample, and how much of the transcript it closes."""

    end_ms: int
    characters: int
    estimated: bool = False
    """Whether its end was guessed: the synthesiser tells no times."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of a truncated item."""

    transcript: str
    """The words that had ended."""
    estimated: bool
    """Whether that was guessed from the length of the words: the synthesiser tells no times."""


@dataclass(slots=True)
class Entry:
    """One item, and what the wire does not show of it."""

    item: Item
    samples: Samples | None = None
    """All its sound."""
    rate_hz: int = 0
    audio_ms: int = 0
    words: list[SpokenWord] = field(default_factory=list)
    spread: Spread = field(default_factory=lambda: Spread(finished=True))
    """How its words lie in its sound, where they have no times."""
    cut_ms: int | None = None
    """Where it was truncated: nothing is added to it any more."""
    text_bytes: int = 0
    """Of the item when it came, with all that a client put into it; the conversation's account."""
    lengths: Sequence[int] = ()
    """How many of the samples belong to each part that is sound, in their order; empty where there is one such part."""


class Conversation:
    """Items in the order of the conversation."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._order: list[str] = []
        self._text_bytes = 0
        self.dropped: list[str] = []
        """Items that had to go, oldest first; whoever tells the client takes them out."""

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._entries

    def get(self, item_id: str) -> Entry:
        """An item. Raises: ProtocolError if there is none of that name."""
        if item_id not in self._entries:
            raise ProtocolError(f"Item with item_id '{item_id[:80]}' does not exist.", "item_not_found", "item_id")
        return self._entries[item_id]

    @property
    def spoken(self) -> bool:
        """Whether the assistant has said something aloud that still stands here."""
        return any(entry.audio_ms > 0 and entry.item.role == "assistant" for entry in self._entries.values())

    def add(self, entry: Entry, after: str | None = None, given: bool = False) -> str | None:
        """Put an item at the end, after another, or with "root" first; returns the id of the one before it.

        `given`: by a client, which is refused where there is no room; what is said always finds it, at the cost of the oldest.
        Raises: ProtocolError if the id is taken, `after` does not exist, or there is no room.
        """
        item_id = str(entry.item.id)
        if item_id in self._entries:
            raise ProtocolError(f"An item with id '{item_id[:80]}' already exists.", "item_id_already_exists", "item.id")
        if after not in (None, "root") and after not in self._entries:
            message = f"Invalid 'previous_item_id': the item '{str(after)[:80]}' does not exist."
            raise ProtocolError(message, "item_not_found", "previous_item_id")
        entry.text_bytes = size_of(entry.item)
        self._make_room(entry.text_bytes, given)
        place = len(self._order) if after is None else 0 if after == "root" else self._order.index(after) + 1
        self._order.insert(place, item_id)
        self._entries[item_id] = entry
        self._text_bytes += entry.text_bytes
        return self._order[place - 1] if place else None

    def delete(self, item_id: str) -> None:
        """Remove an item that is finished: of one that is gone nothing more may be told. Raises: ProtocolError."""
        entry = self.get(item_id)
        if entry.item.status == "in_progress":
            raise ProtocolError("The item is still being generated: cancel its response first.", "invalid_value", "item_id")
        self._text_bytes -= entry.text_bytes
        del self._entries[item_id]
        self._order.remove(item_id)

    def set_sound(self, item_id: str, samples: Samples, rate_hz: int) -> None:
        """Keep the sound of an item, while there is room; of one that was truncated no more than was heard."""
        entry = self._entries.get(item_id)
        if entry is not None:
            if entry.cut_ms is not None:
                samples = samples[: entry.cut_ms * rate_hz // 1000]
            entry.samples, entry.rate_hz = samples, rate_hz
            entry.audio_ms = ms_in(samples.size, rate_hz) if entry.cut_ms is None else entry.cut_ms
            self._bound_sound()

    def set_sounds(self, item_id: str, pieces: Sequence[Samples], rate_hz: int) -> None:
        """Keep the sound of an item whose parts have each their own."""
        self.get(item_id).lengths = [piece.size for piece in pieces]
        self.set_sound(item_id, np.concatenate(pieces), rate_hz)

    def set_transcript(self, item_id: str, transcript: str, content_index: int = 0) -> None:
        """Write down what the sound of a part says; nothing happens if the item is gone."""
        entry = self._entries.get(item_id)
        if entry is not None:
            entry.item = with_transcript(entry.item, transcript, content_index)

    def truncate(self, item_id: str, audio_end_ms: int) -> Cut:
        """Cut an assistant's sound and words to what was heard, also while it is still being generated: then no more is added to it.

        Raises: ProtocolError.
        """
        entry = self.get(item_id)
        if entry.item.role != "assistant" or not any(part.type == "output_audio" for part in entry.item.content or ()):
            raise ProtocolError("Only the audio of an assistant's message can be truncated.", "invalid_value", "item_id")
        if audio_end_ms < 0:
            raise ProtocolError(f"Invalid value: {audio_end_ms}. 'audio_end_ms' is 0 or more.", "invalid_value", "audio_end_ms")
        if audio_end_ms > entry.audio_ms:
            message = f"Audio content of {entry.audio_ms}ms is already shorter than {audio_end_ms}ms"
            raise ProtocolError(message, "invalid_value", "audio_end_ms")
        cut = heard_text(entry, audio_end_ms)
        self.set_transcript(item_id, cut.transcript)
        entry.audio_ms = entry.cut_ms = audio_end_ms
        if entry.samples is not None:
            entry.samples = entry.samples[: audio_end_ms * entry.rate_hz // 1000]
        return cut

    def retrieved(self, item_id: str, user: Encoding, assistant: Encoding) -> Item:
        """An item, each part with its sound as base64, if all is kept and small enough, written as the session's input or output is.

        Raises: ProtocolError.
        """
        entry = self.get(item_id)
        if entry.samples is None or not isinstance(entry.item.content, list):
            return entry.item
        encoding = user if entry.item.role == "user" else assistant
        if entry.samples.size * encoding.rate_hz // entry.rate_hz * encoding.sample_bytes > MAX_RETRIEVED_BYTES:
            return entry.item
        pieces = iter(np.split(entry.samples, np.cumsum(entry.lengths, dtype=int)[:-1]) if entry.lengths else [entry.samples])
        content = []
        for part in entry.item.content:
            if part.type in _SOUND:
                sound = encoding.encode(resample(next(pieces, empty()), entry.rate_hz, encoding.rate_hz))
                part = msgspec.structs.replace(part, audio=base64.b64encode(sound).decode())
            content.append(part)
        item = msgspec.structs.replace(entry.item, content=content)
        # It may have long texts, too.
        return item if size_of(item) <= MAX_ITEM_BYTES else entry.item

    def items(self) -> list[Item]:
        """All of them, in their order."""
        return [self._entries[item_id].item for item_id in self._order]

    def _make_room(self, text_bytes: int, given: bool) -> None:
        """For one more item. Raises: ProtocolError if it was given and there is none."""
        while len(self._order) >= MAX_ITEMS or self._text_bytes + text_bytes > MAX_TEXT_BYTES:
            if given:
                what = f"{MAX_ITEMS} items" if len(self._order) >= MAX_ITEMS else f"{MAX_TEXT_BYTES} bytes of text"
                raise ProtocolError(f"The conversation is full: it holds {what} at most. Delete items first.", "conversation_full", "item")
            # One that is being generated still has events to come.
            oldest = next((item_id for item_id in self._order if self._entries[item_id].item.status != "in_progress"), None)
            if oldest is None:
                return
            self.delete(oldest)
            self.dropped.append(oldest)

    def _bound_sound(self) -> None:
        kept = [entry for item_id in self._order if (entry := self._entries[item_id]).samples is not None]
        total = sum(entry.samples.nbytes for entry in kept if entry.samples is not None)
        for entry in kept[:-1]:
            if total <= MAX_SOUND_BYTES or entry.samples is None:
                break
            total -= entry.samples.nbytes
            entry.samples = None


def text_of(item: Item) -> str:
    """What a message says, typed or spoken; "" if nothing is known."""
    parts = []
    for part in item.content or ():
        text = part.text if part.text not in (UNSET, None) else part.transcript
        if isinstance(text, str) and text:
            parts.append(text)
    return " ".join(parts)


def heard_text(entry: Entry, heard_ms: int) -> Cut:
    """The part of a reply's transcript whose words had ended by `heard_ms`; an estimate where no word times are known."""
    text = text_of(entry.item)
    if heard_ms >= entry.audio_ms and (entry.spread.finished or entry.cut_ms is not None):
        return Cut(text, estimated=False)
    if entry.words:
        kept = text[: max((word.characters for word in entry.words if word.end_ms <= heard_ms), default=0)]
        return Cut(kept, estimated=heard_ms > 0 and any(word.estimated for word in entry.words))
    return Cut(entry.spread.until(text, heard_ms, entry.audio_ms), estimated=heard_ms > 0)


def with_transcript(item: Item, transcript: str, content_index: int = 0) -> Item:
    """A message of which the sound in this part says this; the same one if there is no sound."""
    parts = item.content or []
    if content_index >= len(parts) or parts[content_index].type not in _SOUND:
        return item
    heard = msgspec.structs.replace(parts[content_index], transcript=transcript)
    return msgspec.structs.replace(item, content=[*parts[:content_index], heard, *parts[content_index + 1 :]])


def message(item_id: str, role: str, content: list[Content], status: str) -> Item:
    """A message item."""
    return Item(type="message", id=item_id, object="realtime.item", status=status, role=role, content=content)
