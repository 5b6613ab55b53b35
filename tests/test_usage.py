"""Tokens by rules of thumb: each rule, and that a token that was begun counts."""

import pytest

from voice.policy.usage import Tokens, response_tokens, text_tokens


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", 0),
        ("a", 1),
        ("abcd", 1),
        ("abcde", 2),
        ("안녕", 2),
        ("안녕 hi", 3),
        ("한a", 2),
        ("e\u0301te\u0301", 2),
        ("⺀", 1),
        ("\u2e7f", 1),
    ],
)
def test_text(text: str, want: int) -> None:
    assert text_tokens(text) == want


def test_a_response() -> None:
    assert response_tokens("abcdefgh", 1000, "안녕", 500) == Tokens(text_in=2, audio_in=10, text_out=2, audio_out=10)
    assert response_tokens("", 0, "", 0) == Tokens(0, 0, 0, 0)
    assert response_tokens("", 1, "", 1) == Tokens(0, 1, 0, 1)
    assert response_tokens("", 101, "", 51) == Tokens(0, 2, 0, 2)
