"""The names of the events are those that the protocol's own code reads and writes."""

import pytest

from tests.support.needs import skip_without
from voice.policy.eventnames import CLIENT, OLDER_CLIENT, OLDER_SERVER, SERVER
from voice.protocol.foreign import SERVER_EVENTS
from voice.protocol.requests import CLIENT_EVENTS


def test_the_names_are_those_of_the_codec() -> None:
    assert {str(event.__struct_config__.tag) for event in SERVER_EVENTS} == SERVER
    assert {str(event.__struct_config__.tag) for event in CLIENT_EVENTS} == CLIENT


@pytest.mark.parametrize("side", ["Server", "Client"])
def test_the_older_names_are_those_of_the_older_models(side: str) -> None:
    skip_without("openai")
    import typing

    from openai.types.beta import realtime

    union = getattr(realtime, f"Realtime{side}Event")
    while typing.get_origin(union) is typing.Annotated:
        union = typing.get_args(union)[0]
    names = {typing.get_args(model.model_fields["type"].annotation)[0] for model in typing.get_args(union)}
    ours = SERVER | OLDER_SERVER if side == "Server" else CLIENT | OLDER_CLIENT
    assert names <= ours
    assert names - (SERVER | CLIENT) == (OLDER_SERVER if side == "Server" else OLDER_CLIENT)
