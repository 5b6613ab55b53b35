"""The rows of the dialects."""

from voice.protocol.dialect import DIALECTS


def test_the_protocol_of_today_differs_in_nothing() -> None:
    assert [name for name, row in DIALECTS.items() if row.plain] == ["ga"]


def test_each_row_is_found_by_its_name() -> None:
    assert all(name == row.name for name, row in DIALECTS.items())
