"""How far one gets to a server, step by step: name, connection, proxy, TLS, HTTP, WebSocket, first event. For `voice doctor`.

Each step says what it found, how long it took and, if it failed, what to do; the first failure is the last step. Foreign exceptions end here.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies, proxy_bypass

from voice.links.greeting import basic, converse, tunnel
from voice.links.verdict import Told, one_line

MOST_ADDRESSES = 4
"""Of one name, tried in turn."""
CLOSE_TIMEOUT_S = 0.2
"""For what we still say; nobody is waited for."""
DEFAULT_PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}


@dataclass(frozen=True, slots=True)
class Step:
    """What one step found."""

    name: str
    """"name", "connection", "proxy", "TLS", "HTTP", "WebSocket"."""
    ok: bool
    said: str
    """One line, fit for a terminal, without any key."""
    fix: str
    """What to do; "" if nothing has to be done."""
    took_ms: float


@dataclass(slots=True)
class _Visit:
    """One visit to a server, and what it has got so far."""

    parts: SplitResult
    headers: Mapping[str, str]
    timeout_s: float
    cafile: str | None
    proxy: SplitResult | None
    addresses: list[str] = field(default_factory=list)
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    @property
    def secure(self) -> bool:
        return self.parts.scheme in ("wss", "https")

    @property
    def hop(self) -> tuple[str, int]:
        """Whom the connection goes to: the server, or the proxy before it."""
        parts = self.proxy or self.parts
        return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 8080)

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[Told]]]]:
        """What to do, in order."""
        steps: list[tuple[str, Callable[[], Awaitable[Told]]]] = [("name", self.resolve), ("connection", self.connect)]
        if self.proxy:
            steps.append(("proxy", self.pass_proxy))
        if self.secure:
            steps.append(("TLS", self.wrap))
        return steps

    async def resolve(self) -> Told:
        """DNS."""
        host, port = self.hop
        if _is_address(host):
            self.addresses = [host]
            return Told(True, f"{host} is an address already")
        try:
            self.addresses = await _addresses(host, port)
        except (OSError, UnicodeError) as exc:
            missing = isinstance(exc, socket.gaierror) and exc.errno in (
                socket.EAI_NONAME,
                getattr(socket, "EAI_NODATA", socket.EAI_NONAME),
            )
            if missing or isinstance(exc, UnicodeError):
                return Told(
                    False,
                    f"there is no {host}",
                    "check the spelling of the host; behind a company network, its DNS or a proxy may be needed",
                )
            return Told(False, f"cannot ask for {host}: {_words(exc)}", "is this machine online? the name server does not answer")
        return Told(True, f"{host} is {', '.join(self.addresses[:MOST_ADDRESSES])}")

    async def connect(self) -> Told:
        """TCP, to the first address that takes it."""
        _, port = self.hop
        failures: list[tuple[int, Told]] = []
        for address in self.addresses[:MOST_ADDRESSES]:
            try:
                # Room for the other addresses: one that swallows packets must not take all of the time.
                async with asyncio.timeout(self.timeout_s / (min(len(self.addresses), MOST_ADDRESSES) + 0.5)):
                    self.reader, self.writer = await asyncio.open_connection(address, port)
                    return Told(True, f"{address} port {port}")
            except ConnectionRefusedError:
                fix = "no server listens there: is it running, is the port right?"
                failures.append((0, Told(False, f"{address} refuses port {port}", fix)))
            except TimeoutError:
                fix = "a firewall may swallow it: try another network, check the port"
                failures.append((1, Told(False, f"nothing comes back from {address} port {port}", fix)))
            except OSError as exc:
                fix = "is this machine online? is the address right?"
                failures.append((2, Told(False, f"cannot reach {address} port {port}: {_words(exc)}", fix)))
        # The most telling one: a machine without IPv6 cannot reach the first address of many names.
        return min(failures, key=lambda failure: failure[0])[1]

    async def pass_proxy(self) -> Told:
        """CONNECT, as a WebSocket needs it."""
        assert self.reader and self.writer and self.proxy
        if self.proxy.scheme != "http":
            return Told(
                False,
                f"a proxy of the kind {self.proxy.scheme} is set",
                "only http:// proxies are looked through here; try without (NO_PROXY)",
            )
        return await tunnel(self.reader, self.writer, self.parts, self.proxy)

    async def wrap(self) -> Told:
        """TLS."""
        assert self.writer
        host = self.parts.hostname or ""
        try:
            trust = ssl.create_default_context(cafile=self.cafile)
            await self.writer.start_tls(trust, server_hostname=host, ssl_handshake_timeout=self.timeout_s)
        except ssl.SSLCertVerificationError as exc:
            return _distrust(host, exc)
        except ssl.SSLError as exc:
            return Told(False, f"no TLS with {host}: {one_line(exc.reason or str(exc))}", "it may speak without: try ws:// or http://")
        except (ConnectionError, EOFError):
            return Told(False, "it hangs up instead of speaking TLS", "is this a TLS port? a firewall may cut it: try another network")
        except OSError as exc:
            return Told(False, f"no TLS with {host}: {_words(exc)}", "is this a TLS port?")
        found = self.writer.get_extra_info("ssl_object")
        ends = (found.getpeercert() or {}).get("notAfter", "")
        return Told(True, f"{found.version()}, the certificate is good" + (f" until {ends}" if ends else ""))

    async def close(self) -> None:
        """Leave."""
        if self.writer is not None:
            self.writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await self.writer.wait_closed()
            self.writer.transport.abort()


SILENT = {
    "name": Told(False, "the name server does not answer", "is this machine online? is its DNS right?"),
    "connection": Told(False, "nothing comes back", "a firewall may swallow it: try another network, check the port"),
    "proxy": Told(False, "the proxy takes the connection and says nothing", "is it the right port? NO_PROXY goes without it"),
    "TLS": Told(False, "it takes the connection and says nothing", "is this a TLS port? the server may hang"),
}


async def probe(
    url: str, headers: Mapping[str, str] | None = None, timeout_s: float = 5.0, cafile: str | None = None
) -> AsyncGenerator[Step, None]:
    """Visit a complete address: ws and wss are opened as a Realtime session, http and https are fetched. `headers` are never shown.

    Every step ends within `timeout_s`. `cafile`: certificates to trust instead of the system's.
    """
    parts = urlsplit(url)
    own = {"Authorization": basic(parts)} if parts.username else {}
    visit = _Visit(parts, {**own, **(headers or {})}, timeout_s, cafile, _proxy(parts))
    try:
        for name, act in visit.steps():
            step = await _timed(name, act, timeout_s)
            yield step
            if not step.ok:
                return
        assert visit.reader and visit.writer
        greetings = converse(visit.reader, visit.writer, parts, visit.headers, timeout_s)
        async with contextlib.aclosing(greetings):
            started = time.monotonic()
            async for name, told in greetings:
                yield _step(name, told, started)
                started = time.monotonic()
    finally:
        await visit.close()


async def _timed(name: str, act: Callable[[], Awaitable[Told]], timeout_s: float) -> Step:
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            told = await act()
    except TimeoutError:
        told = SILENT[name]
    return _step(name, told, started)


def _step(name: str, told: Told, started: float) -> Step:
    return Step(name, told.ok, told.said, told.fix, (time.monotonic() - started) * 1000)


def _proxy(parts: SplitResult) -> SplitResult | None:
    """The proxy that the environment wants for this address; never for this machine itself. The order is that of `websockets`."""
    host = parts.hostname or ""
    if host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback):
        return None
    set_ones = getproxies()
    wanted = ("wss", "socks", "https") if parts.scheme in ("wss", "https") else ("ws", "socks", "https", "http")
    found = next((set_ones[name] for name in wanted if name in set_ones), None)
    if found is None or proxy_bypass(f"{host}:{parts.port or DEFAULT_PORTS[parts.scheme]}"):
        return None
    return urlsplit(found if "//" in found else f"http://{found}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


async def _addresses(host: str, port: int) -> list[str]:
    """Ask the resolver in a thread of its own, which may be left behind: it cannot be stopped. Raises: OSError, UnicodeError."""
    import threading

    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str] | Exception) -> None:
        if not answer.done():
            answer.set_exception(found) if isinstance(found, Exception) else answer.set_result(found)

    def ask() -> None:
        outcome: list[str] | Exception
        try:
            outcome = list(dict.fromkeys(str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as exc:
            outcome = exc
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, outcome)

    threading.Thread(target=ask, name="resolver", daemon=True).start()
    return await answer


def _distrust(host: str, exc: ssl.SSLCertVerificationError) -> Told:
    """What is wrong with a certificate. The numbers are OpenSSL's X509_V_ERR_..."""
    said = f"the certificate of {host} is not trusted: {one_line(exc.verify_message)}"
    if exc.verify_code in (9, 10):
        return Told(False, said, "is this machine's clock right? else the server's certificate has to be renewed")
    if exc.verify_code in (62, 63, 64):
        return Told(False, said, "it is made out to another name: is the address right? a proxy may stand between")
    if exc.verify_code in (18, 19):
        return Told(False, said, "it is self-signed: trust it with SSL_CERT_FILE=FILE.pem if you know the server")
    return Told(
        False,
        said,
        "a company proxy may have put its own in place: SSL_CERT_FILE=FILE.pem trusts it; or the CA certificates are missing here",
    )


def _words(exc: BaseException) -> str:
    return one_line(getattr(exc, "strerror", None) or str(exc) or type(exc).__name__)
