"""Readers of slots that are no numbers: names, free words, statements."""

import pytest

from voice.engines.skills import table
from voice.engines.slots import readers
from voice.engines.words import split


def read(kind: str, text: str) -> list[tuple[int, object]]:
    return list(readers(table().rules)[kind](split(text), 0))


@pytest.mark.parametrize(
    ("kind", "text", "want"),
    [
        ("label", "Soft egg timer", [(1, "Soft"), (2, "Soft egg")]),
        ("label", "five minutes", []),
        ("label", "the egg", []),
        ("text", "My Keys, are here.", [(4, "My Keys, are here")]),
        ("text", "", []),
        ("head", "Call Mom", [(2, "Call Mom"), (1, "Call")]),
        ("fact", "my keys are here", [(4, "my keys are here")]),
        ("fact", "the alamo", []),
        ("fact", "when we were young", []),
        ("counting", "one 2 three", [(3, "one 2 three")]),
        ("counting", "one apple", []),
        ("kept", "my Keys please", [(2, "my Keys")]),
        ("secret", "the door", []),
    ],
)
def test_read(kind: str, text: str, want: list[tuple[int, object]]) -> None:
    assert read(kind, text) == want


def test_every_slot_of_the_table_has_a_reader() -> None:
    from voice.engines.templates import slots_in

    kinds = {slot.kind for skill in table().skills for node in (*skill.say, *skill.typed) for slot in slots_in(node)}
    assert kinds <= readers(table().rules).keys()
