"""Short-lived secrets: what they open, until when, and that no other text opens anything."""

import random
import secrets as chance

import pytest

from voice.errors import ProtocolError
from voice.policy.secrets import LONGEST_SECRET, Fault, Grant, mint, opened, signing_key

KEY = signing_key("sk-server")
GRANT = Grant(exp=1_000, jti="a1", session={"type": "realtime", "instructions": "답은 짧게", "audio": {"output": {"voice": "espeak"}}})


def test_a_secret_opens_what_it_was_made_for() -> None:
    assert opened(mint(GRANT, KEY), KEY, 999.9) == GRANT
    assert opened(mint(Grant(exp=5, jti="b", scope="transcription"), KEY), KEY, 4.0) == Grant(5, "b", "transcription", {})


@pytest.mark.parametrize(("wall_s", "open"), [(0.0, True), (999.999, True), (1000.0, False), (1e12, False)])
def test_it_opens_until_it_expires(wall_s: float, open: bool) -> None:
    assert opened(mint(GRANT, KEY), KEY, wall_s) == (GRANT if open else Fault.EXPIRED)


def test_it_can_stand_in_a_header_and_in_a_subprotocol() -> None:
    # RFC 9110: a subprotocol is a token.
    assert set(mint(GRANT, KEY)) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_every_changed_character_is_noticed() -> None:
    secret = mint(GRANT, KEY)
    dice = random.Random(4)
    for place in range(len(secret)):
        other = dice.choice([letter for letter in "AZaz09-_.=\x00é" if letter != secret[place]])
        assert opened(secret[:place] + other + secret[place + 1 :], KEY, 0.0) is Fault.FORGED, place


@pytest.mark.parametrize("more", ["=", ".", "A", " ", "\n"])
def test_nothing_can_be_added(more: str) -> None:
    secret = mint(GRANT, KEY)
    for text in (secret + more, more + secret, secret.replace(".", more + "."), secret[:-1], "ek_" + secret):
        assert opened(text, KEY, 0.0) is Fault.FORGED, text


@pytest.mark.parametrize("text", ["", "ek_", "ek_.", "ek_a.b", "sk-server", "ek_한.글", "ek_" + "A" * 100_000, "\ud800"])
def test_any_other_text_opens_nothing(text: str) -> None:
    assert opened(text, KEY, 0.0) is Fault.FORGED


def test_each_server_key_has_its_own_secrets() -> None:
    assert opened(mint(GRANT, KEY), signing_key("sk-server2"), 0.0) is Fault.FORGED
    assert b"sk-server" not in KEY and len(KEY) == 32


def test_long_instructions_fit_while_they_compress_and_are_refused_beyond() -> None:
    long = Grant(exp=9, jti="c", session={"instructions": "Answer in one short sentence. " * 1000})
    assert opened(mint(long, KEY), KEY, 0.0) == long
    with pytest.raises(ProtocolError) as told:
        mint(Grant(exp=9, jti="d", session={"instructions": chance.token_hex(LONGEST_SECRET)}), KEY)
    assert (told.value.code, told.value.param) == ("string_above_max_length", "session")
