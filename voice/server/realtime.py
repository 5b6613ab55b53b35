"""`GET /v1/realtime`: a WebSocket that the engine serves."""

import asyncio
import logging

from aiohttp import WSCloseCode, web

from voice.engines.local import MODEL, LocalEngine
from voice.links.web import WebLink, accept
from voice.server.guard import refusal

log = logging.getLogger(__name__)

ENGINE: web.AppKey[LocalEngine] = web.AppKey("engine", LocalEngine)
BOUND_HOST: web.AppKey[str] = web.AppKey("bound_host", str)
MAX_SESSIONS: web.AppKey[int] = web.AppKey("max_sessions", int)
LINKS: web.AppKey[set[WebLink]] = web.AppKey("links", set[WebLink])
DRAINING: web.AppKey[asyncio.Event] = web.AppKey("draining", asyncio.Event)
RETRY_AFTER_S = 10


def problem(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    """An HTTP error in the form that clients of the service read."""
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {"message": message, "type": kind, "code": code, "param": None}
    return web.json_response({"error": error}, status=status, headers=headers)


async def realtime(request: web.Request) -> web.StreamResponse:
    """Check once, upgrade, and let the engine talk until the client goes."""
    app = request.app
    if why := refusal(request.headers.get("Origin"), request.headers.get("Host"), request.scheme):
        return problem(403, why, "origin_not_allowed")
    socket = accept()
    if not socket.can_prepare(request):
        return problem(426, "This address speaks WebSocket: connect with a Realtime client.", "upgrade_required", {"Upgrade": "websocket"})
    if app[DRAINING].is_set():
        return problem(503, "The server is stopping.", "server_draining", {"Retry-After": str(RETRY_AFTER_S)})
    if len(app[LINKS]) >= app[MAX_SESSIONS]:
        return problem(429, "Too many sessions: try again later.", "rate_limit_exceeded", {"Retry-After": str(RETRY_AFTER_S)})
    link = WebLink(socket, request.transport.abort if request.transport is not None else None)
    app[LINKS].add(link)
    try:
        await socket.prepare(request)
        await _serve(app[ENGINE], link, (request.query.get("model") or MODEL)[:200])
    finally:
        app[LINKS].discard(link)
    return socket


async def _serve(engine: LocalEngine, link: WebLink, model: str) -> None:
    try:
        ended = await engine.serve(link, model)
        log.info("a session ended: %s", ended)
        await link.close()
    except Exception:
        # A bug in the engine: it is logged, this client is told, the others talk on.
        log.exception("a session failed")
        await link.close(WSCloseCode.INTERNAL_ERROR, "the engine failed")
