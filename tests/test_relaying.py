"""`voice serve`: where it relays to and who may come in, of flags, environment and files."""

from pathlib import Path
from typing import Any

import pytest

from voice.commands.flags import Joined
from voice.commands.relaying import serve_options, upstream_of
from voice.config import Config, load
from voice.engines.relay import Upstream
from voice.errors import ConfigError, UsageError


def config(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, **flags: Any) -> Config:
    file = tmp_path / "voice.toml"
    file.write_text(text)
    return load(flags, {"VOICE_CONFIG": str(file), **(environ or {})})


OPENAI = Upstream("wss://api.openai.com/v1/realtime", "sk-openai", model="gpt-realtime", dialect="ga")
KEYS = {"OPENAI_API_KEY": "sk-openai", "HOLYSHEEP_API_KEY": "sk-holy", "AZURE_OPENAI_API_KEY": "sk-azure"}


@pytest.mark.parametrize(
    ("text", "environ", "flags", "want"),
    [
        ("", KEYS, {}, None),
        ("", KEYS, {"provider": "openai"}, OPENAI),
        ("", KEYS, {"provider": "holysheep"}, Upstream("wss://api.holysheep.ai/v1/realtime", "sk-holy")),
        (
            "",
            KEYS | {"AZURE_OPENAI_ENDPOINT": "https://me.example"},
            {"provider": "azure", "model": "mine"},
            Upstream("wss://me.example/openai/v1/realtime", "sk-azure", "api-key", "mine", dialect="azure"),
        ),
        ("", KEYS, {"upstream": "ws://127.0.0.1:1"}, Upstream("ws://127.0.0.1:1", "sk-openai")),
        ("", {}, {"upstream": "ws://127.0.0.1:1", "life": 10.0}, Upstream("ws://127.0.0.1:1", life_s=10.0)),
        ("", KEYS, {"upstream": "wss://api.holysheep.ai/v1"}, Upstream("wss://api.holysheep.ai/v1", "sk-holy")),
        ("", KEYS | {"VOICE_UPSTREAM": "ws://127.0.0.1:1"}, {}, Upstream("ws://127.0.0.1:1", "sk-openai")),
        ("upstream = 'ws://127.0.0.1:1'", KEYS, {"provider": "openai"}, OPENAI),
        ("provider = 'openai'", KEYS, {"upstream": "ws://127.0.0.1:1"}, Upstream("ws://127.0.0.1:1", "sk-openai")),
        ("provider = 'holysheep'\n[keys]\nholysheep = 'sk-file'", {}, {}, Upstream("wss://api.holysheep.ai/v1/realtime", "sk-file")),
        ("engine = 'relay'", KEYS, {"provider": "openai"}, OPENAI),
        ("engine = 'local'", KEYS, {"upstream": "ws://127.0.0.1:1"}, Upstream("ws://127.0.0.1:1", "sk-openai")),
        (
            "upstream_dialect = 'beta'",
            KEYS,
            {"provider": "openai", "upstream_dialect": "auto"},
            Upstream("wss://api.openai.com/v1/realtime", "sk-openai", model="gpt-realtime"),
        ),
        ("upstream = 'ws://127.0.0.1:1'\nupstream_dialect = 'beta'", {}, {}, Upstream("ws://127.0.0.1:1", dialect="beta")),
        ("upstream = 'ws://127.0.0.1:1'\nupstream_dialect = 'beta'", {}, {"upstream": "ws://127.0.0.1:2"}, Upstream("ws://127.0.0.1:2")),
        ("", KEYS | {"VOICE_UPSTREAM": "ws://127.0.0.1:1"}, {"engine": "local"}, None),
        ("", KEYS, {"engine": "local", "provider": "openai"}, None),
    ],
)
def test_where_sessions_go(tmp_path: Path, text: str, environ: dict[str, str], flags: dict[str, Any], want: Upstream | None) -> None:
    assert upstream_of(config(tmp_path, text, environ, **flags)) == want


@pytest.mark.parametrize(
    ("environ", "flags", "error", "says"),
    [
        ({}, {"provider": "openai"}, ConfigError, "no key for 'openai': set OPENAI_API_KEY"),
        ({}, {"provider": "opnai"}, UsageError, "no provider 'opnai'"),
        (KEYS, {"provider": "groq"}, UsageError, "'groq' has no Realtime service"),
        (KEYS, {"engine": "relay"}, ConfigError, "relay to where\\? Give --provider NAME, or --upstream"),
        (KEYS, {"engine": "local", "upstream": "ws://127.0.0.1:1"}, UsageError, "--upstream is for the relay"),
        (KEYS, {"provider": "openai", "upstream": "ws://127.0.0.1:1"}, UsageError, "leave one out"),
        (KEYS, {"upstream": "127.0.0.1:1"}, UsageError, "is not an address of a Realtime server"),
        (KEYS, {"upstream": "wss://me:secret@a.example"}, ConfigError, "holds a name or a password"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, environ: dict[str, str], flags: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as told:
        upstream_of(config(tmp_path, "", environ, **flags))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "warns"), [("ws://upstream.example", True), ("wss://upstream.example", False), ("ws://127.0.0.1:1", False)]
)
def test_a_key_in_the_clear_is_warned_of(tmp_path: Path, url: str, warns: bool, caplog: pytest.LogCaptureFixture) -> None:
    upstream_of(config(tmp_path, "", KEYS, upstream=url))
    assert ("can be read on its way there" in caplog.text) == warns and "sk-openai" not in caplog.text


def test_who_may_come_in(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-file\n")
    (tmp_path / "key").chmod(0o600)
    text = "allow_origin = 'https://A.example https://b.example:443, http://c.example:3000'"
    options = serve_options(config(tmp_path, text, {"VOICE_SERVER_KEY_FILE": str(tmp_path / "key")}, host="0.0.0.0", require_key=True))
    assert options.server_key == "sk-file" and "sk-file" not in repr(options)
    assert options.origins == {"https://a.example", "https://b.example", "http://c.example:3000"}
    assert serve_options(config(tmp_path)).server_key is None


@pytest.mark.parametrize(
    ("flags", "error", "says"),
    [
        ({"host": "0.0.0.0"}, ConfigError, "--host 0.0.0.0 would let others in without a credential: set VOICE_SERVER_KEY"),
        ({"require_key": True}, ConfigError, "--require-key: set VOICE_SERVER_KEY"),
        ({"allow_origin": "*"}, UsageError, "--allow-origin '\\*' is no origin"),
        ({"tls_key": "k.pem"}, UsageError, "--key needs --cert"),
    ],
)
def test_what_would_let_others_in_is_refused(tmp_path: Path, flags: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        serve_options(config(tmp_path, "", {}, **flags))


def test_the_name_of_the_server_key_is_no_slip(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config(tmp_path, "", {"VOICE_SERVER_KEY": "x", "VOICE_SERVER_KEY_FILE": "y"})
    assert not caplog.text


def test_an_option_may_be_repeated() -> None:
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("--allow-origin", action=Joined)
    assert parser.parse_args([]).allow_origin is None
    assert parser.parse_args(["--allow-origin", "a", "--allow-origin", "b"]).allow_origin == "a b"
