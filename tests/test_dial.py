"""Dialling: addresses as people give them, and a sentence for every way in which a server is not there."""

import asyncio
import logging
import secrets
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.support.joined import Visitors, raw_server, serving, upgrade
from voice.errors import MissingError, Refused, UsageError
from voice.links import dial as dialing
from voice.links.dial import dial, realtime_url

KEY = f"sk-{secrets.token_hex(12)}"


@pytest.mark.parametrize(
    ("given", "want"),
    [
        ("ws://127.0.0.1:8765", "ws://127.0.0.1:8765/v1/realtime"),
        ("http://127.0.0.1:8765/", "ws://127.0.0.1:8765/v1/realtime"),
        ("https://api.example.com/v1", "wss://api.example.com/v1/realtime"),
        ("https://api.example.com/v1/", "wss://api.example.com/v1/realtime"),
        ("wss://api.example.com/openai/v1/realtime", "wss://api.example.com/openai/v1/realtime"),
        ("wss://api.example.com/v1/realtime/", "wss://api.example.com/v1/realtime"),
        ("wss://example.com/voice-live/realtime?api-version=1", "wss://example.com/voice-live/realtime?api-version=1"),
        ("wss://example.com/api-ws/other", "wss://example.com/api-ws/other"),
        ("HTTP://Example.com:80/v1#part", "ws://Example.com:80/v1/realtime"),
        ("http://[::1]:8765", "ws://[::1]:8765/v1/realtime"),
        ("ws://user:word@h/v1", "ws://user:word@h/v1/realtime"),
    ],
)
def test_the_address_behind_what_a_person_gives(given: str, want: str) -> None:
    assert realtime_url(given) == want


@pytest.mark.parametrize(
    ("given", "model", "query"),
    [
        ("ws://h", "a b&c", "model=a+b%26c"),
        ("ws://h?voice_ext=1", "m", "voice_ext=1&model=m"),
        ("ws://h?model=theirs", "ours", "model=theirs"),
        ("ws://h?model=", "ours", "model="),
        ("ws://h?submodel=1", "ours", "submodel=1&model=ours"),
    ],
)
def test_the_model_is_added_unless_one_is_named(given: str, model: str, query: str) -> None:
    assert realtime_url(given, model) == f"ws://h/v1/realtime?{query}"


BAD = ["", "127.0.0.1:8765", "localhost:8765", "ftp://h", "ws://", "http:///v1", "ws://[::1", "ws://h:99999", "ws://h:port", "ws://h:0"]


@pytest.mark.parametrize("given", [*BAD, "ws://h/\nx", "ws://a b", "file:///etc/hosts"])
def test_what_is_no_address_is_named_with_what_to_give(given: str) -> None:
    with pytest.raises(UsageError, match="give ws://HOST:PORT") as told:
        realtime_url(given)
    assert given in str(told.value)


def test_a_password_in_a_bad_address_is_not_repeated() -> None:
    with pytest.raises(UsageError) as told:
        realtime_url("ftp://somebody:pass-word@h")
    assert "pass-word" not in str(told.value) and "ftp://h" in str(told.value)


@pytest.fixture(autouse=True)
def short_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our raw servers do not answer a close."""
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.05)


async def refused(url: str, api_key: str | None = KEY, cafile: str | None = None) -> str:
    """The sentence, which never holds the key."""
    with pytest.raises(MissingError) as told:
        async with asyncio.timeout(30):
            await dial(url, api_key, cafile)
    assert KEY not in str(told.value)
    return str(told.value)


async def answering(answer: bytes) -> str:
    """The sentence for a server that answers so."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with raw_server(talk) as port:
        return (await refused(f"ws://127.0.0.1:{port}/v1/realtime")).replace(f":{port}", "")


