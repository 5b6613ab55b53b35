"""The tree of exceptions is the one that its docstring draws, and each ends the program as CONTRACTS say."""

import re

import pytest

from voice import errors


def drawn() -> list[tuple[str, str]]:
    """(name, name of its parent) of each line of the drawing, in order."""
    above: list[str] = []
    pairs = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"^((?:\|   )*)(\+-- )?([A-Z]\w+Error|[A-Z]\w+[a-z])(?: {2,}|$)", line):
            depth = len(found[1]) // 4 + bool(found[2])
            above[depth:] = [found[3]]
            pairs.append((found[3], above[depth - 1] if depth else "Exception"))
    return pairs


def test_the_drawing_is_the_tree() -> None:
    classes = [(item.__name__, item.__mro__[1].__name__) for item in vars(errors).values() if isinstance(item, type)]
    assert drawn() == classes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.VoiceError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.ConfigError("x"), 78),
        (errors.MissingError("x"), 69),
        (errors.MissingExtra("pocketsphinx", "local"), 69),
        (errors.ProtocolError("x"), 1),
        (errors.ChatError("key_refused", "HTTP 401"), 1),
        (errors.LinkClosed(1001, "bye"), 1),
        (errors.WorkerDied("x"), 1),
    ],
)
def test_exit_code(error: errors.VoiceError, code: int) -> None:
    assert error.exit_code == code


def test_a_missing_extra_says_how_to_get_it() -> None:
    error = errors.MissingExtra("pocketsphinx", "local")
    assert "pocketsphinx is not installed" in str(error) and 'pip install "voice[local]"' in str(error)
    assert error.extra == "local"


def test_what_a_protocol_error_carries() -> None:
    plain, full = errors.ProtocolError("no"), errors.ProtocolError("no", "unknown_parameter", "session.voice")
    assert (plain.code, plain.param) == ("invalid_value", None)
    assert (full.code, full.param, str(full)) == ("unknown_parameter", "session.voice", "no")


def test_what_a_chat_error_carries() -> None:
    plain, full = errors.ChatError("garbage", "no JSON"), errors.ChatError("rate_limited", "HTTP 429", True, 429, 2.5)
    assert (plain.code, plain.reason, plain.retryable, plain.status, plain.retry_after_s) == ("garbage", "no JSON", False, None, None)
    assert (full.retryable, full.status, full.retry_after_s, str(full)) == (True, 429, 2.5, "rate_limited: HTTP 429")


def test_what_a_closed_link_says() -> None:
    assert str(errors.LinkClosed()) == "link closed with 1006"
    assert str(errors.LinkClosed(1000, "done")) == "link closed with 1000: done"
    hostile = errors.LinkClosed(4000, "a\x1b]52;x\x07\nERROR b")
    assert str(hostile) == "link closed with 4000: a ]52;x  ERROR b" and hostile.reason == "a\x1b]52;x\x07\nERROR b"


def test_what_a_task_group_has_wrapped() -> None:
    bare = ValueError()
    assert errors.first_of(bare) is bare
    assert errors.first_of(ExceptionGroup("out", [ExceptionGroup("in", [bare, KeyError()]), OSError()])) is bare
