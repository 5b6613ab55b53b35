"""Where a Realtime server is, and how to speak to it."""

import secrets

import pytest

from voice.engines.destination import Destination, at_address, at_service, checked, destination
from voice.engines.relay import RelayEngine, Upstream
from voice.errors import ConfigError, UsageError
from voice.protocol.dialect import DIALECTS

KEY = f"sk-{secrets.token_hex(12)}"


def test_an_address_gets_the_key_and_the_dialect_of_the_service_that_is_there() -> None:
    environ = {"OPENAI_API_KEY": "o", "XAI_API_KEY": "x"}
    assert at_address("wss://gateway.example", environ) == Destination("wss://gateway.example", "o", "bearer", "auto")
    assert at_address("wss://api.openai.com/v1", environ).dialect == "ga"
    assert at_address("wss://api.x.ai/v1/realtime", environ).api_key == "x"
    assert at_address("ws://127.0.0.1:8000/v1", environ).dialect == "auto", "any server may be there"
    assert at_address("wss://api.openai.com/v1", environ, "beta").dialect == "beta"


def test_a_service_has_all_of_it_in_its_row() -> None:
    environ = {"AZURE_VOICELIVE_ENDPOINT": "https://mine.example/", "AZURE_VOICELIVE_API_KEY": KEY}
    found = at_service("azure-voice-live", environ)
    assert found.url == "wss://mine.example/voice-live/realtime?api-version=2025-10-01"
    assert (found.api_key, found.auth, found.model) == (KEY, "api-key", "gpt-realtime")
    assert KEY not in repr(found)
    assert at_service("azure-voice-live", environ, "ga").dialect == "ga"
    with pytest.raises(ConfigError, match="no key for 'qwen': set DASHSCOPE_API_KEY"):
        at_service("qwen", {})


def test_what_a_program_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XAI_API_KEY", "from the environment".replace(" ", "-"))
    assert destination(None, None, None, None) is None
    there = Destination("ws://h")
    assert destination(there, None, None, None) is there
    assert destination("ws://h", None, None, KEY) == Destination("ws://h", KEY)
    assert destination("wss://api.x.ai", None, None, None) == Destination("wss://api.x.ai", None, dialect=at_service("xai").dialect), (
        "no key"
    )
    by_name = destination(None, "xai", None, None)
    assert by_name is not None and by_name.api_key == "from-the-environment"
    own = destination(None, "xai", "beta", KEY)
    assert own is not None and (own.api_key, own.dialect, own.url) == (KEY, "beta", "wss://api.x.ai/v1/realtime")
    with pytest.raises(UsageError, match="leave one out"):
        destination("ws://h", "xai", None, None)
    for there in ("ws://h", Destination("ws://h", dialect="x")):
        with pytest.raises(UsageError, match="no dialect 'x'"):
            destination(there, None, "x", None)
    with pytest.raises(UsageError, match="no dialect 'x'"):
        RelayEngine(Upstream("ws://h", dialect="x"))


def test_the_names_that_a_dialect_may_have() -> None:
    assert [checked(name) for name in (None, "auto", *DIALECTS)] == [None, "auto", *DIALECTS]
    with pytest.raises(UsageError, match="choose one of auto, ga, "):
        checked("")
