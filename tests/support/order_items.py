"""The order of what stands in the conversation: turns, items that clients give, their places, words, cuts and ends."""

from typing import Any

from tests.support.order_rules import ADDED, COMMITTED, DONE, STARTED, STOPPED, TURN, WORDS, Event, item_of, need

HEARD = {"content": [{"type": "input_audio"}]}
"""What a turn will be."""


class Items:
    """The conversation as the events tell it: `ids` in its order."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.dead: set[str] = set()
        self.cut_ms: dict[str, int] = {}
        self._previous: dict[str, str | None] = {}
        self._turns: dict[str, str] = {}
        self._roles: dict[str, Any] = {}
        self._said: dict[str, str] = {}
        self._shown: dict[str, Event] = {}
        self._words: dict[str, dict[int, str]] = {}
        self._heard: dict[str, dict[int, str]] = {}
        self._idle: str | None = None
        self._heard_ms = 0

    @property
    def open_turns(self) -> dict[str, str]:
        """Turns without an end."""
        return {item_id: last for item_id, last in self._turns.items() if TURN[last]}

    @property
    def idle(self) -> str | None:
        """The item of an idle timeout that is not committed yet."""
        return self._idle

    def knows(self, item_id: str) -> bool:
        """Whether an item of that name is or was there."""
        return item_id in self._turns or item_id in self._previous

    def turn(self, event: Event) -> None:
        """The next event of an item that is no answer. Raises: OrderBroken."""
        kind, item_id = event["type"], item_of(event)
        assert item_id is not None
        last = self._turns.get(item_id, "")
        need(event, kind in TURN[last], f"after {last or 'nothing'} comes {' or '.join(TURN[last]) or 'nothing'}")
        self._turns[item_id] = kind
        match kind:
            case "input_audio_buffer.speech_started":
                need(event, list(self._turns.values()).count(STARTED) == 1, "one turn at a time")
                need(event, event["audio_start_ms"] >= self._heard_ms, "a turn begins behind the one before")
                self._heard_ms = event["audio_start_ms"]
            case "input_audio_buffer.speech_stopped":
                need(event, event["audio_end_ms"] >= self._heard_ms, "a turn ends behind its beginning")
                self._heard_ms = event["audio_end_ms"]
            case "input_audio_buffer.timeout_triggered":
                need(event, event["audio_end_ms"] >= event["audio_start_ms"] >= 0, "a turn ends behind its beginning")
                self._idle = item_id
            case _:
                self.place(event, last == "")
                self._given(event, item_id)

    def _given(self, event: Event, item_id: str) -> None:
        """An item as a whole: a user's, a system's, an assistant's text, a call's output."""
        if event["type"] == COMMITTED:
            need(event, self._idle in (None, item_id), "the turn of an idle timeout comes before others")
            self._idle = None
            self._roles[item_id] = "user"
            return
        item = event["item"]
        broken_off = () if item_id in self._roles and item_id not in self._shown else ("incomplete",)
        of_a_tool_server = item["type"].startswith("mcp_")
        need(
            event,
            (item.get("status") in ("completed", *broken_off)) != of_a_tool_server,
            "what is heard is complete, what is given may have been broken off; tool servers have no such word",
        )
        need(event, self._shown.setdefault(item_id, item) == item, "an item that is given or heard is done as it was added")
        role = item.get("role", item["type"])
        need(event, self._roles.setdefault(item_id, role) == role, "an item keeps its role")
        need(event, self._idle is None or role == "system", "an idle timeout is told by a system message")

    def place(self, event: Event, free: bool = False) -> None:
        """Where an item stands; at first it enters the conversation, last unless it is `free` to stand elsewhere. Raises: OrderBroken."""
        item_id, previous = item_of(event), event["previous_item_id"]
        assert item_id is not None
        need(event, item_id not in self.dead, "the item was deleted")
        if item_id in self._previous:
            need(event, self._previous[item_id] == previous, "an item keeps its place")
            return
        self._previous[item_id] = previous
        need(event, previous is None or previous in self.ids, "the item before it is in the conversation")
        place = 0 if previous is None else self.ids.index(previous) + 1
        may_stand_anywhere = free and event["type"] == ADDED
        need(event, may_stand_anywhere or place == len(self.ids), "a new item stands behind all others")
        self.ids.insert(place, item_id)

    def answered(self, event: Event) -> None:
        """An item of a response enters the conversation, or is finished."""
        self.place(event)
        item_id = event["item"]["id"]
        self._roles[item_id] = event["item"].get("role", event["item"]["type"])
        if event["type"] == DONE:
            told, now = self._said.get(item_id), spoken(event["item"])
            need(event, told in (None, now), f"what is left of it said {told!r}")
            self._said[item_id] = now

    def words(self, event: Event) -> None:
        """What the user said in an item. Raises: OrderBroken."""
        kind, item_id = event["type"].removeprefix(WORDS), item_of(event)
        assert item_id is not None
        need(event, item_id in self._turns, "words of an item that nobody knows")
        need(event, self._roles.get(item_id, "user") == "user", "words of an item that is not a user's")
        index, words = event.get("content_index", 0), self._words.setdefault(item_id, {})
        parts = dict(enumerate(self._shown.get(item_id, HEARD)["content"]))
        need(event, parts.get(index, {}).get("type") == "input_audio", "words of a part that is no sound")
        need(event, words.get(index) in (None, "delta"), "the words were final")
        settled = self._turns[item_id] == DONE
        need(event, settled or (kind == "delta" and self._turns[item_id] in (STARTED, STOPPED)), "final words behind their item")
        words[index] = kind
        if kind == "completed":
            self._heard.setdefault(item_id, {})[index] = event["transcript"]

    def cleared(self) -> None:
        """`input_audio_buffer.cleared`: the turn that was open is forgotten."""
        self._turns = {item_id: last for item_id, last in self._turns.items() if last != STARTED}

    def deleted(self, event: Event) -> None:
        """An item is gone, and nothing will be heard of it. Raises: OrderBroken."""
        item_id = event["item_id"]
        need(event, item_id in self.ids, "what is deleted was there")
        self.ids.remove(item_id)
        self.dead.add(item_id)

    def forget(self, item_id: str) -> None:
        """The name of an item that is gone is free again."""
        if item_id in self.dead:
            self.dead.discard(item_id)
            for known in (self._previous, self._turns, self._roles, self._said, self._shown, self._words, self._heard, self.cut_ms):
                known.pop(item_id, None)

    def truncated(self, event: Event, sound_ms: int | None) -> None:
        """An answer was cut. `sound_ms`: how much of it was sent, if that is known. Raises: OrderBroken."""
        item_id, end_ms = event["item_id"], event["audio_end_ms"]
        need(event, item_id in self.ids and self._roles.get(item_id) == "assistant", "only an assistant's item is truncated")
        need(event, 0 <= end_ms <= self.cut_ms.get(item_id, end_ms), "nothing grows back")
        told, now = self._said.get(item_id), event.get("transcript")
        need(event, told is None or now is None or told.startswith(now), f"it said {told!r}")
        if now is not None:
            self._said[item_id] = now
        need(event, sound_ms is None or end_ms <= sound_ms, f"only {sound_ms} ms were sent")
        self.cut_ms[item_id] = end_ms

    def retrieved(self, event: Event) -> None:
        """An item as it is now. Raises: OrderBroken."""
        item_id = event["item"]["id"]
        need(event, item_id in self.ids, "what is retrieved is in the conversation")
        role = event["item"].get("role", event["item"]["type"])
        need(event, role == self._roles.get(item_id), "an item keeps its role")
        for index, words in self._heard.get(item_id, {}).items():
            need(event, event["item"]["content"][index].get("transcript") == words, f"part {index} said {words!r}")
        told, now = self._said.get(item_id), spoken(event["item"])
        if told is not None:
            need(event, now == told or (item_id in self.cut_ms and told.startswith(now)), f"it said {told!r}")
            self._said[item_id] = now

    def complete(self) -> None:
        """Nothing is left open. Raises: AssertionError."""
        assert not self.open_turns, f"turns without an end: {self.open_turns}"
        assert self._idle is None, "an idle timeout without its turn"


def spoken(item: Event) -> str:
    """The words of a message's sound and text."""
    parts = item.get("content") or []
    return " ".join(part.get("transcript") or part.get("text") or "" for part in parts)
