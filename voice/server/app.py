"""The application: routes, headers, and its life from "listening on" to a clean end."""

import asyncio
import contextlib
import logging
import os
import secrets as chance
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import WSCloseCode, web

from voice import __version__
from voice.engines.local import random_id
from voice.errors import MissingError, UsageError
from voice.links.web import WebLink
from voice.policy.secrets import signing_key
from voice.protocol.accents import NewId
from voice.protocol.dialect import DIALECTS
from voice.server import secrets
from voice.server.additions import Additions
from voice.server.guard import Door, refusal, stranger
from voice.server.heads import HEARD, impatient
from voice.server.realtime import ADDITIONS, DIALECT, DOOR, DRAINING, ENGINE, LINKS, NEW_IDS, PATHS, PLACES, Engine, problem, realtime

log = logging.getLogger(__name__)

CSP = "default-src 'self'; script-src 'self'; style-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "Content-Security-Policy": CSP,
    "Permissions-Policy": "microphone=(self), camera=()",
    "Referrer-Policy": "no-referrer",
    "Server": "voice",
    "X-Content-Type-Options": "nosniff",
}
CLOSE_TIMEOUT_S = 3.0
KEEPALIVE_S = 75.0
"""An HTTP connection that asks nothing for so long is closed, also in the middle of a request's head. aiohttp's own is an hour."""
FOUND: web.AppKey[dict[str, str]] = web.AppKey("found", dict)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MINTS: dict[str, Handler] = {
    "/v1/realtime/client_secrets": secrets.client_secrets,
    "/v1/realtime/sessions": secrets.sessions,
    "/v1/realtime/transcription_sessions": secrets.transcription_sessions,
}


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where and how to listen."""

    host: str = "127.0.0.1"
    port: int = 8765
    """0: any free one."""
    cert: Path | None = None
    key: Path | None = None
    max_sessions: int = 100
    server_key: str | None = field(default=None, repr=False)
    """What programs have to show; None: nothing, which is for loopback only."""
    origins: frozenset[str] = frozenset()
    """Of pages that may come besides our own, as `guard.origin_of` gives them."""
    dialect: str | None = None
    """What is spoken to every client (a name in `protocol/dialect.py`); None: today's protocol, and the beta to clients that show that they want it."""
    new_ids: Callable[[], NewId] = lambda: random_id
    """Gives each session its source of ids for what the server puts on the wire beside the engine."""


