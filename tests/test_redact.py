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


@pytest.mark.parametrize("key", ["sk-abc/def+1/ghi/jkl", 'sk-"quoted\\quoted"', "sk-plain-0123456789"])
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
        for cleaned in (redactor.clean(text), redactor.clean_event(text)):
            assert "********" in cleaned
            assert key not in cleaned
            if cleaned.startswith("{"):
                assert key not in str(json.loads(cleaned))


@pytest.mark.parametrize("text", ['{"a": "\\ud55c\\u0041"}', "{}", '{"a":"\\u00"}', "[" * 100_000 + "\\u", ""])
def test_texts_without_the_key_stay_as_they_are(text: str) -> None:
    for key in ("sk-key-0123456789", "sk-key", None):
        assert [Redactor(key).clean(text), Redactor(key).clean_event(text)] == [text, text]


@pytest.mark.parametrize(
    ("key", "text", "cleaned"),
    [
        ("any", '{"type":"x","delta":"Do you have any questions, anyone?"}', None),
        ("x", '{"type":"x","call_id":"x","name":"x"}', None),
        ("error", '{"type":"error","event_id":"error"}', None),
        ("any", "any: no JSON", None),
        ("any", '{"a":"\\u0061ny"}', None),
        ("any", '{"type":"error","error":{"message":"bad key any, anyone?","n":1}}', "bad key ********, anyone?"),
        ("any", '{"type":"error","error":{"message":"bad key \\u0061ny"}}', "bad key ********"),
        ("a/b", '{"type":"error","\\u0065rror":{"message":"bad key a\\/b"}}', "bad key ********"),
        ("any", '{"type":"error","message":"bad key any","error":{"message":"any"}}', "********"),
        ("", '{"type":"error","error":{"message":"bad key"}}', None),
    ],
)
def test_a_short_key_is_a_word_like_others_but_in_an_error(key: str, text: str, cleaned: str | None) -> None:
    got = Redactor(key).clean_event(text)
    assert got == text if cleaned is None else json.loads(got)["error"]["message"] == cleaned


def test_a_short_key_in_an_error_of_another_form() -> None:
    said = '{"type":"error","event_id":"error","message":"bad error"}'
    assert json.loads(Redactor("error").clean_event(said)) == {"type": "error", "event_id": "error", "message": "bad ********"}


def test_a_short_key_in_the_errors_of_other_events() -> None:
    failed = {"type": "response.done", "item_id": "any", "response": {"status_details": {"error": {"code": "any", "event_id": "any"}}}}
    cleaned = json.loads(Redactor("any").clean_event(json.dumps(failed)))
    assert cleaned["item_id"] == "any"
    assert cleaned["response"]["status_details"]["error"] == {"code": "********", "event_id": "any"}


@pytest.mark.parametrize(
    ("told", "want"),
    [
        ({"response": {"status_details": {"reason": "bad key any"}}}, {"response": {"status_details": {"reason": "bad key ********"}}}),
        ({"response": {"status_details": "any: no"}}, {"response": {"status_details": "********: no"}}),
        ({"response": {"status_details": {"type": "any"}}}, None),
        ({"item_id": "any", "message": "any, anyone"}, {"item_id": "any", "message": "********, anyone"}),
        ({"reason": "any"}, {"reason": "********"}),
        ({"item": {"type": "message", "content": [{"text": "any reason, any message, any error"}]}}, None),
        ({"arguments": '{"message": "any", "error": "any", "reason": "any"}'}, None),
        ({"session": {"tools": [{"parameters": {"properties": {"error": {"description": "any"}}, "message": "any"}}]}}, None),
        ({"response": {"metadata": {"reason": "any"}}}, None),
        ({"logprobs": [{"token": "any"}]}, None),
        ({"session": {"instructions": "any", "voice": "any", "max_output_tokens": "any"}}, None),
        (
            {"session": {"api_key": "any", "client_secret": {"value": "any"}, "Authorization": "Bearer any"}},
            {"session": {"api_key": "********", "client_secret": {"value": "********"}, "Authorization": "Bearer ********"}},
        ),
    ],
)
def test_a_short_key_where_events_tell_failures_or_keys(told: dict[str, object], want: dict[str, object] | None) -> None:
    assert json.loads(Redactor("any").clean_event(json.dumps(told))) == (told if want is None else want)


def test_a_short_key_in_a_refusal_or_a_close_reason() -> None:
    assert Redactor("any").clean("any: not 'any', anyone, many") == "********: not '********', anyone, many"
    assert Redactor("+a/").clean("key+a/s") == "key********s"
    assert Redactor("any").clean_bytes(b"any") == b"any"
    assert (Redactor("k" * 15).clean_bytes(b"k" * 15), Redactor("k" * 16).clean_bytes(b"k" * 16)) == (b"k" * 15, b"********")


def test_bytes_too() -> None:
    assert Redactor("sk-key-0123456789").clean_bytes(b"\xff sk-key-0123456789 sk-ke") == b"\xff ******** sk-ke"
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
