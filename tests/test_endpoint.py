"""Which endpoint flags and environment choose, and which they must not."""

from pathlib import Path

import pytest

from voice.engines.endpoint import ChatOptions, chat_options, chat_url, is_loopback, refuse_ourselves
from voice.errors import ConfigError, UsageError

BOTH = {"OPENAI_BASE_URL": "https://llm.example/v1", "OPENAI_MODEL": "small"}


def test_a_key_alone_changes_nothing() -> None:
    assert chat_options({}) is None
    assert chat_options({"OPENAI_API_KEY": "k", "HOLYSHEEP_API_KEY": "k"}) is None
    assert chat_options({"OPENAI_API_KEY": "k", "OPENAI_MODEL": "small"}) is None
    assert chat_options({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://llm.example/v1"}) is None
    assert chat_options({"OPENAI_BASE_URL": " ", "OPENAI_MODEL": "small"}) is None


def test_address_and_model_choose_it_with_or_without_a_key(tmp_path: Path) -> None:
    assert chat_options(BOTH) == ChatOptions("https://llm.example/v1", "small", None)
    assert chat_options({**BOTH, "OPENAI_API_KEY": "k1"}) == ChatOptions("https://llm.example/v1", "small", "k1")
    # Another service's key is never sent there.
    assert chat_options({**BOTH, "HOLYSHEEP_API_KEY": "k2"}) == ChatOptions("https://llm.example/v1", "small", None)
    (tmp_path / "key").write_text("k3\n")
    (tmp_path / "key").chmod(0o600)
    assert chat_options({**BOTH, "OPENAI_API_KEY_FILE": str(tmp_path / "key")}) == ChatOptions("https://llm.example/v1", "small", "k3")


def test_a_gateway_s_own_key_goes_before_the_one_that_everybody_calls_by_openai_s_name() -> None:
    gateway = {"OPENAI_BASE_URL": "https://api.holysheep.ai/v1", "OPENAI_MODEL": "m", "OPENAI_API_KEY": "k1"}
    for environ, want in ((gateway, "k1"), ({**gateway, "HOLYSHEEP_API_KEY": "k2"}, "k2")):
        chosen = chat_options(environ)
        assert chosen is not None and chosen.api_key == want


def test_a_flag_is_above_the_environment() -> None:
    chosen = chat_options({**BOTH, "OPENAI_API_KEY": "k1"}, model="large")
    assert chosen is not None and chosen.model == "large"
    chosen = chat_options({**BOTH, "OPENAI_API_KEY": "k1", "HOLYSHEEP_API_KEY": "k2"}, provider_name="holysheep")
    assert chosen == ChatOptions("https://api.holysheep.ai/v1", "small", "k2")


def test_what_a_provider_lacks_is_said() -> None:
    with pytest.raises(ConfigError, match="HOLYSHEEP_API_KEY"):
        chat_options(BOTH, provider_name="holysheep")
    with pytest.raises(ConfigError, match="OPENAI_MODEL"):
        chat_options({"HOLYSHEEP_API_KEY": "k"}, provider_name="holysheep")
    with pytest.raises(UsageError, match="nobody"):
        chat_options(BOTH, provider_name="nobody")
    local = chat_options({"OPENAI_MODEL": "m"}, provider_name="ollama")
    assert local is not None and local.api_key is None and local.headers() == {}


def test_an_azure_key_goes_into_its_own_header() -> None:
    environ = {"AZURE_OPENAI_ENDPOINT": "https://me.example", "AZURE_OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"}
    chosen = chat_options(environ, provider_name="azure")
    assert chosen is not None and chosen.headers() == {"api-key": "k"} and chosen.host == "me.example"
    assert ChatOptions("https://a.example/v1", "m", "k").headers() == {"Authorization": "Bearer k"}


def test_an_organisation_and_a_project_go_with_openai_s_key_only() -> None:
    account = {"OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj-1"}
    chosen = chat_options({**BOTH, **account, "OPENAI_API_KEY": "k"})
    want = {"OpenAI-Organization": "org-1", "OpenAI-Project": "proj-1", "Authorization": "Bearer k"}
    assert chosen is not None and chosen.headers() == want
    chosen = chat_options({**BOTH, **account, "OPENAI_API_KEY": "k"}, provider_name="openai")
    assert chosen is not None and chosen.headers() == want
    chosen = chat_options({**BOTH, **account, "HOLYSHEEP_API_KEY": "k"}, provider_name="holysheep")
    assert chosen is not None and chosen.headers() == {"Authorization": "Bearer k"}
    with pytest.raises(ConfigError, match="OPENAI_ORG_ID"):
        chat_options({**BOTH, "OPENAI_API_KEY": "k", "OPENAI_ORG_ID": "a\r\nX: y"})


@pytest.mark.parametrize(
    ("base", "key", "want"),
    [
        ("http://192.0.2.7:8080/v1", "k", True),
        ("http://llm.example", "k", True),
        ("https://llm.example", "k", False),
        ("http://127.0.0.1:1", "k", False),
        ("http://llm.example", None, False),
    ],
)
def test_a_key_that_others_can_read_on_its_way_is_noticed(base: str, key: str | None, want: bool) -> None:
    assert ChatOptions(base, "m", key).open_key == want


def test_no_key_is_shown() -> None:
    assert "canary" not in repr(ChatOptions("https://a.example/v1", "m", "sk-canary"))


@pytest.mark.parametrize(
    ("base", "want"),
    [
        ("https://api.example.com/v1", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com/v1/", "https://api.example.com/v1/chat/completions"),
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/chat/completions"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434/v1/chat/completions"),
        ("https://api.example.com/openai/v1", "https://api.example.com/openai/v1/chat/completions"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1/chat/completions"),
        ("https://api.example.com/v1?api-version=2", "https://api.example.com/v1/chat/completions?api-version=2"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1/chat/completions"),
    ],
)
def test_where_it_posts(base: str, want: str) -> None:
    assert chat_url(base) == want


@pytest.mark.parametrize(
    "base", ["api.example.com", "ftp://a.example", "https://", "http://a:99999", "http://a:0", "http://[::1", "https://a b/v1", "https://a\n/v1", "file:///etc/passwd"]
)  # fmt: skip
def test_what_is_no_address_is_refused(base: str) -> None:
    with pytest.raises(ConfigError, match="OPENAI_BASE_URL"):
        chat_options({**BOTH, "OPENAI_BASE_URL": base})


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as told:
        chat_url("https://me:canary@a.example/v1")
    assert "canary" not in str(told.value) and "OPENAI_API_KEY" in str(told.value)


@pytest.mark.parametrize(
    ("base", "host", "port", "ours"),
    [
        ("http://127.0.0.1:8765/v1", "127.0.0.1", 8765, True),
        ("http://localhost:8765", "127.0.0.1", 8765, True),
        ("http://LOCALHOST.:8765", "::1", 8765, True),
        ("http://[::1]:8765/v1", "localhost", 8765, True),
        ("http://0.0.0.0:8765/v1", "127.0.0.1", 8765, True),
        ("http://127.8.8.8:8765/v1", "127.0.0.1", 8765, True),
        ("http://localhost/v1", "127.0.0.1", 80, True),
        ("https://voice.example/v1", "voice.example", 443, True),
        ("http://127.0.0.1:8766/v1", "127.0.0.1", 8765, False),
        ("http://192.0.2.7:8765/v1", "127.0.0.1", 8765, False),
        ("http://llm.example:8765/v1", "127.0.0.1", 8765, False),
    ],
)
def test_our_own_address_is_refused(base: str, host: str, port: int, ours: bool) -> None:
    options = ChatOptions(base, "m")
    if ours:
        with pytest.raises(ConfigError, match="this server"):
            refuse_ourselves(options, host, port)
    else:
        refuse_ourselves(options, host, port)


@pytest.mark.parametrize(
    ("url", "want"), [("http://127.0.0.1:1", True), ("http://a.localhost", True), ("http://a.example", False), ("http://[::1]/", True)]
)
def test_no_proxy_is_asked_for_this_machine(url: str, want: bool) -> None:
    assert is_loopback(url) == want
