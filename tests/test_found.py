"""What a server says that it has to work with."""

import pytest

from tests.support.fakes import FakeResponder, FakeSynthesizer, FakeTranscriber
from tests.support.wire import fake_engine
from voice.engines.endpoint import ChatOptions
from voice.engines.local import LocalEngine, LocalOptions
from voice.engines.relay import RelayEngine, Upstream
from voice.server import found
from voice.server.found import findings, relay_findings


def test_each_finding_is_one_line() -> None:
    lines = findings(fake_engine(), key=True)
    assert list(lines) == ["engine", "language model", "recogniser", "synthesiser", "detector", "sound card", "key"]
    assert lines["synthesiser"] == "fake voice, ours" and lines["recogniser"] == "fake recogniser"
    assert lines["key"] == "a key is set; the local engine does not use it"
    assert not any("\n" in line for line in lines.values())


def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "find_library", lambda name: None)
    monkeypatch.setattr(found.importlib.util, "find_spec", lambda name: None)
    lines = findings(fake_engine())
    assert lines["key"] == "none, and none is needed"
    assert lines["sound card"] == "no PortAudio: not needed to serve"
    assert 'pip install "voice[local]"' in lines["detector"]


def test_which_language_model_answers_is_said_without_its_key() -> None:
    chat = ChatOptions("https://llm.example/v1", "small", "sk-canary")
    options = LocalOptions(chat=chat)
    lines = findings(LocalEngine(FakeTranscriber(), FakeSynthesizer(), FakeResponder, options))
    assert lines["engine"] == "local: English speech, a language model answers"
    assert lines["language model"] == "small at llm.example" and lines["key"] == "one is set for llm.example"
    assert not any("canary" in line for line in lines.values())
    open_ = LocalOptions(chat=ChatOptions("http://llm.example/v1", "small", "sk-canary"))
    lines = findings(LocalEngine(FakeTranscriber(), FakeSynthesizer(), FakeResponder, open_))
    assert lines["key"] == "one is set for llm.example, and can be read on its way there: use https"
    assert findings(fake_engine())["language model"] == "none: set OPENAI_BASE_URL and OPENAI_MODEL"


def test_what_a_relay_asks_for_is_said_without_its_key() -> None:
    lines = relay_findings(RelayEngine(Upstream("wss://h.example/v1/realtime", "sk-canary")))
    assert lines["engine"] == "relay: every session goes to h.example"
    assert lines["model"] == "gpt-realtime, where a client names none" and lines["dialect"] == "heard in the upstream's first event"
    assert lines["key"] == "one is set for h.example, and stays here"
    lines = relay_findings(RelayEngine(Upstream("wss://h.example", model="", dialect="xai")))
    assert lines["model"] == "the upstream's own, where a client names none" and lines["dialect"] == "'xai'"
    assert lines["key"] == "none is set for h.example"
