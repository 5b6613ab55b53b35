"""A key is taken out however it is written, and nothing else is touched."""

import asyncio
import json
import secrets

import pytest

from tests.support.joined import BINARY, CLOSE, TEXT, frame, raw_server, upgrade
from voice.errors import LinkClosed
from voice.links import dial as dialing
from voice.links.dial import dial
from voice.links.redact import Redactor

KEY = f"sk-{secrets.token_hex(12)}"


@pytest.mark.parametrize("key", ["sk-abc/def+1", 'sk-"quoted\\', "sk-plain-0123456789"])
def test_the_key_is_taken_out_however_json_writes_it(key: str) -> None:
    redactor = Redactor(key)
    plain = {"type": "error", "error": {"message": f"bad key {key}, {key}!", "n": 1}}
    spelled = "".join(f"\\u{ord(letter):04x}" for letter in key)
    for text in (
        json.dumps(plain),
        json.dumps(plain).replace("/", "\\/"),
        f'{{"type":"error","한":"\\ud55c{spelled}"}}',
        f"not JSON: {key}",
    ):
        cleaned = redactor.clean(text)
        assert "********" in cleaned
        assert key not in cleaned
        if cleaned.startswith("{"):
            assert key not in str(json.loads(cleaned))


@pytest.mark.parametrize("text", ['{"a": "\\ud55c\\u0041"}', "{}", '{"a":"\\u00"}', "[" * 100_000 + "\\u", ""])
def test_texts_without_the_key_stay_as_they_are(text: str) -> None:
    assert Redactor("sk-key").clean(text) == text
    assert Redactor(None).clean(text) == text


def test_bytes_too() -> None:
    assert Redactor("sk-key").clean_bytes(b"\xff sk-key sk-ke") == b"\xff ******** sk-ke"
    assert Redactor(None).clean_bytes(b"\xff") == b"\xff"


async def test_what_comes_over_a_link_that_we_dialled_has_no_key_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the end kept from us by a server that closes and does not hang up."""
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.1)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        key = request.partition(b"Bearer ")[2].partition(b"\r")[0]
        writer.write(upgrade(request))
        for kind, payload in ((TEXT, b'"%s"' % key), (BINARY, key), (CLOSE, (4001).to_bytes(2) + b"bad " + key)):
            writer.write(frame(kind, payload, masked=False))
        await reader.read()

    async with asyncio.timeout(30), raw_server(echo) as port:
        link = await dial(f"ws://127.0.0.1:{port}/", KEY)
        assert [await link.receive(), await link.receive()] == ['"********"', b"********"]
        with pytest.raises(LinkClosed) as told:
            await link.receive()
        assert (told.value.close_code, told.value.reason) == (4001, "bad ********")
        with pytest.raises(LinkClosed) as told:
            await link.send("x")
        assert KEY not in str(told.value)
