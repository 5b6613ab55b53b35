"""How a twin turns a handshake away: with an HTTP answer in the service's form, with silence, or by cutting the connection."""

import asyncio

from aiohttp import web

from voice.links.drain import departed
from voice.policy.deeds import Refuse
from voice.policy.faults import refusal_error


async def turned_away(request: web.Request, refuse: Refuse, stopping: asyncio.Event) -> web.Response:
    """The answer; to a silent refusal when the client has gone, or when the server stops."""
    match refuse.kind:
        case "silence":
            await _hear_out(request, stopping)
        case "cut" if request.transport is not None:
            request.transport.abort()
    headers = {} if refuse.retry_after is None else {"Retry-After": f"{refuse.retry_after:f}".rstrip("0").rstrip(".")}
    return web.json_response({"error": refusal_error(refuse)}, status=refuse.status, headers=headers)


async def _hear_out(request: web.Request, stopping: asyncio.Event) -> None:
    """Wait for either of the two that end it, and end the connection: nobody is answered any more."""
    transport = request.transport
    if transport is None:
        return
    async with asyncio.TaskGroup() as group:
        waits = (
            group.create_task(departed(transport), name="a client that is not answered"),
            group.create_task(stopping.wait(), name="the server's end"),
        )
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
    transport.abort()
