"""Providers by name, and where their keys come from."""

import logging
import os
import re
from pathlib import Path

import pytest

from voice.engines.providers import LONGEST_KEY, Provider, dialect_at, key_for, key_name_for, key_named, key_of, names, needed_key, provider
from voice.errors import ConfigError, UsageError
from voice.protocol.dialect import DIALECTS

AZURE = {"AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com/", "AZURE_VOICELIVE_ENDPOINT": "mine.services.ai.azure.com"}


def test_the_table() -> None:
    assert provider("holysheep") == Provider(
        "holysheep", "wss://api.holysheep.ai/v1/realtime", "https://api.holysheep.ai/v1", ("HOLYSHEEP_API_KEY",), "bearer", "auto", False
    )
    assert provider("openai") == Provider(
        "openai",
        "wss://api.openai.com/v1/realtime",
        "https://api.openai.com/v1",
        ("OPENAI_API_KEY",),
        recorded=True,
        realtime_model="gpt-realtime",
    )
    assert provider("ollama") == Provider("ollama", None, "http://127.0.0.1:11434/v1")


@pytest.mark.parametrize("name", names())
def test_every_row_can_be_used(name: str) -> None:
    found = provider(name, AZURE)
    assert found.auth in {"bearer", "api-key"} and found.dialect in {"auto", *DIALECTS}
    assert found.realtime_url or found.chat_url
    assert found.realtime_url is None or re.fullmatch(r"wss://[^{}]+/realtime(\?[\w=&-]+)?", found.realtime_url)
    assert found.chat_url is None or (re.search(r"/v\d$", found.chat_url) and "{" not in found.chat_url)
    assert found.chat_url is None or found.chat_url.startswith(("https://", "http://127.0.0.1:"))


def test_no_two_services_share_a_key() -> None:
    all_names = [key for name in names() for key in provider(name, AZURE).key_names]
    assert len(all_names) == len(set(all_names))


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no provider 'open-ai': choose one of holysheep, openai, xai, azure, .*, or give its address"):
        provider("open-ai")


@pytest.mark.parametrize("value", ["https://mine.example", "https://mine.example/", "mine.example", "https://mine.example/openai?x=1"])
def test_azure_takes_its_host_from_its_endpoint(value: str) -> None:
    found = provider("azure", {"AZURE_OPENAI_ENDPOINT": value})
    assert (found.realtime_url, found.chat_url) == ("wss://mine.example/openai/v1/realtime", "https://mine.example/openai/v1")


@pytest.mark.parametrize("value", ["", "https://", "https://a b", "https://x:99999", "https://[", "https://user:canary@host"])
def test_azure_without_a_host_is_refused(value: str) -> None:
    with pytest.raises(UsageError, match="'azure' needs .* AZURE_OPENAI_ENDPOINT") as caught:
        provider("azure", {"AZURE_OPENAI_ENDPOINT": value})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("", "dashscope-intl.aliyuncs.com"),
        ("wss://dashscope.aliyuncs.com/api-ws/v1/inference", "dashscope.aliyuncs.com"),
        ("w1.ap-southeast-1.maas.aliyuncs.com", "w1.ap-southeast-1.maas.aliyuncs.com"),
    ],
)
def test_a_service_with_several_hosts_has_a_usual_one(value: str, host: str) -> None:
    found = provider("qwen", {"DASHSCOPE_WEBSOCKET_BASE_URL": value})
    assert found.realtime_url == f"wss://{host}/api-ws/v1/realtime" and found.chat_url == f"https://{host}/compatible-mode/v1"


def test_the_dialect_of_an_address() -> None:
    for name in ("openai", "xai", "qwen", "stepfun", "glm", "holysheep"):
        found = provider(name, {})
        assert dialect_at(found.realtime()) == found.dialect
    assert dialect_at("https://API.StepFun.com") == provider("stepfun").dialect
    for url in ("ws://127.0.0.1:11434/v1", "wss://gateway.example", "wss://[", "wss://api.groq.com", "wss:///realtime"):
        assert dialect_at(url) is None


def test_what_a_service_does_not_have_is_named_with_those_that_have_it() -> None:
    with pytest.raises(
        UsageError, match="'groq' has no Realtime service; these have: holysheep, openai, xai, azure, azure-voice-live, qwen, stepfun, glm$"
    ):
        provider("groq").realtime()
    with pytest.raises(UsageError, match="'deaf' has no chat service; these have: holysheep, "):
        Provider("deaf", None, None).chat()
    assert provider("openai").realtime() == "wss://api.openai.com/v1/realtime"
    assert provider("groq").chat() == "https://api.groq.com/openai/v1"


