"""Every small thing that can go wrong with a session's events, and which of them are no mistake.

python -m tests.support.order_mutations        shows for each kind how many of them the order checker notices
"""

import copy
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.support.order import check
from tests.support.order_corpus import SESSIONS
from tests.support.order_rules import ADDED, AUDIO_DELTA, COMMITTED, DONE, SAID_DELTA, STARTED, TIMED_OUT, WORDS, Event, item_of

FREE = {"session.updated", "error", "input_audio_buffer.cleared", "conversation.item.retrieved"}
"""They answer a client, may come at any time, and are not promised by anything before them."""
UNPROMISED = {*FREE, AUDIO_DELTA, "conversation.item.truncated", *(f"{WORDS}{kind}" for kind in ("delta", "completed", "failed"))}
"""Nothing else tells that they must be there: sound is not counted, words are written down where they are wanted."""
REPEATABLE = {*FREE, AUDIO_DELTA, "conversation.item.truncated", f"{WORDS}delta"}
ALONE = {
    COMMITTED: "what is left is an item of a client",
    TIMED_OUT: "what is left is an item of a client and a turn that it ended",
    STARTED: "what is left is a buffer that was cleared",
    "response.created": "a response may fail before it begins",
}
"""These can go without a trace where nothing else of their story follows."""
FIELDS = ("item_id", "response_id", "previous_item_id", "call_id", "output_index", "content_index", "event_id", "name")


@dataclass(frozen=True)
class Mutation:
    """A session with one mistake in it; `harmless`: why it may be none, "" if it is one."""

    kind: str
    what: str
    events: list[Event]
    harmless: str = ""

    @property
    def caught(self) -> bool:
        """Whether the checker notices."""
        try:
            check(self.events)
        except AssertionError:
            return True
        return False


def story(event: Event) -> str:
    """What an event belongs to: events of two stories know nothing of each other."""
    kind = event["type"]
    if kind.startswith("response."):
        return str(event["response"]["id"] if "response" in event else event["response_id"])
    return "words " + str(item_of(event)) if kind.startswith(WORDS) else str(item_of(event) or kind)


def missing(events: list[Event]) -> Iterator[Mutation]:
    """Each event is left out."""
    for place, event in enumerate(events):
        why = "nothing promised it" if event["type"] in UNPROMISED else ""
        if event["type"] == "conversation.item.deleted":
            why = "who deletes knows"
        if event["type"] in ALONE:
            why = ALONE[event["type"]]
        yield Mutation("missing", event["type"], events[:place] + events[place + 1 :], why)


def twice(events: list[Event]) -> Iterator[Mutation]:
    """Each event comes twice."""
    for place, event in enumerate(events):
        again = {**event, "event_id": "event_again"}
        why = "it may be said again" if event["type"] in REPEATABLE and not _expired(event) else ""
        yield Mutation("twice", event["type"], [*events[: place + 1], again, *events[place + 1 :]], why)


def swapped(events: list[Event]) -> Iterator[Mutation]:
    """Each two neighbours change places."""
    for place, (one, other) in enumerate(zip(events, events[1:], strict=False)):
        mixed = [*events[:place], other, one, *events[place + 2 :]]
        yield Mutation("swapped", f"{one['type']} {other['type']}", mixed, _independent(one, other))


def _independent(one: Event, other: Event) -> str:
    kinds = {one["type"], other["type"]}
    if _expired(one) or _expired(other) or "session.created" in kinds:
        return ""
    if kinds & FREE:
        return "" if "conversation.item.retrieved" in kinds and len({story(one), story(other)}) < 2 else "it may come at any time"
    if kinds == {AUDIO_DELTA, SAID_DELTA}:
        return "sound and words go side by side"
    return "two stories" if story(one) != story(other) else ""


def renamed(events: list[Event]) -> Iterator[Mutation]:
    """Each name and number of each event is another's."""
    for place, event in enumerate(events):
        for field in FIELDS:
            if field not in event:
                continue
            changed = copy.deepcopy(events)
            value = event[field]
            changed[place][field] = value + 1 if isinstance(value, int) else "" if field == "event_id" else f"{value}_other"
            why = "of cuts the part is not looked at" if field == "content_index" and event["type"].endswith(".truncated") else ""
            if event["type"] == STARTED and field == "item_id":
                why = ALONE[STARTED]
            yield Mutation("renamed", f"{event['type']}.{field}", changed, why)


def misheard(events: list[Event]) -> Iterator[Mutation]:
    """Each text says something else than it did."""
    for place, event in enumerate(events):
        for field in ("delta", "transcript", "text", "arguments"):
            if field in event and event["type"] != AUDIO_DELTA:
                changed = copy.deepcopy(events)
                changed[place][field] = event[field] + "?"
                why = "nobody else knows the user's words" if event["type"].startswith(WORDS) else ""
                yield Mutation("misheard", f"{event['type']}.{field}", changed, why)


def restated(events: list[Event]) -> Iterator[Mutation]:
    """Each status is another."""
    for place, event in enumerate(events):
        for name in ("item", "response"):
            for status in ("completed", "incomplete", "in_progress", "failed", "cancelled"):
                if isinstance(event.get(name), dict) and event[name].get("status") not in (None, status):
                    changed = copy.deepcopy(events)
                    changed[place][name]["status"] = status
                    why = "a cut item keeps its status or not" if event["type"] == "conversation.item.retrieved" else ""
                    if status == "completed" and event.get("item", {}).get("type") == "function_call":
                        why = "a call may be complete when its response is cancelled"
                    if status == "incomplete" and _given(event):
                        why = "a client may give what was broken off"
                    yield Mutation("restated", f"{event['type']} {status}", changed, why)


def _given(event: Event) -> bool:
    """An item that no answer of ours can be."""
    item = event.get("item", {})
    return event["type"] in (ADDED, DONE) and (item.get("role") in ("user", "system") or item["type"] == "function_call_output")


def _expired(event: Event) -> bool:
    return bool(event["type"] == "error" and event["error"]["code"] == "session_expired")


def mutations() -> Iterator[Mutation]:
    """All of them, of every session of the corpus."""
    for events in SESSIONS.values():
        for make in (missing, twice, swapped, renamed, misheard, restated):
            yield from make(events)


def report() -> str:
    """How many of each kind are caught, and why the others are not."""
    kinds: dict[str, Counter[str]] = {}
    unseen: Counter[str] = Counter()
    for mutation in mutations():
        count = kinds.setdefault(mutation.kind, Counter())
        count["caught" if mutation.caught else mutation.harmless or "MISSED"] += 1
        if not mutation.caught and not mutation.harmless:
            unseen[f"{mutation.kind} {mutation.what}"] += 1
    lines = [f"{kind}: {count['caught']} of {count.total()} caught; {dict(count)}" for kind, count in kinds.items()]
    return "\n".join([*lines, *(f"  not noticed: {what} ({times})" for what, times in unseen.items())])


if __name__ == "__main__":
    sys.stdout.write(report() + "\n")
