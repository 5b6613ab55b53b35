"""`GET /v1/realtime`: a WebSocket that the engine serves.

Everything is decided before the upgrade, where an HTTP status can say what is wrong: origin, credential, room, and whether an upstream takes the
session too.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Protocol

from aiohttp import WSCloseCode, web

from voice.engines.local import LocalEngine
from voice.engines.relay import TRANSCRIPTION, RelayEngine
from voice.errors import LinkClosed, MissingError, Refused, Silent
from voice.links.base import Link
from voice.links.faulty import Arrival, Faults
from voice.links.preset import PresetLink
from voice.links.roughweb import WebRough
from voice.links.spoken import before_client
from voice.links.web import Socket, WebLink, accept
from voice.policy.secrets import Grant
from voice.protocol.accents import BETA, GA, Exchange, NewId
from voice.protocol.codec import encode
from voice.protocol.dialect import Dialect
from voice.protocol.events import ErrorEvent
from voice.protocol.objects import ErrorDetail
from voice.server.additions import Additions, context_of, with_additions
from voice.server.guard import Denial, Door, Pass, admission, credential, refusal
from voice.server.refused import turned_away
from voice.server.visitor import Visitor, visitor_of


class Engine(Protocol):
    """What answers. One with an attribute `faults` (`links/faulty.py`) misbehaves on the wire as that says: a twin."""

    name: str

    @property
    def sessions(self) -> int:
        """How many it serves now."""
        ...

    async def serve(self, link: Link, model: str = ...) -> LinkClosed:
        """Answer one client until its link ends; a client that names no model gets the engine's own."""
        ...

    async def transcribe(self, link: Link) -> LinkClosed:
        """Write down what one client says until its link ends."""
        ...


log = logging.getLogger(__name__)

ENGINE: web.AppKey[Engine] = web.AppKey("engine", Engine)
DOOR: web.AppKey[Door] = web.AppKey("door", Door)
PLACES: web.AppKey[asyncio.Semaphore] = web.AppKey("places", asyncio.Semaphore)
LINKS: web.AppKey[set[WebLink]] = web.AppKey("links", set[WebLink])
DIALECT: web.AppKey[Dialect | None] = web.AppKey("dialect", Dialect)
NEW_IDS: web.AppKey[Callable[[], NewId]] = web.AppKey("new_ids")
"""Gives each session its source of ids for what the server itself puts on the wire, beside those of the engine."""
ADDITIONS: web.AppKey[Additions | None] = web.AppKey("additions", Additions)
DRAINING: web.AppKey[asyncio.Event] = web.AppKey("draining", asyncio.Event)
ARRIVAL: web.RequestKey[Arrival] = web.RequestKey("arrival", Arrival)
"""What will go wrong in the session that a request is for."""
PATHS = ("/v1/realtime", "/realtime", "/openai/v1/realtime", "/openai/realtime")
"""Where it is served. The first is the service's; a client that was given an address without `/v1` asks for the second, and those made
for Azure, which name the model `deployment`, for the others."""
RETRY_AFTER_S = 10
CLOSE_REFUSED = 4000
"""The service's close code behind an error that ends a session before it began."""
LONGEST_MODEL = 200

BETA_HEADER, BETA_PROTOCOL = "realtime=v1", "openai-beta.realtime-v1"
"""In `OpenAI-Beta`, and among the subprotocols: a client made for the beta."""

Talk = Callable[[Link], Awaitable[LinkClosed]]


