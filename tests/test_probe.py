"""Each way in which a server can fail to be there is told apart, with what to do about it."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from tests.support.scripted import hangs_up, http, listening, says, silent, upgrades
from tests.support.visits import CREATED, KEY, last, told, visit
from voice.links import probe as probing
from voice.links.probe import MOST_ADDRESSES


async def test_a_good_server_passes_every_step() -> None:
    heads: list[str] = []
    async with listening(upgrades(CREATED, heads=heads)) as port:
        steps = await visit(f"ws://localhost:{port}/v1/realtime?model=m")
    assert [step.name for step in steps] == ["name", "connection", "HTTP", "WebSocket"]
    assert steps[-1].said == "the first event is session.created"
    assert steps[1].said == f"127.0.0.1 port {port}"
    request = heads[0].split("\r\n")
    assert request[0] == "GET /v1/realtime?model=m HTTP/1.1"
    assert f"Host: localhost:{port}" in request and f"Authorization: Bearer {KEY}" in request


async def test_a_name_and_a_password_in_the_address_go_along_unless_there_is_a_key() -> None:
    heads: list[str] = []
    async with listening(upgrades(CREATED, heads=heads)) as port:
        for headers in ({}, None):
            steps = await visit(f"ws://me:pass%20word@127.0.0.1:{port}/", headers=headers)
            assert not any("pass" in step.said for step in steps)
    assert "\r\nAuthorization: Basic bWU6cGFzcyB3b3Jk\r\n" in heads[0] and f"\r\nHost: 127.0.0.1:{port}\r\n" in heads[0]
    assert f"\r\nAuthorization: Bearer {KEY}\r\n" in heads[1] and "Basic" not in heads[1]


async def test_our_own_server_passes() -> None:
    from tests.support.http import app_running
    from tests.support.wire import fake_engine

    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        assert (await visit(f"ws://127.0.0.1:{port}/v1/realtime"))[-1].said == "the first event is session.created"
        assert (await visit(f"http://127.0.0.1:{port}/healthz"))[-1].ok


async def test_a_name_that_does_not_resolve() -> None:
    step = await last("ws://no-such-host.invalid/v1/realtime")
    assert step.name == "name"
    assert "no-such-host.invalid" in step.said and step.fix.startswith(("check the spelling", "is this machine online?"))


@pytest.mark.parametrize(
    ("failure", "says", "fix"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "there is no host.example", "check the spelling"),
        (
            socket.gaierror(socket.EAI_AGAIN, "Temporary failure"),
            "cannot ask for host.example: Temporary failure",
            "is this machine online?",
        ),
        (UnicodeError("label empty or too long"), "there is no host.example", "check the spelling"),
    ],
)
async def test_why_a_name_is_not_known(failure: Exception, says: str, fix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise failure

    monkeypatch.setattr(probing.socket, "getaddrinfo", fail)
    step = await last("wss://host.example/v1/realtime")
    assert (step.name, step.said) == ("name", says) and step.fix.startswith(fix)


async def test_a_refused_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    step = await last(f"ws://127.0.0.1:{port}/")
    assert (step.name, step.said) == ("connection", f"127.0.0.1 refuses port {port}")
    assert step.fix == "no server listens there: is it running, is the port right?"


async def test_the_next_address_is_tried_and_the_most_telling_failure_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(upgrades(CREATED)) as port:
        rows = [(0, 0, 0, "", (address, port)) for address in ("::1", "127.0.0.2", "127.0.0.1", "127.0.0.1")]
        monkeypatch.setattr(probing.socket, "getaddrinfo", lambda *args, **options: rows)
        steps = await visit(f"ws://localhost:{port}/")
        assert steps[0].said == "localhost is ::1, 127.0.0.2, 127.0.0.1" and steps[1].said == f"127.0.0.1 port {port}"
    rows = [(0, 0, 0, "", (address, port)) for address in ("255.255.255.255", "127.0.0.1", *("127.0.0.3",) * MOST_ADDRESSES)]
    step = await last(f"ws://localhost:{port}/")
    assert step.said == f"127.0.0.1 refuses port {port}"


@pytest.mark.parametrize(("scheme", "name"), [("ws", "HTTP"), ("wss", "TLS"), ("https", "TLS")])
async def test_a_server_that_accepts_and_says_nothing(scheme: str, name: str) -> None:
    found, said, fix = await told(silent, scheme, timeout_s=0.2)
    assert (found, said) == (
        name,
        "it takes the request and says nothing" if name == "HTTP" else "it takes the connection and says nothing",
    )
    assert "port" in fix


@pytest.mark.parametrize(
    ("scheme", "want"), [("ws", ("HTTP", "it hangs up without an answer")), ("wss", ("TLS", "it hangs up instead of speaking TLS"))]
)
async def test_a_server_that_accepts_and_hangs_up(scheme: str, want: tuple[str, str]) -> None:
    assert (await told(hangs_up, scheme))[:2] == want


async def test_plain_http_on_a_tls_address() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http(400, "{}"))
        await writer.drain()
        await reader.read()

    name, said, fix = await told(handler, "wss")
    assert name == "TLS" and said.startswith("no TLS with 127.0.0.1: ") and fix == "it may speak without: try ws:// or http://"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAME.pem and NAME.key for 127.0.0.1 (good) and for another name (other)."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    for stem, name in (("good", "IP:127.0.0.1"), ("other", "DNS:other.example")):
        what = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=test",
            "-addext",
            f"subjectAltName={name}",
        ]
        command = ["openssl", "req", "-x509", *what, "-keyout", f"{stem}.key", "-out", f"{stem}.pem", "-days", "2"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=30)
    return folder


def serving(folder: Path, stem: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / f"{stem}.pem", folder / f"{stem}.key")
    return context


async def test_tls_that_is_good(certificates: Path) -> None:
    async with listening(upgrades(CREATED), serving(certificates, "good")) as port:
        steps = await visit(f"wss://127.0.0.1:{port}/v1/realtime", cafile=certificates / "good.pem")
    assert [step.name for step in steps] == ["name", "connection", "TLS", "HTTP", "WebSocket"]
    assert steps[2].said.startswith("TLSv1.3, the certificate is good until ")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_certificates_that_are_not_trusted(certificates: Path) -> None:
    async with listening(upgrades(CREATED), serving(certificates, "good")) as port:
        step = await last(f"wss://127.0.0.1:{port}/v1/realtime")
    assert step.name == "TLS" and step.said == "the certificate of 127.0.0.1 is not trusted: self-signed certificate"
    assert step.fix.startswith("it is self-signed: trust it with SSL_CERT_FILE=FILE.pem")
    async with listening(upgrades(CREATED), serving(certificates, "other")) as port:
        step = await last(f"wss://127.0.0.1:{port}/v1/realtime", cafile=certificates / "other.pem")
    assert step.name == "TLS" and step.fix.startswith("it is made out to another name")


@pytest.mark.parametrize(("code", "fix"), [(10, "is this machine's clock right?"), (9, "is this machine's clock"), (20, "a company proxy")])
def test_other_faults_of_certificates(code: int, fix: str) -> None:
    failure = ssl.SSLCertVerificationError(1, "x")
    failure.verify_code, failure.verify_message = code, "why\nnot"
    found = probing._distrust("host", failure)
    assert found.said == "the certificate of host is not trusted: why not" and found.fix.startswith(fix)


async def test_a_tls_port_asked_without_tls(certificates: Path) -> None:
    async with listening(upgrades(CREATED), serving(certificates, "good")) as port:
        step = await last(f"ws://127.0.0.1:{port}/v1/realtime")
    assert step.name == "HTTP" and ("wss://" in step.fix)


@pytest.mark.parametrize(
    ("answer", "said", "fix"),
    [
        (http(407), "127.0.0.1:PORT answers 407", "the proxy wants a name and a password"),
        (http(403), "127.0.0.1:PORT answers 403", "the proxy does not allow it"),
        (b"nonsense", "127.0.0.1:PORT: it answers, but not in HTTP", "is this the proxy's address?"),
    ],
)
async def test_a_proxy_in_the_way(answer: bytes, said: str, fix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[str] = []
    async with listening(says(answer, heads)) as port:
        _only_proxy(monkeypatch, f"http://me:pass%20word@127.0.0.1:{port}")
        step = await last("wss://far.example/v1/realtime")
    assert (step.name, step.said.replace(str(port), "PORT")) == ("proxy", said) and step.fix.startswith(fix)
    assert heads[0].startswith("CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n")
    assert "Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk" in heads[0] and "canary" not in heads[0]


async def test_a_proxy_that_lets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await upgrades(CREATED)(reader, writer)

    async with listening(handler) as port:
        _only_proxy(monkeypatch, f"http://127.0.0.1:{port}")
        steps = await visit("ws://far.example/v1/realtime")
    assert [step.name for step in steps] == ["name", "connection", "proxy", "HTTP", "WebSocket"]
    assert steps[2].said == f"127.0.0.1:{port} lets us through"


async def test_a_kind_of_proxy_that_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(silent) as port:
        _only_proxy(monkeypatch, f"socks5h://127.0.0.1:{port}")
        assert (await last("wss://far.example/")).said == "a proxy of the kind socks5h is set"


def test_no_proxy_for_this_machine_and_for_names_that_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    _only_proxy(monkeypatch, "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    found = {
        url: probing._proxy(probing.urlsplit(url))
        for url in ("ws://localhost:1/", "ws://127.0.0.9/", "wss://[::1]/", "wss://inside.example/")
    }
    assert set(found.values()) == {None}
    proxy = probing._proxy(probing.urlsplit("wss://far.example/"))
    assert proxy is not None and (proxy.hostname, proxy.port) == ("proxy.example", 3128)


def _only_proxy(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in ("http_proxy", "all_proxy", "no_proxy", "socks_proxy", "ws_proxy", "wss_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.setenv("https_proxy", address)
