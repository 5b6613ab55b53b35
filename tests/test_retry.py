"""Delays double with full jitter up to a cap, reset after a stable link only, and end; some ends are final."""

import pytest

from voice.policy.retry import Backoff, RetrySettings, status_worth_retrying, worth_retrying


def delays(count: int, chance: float = 1.0, lived_s: float = 0.0) -> list[float | None]:
    backoff = Backoff(lambda: chance)
    return [backoff.next_delay_s(lived_s) for _ in range(count)]


def test_the_bound_doubles_up_to_the_cap() -> None:
    assert delays(7) == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0]


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_the_jitter_is_full(chance: float) -> None:
    assert delays(3, chance) == [0.25 * chance, 0.5 * chance, 1.0 * chance]


def test_it_is_given_up() -> None:
    assert delays(13)[11:] == [8.0, None]


def test_a_short_life_does_not_reset_a_long_one_does() -> None:
    backoff = Backoff(lambda: 1.0)
    assert [backoff.next_delay_s(lived) for lived in (0, 4.9, 4.9, 5.0, 0)] == [0.25, 0.5, 1.0, 0.25, 0.5]


def test_a_server_that_hangs_up_at_once_is_given_up_too() -> None:
    assert delays(13, lived_s=0.1)[-1] is None


def test_retry_after_comes_before_the_jitter_and_has_a_bound() -> None:
    assert Backoff(lambda: 1.0).next_delay_s(retry_after_s=3.0) == 3.25
    assert Backoff(lambda: 1.0).next_delay_s(retry_after_s=61.0) is None


def test_patience_is_a_setting() -> None:
    backoff = Backoff(lambda: 1.0, RetrySettings(first_s=1.0, cap_s=1.5, tries=2))
    assert [backoff.next_delay_s() for _ in range(3)] == [1.0, 1.5, None]


@pytest.mark.parametrize(
    ("close_code", "error_code", "again"),
    [
        (1001, None, True),
        (1005, None, True),
        (1006, None, True),
        (1011, None, True),
        (1012, None, True),
        (1000, None, False),
        (1008, None, False),
        (1009, None, False),
        (1002, None, False),
        (4000, None, True),
        (4401, None, False),
        (1000, "session_expired", True),
        (1006, "insufficient_quota", False),
        (1011, "invalid_api_key", False),
        (1011, "server_error", True),
    ],
)
def test_which_ends_are_final(close_code: int, error_code: str | None, again: bool) -> None:
    assert worth_retrying(close_code, error_code) is again


@pytest.mark.parametrize(
    ("status", "again"), [(401, False), (403, False), (404, False), (400, False), (429, True), (503, True), (500, True)]
)
def test_which_refusals_are_final(status: int, again: bool) -> None:
    assert status_worth_retrying(status) is again
