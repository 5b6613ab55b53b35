"""Templates: parsing, matching, and what a malformed one says."""

import pytest

from voice.engines import templates
from voice.engines.words import Words, split

RULES = {"polite": templates.parse("please | kindly", {})}
READERS: dict[str, templates.Reader] = {"any": lambda words, i: [(i + 1, words.texts[i])] if i < len(words) else []}


def matches(template: str, text: str) -> list[dict[str, object]]:
    words: Words = split(text)
    node = templates.parse(template, RULES)
    return [dict(slots) for end, slots in templates.ends(node, words, 0, READERS) if end == len(words)]


@pytest.mark.parametrize(
    ("template", "text", "want"),
    [
        ("what's up", "what is up", [{}]),
        ("what's up", "what's up", [{}]),
        ("(set | start) [a] timer", "start timer", [{}]),
        ("(set | start) [a] timer", "set a timer", [{}]),
        ("(set | start) [a] timer", "set a", []),
        ("<polite> go", "kindly go", [{}]),
        ("[[very] big] dog", "very big dog", [{}]),
        ("[[very] big] dog", "very dog", []),
        ("call {who:any} {any}", "call anna now", [{"who": "anna", "any": "now"}]),
        ("[a | a b] c", "a b c", [{}]),
    ],
)
def test_matching(template: str, text: str, want: list[dict[str, object]]) -> None:
    assert matches(template, text) == want


@pytest.mark.parametrize("template", ["(a", "a)", "[a)", "a ]", "{a", "<a", "a {b c}"])
def test_a_malformed_template_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template|closed"):
        templates.parse(template, RULES)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(KeyError):
        templates.parse("<nobody>", RULES)


def test_slots_in_order() -> None:
    node = templates.parse("[{a:any}] (x | {b:any}) <polite>", RULES)
    assert [slot.name for slot in templates.slots_in(node)] == ["a", "b"]