def web_folder() -> Path:
    """The page's files: in the installed package, or beside it in a checkout. Raises: MissingError."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_web", package.parent / "web"):
        if (folder / "index.html").is_file():
            return folder
    raise MissingError("the page's files are missing from this installation: install the package again")


def make_app(engine: Engine, options: ServeOptions, found: dict[str, str], additions: Additions | None = None) -> web.Application:
    """The application around an engine; `found` is what the landing page says is running, `additions` what no client sees."""
    app = web.Application(middlewares=[_guarded], client_max_size=1 << 20)
    # Without a server key the secrets are those of this process.
    signing = chance.token_bytes(32) if options.server_key is None else signing_key(options.server_key)
    app[ENGINE], app[DOOR] = engine, Door(signing, options.host, options.server_key, options.origins)
    app[PLACES], app[LINKS], app[DRAINING] = asyncio.Semaphore(options.max_sessions), set(), asyncio.Event()
    app[FOUND], app[HEARD] = found, set()
    app[NEW_IDS], app[ADDITIONS] = options.new_ids, additions
    app[DIALECT] = None if options.dialect is None else DIALECTS[options.dialect]
    app.router.add_get("/healthz", _health)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/about", _about)
    for path in PATHS:
        app.router.add_get(f"{path}{{slash:/?}}", realtime)
    for path, handler in MINTS.items():
        app.router.add_post(path, handler)
        app.router.add_route("OPTIONS", path, _preflight)
    folder = web_folder()
    app.router.add_get("/", _file(folder / "index.html"))
    app.router.add_static("/web", folder)
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_close_links)
    return app


async def serve(
    engine: Engine, options: ServeOptions, found: dict[str, str], listening: Callable[[str], None], additions: Additions | None = None
) -> None:
    """Listen until SIGINT or SIGTERM. `listening` is told the address. Raises: MissingError (port taken), UsageError (certificate)."""
    async with served(engine, options, found, additions) as (app, address):
        with _stopped_by_signals() as stop:
            listening(address)
            await stop.wait()
            app[DRAINING].set()


@contextlib.asynccontextmanager
async def served(
    engine: Engine, options: ServeOptions, found: dict[str, str], additions: Additions | None = None
) -> AsyncIterator[tuple[web.Application, str]]:
    """Listen until the block ends; the application and its address. Raises: MissingError (port taken), UsageError (certificate)."""
    context = _tls(options)
    app = make_app(engine, options, found, additions)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S, keepalive_timeout=KEEPALIVE_S)
    await runner.setup()
    try:
        with impatient(runner):
            port = await _listen(runner, options, context)
            host = f"[{options.host}]" if ":" in options.host else options.host
            yield app, f"{'https' if context else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, options: ServeOptions, context: ssl.SSLContext | None) -> int:
    """Open the port; returns its number. Raises: MissingError."""
    try:
        await web.TCPSite(runner, options.host, options.port, ssl_context=context).start()
    except OSError as exc:
        # asyncio's own sentence repeats the address.
        reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else str(exc)
        where = f"{options.host}:{options.port}"
        raise MissingError(f"cannot listen on {where}: {reason}. Is another server there? `--port 0` takes a free one.") from exc
    port: int = runner.addresses[0][1]
    return port


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C and SIGTERM set. Where a loop has no signals (Windows) Ctrl-C is a KeyboardInterrupt."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.suppress(NotImplementedError):
        for number in before:
            loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        with contextlib.suppress(NotImplementedError):
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)


def _tls(options: ServeOptions) -> ssl.SSLContext | None:
    if options.cert is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    where = f"the certificate '{options.cert}' with the key '{options.key or options.cert}'"

    def passphrase() -> str:
        # Without it OpenSSL would ask on the terminal, and a service would wait for ever.
        raise UsageError(f"cannot use {where}: the key is encrypted; give one without a passphrase")

    try:
        context.load_cert_chain(options.cert, options.key, passphrase)
    except (OSError, ssl.SSLError) as exc:
        raise UsageError(f"cannot use {where}: {_reason(exc)}") from exc
    return context


def _reason(exc: OSError) -> str:
    if not isinstance(exc, ssl.SSLError):
        return exc.strerror or str(exc)
    words = {"KEY_VALUES_MISMATCH": "the key is that of another certificate"}
    return words.get(exc.reason or "", "this is no certificate, or no key, in PEM form")


async def _health(request: web.Request) -> web.Response:
    engine = request.app[ENGINE]
    return web.json_response({"status": "ok", "version": __version__, "engine": engine.name, "sessions": engine.sessions})


async def _ready(request: web.Request) -> web.Response:
    draining = request.app[DRAINING].is_set()
    return web.json_response({"status": "draining" if draining else "ready"}, status=503 if draining else 200)


async def _about(request: web.Request) -> web.Response:
    return web.json_response({"version": __version__, "engine": request.app[ENGINE].name, "found": request.app[FOUND]})


def _file(path: Path) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(path)

    return handler


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A name that is not ours is turned away (DNS rebinding); every error is JSON that says what and why."""
    request.app[HEARD].add(request.protocol)
    if why := stranger(request.headers.get("Host"), request.app[DOOR]):
        return problem(403, why, "host_not_allowed")
    try:
        return await handler(request)
    except web.HTTPNotFound:
        return problem(404, f"Nothing is served at {request.path[:200]}.", "not_found")
    except web.HTTPMethodNotAllowed as exc:
        return problem(
            405, f"{request.method} is not possible here.", "method_not_allowed", {"Allow": ", ".join(sorted(exc.allowed_methods))}
        )
    except web.HTTPException as exc:
        return problem(exc.status, f"{exc.reason}.", "http_error") if exc.status >= 400 else exc
    except Exception:
        # A bug in a route: it is logged, and the client gets an answer.
        log.exception("%s failed", request.path)
        return problem(500, "The server failed; its log says why.", "internal_error")


async def _preflight(request: web.Request) -> web.Response:
    """What a browser asks before it lets a page of an allowed origin post here."""
    if why := refusal(request.headers.get("Origin"), request.headers.get("Host"), request.app[DOOR], request.scheme):
        return problem(403, why, "origin_not_allowed")
    allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Authorization, Content-Type"}
    return web.Response(status=204, headers={**allowed, "Access-Control-Max-Age": "600"})


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    if request.path.startswith("/v1/"):
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin", "").lower()
        if origin in request.app[DOOR].origins:
            # The credential is in a header of its own, never a cookie: no Access-Control-Allow-Credentials.
            response.headers["Access-Control-Allow-Origin"] = origin


async def _close_links(app: web.Application) -> None:
    """Tell every client that the server goes away."""
    app[DRAINING].set()
    links: set[WebLink] = app[LINKS]
    async with asyncio.TaskGroup() as group:
        for link in tuple(links):
            group.create_task(link.close(WSCloseCode.GOING_AWAY, "the server is stopping"), name="close a link")