def test_headers_are_those_of_the_service() -> None:
    assert provider("openai").headers("k") == {"Authorization": "Bearer k"}
    assert provider("azure", AZURE).headers("k") == {"api-key": "k"}
    assert provider("openai").headers(None) == {}


def secret(path: Path, content: str | bytes, mode: int = 0o600) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return str(path)


def test_a_key_comes_from_the_variable_then_from_the_file(tmp_path: Path) -> None:
    file = secret(tmp_path / "key", "from-file\n")
    openai = provider("openai")
    assert key_of(openai, {}) is None
    assert key_of(openai, {"OPENAI_API_KEY": " from-env\n"}) == "from-env"
    assert key_of(openai, {"OPENAI_API_KEY_FILE": file}) == "from-file"
    assert key_of(openai, {"OPENAI_API_KEY": "from-env", "OPENAI_API_KEY_FILE": file}) == "from-env"
    assert key_of(openai, {"OPENAI_API_KEY": "", "OPENAI_API_KEY_FILE": file}) == "from-file"
    assert key_of(provider("holysheep"), {"OPENAI_API_KEY": "another's"}) is None
    assert key_of(Provider("two", None, None, ("FIRST", "SECOND")), {"SECOND": "b", "FIRST_FILE": file}) == "from-file"


def test_an_address_gets_the_key_of_the_service_that_is_there() -> None:
    environ = {"OPENAI_API_KEY": "o", "HOLYSHEEP_API_KEY": "h", "VLLM_API_KEY": "v"}
    assert key_for("wss://api.holysheep.ai/v1/realtime?model=m", environ) == "h"
    assert key_for("https://API.holysheep.ai", environ) == "h"
    assert key_for("wss://api.x.ai/v1", environ) is None
    assert key_for("ws://127.0.0.1:8765", environ) == key_for("wss://gateway.example/v1", environ) == key_for("wss://[", environ) == "o"


def test_the_variable_of_an_address() -> None:
    assert key_name_for("wss://api.x.ai/v1/realtime") == "XAI_API_KEY"
    for url in ("http://127.0.0.1:11434/v1", "http://localhost:8000", "wss://gateway.example", "wss://x.openai.azure.com", "wss://[", ""):
        assert key_name_for(url) == "OPENAI_API_KEY"


def test_a_service_that_needs_a_key_says_where_to_put_it() -> None:
    with pytest.raises(ConfigError, match="no key for 'holysheep': set HOLYSHEEP_API_KEY, or HOLYSHEEP_API_KEY_FILE to the path"):
        needed_key(provider("holysheep"), {"OPENAI_API_KEY": "x"})
    assert needed_key(provider("ollama"), {}) is None
    assert needed_key(provider("vllm"), {}) is None
    assert needed_key(provider("vllm"), {"VLLM_API_KEY": "k"}) == "k"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "names '.*key', which is not there"),
        (b"", "which is empty"),
        (b" \n", "which is empty"),
        (b"\xff\xfecanary", "which has no text in it"),
        (b"canary one\n", "is no key"),
        (b"canary\nsecond line", "is no key"),
        ("canary\N{EN DASH}1".encode(), "is no key"),
        (b"canary" * LONGEST_KEY, "is no key"),
    ],
)
def test_a_file_without_a_key_is_refused_and_not_quoted(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    if content is not None:
        secret(path, content)
    with pytest.raises(ConfigError, match=says) as caught:
        key_named("OPENAI_API_KEY", {"OPENAI_API_KEY_FILE": str(path)})
    assert "canary" not in str(caught.value) and "OPENAI_API_KEY_FILE" in str(caught.value)


def test_a_folder_or_a_pipe_is_no_file_to_wait_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigError, match="which is not a plain file"):
            key_named("OPENAI_API_KEY", {"OPENAI_API_KEY_FILE": str(path)})


def test_a_path_that_cannot_be_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match="cannot be read: File name too long"):
        key_named("OPENAI_API_KEY", {"OPENAI_API_KEY_FILE": "x" * 5000})


def test_a_variable_without_a_key_is_refused_and_not_quoted() -> None:
    with pytest.raises(ConfigError, match="what is in OPENAI_API_KEY is no key") as caught:
        key_named("OPENAI_API_KEY", {"OPENAI_API_KEY": "Bearer canary"})
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True), (0o604, True)])
def test_a_file_that_everybody_can_read_is_warned_of(mode: int, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = secret(tmp_path / "key", "canary", mode)
    with caplog.at_level(logging.WARNING):
        assert key_named("OPENAI_API_KEY", {"OPENAI_API_KEY_FILE": path}) == "canary"
    assert ("every user of this machine can read: chmod 600" in caplog.text) == warned
    assert "canary" not in caplog.text
