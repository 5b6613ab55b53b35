"""The types of flags, and flags that were left out."""

import argparse
from pathlib import Path

import pytest

from voice.commands.flags import add_config, count, moment, port, seconds, settle
from voice.errors import ConfigError, UsageError


@pytest.mark.parametrize(
    ("kind", "text", "want"),
    [(port, "0", 0), (port, "65535", 65535), (count, "1", 1), (seconds, "0.5", 0.5), (seconds, "1e3", 1000.0)],
)
def test_what_can_be_is_taken(kind: type, text: str, want: object) -> None:
    assert kind(text) == want


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *((port, text) for text in ("", "-1", "65536", "1.5", "x", "\u00b2")),
        *((count, text) for text in ("0", "-1", "x")),
        *((seconds, text) for text in ("0", "-1", "nan", "inf", "x", "")),
        *((moment, text) for text in ("noon", "", "2026-13-01")),
    ],
)
def test_what_cannot_be_is_refused(kind: type, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a"):
        kind(text)


def options(*line: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*")
    parser.add_argument("--port", type=int)
    parser.add_argument("--cert", dest="tls_cert")
    parser.add_argument("--out")
    add_config(parser)
    return parser.parse_args(line)


def test_a_flag_that_was_left_out_comes_from_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "voice.toml"
    file.write_text("port = 1\ntls_cert = 'file.pem'\nhost = 'unused'")
    monkeypatch.setenv("VOICE_TLS_CERT", "env.pem")
    left_out = options("a.wav", "--config", str(file))
    config = settle(left_out)
    assert vars(left_out) == {"files": ["a.wav"], "port": 1, "tls_cert": "env.pem", "out": None, "config": str(file)}
    assert (config.origins["port"], config.origins["tls_cert"]) == (f"{file}:1", "VOICE_TLS_CERT")
    given = options("--port", "2", "--cert", "flag.pem", "--config", str(file))
    assert settle(given).origins["tls_cert"] == "--cert"
    assert (given.port, given.tls_cert) == (2, "flag.pem")


def test_without_any_configuration_the_defaults_hold() -> None:
    left_out = options()
    settle(left_out)
    assert (left_out.port, left_out.tls_cert) == (8765, None)


def test_what_cannot_be_is_named_by_its_flag_or_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--cert: tls_cert: expected text of length >= 1"):
        settle(options("--cert", ""))
    with pytest.raises(ConfigError, match="no configuration file"):
        settle(options("--config", str(tmp_path / "none.toml")))