def problem(status: int, message: str, code: str, headers: dict[str, str] | None = None, param: str | None = None) -> web.Response:
    """An HTTP error in the form that clients of the service read."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {"message": message, "type": kind, "code": code, "param": param}
    return web.json_response({"error": error}, status=status, headers=headers)


def admitted(request: web.Request) -> Pass | web.Response:
    """Whether a request may go on; else the answer that says why not."""
    headers, door = request.headers, request.app[DOOR]
    if why := refusal(headers.get("Origin"), headers.get("Host"), door, request.scheme):
        return problem(403, why, "origin_not_allowed")
    shown = credential(headers.get("Authorization"), headers.get("api-key"), headers.getall("Sec-WebSocket-Protocol", ()))
    answer = admission(shown, door, time.time())
    if isinstance(answer, Denial):
        return problem(answer.status, answer.message, answer.code, {"WWW-Authenticate": "Bearer"})
    return answer


def spoken(request: web.Request) -> Dialect | None:
    """What a client speaks, by its request: the one dialect of this server if it has one; else None, unless it is the beta for sure."""
    if (only := request.app[DIALECT]) is not None:
        return only
    asked = [name.strip().lower() for line in request.headers.getall("OpenAI-Beta", ()) for name in line.split(",")]
    offered = [name.strip() for line in request.headers.getall("Sec-WebSocket-Protocol", ()) for name in line.split(",")]
    return BETA if BETA_HEADER in asked or BETA_PROTOCOL in offered else None


async def realtime(request: web.Request) -> web.StreamResponse:
    """Check once, reach the upstream if there is one, upgrade, and let the engine talk until the client goes."""
    app = request.app
    entry = admitted(request)
    if not isinstance(entry, Pass):
        return entry
    socket = accept(request.headers.getall("Sec-WebSocket-Protocol", ()))
    if not socket.can_prepare(request):
        return problem(426, "This address speaks WebSocket: connect with a Realtime client.", "upgrade_required", {"Upgrade": "websocket"})
    if app[DRAINING].is_set():
        return _draining()
    if app[PLACES].locked():
        return problem(429, "Too many sessions: try again later.", "rate_limit_exceeded", {"Retry-After": str(RETRY_AFTER_S)})
    if (faults := faults_of(app[ENGINE])) is not None:
        request[ARRIVAL] = arrival = faults.arrive()
        if arrival.refuse is not None:
            return await turned_away(request, arrival.refuse, app[DRAINING])
    async with app[PLACES]:
        return await _session(request, socket, entry.grant)


def faults_of(engine: Engine) -> Faults | None:
    """How an engine misbehaves on purpose; None: not at all."""
    faults = getattr(engine, "faults", None)
    return faults if isinstance(faults, Faults) else None


async def _session(request: web.Request, socket: Socket, grant: Grant | None) -> web.StreamResponse:
    engine, granted = request.app[ENGINE], grant.session if grant else {}
    asked = request.query.get("model") or request.query.get("deployment")
    model = str(granted.get("model") or asked or "")[:LONGEST_MODEL]
    # A secret was made for one kind of session: the address cannot make it another.
    intent = TRANSCRIPTION if TRANSCRIPTION == (grant.scope if grant else request.query.get("intent")) else None
    if not isinstance(engine, RelayEngine):
        if intent is None:
            serve = engine.serve
            if isinstance(engine, LocalEngine) and engine.tools is not None:
                serve = partial(engine.serve, context=context_of(_visitor(request, grant)))
            await _talk(request, socket, grant, partial(serve, model=model) if model else serve)
        elif model and grant is None:
            await _talk(request, socket, None, partial(_refuse_model, request.app[NEW_IDS]()), plain=True)
        else:
            await _talk(request, socket, grant, engine.transcribe, plain=True)
        return socket
    try:
        reached = await engine.reach(model, intent)
    except MissingError as exc:
        log.warning("no session with the upstream: %s", exc)
        return upstream_problem(exc, engine.upstream.host)
    try:
        if request.app[DRAINING].is_set():
            return _draining()
        if request.transport is None or request.transport.is_closing():
            return problem(503, "The client has gone.", "client_gone")
        if granted or request.app[ADDITIONS] is not None:
            await _talk(request, socket, grant, lambda link: engine.carry(reached, link), plain=intent is not None)
        else:
            # It translates by itself: two that speak the same dialect need no translation.
            await _carry(request, socket, lambda link: engine.carry(reached, link, spoken(request)))
    finally:
        # Within its own close timeout; nothing if the session has closed it.
        await reached.close()
    return socket


async def _talk(request: web.Request, socket: Socket, grant: Grant | None, talk: Talk, plain: bool = False) -> None:
    """As `_carry`, with somebody who speaks the protocol of today. `plain`: without what this server adds to sessions that are answered."""
    additions = None if plain else request.app[ADDITIONS]
    new_id = request.app[NEW_IDS]()

    async def interpreted(link: Link) -> LinkClosed:
        near = before_client(link, Exchange(spoken(request), GA, new_id))
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(near.answer(), name="answers of a dialect")
            preset = PresetLink(near, grant.session, new_id("event")) if grant is not None and grant.session else near
            try:
                if additions is None:
                    return await talk(preset)
                return await with_additions(preset, additions, _visitor(request, grant), talk)
            finally:
                answering.cancel()

    await _carry(request, socket, interpreted)


def _visitor(request: web.Request, grant: Grant | None) -> Visitor:
    additions = request.app[ADDITIONS] or Additions()
    return visitor_of(request, grant, additions.query, additions.headers)


async def _carry(request: web.Request, socket: Socket, talk: Talk) -> None:
    """Upgrade and talk."""
    links = request.app[LINKS]
    await socket.prepare(request)
    link = WebLink(socket, request.transport.abort if request.transport is not None else None)
    links.add(link)
    try:
        async with _line(request, socket, link) as line:
            ended = await talk(line)
        log.info("a session ended: %s", ended)
        await link.close()
    except Exception:
        # A bug in the engine: it is logged, this client is told, the others talk on.
        log.exception("a session failed")
        await link.close(WSCloseCode.INTERNAL_ERROR, "the engine failed")
    finally:
        links.discard(link)


@contextlib.asynccontextmanager
async def _line(request: web.Request, socket: Socket, link: WebLink) -> AsyncIterator[Link]:
    """What the session talks over: the link, or what a twin's faults make of it."""
    arrival = request.get(ARRIVAL)
    if arrival is None or request.transport is None:
        yield link
        return
    async with arrival.line(link, WebRough(link, socket, request.transport)) as faulty:
        yield faulty


