"""What can go wrong: each `do` has its own keys, and defaults that can happen."""

import dataclasses

import msgspec
import pytest

from voice.policy.deeds import BOTH_WAYS, DEEDS, OF_AN_EVENT, Deed, Delay, Drop, Duplicate


@pytest.mark.parametrize(("do", "kind"), DEEDS.items())
def test_the_defaults_of_a_deed_are_values_that_a_file_may_give(do: str, kind: type[Deed]) -> None:
    made = Delay(ms=1) if kind is Delay else kind()
    values = {field.name: getattr(made, field.name) for field in dataclasses.fields(made)}
    assert msgspec.convert(values, kind) == made


def test_every_deed_has_a_name_of_its_own() -> None:
    assert len(set(DEEDS.values())) == len(DEEDS)
    assert {"close", "rst", "stall", "half_open", "drop", "duplicate", "reorder", "garbage", "error", "refuse", "expire"} <= DEEDS.keys()


def test_what_happens_to_the_clients_events_happens_to_events() -> None:
    assert set(BOTH_WAYS) == {Drop, Duplicate} <= set(OF_AN_EVENT)
