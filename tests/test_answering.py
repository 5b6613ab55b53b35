"""Which language model answers: flags above environment above files, and what must not choose one."""

import time
from argparse import ArgumentParser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.wire import fake_engine
from voice.commands.answering import add_model, chat_of, engine_maker, tools_of
from voice.config import Config, load
from voice.engines import local
from voice.engines.endpoint import ChatOptions, ChatTimeouts
from voice.engines.local import LocalEngine, LocalOptions
from voice.engines.speaker import Clocks
from voice.errors import ConfigError
from voice.protocol.dead_air import Filler

BASE = {"OPENAI_BASE_URL": "https://llm.example/v1", "OPENAI_MODEL": "small", "OPENAI_API_KEY": "k1", "HOLYSHEEP_API_KEY": "k2"}
GATEWAY = "https://api.holysheep.ai/v1"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty.toml"
    path.write_text("")
    return path


def config(file: Path, environ: dict[str, str], **flags: str) -> Config:
    return load(flags, environ, file)


def test_environment_and_flags_choose_it(empty: Path) -> None:
    assert chat_of(config(empty, {})) is None
    assert chat_of(config(empty, {"OPENAI_API_KEY": "k1", "OPENAI_MODEL": "small"})) is None
    assert chat_of(config(empty, BASE)) == ChatOptions("https://llm.example/v1", "small", "k1")
    assert chat_of(config(empty, BASE, model="large")) == ChatOptions("https://llm.example/v1", "large", "k1")
    assert chat_of(config(empty, BASE, provider="holysheep")) == ChatOptions(GATEWAY, "small", "k2")
    with pytest.raises(ConfigError, match="--model"):
        chat_of(config(empty, {"HOLYSHEEP_API_KEY": "k2"}, provider="holysheep"))


def test_a_file_chooses_it_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text('base_url = "http://127.0.0.1:11434/v1"\nchat_model = "tiny"\n')
    assert chat_of(config(file, {})) == ChatOptions("http://127.0.0.1:11434/v1", "tiny")
    file.write_text('provider = "holysheep"\nchat_model = "tiny"\n[keys]\nholysheep = "k3"\n')
    file.chmod(0o600)
    assert chat_of(config(file, {})) == ChatOptions(GATEWAY, "tiny", "k3")


def test_the_limits_are_settings(tmp_path: Path) -> None:
    file = tmp_path / "voice.toml"
    file.write_text("chat_first_token_s = 90\nchat_history_tokens = 900\n")
    chosen = chat_of(config(file, {**BASE, "VOICE_CHAT_CONNECT_S": "1.5", "VOICE_CHAT_IDLE_S": "2", "VOICE_CHAT_TOTAL_S": "300"}))
    assert chosen is not None and chosen.timeouts == ChatTimeouts(1.5, 90.0, 2.0, 300.0) and chosen.history_tokens == 900
    with pytest.raises(ConfigError, match="VOICE_CHAT_IDLE_S"):
        config(file, {"VOICE_CHAT_IDLE_S": "0"})


def test_a_realtime_model_is_no_chat_model_unless_the_flag_says_so(empty: Path) -> None:
    environ = {**BASE, "VOICE_MODEL": "gpt-realtime"}
    chosen = chat_of(config(empty, environ))
    assert chosen is not None and chosen.model == "small"
    # A provider that is set for other uses is not asked for an answer without a model for it.
    assert chat_of(config(empty, {"VOICE_PROVIDER": "openai", "OPENAI_API_KEY": "k1", "VOICE_MODEL": "gpt-realtime"})) is None


def test_where_something_else_answers_no_model_is_asked(empty: Path) -> None:
    assert chat_of(config(empty, BASE, url="ws://127.0.0.1:1")) is None
    assert chat_of(config(empty, BASE, engine="relay")) is None
    assert chat_of(config(empty, BASE, upstream="wss://up.example")) is None
    assert chat_of(config(empty, BASE, provider="holysheep"), relays=True) is None
    chosen = chat_of(config(empty, BASE, provider="holysheep", engine="local"), relays=True)
    assert chosen == ChatOptions(GATEWAY, "small", "k2")
    assert chat_of(config(empty, BASE), relays=True) == ChatOptions("https://llm.example/v1", "small", "k1")


def test_the_flags_are_named_as_the_settings() -> None:
    parser = ArgumentParser()
    add_model(parser)
    given = parser.parse_args(["--provider", "openai", "--model", "m"])
    assert (given.provider, given.model) == ("openai", "m")


@pytest.mark.parametrize(
    ("lines", "pace", "want"), [("", 3.0, Filler()), ("filler_after_s = 0\n", 3.0, Filler(None)), ("", None, Filler(None))]
)
async def test_the_local_engine_gets_the_tools_that_are_configured(
    lines: str, pace: float | None, want: Filler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[LocalOptions] = []

    @asynccontextmanager
    async def engine(options: LocalOptions) -> AsyncIterator[LocalEngine]:
        made.append(options)
        assert options.tools is not None and (await options.tools.run("now", "{}")).output == "5"
        yield fake_engine()

    monkeypatch.setattr(local, "local_engine", engine)
    file = tmp_path / "voice.toml"
    file.write_text(lines + "[tools.now]\nfunction = 'tests.test_answering:five'\n")
    settings = config(file, {})
    options = LocalOptions(life_s=7, clocks=Clocks(time.monotonic, time.time, pace))
    async with engine_maker(settings, tools_of(settings))(options):
        assert (made[0].life_s, made[0].filler) == (7, want)


def five() -> int:
    """Five."""
    return 5


def test_without_tools_there_is_no_toolset(empty: Path) -> None:
    assert tools_of(config(empty, {})) is None
