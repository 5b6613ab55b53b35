"""One item of a response while it is made, a message or a function call, from its first event to its last.

    message   output_item.added > item.added > content_part.added > deltas > *.done > content_part.done > item.done > output_item.done
    call      output_item.added > item.added > arguments.delta ... > arguments.done > item.done > output_item.done

Out of band there is no `item.added` and no `item.done`. Each method returns the events to send, in order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import msgspec
import numpy as np

from voice.audio.encoding import Encoding
from voice.audio.pcm import Samples, ms_in, samples_in
from voice.protocol.conversation import Conversation, Entry, SpokenWord, message, text_of
from voice.protocol.events import (
    AudioDelta,
    AudioDone,
    CallArgumentsDelta,
    CallArgumentsDone,
    ContentPartAdded,
    ContentPartDone,
    ItemAdded,
    ItemDone,
    OutputItemAdded,
    OutputItemDone,
    ServerEvent,
    TextDelta,
    TextDone,
    TranscriptDelta,
    TranscriptDone,
)
from voice.protocol.heard import Spread
from voice.protocol.objects import Content, Item, Part

DELTA_MS = 200
"""The longest audio delta: 13 kB of base64 at 24 kHz."""


class _Where(TypedDict):
    response_id: str
    item_id: str
    output_index: int


class _Part(_Where):
    content_index: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands: in which response, as the how manieth, and in which conversation (None: out of band)."""

    response_id: str
    item_id: str
    output_index: int
    conversation: Conversation | None

    @property
    def fields(self) -> _Where:
        """As its events tell it."""
        return {"response_id": self.response_id, "item_id": self.item_id, "output_index": self.output_index}


class _Frame:
    """What every item has around it: its place in the conversation, the events that announce it and that close it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.entry: Entry | None = None
        self._previous: str | None = None

    def begin(self, shown: Item, item: Item) -> list[ServerEvent]:
        """`shown`: the item as its first events show it."""
        place = self.place
        events: list[ServerEvent] = [OutputItemAdded(response_id=place.response_id, output_index=place.output_index, item=shown)]
        if place.conversation is not None:
            self.entry = Entry(item, spread=Spread())
            self._previous = place.conversation.add(self.entry)
            events.append(ItemAdded(item=shown, previous_item_id=self._previous))
        return events

    def close(self, item: Item) -> list[ServerEvent]:
        place, events = self.place, list[ServerEvent]()
        if self.entry is not None:
            self.entry.item = item
            events.append(ItemDone(item=item, previous_item_id=self._previous))
        return [*events, OutputItemDone(response_id=place.response_id, output_index=place.output_index, item=item)]


class MessageOutput:
    """A message: text, or with an `encoding` sound and its transcript. `starts_at`: what was said and heard before it, see `words`."""

    def __init__(self, place: Place, encoding: Encoding | None, starts_at: SpokenWord) -> None:
        self._frame = _Frame(place)
        self._encoding = encoding
        self._starts_at = starts_at
        self._text = ""
        self._sound: list[Samples] = []
        self._samples = 0

    def begin(self) -> list[ServerEvent]:
        """It is announced."""
        item = self.item("in_progress")
        part = Part("audio", transcript="", audio="") if self._encoding else Part("text", text="")
        return [*self._frame.begin(msgspec.structs.replace(item, content=[]), item), ContentPartAdded(**self._where(), part=part)]

    @property
    def cut(self) -> bool:
        """It was truncated: nothing is added to it any more, and it ends with the words that were heard."""
        return self._frame.entry is not None and self._frame.entry.cut_ms is not None

    def say(self, text: str) -> list[ServerEvent]:
        """More words."""
        if not text or self.cut:
            return []
        self._text += text
        if (entry := self._frame.entry) is not None:
            entry.item = self.item("in_progress")
            entry.spread.write(len(self._text), entry.audio_ms)
        where = self._where()
        return [TranscriptDelta(**where, delta=text) if self._encoding else TextDelta(**where, delta=text)]

    def words(self, words: Sequence[SpokenWord]) -> None:
        """Words of its sound: their ends in ms of the response, and in what the response says."""
        if self._frame.entry is not None:
            start = self._starts_at
            self._frame.entry.words += [
                replace(word, end_ms=word.end_ms - start.end_ms, characters=word.characters - start.characters) for word in words
            ]

    def sound(self, samples: Samples) -> list[ServerEvent]:
        """More sound, at the rate that is sent."""
        if self.cut or self._encoding is None or not samples.size:
            return []
        self._sound.append(samples)
        self._samples += samples.size
        if self._frame.entry is not None:
            self._frame.entry.audio_ms = ms_in(self._samples, self._encoding.rate_hz)
        step = samples_in(DELTA_MS, self._encoding.rate_hz)
        where = self._where()
        return [AudioDelta(**where, delta=self._encoding.encode(samples[at : at + step])) for at in range(0, samples.size, step)]

    def close(self, status: str) -> list[ServerEvent]:
        """It is over: "completed" or "incomplete"."""
        where, text = self._where(), self._kept()
        events: list[ServerEvent]
        if self._encoding:
            part = Part("audio", transcript=text)
            events = [AudioDone(**where), TranscriptDone(**where, transcript=text)]
        else:
            part = Part("text", text=text)
            events = [TextDone(**where, text=text)]
        if self._frame.entry is not None and status == "completed":
            self._frame.entry.spread.finished = True
        events += [ContentPartDone(**where, part=part), *self._frame.close(self.item(status))]
        conversation = self._frame.place.conversation
        if conversation is not None and self._encoding is not None and self._sound:
            conversation.set_sound(self._frame.place.item_id, np.concatenate(self._sound), self._encoding.rate_hz)
        self._sound.clear()
        return events

    def item(self, status: str) -> Item:
        """It as an item."""
        text = self._kept()
        content = Content("output_audio", transcript=text) if self._encoding else Content("output_text", text=text)
        return message(self._frame.place.item_id, "assistant", [content], status)

    def _kept(self) -> str:
        """Its words; those that were heard if it was truncated."""
        entry = self._frame.entry
        return self._text if entry is None or entry.cut_ms is None else text_of(entry.item)

    def _where(self) -> _Part:
        return {**self._frame.place.fields, "content_index": 0}


class CallOutput:
    """A call of a function of the client's."""

    def __init__(self, place: Place, call_id: str, name: str) -> None:
        self._frame = _Frame(place)
        self._call_id = call_id
        self._name = name
        self._arguments = ""

    def begin(self) -> list[ServerEvent]:
        """It is announced."""
        item = self.item("in_progress")
        return self._frame.begin(item, item)

    def say(self, text: str) -> list[ServerEvent]:
        """More of the arguments, which are JSON."""
        if not text:
            return []
        self._arguments += text
        return [CallArgumentsDelta(**self._frame.place.fields, call_id=self._call_id, delta=text)]

    def close(self, status: str) -> list[ServerEvent]:
        """It is over: "completed", or "incomplete" with part of the arguments."""
        done = CallArgumentsDone(**self._frame.place.fields, call_id=self._call_id, name=self._name, arguments=self._arguments)
        return [done, *self._frame.close(self.item(status))]

    def item(self, status: str) -> Item:
        """It as an item."""
        return Item(
            type="function_call",
            id=self._frame.place.item_id,
            object="realtime.item",
            status=status,
            name=self._name,
            call_id=self._call_id,
            arguments=self._arguments,
        )


