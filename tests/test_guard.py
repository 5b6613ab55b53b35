"""Who may come in: loopback names, the Host that a page cannot choose, the Origin that it cannot hide."""

import pytest

from voice.server.guard import is_loopback, refusal, stranger

HOST = "127.0.0.1:8765"


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.0.7", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("2130706433", False),
    ],
)
def test_which_addresses_mean_this_machine(host: str, own: bool) -> None:
    assert is_loopback(host) is own


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LOCALHOST", "[::1]:8765", "127.0.0.1", None])
def test_our_own_names_are_answered(host: str | None) -> None:
    assert stranger(host, "127.0.0.1") is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example:8765", "", "[::1", "user@evil", "a b"])
def test_other_names_are_not_while_we_are_on_loopback(host: str) -> None:
    assert stranger(host, "127.0.0.1") == f"This server is on loopback only and does not answer to the name '{host}'."


def test_on_other_addresses_every_name_is_ours() -> None:
    assert stranger("voice.example", "192.168.0.7") is None


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example:8765",
        "null",
        "",
        "http://127.0.0.1.evil:8765",
        "http://127.0.0.1",
        "http://127.0.0.1:8766",
        "https://127.0.0.1:8765",
        "http://localhost:8765",
        "http://127.0.0.1:8765/path",
        "http://user@127.0.0.1:8765",
        "http://127.0.0.1:8765, http://evil.example",
        "http://[::1",
        "file://",
        "chrome-extension://abcdef",
    ],
)
def test_a_page_of_another_origin_is_refused(origin: str) -> None:
    assert refusal(origin, HOST) == f"A page of the origin '{origin}' may not use this server."
    assert refusal("http://" + "x" * 5000, HOST) == f"A page of the origin 'http://{'x' * 73}' may not use this server."


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        (None, HOST, "http"),
        (None, None, "http"),
        ("http://127.0.0.1:8765", HOST, "http"),
        ("http://localhost", "LOCALHOST", "http"),
        ("https://[::1]:8765", "[::1]:8765", "https"),
    ],
)
def test_our_own_page_and_programs_are_let_in(origin: str | None, host: str | None, scheme: str) -> None:
    assert refusal(origin, host, scheme) is None