async def _refuse_model(new_id: NewId, link: Link) -> LinkClosed:
    """As the service does it: where a browser can read it too, which sees nothing of a refused upgrade."""
    message = "You must not provide a model parameter for transcription sessions."
    error = ErrorDetail("invalid_request_error", message, code="invalid_model", param="model")
    ended = LinkClosed(CLOSE_REFUSED, "invalid_request_error.invalid_model")
    with contextlib.suppress(LinkClosed):
        await link.send(encode(ErrorEvent(error=error, event_id=new_id("event"))))
    await link.close(ended.close_code, ended.reason)
    return ended


def upstream_problem(exc: MissingError, host: str) -> web.Response:
    """Why there is no session with the upstream, told apart as `voice doctor` does it."""
    if isinstance(exc, Silent):
        return problem(504, f"The upstream {host} did not answer in time.", "upstream_timeout")
    if not isinstance(exc, Refused):
        return problem(502, f"The upstream {host} cannot be reached: the log of this server says why.", "upstream_unreachable")
    after_s = RETRY_AFTER_S if exc.retry_after_s is None and exc.status in (429, 503) else exc.retry_after_s
    headers = None if after_s is None else {"Retry-After": str(math.ceil(min(after_s, 86_400)))}
    message = f"The upstream refused the session: {exc}."
    if exc.status in _PASSED_ON:
        return problem(exc.status, message, exc.code or _PASSED_ON[exc.status], headers)
    return problem(502, message, "upstream_failed" if exc.status >= 500 else "upstream_not_realtime", headers)


_PASSED_ON = {
    400: "upstream_refused",
    401: "invalid_api_key",
    403: "upstream_forbidden",
    404: "model_not_found",
    429: "rate_limit_exceeded",
    503: "upstream_overloaded",
}
"""Statuses that mean the same to our client; the code is used where the upstream gave none."""


def _draining() -> web.Response:
    return problem(503, "The server is stopping.", "server_draining", {"Retry-After": str(RETRY_AFTER_S)})
