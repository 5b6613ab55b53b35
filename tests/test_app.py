"""The application: what it answers where, with which headers; certificates, ports, signals, its end."""

import asyncio
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.http import app_running, ask, get
from tests.support.joined import raw_client
from tests.support.wire import Wire, fake_engine, left_over
from voice import __version__
from voice.errors import LinkClosed, MissingError, UsageError
from voice.links import web
from voice.links.dial import dial
from voice.server.app import ServeOptions, serve

SAFE = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "permissions-policy": "microphone=(self), camera=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


async def test_health_counts_the_sessions() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        health = {"status": "ok", "version": __version__, "engine": "local", "sessions": 0}
        assert (await get(port, "/healthz")).json == health
        link = await dial(f"ws://127.0.0.1:{port}/v1/realtime")
        await link.receive()
        assert (await get(port, "/healthz")).json == {**health, "sessions": 1}
        await link.close()
        while (answer := (await get(port, "/healthz")).json) != health:
            assert answer["sessions"] == 1


async def test_ready_and_about() -> None:
    async with asyncio.timeout(30), app_running(fake_engine(), found={"engine": "a fake", "key": "none"}) as port:
        ready = await get(port, "/readyz")
        assert (ready.status, ready.json) == (200, {"status": "ready"})
        about = (await get(port, "/about")).json
        assert about == {"version": __version__, "engine": "local", "found": {"engine": "a fake", "key": "none"}}


async def test_the_page_and_its_files_are_served() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        page = await get(port, "/")
        assert page.status == 200 and page.headers["content-type"].startswith("text/html")
        assert (await get(port, "/web/app.js")).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/web/../voice/errors.py", 404, "not_found"),
        ("GET", "/web/%2e%2e/voice/errors.py", 404, "not_found"),
        ("GET", "/web/..%2fpyproject.toml", 404, "not_found"),
        ("GET", "/web/", 403, "http_error"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("DELETE", "/v1/realtime", 405, "method_not_allowed"),
        ("GET", "/v1/realtime", 426, "upgrade_required"),
    ],
)
async def test_every_refusal_is_json_with_a_sentence(method: str, path: str, status: int, code: str) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        answer = await get(port, path, method)
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.json["error"]["message"].endswith(".")
    assert status != 405 or answer.headers["allow"] in ("GET,HEAD", "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/about", "/web/app.js", "/nothing", "/v1/realtime"])
async def test_every_answer_carries_the_safe_headers(path: str) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        headers = (await get(port, path)).headers
    assert headers.items() >= SAFE.items()
    assert headers["server"] == "voice"


@pytest.mark.parametrize("path", ["/", "/healthz", "/about", "/v1/realtime"])
async def test_a_name_that_was_made_to_point_here_gets_nothing(path: str) -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        answer = await get(port, path, Host="evil.example")
        assert (answer.status, answer.json["error"]["code"]) == (403, "host_not_allowed")
        assert (await get(port, "/healthz", Host=f"localhost:{port}")).status == 200
        assert (await ask(port, b"GET /healthz HTTP/1.0\r\n\r\n")).status == 200


async def test_a_bug_in_a_route_is_logged_and_answered(caplog: pytest.LogCaptureFixture) -> None:
    engine = fake_engine()
    del engine.sessions
    async with asyncio.timeout(30), app_running(engine) as port:
        answer = await get(port, "/healthz")
    assert (answer.status, answer.json["error"]["type"]) == (500, "server_error")
    assert "AttributeError" in caplog.text and "AttributeError" not in answer.body.decode()


class Serving:
    """`serve` in a task of its own; `address` once it listens."""

    def __init__(self, **options: object) -> None:
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._options = ServeOptions(**{"port": 0, **options})  # type: ignore[arg-type]

    async def run(self) -> None:
        await serve(fake_engine(), self._options, {}, self.address.set_result)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_closes_every_session_with_1001_and_ends_the_server(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = Serving()
        running = group.create_task(serving.run())
        address = await serving.address
        assert address.startswith("http://127.0.0.1:")
        link = await dial(f"{address.replace('http', 'ws')}/v1/realtime")
        wire = Wire(link)
        await wire.until("session.created")
        await wire.type("hello")
        os.kill(os.getpid(), number)
        with pytest.raises(LinkClosed) as told:
            while True:
                await wire.next()
        assert (told.value.close_code, told.value.reason) == (1001, "the server is stopping")
        await running
        with pytest.raises(MissingError):
            await dial(f"{address.replace('http', 'ws')}/v1/realtime")
    assert not left_over() and signal.getsignal(number) == before


async def test_a_client_that_does_not_answer_the_close_does_not_hold_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "CLOSE_TIMEOUT_S", 0.1)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = Serving()
        running = group.create_task(serving.run())
        address = await serving.address
        async with raw_client(int(address.rpartition(":")[2])):
            os.kill(os.getpid(), signal.SIGTERM)
            await running
    assert not left_over()


async def test_cancelling_ends_the_server_too() -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = Serving()
        running = group.create_task(serving.run())
        await serving.address
        running.cancel()
    assert running.cancelled() and not left_over()


async def test_a_port_that_is_taken_is_named() -> None:
    async with asyncio.timeout(30), app_running(fake_engine()) as port:
        with pytest.raises(MissingError) as told:
            await Serving(port=port).run()
    sentence = f"cannot listen on 127.0.0.1:{port}: Address already in use. Is another server there? `--port 0` takes a free one."
    assert str(told.value) == sentence and told.value.exit_code == 69


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    for stem, secret in (("own", ["-nodes"]), ("other", ["-nodes"]), ("locked", ["-passout", "pass:canary"])):
        files = ["-keyout", f"{stem}.key", "-out", f"{stem}.pem", "-days", "2"]
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        subprocess.run(
            ["openssl", "req", "-x509", *curve, *secret, *names, *files], cwd=folder, check=True, capture_output=True, timeout=30
        )
    (folder / "junk.pem").write_text("not a certificate")
    return folder


async def test_tls(certificate: Path) -> None:
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        serving = Serving(cert=certificate / "own.pem", key=certificate / "own.key")
        running = group.create_task(serving.run())
        address = await serving.address
        assert address.startswith("https://127.0.0.1:")
        link = await dial(f"{address.replace('https', 'wss')}/v1/realtime", cafile=str(certificate / "own.pem"))
        wire = Wire(link)
        await wire.until("session.created")
        await link.close()
        running.cancel()


@pytest.mark.parametrize(
    ("cert", "key", "why"),
    [
        ("none.pem", None, "No such file or directory"),
        ("own.pem", "none.key", "No such file or directory"),
        ("junk.pem", None, "this is no certificate, or no key, in PEM form"),
        ("own.pem", None, "this is no certificate, or no key, in PEM form"),
        ("own.pem", "other.key", "the key is that of another certificate"),
        ("locked.pem", "locked.key", "the key is encrypted; give one without a passphrase"),
    ],
)
async def test_a_certificate_that_cannot_be_used_is_named(certificate: Path, cert: str, key: str | None, why: str) -> None:
    with pytest.raises(UsageError) as told:
        await Serving(cert=certificate / cert, key=certificate / key if key else None).run()
    where = f"the certificate '{certificate / cert}' with the key '{certificate / (key or cert)}'"
    assert str(told.value) == f"cannot use {where}: {why}"
