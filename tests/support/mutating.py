"""Events with something wrong in them, as a hostile or a careless party may send them: the same for the same seed."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, 1e308, "", "x", "\u0000", "\ud800", "null", [], {}, [[]], {"type": None}, ["audio"], [None]),
    *({"type": []}, {"audio": {"input": 7}}, [{"type": "message", "content": "x"}], "a" * 5000, {"a": {"b": {"c": {}}}}, -1.5),
)
NO_EVENTS = (
    *("", " ", "{", "}", "[]", "null", "7", '"session.created"', '{"type":7}', '{"type":null}', '{"type":""}', "{}", "\ufeff{}", "\u0000"),
    *("[" * 5000, '{"type":"session.created","session":' + "[" * 3000, '{"type":"x","type":"session.update"}', "nonsense " * 100),
    *(
        '{"type":"response.done","response":NaN}',
        '{"a":1e999}',
        "\ud800",
        '{"type":"\ud800"}',
        '{"type":"session.created","session":"\\ud800"}',
    ),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from places(inner)


def mutated(event: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The event with one to three things wrong: a value of another kind, a key that is gone or is there twice under another name."""
    wrong = copy.deepcopy(event)
    for _ in range(chance.randint(1, 3)):
        found = [(inner, key) for inner, key in places(wrong) if not (inner is wrong and key == "type" and chance.random() < 0.9)]
        if not found:
            break
        inner, key = chance.choice(found)
        if isinstance(inner, dict) and chance.random() < 0.3:
            del inner[key]
        elif isinstance(inner, dict) and chance.random() < 0.1:
            inner[f"{key}_"] = inner[key]
        else:
            inner[key] = copy.deepcopy(chance.choice(ODD))
    return wrong


def storm(events: list[dict[str, Any]], count: int, seed: int) -> Iterator[str]:
    """So many texts: mostly events with something wrong, some right ones, some that are no events."""
    chance = random.Random(seed)
    for _ in range(count):
        draw = chance.random()
        if draw < 0.1:
            yield chance.choice(NO_EVENTS)
        else:
            event = chance.choice(events)
            yield json.dumps(event if draw < 0.3 else mutated(event, chance))
