"""Who may come in: loopback names, the Host that a page cannot choose, the Origin that it cannot hide."""

import pytest

from voice.errors import UsageError
from voice.policy.secrets import Grant, mint, signing_key
from voice.server.guard import Denial, Door, Pass, admission, credential, is_loopback, origin_of, refusal, stranger

HOST = "127.0.0.1:8765"
SIGNING = signing_key("sk-server")
HERE = Door(SIGNING)
LOCKED = Door(SIGNING, "192.168.0.7", "sk-server", frozenset({"https://shop.example"}))


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
    assert stranger(host, HERE) is None


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example:8765", "", "[::1", "user@evil", "a b"])
def test_other_names_are_not_while_we_are_on_loopback(host: str) -> None:
    assert stranger(host, HERE) == f"This server is on loopback only and does not answer to the name '{host}'."


def test_on_other_addresses_every_name_is_ours() -> None:
    assert stranger("voice.example", LOCKED) is None


def test_the_name_of_an_allowed_page_is_ours_too_as_a_proxy_in_front_passes_it_on() -> None:
    door = Door(SIGNING, "127.0.0.1", None, frozenset({"https://shop.example", "http://[::1]:3000"}))
    assert stranger("shop.example", door) is None and stranger("SHOP.example:443", door) is None
    assert stranger("evil.shop.example", door) is not None and stranger("shop.example.evil", door) is not None


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
    assert refusal(origin, HOST, HERE) == f"A page of the origin '{origin}' may not use this server."
    assert refusal("http://" + "x" * 5000, HOST, HERE) == f"A page of the origin 'http://{'x' * 73}' may not use this server."


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
    assert refusal(origin, host, HERE, scheme) is None


@pytest.mark.parametrize("origin", ["https://shop.example", "HTTPS://SHOP.EXAMPLE"])
def test_a_page_that_was_allowed_is_let_in_and_no_other(origin: str) -> None:
    assert refusal(origin, HOST, LOCKED) is None
    for other in ("http://shop.example", "https://shop.example:8443", "https://shop.example.evil", "https://shop.example/", "null"):
        assert refusal(other, HOST, LOCKED) is not None, other


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("HTTPS://Shop.Example/", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_origin_is_taken_as_browsers_send_it(given: str, origin: str) -> None:
    assert origin_of(given) == origin


@pytest.mark.parametrize(
    "given",
    [
        "*",
        "https://*.example",
        "shop.example",
        "https://",
        "https://a/b",
        "https://a?b",
        "https://u@a",
        "null",
        "ws://a",
        "http://a:0",
        "http://a:x",
        "http://[::1",
        "https://a b",
        "https://a\n",
        "",
    ],
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="is no origin: give it as"):
        origin_of(given)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ((None,), None),
        (("Bearer sk-1",), "sk-1"),
        (("bearer  sk-1 ",), "sk-1"),
        (("Basic OnNrLTE=",), "sk-1"),
        (("Basic c2stMTo=",), "sk-1"),
        (("Basic !",), ""),
        (("Digest x",), None),
        (("nonsense",), None),
        ((None, "sk-2"), "sk-2"),
        (("Bearer sk-1", "sk-2", ["openai-insecure-api-key.sk-3"]), "sk-1"),
        ((None, None, ["realtime, openai-insecure-api-key.ek_a.b, openai-agents-sdk.0.1"]), "ek_a.b"),
        ((None, None, ["realtime", "openai-insecure-api-key.ek_a.b"]), "ek_a.b"),
        ((None, None, ["realtime,openai-insecure-api-key."]), ""),
        ((None, None, ["realtime"]), None),
    ],
)
def test_where_a_credential_may_stand(headers: tuple, shown: str | None) -> None:  # type: ignore[type-arg]
    assert credential(*headers) == shown


GRANT = Grant(exp=100, jti="a")
SECRET = mint(GRANT, SIGNING)
FOREIGN = mint(GRANT, signing_key("sk-other"))


@pytest.mark.parametrize("shown", [None, "", "x", "sk-server", "ek_anything", FOREIGN])
def test_without_a_server_key_any_credential_will_do(shown: str | None) -> None:
    assert admission(shown, HERE, 0.0) == Pass()


@pytest.mark.parametrize(
    "shown", ["x", "sk-serve", "sk-server2", "SK-SERVER", "sk-serv\u00e9r", "\udc80", "ek_anything", FOREIGN, SECRET[:-1]]
)
def test_with_a_server_key_no_other_opens(shown: str) -> None:
    assert admission(shown, LOCKED, 0.0) == Denial(401, "The key is not one that this server knows.", "invalid_api_key")


@pytest.mark.parametrize("shown", [None, ""])
def test_with_a_server_key_nobody_comes_in_without(shown: str | None) -> None:
    answer = admission(shown, LOCKED, 0.0)
    assert isinstance(answer, Denial) and (answer.status, answer.code) == (401, "invalid_api_key")
    assert "Authorization: Bearer KEY" in answer.message


def test_the_server_key_opens_and_so_does_a_secret_until_it_expires() -> None:
    assert admission("sk-server", LOCKED, 0.0) == Pass()
    for door in (LOCKED, HERE):
        assert admission(SECRET, door, 99.0) == Pass(GRANT)
        assert admission(SECRET, door, 100.0) == Denial(401, "This client secret has expired: ask for a new one.", "token_expired")


def test_a_door_does_not_show_its_keys() -> None:
    assert "sk-server" not in repr(LOCKED) and repr(SIGNING) not in repr(LOCKED)
