"""What a witness is told is data that can be compared and kept."""

import dataclasses

import pytest

from voice.links.sights import Began, Ended, Received, Refused, Sent, Sight
from voice.policy.deeds import Refuse


@pytest.mark.parametrize("sight", [Began(), Refused(Refuse()), Sent("x"), Received(b"x"), Ended(1000, "")])
def test_a_sight_is_frozen_and_equal_to_its_like(sight: Sight) -> None:
    assert dataclasses.replace(sight) == sight and hash(dataclasses.replace(sight)) == hash(sight)
    assert sight not in (Sent("y"), Received("x"), Ended(1001, ""))
