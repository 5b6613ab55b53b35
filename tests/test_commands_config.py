"""`voice config show`: every setting with its origin, no key."""

import json
import secrets
from pathlib import Path

import pytest

from voice.cli import main
from voice.config import TYPES
from voice.links.redact import MASK


@pytest.fixture
def set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file, a variable and keys in both; gives the key."""
    key = f"sk-{secrets.token_hex(12)}"
    file = tmp_path / "voice.toml"
    file.write_text(f"port = 1234\nupstream = 'wss://me:{key}@gateway.example/v1/realtime?token={key}&model=m'\n[keys]\nxai = '{key}'")
    file.chmod(0o600)
    monkeypatch.setenv("VOICE_CONFIG", str(file))
    monkeypatch.setenv("VOICE_HEADPHONES", "true")
    monkeypatch.setenv("HOLYSHEEP_API_KEY", key)
    return key


def test_every_setting_with_its_origin(set_up: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show"]) == 0
    out, err = capsys.readouterr()
    assert set_up not in out + err
    rows = [line.split() for line in out.splitlines()]
    assert rows[0] == ["files:", str(tmp_path / "voice.toml")]
    assert [row[0] for row in rows[1:]] == [*TYPES, "HOLYSHEEP_API_KEY", "XAI_API_KEY"]
    assert ["port", "1234", f"{tmp_path / 'voice.toml'}:1"] in rows
    assert ["headphones", "true", "VOICE_HEADPHONES"] in rows
    assert ["host", "127.0.0.1", "default"] in rows and ["url", "-", "default"] in rows
    assert ["XAI_API_KEY", MASK, f"{tmp_path / 'voice.toml'}:4"] in rows
    assert ["HOLYSHEEP_API_KEY", MASK, "HOLYSHEEP_API_KEY"] in rows


def test_as_objects(set_up: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", "--json"]) == 0
    out, err = capsys.readouterr()
    assert set_up not in out + err
    found = [json.loads(line) for line in out.splitlines()]
    assert [row["name"] for row in found if row["event"] == "setting"] == list(TYPES)
    rows = {row["name"]: (row["value"], row["origin"]) for row in found}
    assert rows["port"] == (1234, f"{tmp_path / 'voice.toml'}:1")
    assert rows["headphones"] == (True, "VOICE_HEADPHONES") and rows["url"] == (None, "default") and rows["life"] == (3600.0, "default")
    assert rows["upstream"][0] == f"wss://{MASK}@gateway.example/v1/realtime?token={MASK}&model=m"
    assert rows["HOLYSHEEP_API_KEY"] == (MASK, "HOLYSHEEP_API_KEY")


def test_a_named_file_and_a_broken_one(set_up: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.toml"
    other.write_text("port = 1")
    assert main(["config", "show", "--config", str(other)]) == 0
    assert f"{other}:1" in capsys.readouterr().out
    other.write_text(f"prot = '{set_up}'")
    assert main(["config", "show", "--config", str(other)]) == 78
    out, err = capsys.readouterr()
    assert not out and err == f"voice: {other}:1: no setting 'prot': did you mean 'port'?\n"


def test_an_action_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as told:
        main(["config"])
    assert told.value.code == 2 and "ACTION" in capsys.readouterr().err


def test_tools_are_named_without_what_may_be_secret(set_up: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tools.toml"
    program = f"[mcp.files]\ncommand = ['serve-files', '--key={set_up}']\nallow = ['read', 'list']\nenv = {{ A = '{set_up}' }}\n"
    far = f"[mcp.far]\nurl = 'https://tools.example/mcp?key={set_up}'\nallow = ['find']\n"
    file.write_text(f"[tools.weather]\nfunction = 'house:weather'\n{program}{far}")
    file.chmod(0o600)
    assert main(["config", "show", "--config", str(file)]) == 0
    out, err = capsys.readouterr()
    assert set_up not in out + err
    assert [line.split(None, 1)[0] for line in out.splitlines()[-3:]] == ["tools.weather", "mcp.files", "mcp.far"]
    assert main(["config", "show", "--json", "--config", str(file)]) == 0
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()[-3:]] == [
        {"event": "tool", "name": "tools.weather", "value": "house:weather", "origin": f"{file}:1"},
        {"event": "tool", "name": "mcp.files", "value": "serve-files (read, list)", "origin": f"{file}:3"},
        {"event": "tool", "name": "mcp.far", "value": f"https://tools.example/mcp?key={MASK} (find)", "origin": f"{file}:7"},
    ]
