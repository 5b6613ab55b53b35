"""Values that are not what they should be."""

import pytest

from voice.protocol.lenient import fields, text


@pytest.mark.parametrize("value", [None, 7, [], ["x"], True])
def test_what_is_neither(value: object) -> None:
    assert (fields(value), text(value)) == ({}, "")


def test_what_is_one() -> None:
    assert (fields({"a": 1}), text("a"), fields("a"), text({"a": 1})) == ({"a": 1}, "a", {}, "")