async def test_nobody_there() -> None:
    async with raw_server(lambda reader, writer: asyncio.sleep(0)) as port:
        pass
    sentence = await refused(f"ws://127.0.0.1:{port}/")
    assert sentence.startswith(f"cannot reach 127.0.0.1:{port}: ")
    assert sentence.endswith(". Is the server running? `voice serve` starts one.")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        ("200 OK", "answered HTTP 200 instead of a WebSocket (that is a page, not a Realtime server: check the path)"),
        ("302 Found\r\nLocation: /there", "answered HTTP 302 instead of a WebSocket (it points to another address: give that one)"),
        ("401 Unauthorized", "answered HTTP 401 instead of a WebSocket (the key was refused)"),
        ("403 Forbidden", "answered HTTP 403 instead of a WebSocket (not allowed)"),
        ("404 Not Found", "answered HTTP 404 instead of a WebSocket (nothing is served there: check the path)"),
        ("418 Teapot", "answered HTTP 418 instead of a WebSocket"),
        ("429 Too Many Requests", "answered HTTP 429 instead of a WebSocket (too many requests: wait)"),
        ("500 Internal Server Error", "answered HTTP 500 instead of a WebSocket (the server failed: try again later)"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[" * 9_000, b'{"error": "words"}'], ids=["none", "HTML", "deep", "other JSON"])
async def test_the_status_of_a_refusal(status: str, sentence: str, body: bytes) -> None:
    answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    assert await answering(answer) == f"127.0.0.1 {sentence}"


async def test_the_servers_own_words_are_shown_without_what_a_terminal_would_obey() -> None:
    body = b'{"error": {"message": "Not this page\\u001b]52;x\\u0007", "code": "origin_not_allowed"}}'
    answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert await answering(answer) == "127.0.0.1 answered HTTP 403 instead of a WebSocket (not allowed): Not this page ]52;x "


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9\r\n", b"", b"\x15\x03\x01\x00\x02\x02\x46", b"HTTP/1.1 101 Maybe\r\n\r\n"])
async def test_no_http_at_all(answer: bytes) -> None:
    assert "127.0.0.1 did not answer as a WebSocket server: " in await answering(answer)


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "OPEN_TIMEOUT_S", 0.1)
    async with raw_server(lambda reader, writer: asyncio.sleep(5)) as port:
        sentence = await refused(f"ws://127.0.0.1:{port}/")
    assert sentence == f"127.0.0.1:{port} did not answer within 0.1 s: is the server running, is the network there?"


async def test_the_key_does_not_follow_a_redirect() -> None:
    requests: list[bytes] = []

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))

    async with raw_server(other) as elsewhere:
        answer = f"HTTP/1.1 307 Go\r\nLocation: ws://127.0.0.1:{elsewhere}/v1/realtime\r\nContent-Length: 0\r\n\r\n"
        assert "HTTP 307" in await answering(answer.encode())
    assert requests == []


async def test_the_key_is_sent_as_a_bearer_and_nothing_is_sent_without_one(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    requests: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(upgrade(requests[-1]))
        await reader.read()

    async with raw_server(talk) as port:
        for key in (KEY, None, ""):
            link = await dial(f"ws://127.0.0.1:{port}/", key)
            await link.close()
        await (await dial(f"ws://127.0.0.1:{port}/", headers={"OpenAI-Beta": "realtime=v1"})).close()
    assert b"OpenAI-Beta: realtime=v1\r\n" in requests[3] and b"openai-beta" not in b"".join(requests[:3]).lower()
    assert f"Authorization: Bearer {KEY}\r\n".encode() in requests[0]
    assert not any(b"authorization" in request.lower() for request in requests[1:])
    assert not any(b"permessage-deflate" in request for request in requests)
    assert KEY not in caplog.text


@pytest.mark.parametrize("key", ["sk-a\n", "sk-a\r\nX-Evil: 1", "two words", "sk-\ud55c", "\x00"])
async def test_a_key_that_would_break_the_header_is_refused(key: str) -> None:
    with pytest.raises(UsageError, match="the API key has"):
        await dial("ws://127.0.0.1:1/", key)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(key), "-out", str(cert), "-days", "2"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return cert, key


async def test_tls_with_and_without_trust(certificate: tuple[Path, Path]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(upgrade(await reader.readuntil(b"\r\n\r\n")))
        await reader.read()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        sentence = await refused(f"wss://127.0.0.1:{port}/")
        assert sentence == f"the certificate of 127.0.0.1:{port} is not trusted: self-signed certificate"
        link = await dial(f"wss://127.0.0.1:{port}/", KEY, str(certificate[0]))
        await link.close()
        assert "did not answer as a WebSocket server" in await refused(f"ws://127.0.0.1:{port}/")


async def test_tls_to_a_server_that_has_none() -> None:
    visitors = Visitors()
    async with serving(visitors) as port:
        assert "does it speak TLS? ws:// and http:// do without" in await refused(f"wss://127.0.0.1:{port}/v1/realtime")


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_bundle_of_certificates_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(UsageError, match=f"cannot read the certificates in '{bundle}'"):
        await dial("wss://127.0.0.1:1/", cafile=str(bundle))


@pytest.mark.parametrize(("header", "wait_s"), [("7", 7.0), ("0.5", 0.5), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", 0.0)])
async def test_a_refusal_tells_its_status_and_how_long_to_wait(header: str, wait_s: float | None) -> None:
    answer = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {header}\r\nContent-Length: 0\r\n\r\n".encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with asyncio.timeout(30), raw_server(talk) as port:
        with pytest.raises(Refused) as caught:
            await dial(f"ws://127.0.0.1:{port}/")
    assert (caught.value.status, caught.value.retry_after_s) == (429, wait_s)
