"""One item of a retold response: its parts or its arguments, each told once and ended once. See `dialect_answers.py`."""

from collections.abc import Callable
from typing import Any

from voice.protocol.dialect_sound import Way
from voice.protocol.dialect_told import Event, Item, Told, remember

AUDIO, SAID, TEXT = "response.output_audio.", "response.output_audio_transcript.", "response.output_text."
PART, CALL = "response.content_part.", "response.function_call_arguments."


class OutputItem:
    """From `output_item.added` on; `end` gives the item as it is in the end."""

    def __init__(self, told: Told, given: Item, where: Event, spoken: bool, new_way: Callable[[], Way]) -> None:
        self.item_id: str = given["id"]
        self.is_call = given["type"] == "function_call"
        self._told, self._given = told, given
        self._where = {**where, "item_id": self.item_id}
        self._spoken, self._new_way = spoken, new_way
        self._parts: list[str] = []
        self._part: Part | None = None
        self._arguments = ""
        self.called = False
        """All its arguments were told."""

    def tell(self, event: Event) -> None:
        """Something of the item."""
        kind = event["type"]
        if self.is_call:
            if kind.startswith(CALL):
                self._call(event, kind.endswith(".done"))
            return
        if not kind.startswith((AUDIO, SAID, TEXT, PART)) or self._given["type"] != "message":
            self._told.put(kind, event)
            return
        index = event.get("content_index")
        if self._part is not None and type(index) is int and index > len(self._parts):
            self._end_part()
        late = type(index) is int and index < len(self._parts)
        if late or (self._part is None and self._parts and kind.endswith(".done")):
            return
        if self._part is None:
            self._part = Part(self._told, {**self._where, "content_index": len(self._parts)}, self._spoken, self._new_way(), event)
        self._part.tell(event)
        if self._part.complete:
            self._end_part()

    def say(self, text: str) -> None:
        """All that the item says, at once."""
        if self.is_call:
            self._call({"type": f"{CALL}delta", "delta": text}, False)
        elif text:
            stem = SAID if self._spoken else TEXT
            self.tell({"type": f"{stem}delta", "delta": text})

    def end(self, final: Item, status: str) -> Item:
        """Its end, with what the service says of it: the item as it is now. `status`: where it does not say."""
        if self._part is None and not self._parts and not self.is_call and part_of(final):
            self.say(part_of(final))
        if self._part is not None:
            self._end_part()
        if self.is_call and not self.called:
            self._call({"type": f"{CALL}done", "arguments": final.get("arguments")}, True)
        told = final.get("status")
        item = {**self._given, **{name: value for name, value in final.items() if name not in self._given}}
        if "status" in self._given:
            item["status"] = told if told in ("completed", "incomplete") else status
        if self.is_call:
            item["arguments"] = self._arguments
        elif self._given["type"] == "message":
            key, kind = ("transcript", "output_audio") if self._spoken else ("text", "output_text")
            item["content"] = [{"type": kind, key: text} for text in self._parts]
        else:
            item.update(final)
        return item

    def _end_part(self) -> None:
        assert self._part is not None
        self._parts.append(self._part.end())
        self._part = None

    def _call(self, event: Event, done: bool) -> None:
        """More arguments, or all of them."""
        if self.called:
            return
        whole = event.get("arguments")
        new = event.get("delta") if not done else ""
        if done and isinstance(whole, str) and whole.startswith(self._arguments):
            new = whole[len(self._arguments) :]
        where = {**self._where, "call_id": self._given["call_id"]}
        if isinstance(new, str) and new:
            self._arguments += new
            self._told.put(f"{CALL}delta", {} if done else event, **where, delta=new)
        if done:
            self.called = True
            event.pop("delta", None)
            self._told.put(f"{CALL}done", event, **where, name=self._given["name"], arguments=self._arguments)


class Part:
    """A part of a message: sound with its words, or text. Pieces of the other kind are taken for what the response was asked for."""

    def __init__(self, told: Told, where: Event, spoken: bool, way: Way, source: Event) -> None:
        self._told, self._where, self._spoken, self._way = told, where, spoken, way
        self._text = ""
        self._ended: dict[str, Event] = {}
        self._key = "transcript" if spoken else "text"
        self._type = "audio" if spoken else "text"
        fields = source if source["type"] == f"{PART}added" else {}
        told.put(f"{PART}added", {"event_id": fields.pop("event_id", None)}, **where, part={"type": self._type, self._key: ""})

    @property
    def complete(self) -> bool:
        """Nothing more comes."""
        return (SAID if self._spoken else TEXT) in self._ended and (not self._spoken or AUDIO in self._ended)

    def tell(self, event: Event) -> None:
        """A delta, or an end."""
        stem, _, last = event["type"].rpartition(".")
        stem += "."
        if stem in (SAID, TEXT):
            stem = SAID if self._spoken else TEXT
        cut = self._where["item_id"] in self._told.cut_ms
        if stem == PART:
            text = part_text(event.get("part"))
            if last == "done":
                self._more(text, {}, cut)
        elif stem == AUDIO:
            if last == "delta" and self._spoken and not cut:
                self._sound(event)
        elif last == "delta":
            self._add(event.get("delta"), event, cut)
        else:
            self._more(event.get("transcript") or event.get("text"), {}, cut)
        if last == "done" and stem != PART:
            self._ended[stem] = event

    def _more(self, text: Any, source: Event, cut: bool) -> None:
        """All the text: what of it was not told yet."""
        if isinstance(text, str) and text.startswith(self._text):
            self._add(text[len(self._text) :], source, cut)

    def _add(self, text: Any, source: Event, cut: bool) -> None:
        if isinstance(text, str) and text and not cut:
            self._text += text
            source.pop("delta", None)
            self._told.put(f"{SAID if self._spoken else TEXT}delta", source, **self._where, delta=text)

    def _sound(self, event: Event) -> None:
        delta = event.pop("delta", None)
        try:
            sound = self._way.carry(delta) if isinstance(delta, str) else ""
        except ValueError:
            # What is no sound is not made audible.
            return
        self._emit(sound, event)

    def _emit(self, sound: str, source: Event) -> None:
        if sound:
            item_id = self._where["item_id"]
            remember(self._told.sound_ms, item_id, self._told.sound_ms.get(item_id, 0.0) + self._way.ms_of(sound))
            self._told.put(f"{AUDIO}delta", source, **self._where, delta=sound)

    def end(self) -> str:
        """Tell the end; returns what the part says."""
        if self._spoken:
            if self._where["item_id"] not in self._told.cut_ms:
                self._emit(self._way.end(), {})
            self._told.put(f"{AUDIO}done", self._id(AUDIO), **self._where)
        stem = SAID if self._spoken else TEXT
        self._told.put(f"{stem}done", self._id(stem), **self._where, **{self._key: self._text})
        self._told.put(f"{PART}done", {}, **self._where, part={"type": self._type, self._key: self._text})
        return self._text

    def _id(self, stem: str) -> Event:
        return {"event_id": self._ended.get(stem, {}).pop("event_id", None)}


def part_text(part: Any) -> str:
    """What a part says."""
    return str(part.get("transcript") or part.get("text") or "") if isinstance(part, dict) else ""


def part_of(item: Item) -> str:
    """What a message says, or the arguments of a call."""
    if item.get("type") == "function_call":
        return str(item.get("arguments") or "")
    content = item.get("content")
    return "".join(part_text(part) for part in content if isinstance(part, dict)) if isinstance(content, list) else ""
