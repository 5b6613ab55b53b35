"""What `voice doctor` says of the tools that are configured."""

import sys
from pathlib import Path

import pytest

from tests.support.needs import needs
from voice.config import load
from voice.doctor.finding import BAD, OK
from voice.doctor.tooling import tools


def found(tmp_path: Path, text: str, **environ: str) -> list[tuple[str, str, str]]:
    file = tmp_path / "voice.toml"
    file.write_text(text)
    file.chmod(0o600)
    config = load(environ=environ, file=file)
    return [(finding.name, finding.state, finding.said) for finding in tools(config.tools, config.environ)]


def test_nothing_is_said_of_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, "port = 1") == []


def test_functions(tmp_path: Path) -> None:
    good, bad = found(tmp_path, "[tools.good]\nfunction = 'os.path:basename'\n[tools.bad]\nfunction = 'os.path:nothing'")
    assert good[0] == "tool" and "good" in good[2]
    assert bad[:2] == ("tool", BAD) and f"{tmp_path / 'voice.toml'}:4: the module 'os.path' has no function 'nothing'" in bad[2]


@needs("mcp")
def test_servers(tmp_path: Path) -> None:
    here = f"[mcp.here]\ncommand = ['{sys.executable}', 'canary']\nallow = ['a', 'b']\n"
    gone = "[mcp.gone]\ncommand = ['no-such-program-here']\nallow = ['a']\n"
    far = "[mcp.far]\nurl = 'https://tools.example'\nheaders = { A = '$KEY' }\nallow = ['c']\n"
    assert found(tmp_path, here + gone + far, KEY="canary") == [
        ("MCP", OK, "here: a, b"),
        ("MCP", BAD, "gone: there is no program 'no-such-program-here'"),
        ("MCP", OK, "far: c"),
    ]
    [finding] = found(tmp_path, here + far)
    assert finding[1] == BAD and "no variable KEY" in finding[2]


def test_servers_without_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    def none(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    [(name, state, said)] = found(tmp_path, "[mcp.here]\ncommand = ['x']\nallow = ['a']\n")
    assert (name, state) == ("MCP", BAD) and "voice[mcp]" in said
