"""Types of events, peeked."""

import pytest

from voice.protocol.peek import PEEKED, peeked


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"type":"a.b"}', "a.b"),
        (' { "event_id" : "e1" , "type" : "a.b", "x": 1}', "a.b"),
        ('{"type":""}', ""),
        ('{"x":1,"type":"a.b"}', None),
        (r'{"type":"a\u002eb"}', None),
        (" " * PEEKED + '{"type":"a.b"}', None),
        ("", None),
        ("[1]", None),
    ],
)
def test_a_type_is_found_where_everybody_writes_it(text: str, kind: str | None) -> None:
    assert peeked(text) == kind
