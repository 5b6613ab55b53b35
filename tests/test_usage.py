"""Tokens by rules of thumb: each rule, and that a token that was begun counts."""

import time

import pytest

from voice.policy.usage import Letters, heard_tokens, letters, samples_for, spoken_tokens, text_tokens


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


def test_letters_add_up_however_a_text_is_cut() -> None:
    text = "Hello, 안녕 and 😀 caf\u00e9. \ud800 \u2e7f\u2e80"
    for at in range(len(text)):
        assert letters(text[:at]) + letters(text[at:]) == letters(text)
    assert letters(text) == Letters(narrow=len(text) - 5, wide=5)


def test_a_million_letters_are_counted_at_once() -> None:
    text = "가나다라 " * 200_000
    begun = time.process_time()
    assert text_tokens(text) == 4 * 200_000 + 50_000
    assert time.process_time() - begun < 0.2  # letter by letter it takes 60 ms; at once 3


@pytest.mark.parametrize(("ms", "heard", "spoken"), [(0, 0, 0), (1, 1, 1), (50, 1, 1), (51, 1, 2), (100, 1, 2), (101, 2, 3)])
def test_a_token_that_was_begun_counts(ms: int, heard: int, spoken: int) -> None:
    assert heard_tokens(ms) == heard and spoken_tokens(ms * 24, 24_000) == spoken


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 24_000, 44_100])
def test_no_more_samples_are_bought_than_are_paid_for(rate_hz: int) -> None:
    for tokens in range(60):
        most = samples_for(tokens, rate_hz)
        assert spoken_tokens(most, rate_hz) <= tokens < spoken_tokens(most + 1, rate_hz)
