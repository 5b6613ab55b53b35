"""What a refusal tells besides its sentence, and where the key goes: into its one header, through a proxy's tunnel, and nowhere else."""

import asyncio
import secrets
import ssl

import pytest

from tests.support.joined import raw_server, upgrade
from voice.errors import MissingError, Refused, Silent
from voice.links import dial as dialing
from voice.links.dial import dial

KEY = f"sk-{secrets.token_hex(12)}"


@pytest.fixture(autouse=True)
def short_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "CLOSE_TIMEOUT_S", 0.05)


async def refused(status: str, body: str) -> Refused:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        data = body.encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        await writer.drain()

    async with asyncio.timeout(30), raw_server(talk) as port:
        with pytest.raises(Refused) as told:
            await dial(f"ws://127.0.0.1:{port}/", KEY)
    return told.value


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        ("429 No", '{"error":{"message":"No credit.","code":"insufficient_quota"}}', "insufficient_quota"),
        ("404 No", '{"error":{"message":"No such model.","code":"model_not_found","type":"x"}}', "model_not_found"),
        ("401 No", '{"error":{"message":"No.","code":null}}', ""),
        ("401 No", '{"error":{"message":"No.","code":401}}', "401"),
        ("401 No", '{"error":{"code":"only\\u001b[0m"}}', "only [0m"),
        ("502 No", "<html>", ""),
        ("200 OK", '{"object":"list"}', ""),
    ],
)
async def test_a_refusal_carries_the_services_own_code(status: str, body: str, code: str) -> None:
    told = await refused(status, body)
    assert (told.status, told.code) == (int(status[:3]), code)


@pytest.mark.parametrize("before", [0, 150, 195])
async def test_a_key_that_the_server_repeats_is_masked_also_where_its_words_are_cut(before: int) -> None:
    told = await refused("401 No", f'{{"error":{{"message":"{"x" * before}{KEY} is wrong","code":"{KEY}"}}}}')
    for part in (str(told), told.code):
        assert "***" in part and KEY[:6] not in part


@pytest.mark.parametrize(
    "answer", [b"\x1b]52;c;x\x07\r\n\r\n", b"HTTP/1.1 101 OK\r\nUpgrade: \x1b[2J\r\n\r\n", b"HTTP/1.1 101 OK\r\n\x1b: x\r\n\r\n"]
)
async def test_nothing_of_a_broken_answer_reaches_a_terminal_as_it_is(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    async with asyncio.timeout(30), raw_server(talk) as port:
        with pytest.raises(MissingError) as told:
            await dial(f"ws://127.0.0.1:{port}/", KEY)
    assert str(told.value).isprintable()


async def test_a_key_in_broken_http_is_masked_too() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: {KEY}\r\n\r\n".encode())
        await writer.drain()

    async with asyncio.timeout(30), raw_server(talk) as port:
        with pytest.raises(MissingError) as told:
            await dial(f"ws://127.0.0.1:{port}/", KEY)
    assert "********" in str(told.value) and KEY not in str(told.value)


# By name: a key in the name of a test would differ between the processes that share the tests.
@pytest.mark.parametrize(
    ("auth", "header"), [("bearer", f"Authorization: Bearer {KEY}"), ("api-key", f"api-key: {KEY}")], ids=["bearer", "api-key"]
)
async def test_a_key_is_sent_in_the_services_own_way(auth: str, header: str) -> None:
    heads: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        heads.append(request.decode())
        writer.write(upgrade(request))
        await reader.read()

    async with asyncio.timeout(30), raw_server(talk) as port:
        await (await dial(f"ws://127.0.0.1:{port}/", KEY, auth=auth)).close()
    assert heads[0].count(KEY) == 1 and f"{header}\r\n" in heads[0]


async def test_who_does_not_answer_is_silent_and_who_is_not_there_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "OPEN_TIMEOUT_S", 0.1)
    async with asyncio.timeout(30), raw_server(lambda reader, writer: asyncio.sleep(5)) as port:
        with pytest.raises(Silent):
            await dial(f"ws://127.0.0.1:{port}/")
    with pytest.raises(MissingError) as told:
        await dial(f"ws://127.0.0.1:{port}/")
    assert not isinstance(told.value, Silent)


async def test_a_proxy_is_asked_for_a_way_and_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tunnel ends at a server without TLS, so that the handshake fails: what the proxy saw until then is all it sees."""
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        seen.append(await reader.read(4096))

    async with asyncio.timeout(30), raw_server(proxy) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        with pytest.raises(MissingError):
            await dial("wss://upstream.example/v1/realtime", KEY)
    assert seen[0].startswith(b"CONNECT upstream.example:443 HTTP/1.1\r\n")
    assert seen[1][:1] == b"\x16", "a TLS hello"
    assert KEY.encode() not in b"".join(seen) and issubclass(ssl.SSLError, OSError)
