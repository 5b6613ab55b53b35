"""Settings from files, environment and flags: which wins, where it came from, what is refused, and that no key is shown."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from voice.config import TYPES, Config, Settings, load, masked_url, shown
from voice.engines.providers import key_of, provider
from voice.errors import ConfigError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's configuration folder; the current folder is another one, empty."""
    (tmp_path / "user").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, appauthor: tmp_path / "user")
    monkeypatch.chdir(tmp_path / "here")
    yield tmp_path / "user"


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


def refused(text: str, folder: Path) -> str:
    file = write(folder / "one.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(environ={}, file=file)
    assert caught.value.exit_code == 78
    return str(caught.value).replace(str(file), "one.toml")


def test_without_anything_set_all_is_as_documented(home: Path) -> None:
    config = load(environ={})
    assert config == Config(Settings(), dict.fromkeys(TYPES, "default"), {}, {}, ())


def test_a_file_gives_way_to_a_nearer_one_that_to_the_environment_and_that_to_a_flag(home: Path) -> None:
    write(home / "config.toml", "port = 1\nlife = 10\nhost = 'a'\nspeech = 'flite'\nheadphones = true\n")
    write(Path("voice.toml"), "# ours\n\nport = 2\nlife = 20\nhost = 'b'\n")
    config = load({"port": 4, "host": None, "files": ["x.wav"]}, {"VOICE_PORT": "3", "VOICE_LIFE": "30", "VOICE_HOST": " "})
    settings = config.settings
    assert (settings.port, settings.life, settings.host, settings.speech, settings.headphones) == (4, 30.0, "b", "flite", True)
    assert {name: origin for name, origin in config.origins.items() if origin != "default"} == {
        "port": "--port",
        "life": "VOICE_LIFE",
        "host": "voice.toml:5",
        "speech": f"{home / 'config.toml'}:4",
        "headphones": f"{home / 'config.toml'}:5",
    }
    assert config.files == (home / "config.toml", Path("voice.toml"))


def test_a_named_file_is_read_alone(home: Path, tmp_path: Path) -> None:
    write(home / "config.toml", "port = 1\nlife = 10")
    write(Path("voice.toml"), "port = 2")
    named = write(tmp_path / "named.toml", "port = 3")
    also = write(tmp_path / "also.toml", "port = 4")
    for config in (
        load(environ={}, file=named),
        load(environ={"VOICE_CONFIG": str(named)}),
        load(environ={"VOICE_CONFIG": str(also)}, file=named),
    ):
        assert (config.settings.port, config.settings.life, config.origins["port"]) == (3, 3600.0, f"{named}:1")


def test_a_named_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for config in ({"file": tmp_path / "none.toml", "environ": {}}, {"environ": {"VOICE_CONFIG": str(tmp_path / "none.toml")}}):
        with pytest.raises(ConfigError, match="no configuration file '.*none.toml'"):
            load(**config)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_looked_into_has_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_long = tmp_path / ("x" * 5000)
    monkeypatch.setattr("platformdirs.user_config_path", lambda name, appauthor: too_long)
    monkeypatch.chdir(tmp_path)
    assert load(environ={}).files == ()
    for file in (too_long, Path("~no-such-user-at-all/x.toml")):
        with pytest.raises(ConfigError, match="no configuration file"):
            load(environ={}, file=file)


def test_other_programs_names_count_and_ours_go_first(home: Path) -> None:
    both = {"OPENAI_BASE_URL": "http://one/v1", "OPENAI_MODEL": "m1", "VOICE_CHAT_MODEL": "m2"}
    config = load(environ=both)
    assert (config.settings.base_url, config.settings.chat_model) == ("http://one/v1", "m2")
    assert (config.origins["base_url"], config.origins["chat_model"]) == ("OPENAI_BASE_URL", "VOICE_CHAT_MODEL")
    assert config.settings.model is None


@pytest.mark.parametrize(
    ("file", "environ", "flags", "want"),
    [
        ("url = 'ws://a'", {}, {"engine": "local"}, ("local", None, None, None)),
        ("url = 'ws://a'", {"VOICE_PROVIDER": "openai"}, {}, ("local", None, "openai", None)),
        ("engine = 'relay'\nprovider = 'xai'", {}, {"url": "ws://b"}, ("local", "ws://b", None, None)),
        ("engine = 'relay'\nprovider = 'xai'", {}, {"provider": "openai"}, ("relay", None, "openai", None)),
        ("upstream = 'wss://c'", {}, {"provider": "openai"}, ("local", None, "openai", None)),
        ("provider = 'xai'", {"VOICE_UPSTREAM": "wss://c"}, {}, ("local", None, None, "wss://c")),
        ("engine = 'relay'\nupstream = 'wss://c'", {}, {"port": 1}, ("relay", None, None, "wss://c")),
    ],
)
def test_the_nearest_word_about_who_answers_wins(
    file: str, environ: dict[str, str], flags: dict[str, object], want: tuple[object, ...], tmp_path: Path
) -> None:
    settings = load(flags, environ, write(tmp_path / "x.toml", file)).settings
    assert (settings.engine, settings.url, settings.provider, settings.upstream) == want


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = 80\nprot = 81", "one.toml:2: no setting 'prot': did you mean 'port'?"),
        ("max-sessions = 3", "one.toml:1: no setting 'max-sessions': did you mean 'max_sessions'?"),
        ("\nzzz = 1", "one.toml:2: no setting 'zzz'; there are engine, url, "),
        ("[server]\nport = 1", "one.toml:1: no setting 'server'"),
        ("host = 'x'\nport = '80'", "one.toml:2: port: expected whole number, got text"),
        ("port = 70000", "one.toml:1: port: expected whole number <= 65535"),
        ("port = true", "one.toml:1: port: expected whole number, got true or false"),
        ("life = 0", "one.toml:1: life: expected number > 0"),
        ("life = nan", "one.toml:1: life: "),
        ("url = ''", "one.toml:1: url: expected text of length >= 1"),
        ("engine = 'twin-engine'", "one.toml:1: engine is one of local, relay"),
        ("speech = ['a']", "one.toml:1: speech is one of auto, espeak, flite, piper"),
        ("'port' = 'x'", "one.toml:1: port: expected whole number"),
        ("host = [\n'port = 1',\n]", "one.toml:1: host: expected text"),
        ("port = \n", "'one.toml' is not TOML: it cannot be read at line 1, column 8"),
        ("keys = 'canary'", "one.toml:1: keys is a table"),
        ("[keys]\nopenia = 'canary'", "one.toml:2: no provider 'openia' that takes a key: did you mean 'openai'?"),
        ("[keys]\nollama = 'canary'", "one.toml:2: no provider 'ollama' that takes a key"),
        ("[keys]\nopenai = 1234", "one.toml:2: the key of 'openai' is a text"),
        ("[keys]\nopenai = canary", "'one.toml' is not TOML: it cannot be read at line 2"),
        ("[keys]\nopenai = 'canary", "'one.toml' is not TOML: it cannot be read at end of document"),
        ("x = " + "[" * 3000, "'one.toml' is not TOML"),
        (f"\nx = {'1' * 5000}", "'one.toml' is not TOML: it cannot be read at line 2"),
        ("#" * (1 << 20) + "\nport = 1", "'one.toml' is too large"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_without_what_may_be_a_key(text: str, says: str, tmp_path: Path) -> None:
    message = refused(text, tmp_path)
    assert message.startswith(says)
    assert "canary" not in message and len(message) < 500


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_bytes(b"\xff\xfeport")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(environ={}, file=file)


def test_a_bad_variable_is_named() -> None:
    for name, value, says in (
        ("VOICE_PORT", "eighty", "VOICE_PORT: port: expected whole number"),
        ("VOICE_TURNS", "mine", "VOICE_TURNS: turns is one of server, client"),
        ("VOICE_HEADPHONES", "perhaps", "VOICE_HEADPHONES: headphones: expected true or false"),
    ):
        with pytest.raises(ConfigError, match=says):
            load(environ={name: value, "VOICE_CONFIG": ""})


def test_a_variable_that_looks_like_a_slip_is_warned_of(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(environ={"VOICE_PROT": "1", "VOICE_MAX_SESSION": "2", "VOICE_TEST_ALL": "1", "VOICE_PORT": "3", "PROT": "1"})
    assert caplog.messages == [
        "VOICE_MAX_SESSION is no setting: did you mean VOICE_MAX_SESSIONS?",
        "VOICE_PROT is no setting: did you mean VOICE_PORT?",
    ]


@pytest.mark.parametrize(("value", "want"), [("1", True), ("true", True), ("0", False), ("False", False)])
def test_a_switch_in_the_environment(value: str, want: bool, home: Path) -> None:
    assert load(environ={"VOICE_HEADPHONES": value}).settings.headphones is want


def test_keys_of_files_stand_behind_those_of_the_environment(tmp_path: Path) -> None:
    key_file = write(tmp_path / "key", "from-key-file")
    file = write(tmp_path / "x.toml", "[keys]\nopenai = 'from-config'\nxai = 'xai-key'\n")
    openai = provider("openai")
    cases = (
        ({}, "from-config", f"{file}:2"),
        ({"OPENAI_API_KEY": ""}, "from-config", f"{file}:2"),
        ({"OPENAI_API_KEY": "from-env"}, "from-env", "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY_FILE": str(key_file)}, "from-key-file", "OPENAI_API_KEY_FILE"),
    )
    for environ, want, origin in cases:
        config = load(environ=environ, file=file)
        assert key_of(openai, config.environ) == want
        assert config.key_origins == {"OPENAI_API_KEY": origin, "XAI_API_KEY": f"{file}:3"}
    assert key_of(provider("holysheep"), config.environ) is None


@pytest.mark.parametrize(
    ("text", "mode", "warned"),
    [("[keys]\nopenai = 'canary'", 0o644, True), ("[keys]\nopenai = 'canary'", 0o600, False), ("port = 1", 0o644, False)],
)
def test_a_file_with_a_key_that_everybody_can_read_is_warned_of(
    text: str, mode: int, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load(environ={}, file=write(tmp_path / "x.toml", text, mode))
    assert ("every user of this machine can read it: chmod 600" in caplog.text) == warned
    assert "canary" not in caplog.text


def test_a_file_in_the_current_folder_that_says_where_speech_goes_is_named(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(home / "config.toml", "upstream = 'wss://mine'")
    write(Path("voice.toml"), "port = 1")
    load(environ={})
    assert not caplog.records
    write(Path("voice.toml"), "upstream = 'wss://user:canary@theirs/x?key=canary'")
    load(environ={})
    assert caplog.messages == ["./voice.toml sets upstream = wss://********@theirs/x?key=********"]


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("wss://host:1/v1/realtime?model=m", "wss://host:1/v1/realtime?model=m"),
        ("wss://user:canary@host/x", "wss://********@host/x"),
        ("wss://canary@host", "wss://********@host"),
        ("wss://h/?api-key=canary&model=m&token=canary", "wss://h/?api-key=********&model=m&token=********"),
        ("wss://h/?api-version=2024&a_model=canary;b=canary", "wss://h/?api-version=2024&a_model=********;b=********"),
        ("wss://h/#canary", "wss://h/#********"),
        ("wss://[canary", "********"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, want: str) -> None:
    assert masked_url(url) == want and shown("upstream", url) == want


def test_a_value_is_shown_as_one_line_that_no_terminal_obeys() -> None:
    assert shown("input", "a\x1b]52;x\nb") == "a ]52;x b"
    assert (shown("headphones", True), shown("url", None), shown("port", 1)) == ("true", "-", "1")