class Outputs:
    """The items of one response, one after the other; one is open at a time. `conversation` is None out of band."""

    def __init__(self, response_id: str, conversation: Conversation | None, new_id: Callable[[str], str]) -> None:
        self.done: list[Item] = []
        """Those that are over."""
        self._response_id = response_id
        self._conversation = conversation
        self._new_id = new_id
        self._open: MessageOutput | CallOutput | None = None
        self._call_id = ""
        self._call_ids: set[object] = set()

    @property
    def cut(self) -> bool:
        """The message that is open was truncated."""
        return isinstance(self._open, MessageOutput) and self._open.cut

    def message(self, encoding: Encoding | None, starts_at: SpokenWord) -> tuple[list[ServerEvent], MessageOutput]:
        """The message that is open; where none is, one is begun (see `MessageOutput`)."""
        if isinstance(self._open, MessageOutput):
            return [], self._open
        events = self.close("completed")
        self._open = message = MessageOutput(self._place(), encoding, starts_at)
        return events + message.begin(), message

    def calling(self, call_id: str) -> CallOutput | None:
        """The call that is open, if the engine knows it by that id."""
        return self._open if isinstance(self._open, CallOutput) and call_id == self._call_id else None

    def begin_call(self, call_id: str, name: str) -> tuple[list[ServerEvent], CallOutput]:
        """Another call. It is told under the engine's id if nobody has had that before."""
        events = self.close("completed")
        taken = self._call_ids.union(item.call_id for item in (self._conversation.items() if self._conversation is not None else ()))
        told_id = call_id if call_id and call_id not in taken else self._new_id("call")
        self._call_ids.add(told_id)
        self._call_id = call_id
        self._open = call = CallOutput(self._place(), told_id, name)
        return events + call.begin(), call

    def close(self, status: str) -> list[ServerEvent]:
        """The item that is open is over: "completed" or "incomplete"."""
        if self._open is None:
            return []
        events = self._open.close(status)
        self.done.append(self._open.item(status))
        self._open = None
        return events

    def _place(self) -> Place:
        return Place(self._response_id, self._new_id("item"), len(self.done), self._conversation)
