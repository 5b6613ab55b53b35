"""Which server talk and replay talk to."""

import argparse
from typing import Any

import pytest

from voice.commands.reaching import add_dialect, server_of
from voice.config import load
from voice.engines.destination import Destination
from voice.errors import ConfigError, UsageError

KEYS = {
    "OPENAI_API_KEY": "key-1",
    "HOLYSHEEP_API_KEY": "key-2",
    "AZURE_OPENAI_ENDPOINT": "https://mine.example",
    "AZURE_OPENAI_API_KEY": "key-3",
    "XAI_API_KEY": "key-4",
}
HOLYSHEEP = "wss://api.holysheep.ai/v1/realtime"
OPENAI = Destination("wss://api.openai.com/v1/realtime", "key-1", "bearer", "ga", "gpt-realtime")


@pytest.mark.parametrize(
    ("flags", "want"),
    [
        ({}, None),
        ({"engine": "local", "provider": "openai"}, None),
        ({"url": "http://127.0.0.1:8765", "model": "m"}, Destination("http://127.0.0.1:8765", "key-1", model="m")),
        ({"url": "http://h", "upstream_dialect": "beta"}, Destination("http://h", "key-1", dialect="beta")),
        ({"url": f"{HOLYSHEEP}?x=1"}, Destination(f"{HOLYSHEEP}?x=1", "key-2", dialect="auto")),
        ({"provider": "holysheep", "model": "m"}, Destination(HOLYSHEEP, "key-2", dialect="auto", model="m")),
        ({"provider": "openai"}, OPENAI),
        ({"provider": "azure"}, Destination("wss://mine.example/openai/v1/realtime", "key-3", "api-key", "azure", "gpt-realtime")),
        ({"provider": "xai"}, Destination("wss://api.x.ai/v1/realtime", "key-4", dialect="xai", model="")),
        ({"engine": "relay", "provider": "openai"}, OPENAI),
        ({"engine": "relay", "upstream": "wss://h", "model": "m"}, Destination("wss://h", "key-1", model="m")),
    ],
)
def test_who_answers_in_talk(flags: dict[str, Any], want: Destination | None) -> None:
    assert server_of(load(flags, KEYS), services=True) == want


@pytest.mark.parametrize(
    ("flags", "want"),
    [({"provider": "openai"}, None), ({"engine": "relay", "provider": "openai"}, OPENAI), ({"upstream": "wss://h"}, None)],
)
def test_in_replay_a_service_that_is_talked_to_is_asked_for(flags: dict[str, Any], want: Destination | None) -> None:
    assert server_of(load(flags, KEYS), services=False) == want


@pytest.mark.parametrize(
    ("flags", "environ", "error", "says"),
    [
        ({"provider": "groq"}, KEYS, UsageError, "'groq' has no Realtime service"),
        ({"provider": "openai"}, {}, ConfigError, "OPENAI_API_KEY"),
        ({"provider": "azure"}, {}, UsageError, "AZURE_OPENAI_ENDPOINT"),
        ({}, {"VOICE_ENGINE": "relay"}, ConfigError, "relay to where\\? Give --url or --provider"),
        ({"url": "nonsense"}, {}, UsageError, "is not an address"),
        ({"url": "ws://h", "upstream_dialect": "klingon"}, {}, UsageError, "no dialect 'klingon': choose one of auto, ga, "),
        ({"provider": "openai", "upstream_dialect": "GA"}, KEYS, UsageError, "no dialect 'GA'"),
    ],
)
def test_who_cannot_answer(flags: dict[str, Any], environ: dict[str, str], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        server_of(load(flags, environ), services=True)


def test_a_dialect_is_that_of_the_address_it_was_said_with(tmp_path: Any) -> None:
    file = tmp_path / "voice.toml"
    file.write_text("url = 'ws://old'\nupstream_dialect = 'beta'\n")
    found = server_of(load({}, {}, file), services=True)
    assert found is not None and (found.url, found.dialect) == ("ws://old", "beta")
    found = server_of(load({"url": "ws://new"}, {}, file), services=True)
    assert found is not None and (found.url, found.dialect) == ("ws://new", "auto")


def test_the_flag() -> None:
    parser = argparse.ArgumentParser()
    add_dialect(parser)
    assert parser.parse_args(["--dialect", "beta"]).upstream_dialect == "beta"
    assert parser.parse_args([]).upstream_dialect is None
