"""What statuses, error bodies and ends of streams mean."""

import secrets

import pytest

from voice.engines.refusals import CODES, of_end, of_status, retry_after_s, shown
from voice.protocol.chat import Failed, Problem

KEY = f"sk-{secrets.token_hex(12)}"


@pytest.mark.parametrize(
    ("status", "problem", "code", "retryable"),
    [
        (401, Problem("Incorrect API key provided", "invalid_request_error", "invalid_api_key"), "key_refused", False),
        (403, Problem("Country not supported"), "key_refused", False),
        (400, Problem("API key not valid", "", "invalid_api_key"), "key_refused", False),
        (402, Problem("Insufficient Balance"), "no_credit", False),
        (429, Problem("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), "no_credit", False),
        (404, Problem("The model `x` does not exist", "invalid_request_error", "model_not_found"), "unknown_model", False),
        (404, Problem('model "x" not found, try pulling it first'), "unknown_model", False),
        (404, Problem("Not Found"), "not_a_model", False),
        (404, Problem(), "not_a_model", False),
        (400, Problem("bad", "", "", "model"), "unknown_model", False),
        (503, Problem("no channel for it", "", "model_not_found"), "unknown_model", False),
        (400, Problem("This model's maximum context length is 8192 tokens", "", "context_length_exceeded"), "too_long", False),
        (400, Problem("This model's maximum context length is 4096 tokens.", "BadRequestError", "400"), "too_long", False),
        (400, Problem("the request exceeds the available context size", "exceed_context_size_error", "400"), "too_long", False),
        (400, Problem("prompt is too long: 210000 tokens > 200000 maximum"), "too_long", False),
        (413, Problem(), "too_long", False),
        (400, Problem("Unrecognized request argument"), "bad_request", False),
        (422, Problem(), "bad_request", False),
        (429, Problem("slow down", "requests", "rate_limit_exceeded"), "rate_limited", True),
        (429, Problem(), "rate_limited", True),
        (408, Problem(), "server_error", True),
        (500, Problem("oops"), "server_error", True),
        (502, Problem(), "server_error", True),
        (503, Problem(), "server_error", True),
        (529, Problem("Overloaded"), "server_error", True),
        (501, Problem(), "server_error", False),
        (302, Problem(), "not_a_model", False),
        (405, Problem(), "not_a_model", False),
        (407, Problem(), "unreachable", False),
        (204, Problem(), "not_a_model", False),
    ],
)  # fmt: skip
def test_what_a_status_means(status: int, problem: Problem, code: str, retryable: bool) -> None:
    error = of_status(status, {"retry-after": "2"}, problem, KEY)
    assert (error.code, error.retryable, error.status, error.retry_after_s) == (code, retryable, status, 2.0)
    assert error.code in CODES and f"HTTP {status}" in error.reason


def test_the_key_is_in_no_reason() -> None:
    echo = Problem(f"Incorrect API key provided: {KEY}. You can find it at ...", "", "invalid_api_key")
    assert of_status(401, {}, echo, KEY).reason == "HTTP 401"
    other = of_status(500, {}, Problem(f"upstream said: bearer {KEY}\n\x1b[31m"), KEY)
    assert other.reason == "HTTP 500, upstream said: bearer [key]  [31m" and KEY not in str(other)
    assert KEY not in of_end(Failed("error_frame", Problem(f"key {KEY} expired")), KEY).reason


@pytest.mark.parametrize(
    ("failed", "code", "retryable"),
    [
        (Failed("cut_short"), "cut_short", False),
        (Failed("garbage"), "garbage", False),
        (Failed("error_frame", Problem("it broke", "server_error")), "error_frame", False),
        (Failed("error_frame", Problem("no", "", "429")), "rate_limited", True),
        (Failed("error_frame", Problem("no", "", "502")), "server_error", True),
        (Failed("error_frame", Problem("no", "", "insufficient_quota")), "no_credit", False),
        (Failed("error_frame", Problem("no such model", "NotFoundError", "404")), "unknown_model", False),
        (Failed("error_frame", Problem("x", "", "٤٠٤")), "error_frame", False),
        (Failed("error_frame", Problem("x", "", "200")), "error_frame", False),
    ],
)
def test_what_the_end_of_a_stream_means(failed: Failed, code: str, retryable: bool) -> None:
    error = of_end(failed, None)
    assert (error.code, error.retryable) == (code, retryable)
    assert code in CODES and error.reason


@pytest.mark.parametrize(
    ("headers", "want"),
    [
        ({}, None),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e300"}, 86_400.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:07 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 7.0),
        ({"retry-after": "Fri, 20 Nov 2026 09:59:00 GMT", "date": "Fri, 20 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 20 Nov 2026 10:00:07 GMT"}, None),
    ],
)
def test_how_long_it_asks_to_wait(headers: dict[str, str], want: float | None) -> None:
    assert retry_after_s(headers) == want


def test_foreign_words_are_short_and_on_one_line() -> None:
    assert shown("a\nb\x1b]52;c", None) == "a b ]52;c"
    assert len(shown("x" * 999, None)) == 200
