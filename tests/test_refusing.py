"""The sentences with which a value is refused."""

from typing import Any

import msgspec
import pytest

from voice.errors import ProtocolError
from voice.protocol.items import given_item
from voice.protocol.objects import Item
from voice.protocol.refusing import need, need_known, need_one_of, need_text, of_kind, one_of, quoted
from voice.protocol.tools import check_choice


def test_a_sentence_lists_what_is_possible() -> None:
    assert [quoted(names) for names in (["a"], ["a", "b"], ["a", "b", "c"])] == ["'a'", "'a' and 'b'", "'a', 'b' and 'c'"]
    with pytest.raises(ProtocolError, match=r"^Invalid value: 'd'\. Supported values are: 'a', 'b' and 'c'\.$"):
        one_of("d", "path", ("a", "b", "c"))
    with pytest.raises(ProtocolError) as caught:
        need("x" * 10_000, "path", lambda value: False, "others")
    assert len(str(caught.value)) < 150
    one_of(None, "path", ("a",))
    one_of(msgspec.UNSET, "path", ("a",))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "Missing required parameter: 'p.kind'."),
        ({"kind": None}, "Missing required parameter: 'p.kind'."),
        ({"kind": 5}, "Invalid type for 'p.kind': expected a string."),
        ({"kind": "d"}, "Invalid value: 'd'. Supported values are: 'a', 'b' and 'c'."),
    ],
)
def test_a_field_that_must_be_there(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        need_one_of(fields, "kind", ("a", "b", "c"), "p")
    assert (str(caught.value), caught.value.param) == (sentence, "p.kind")


def test_tools_are_refused_in_the_same_words() -> None:
    with pytest.raises(ProtocolError, match=r"^Invalid value: 'maybe'\. Supported values are: 'auto', 'none' and 'required'\.$"):
        check_choice("maybe", None, "session.tool_choice")


def test_items_are_refused_in_the_same_words() -> None:
    for item, sentence in (
        (Item("message", role="robot", content=[]), "Invalid value: 'robot'. Supported values are: 'system', 'user' and 'assistant'."),
        (Item("message", role="user"), "Missing required parameter: 'item.content'."),
    ):
        with pytest.raises(ProtocolError) as caught:
            given_item(item, "item_1")
        assert str(caught.value) == sentence


def test_other_fields_and_kinds() -> None:
    assert need_text({"name": "x"}, "name", "p") == "x"
    of_kind(None, str, "a string", "p")
    need_known({"a": 1}, frozenset({"a", "b"}), "p")
    with pytest.raises(ProtocolError) as caught:
        need_known({"c" * 100: 1}, frozenset({"a", "b"}), "p")
    assert (caught.value.code, caught.value.param) == ("unknown_parameter", "p." + "c" * 80)
