"""`POST /v1/realtime/client_secrets`, and the older `.../sessions` and `.../transcription_sessions`: short-lived secrets for pages.

A program that shows the server key (or, on loopback without one, any program or our own page) gets a secret that opens sessions with the settings that
it was asked for. The settings are checked now, where somebody can read what is wrong with them.
"""

import asyncio
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from voice.engines.local import MODEL, LocalEngine
from voice.errors import ProtocolError
from voice.policy.secrets import LONGEST_S, SHORTEST_S, USUAL_S, Grant, mint
from voice.protocol.codec import decode_client
from voice.protocol.flat import nested
from voice.protocol.refusing import SHOWN_LETTERS, need, need_one_of, one_of, unknown, wrong_kind
from voice.protocol.requests import SessionUpdate
from voice.protocol.settings import KINDS, defaults, merged, transcription_defaults
from voice.protocol.tools import refuse_taken
from voice.protocol.veil import Veil
from voice.server.realtime import ADDITIONS, DOOR, ENGINE, admitted, problem

BODY_TIMEOUT_S = 10.0
ANCHOR = "created_at"
"""What the life of a secret counts from: the only thing there is."""
OLDER_S = 60
"""Life of a secret of the older kind, as it was on the paid service."""

USER = "voice_user"
"""Our extension of the request: the name of the user whom the secret is for. What is done in the session is done in that name."""
LONGEST_USER = 200

Fields = dict[str, Any]


async def client_secrets(request: web.Request) -> web.Response:
    """`{"expires_after": {"anchor", "seconds"}, "session": {...}, "voice_user"}` -> `{"value", "expires_at", "session"}`."""
    return await _answer(request, _current)


async def sessions(request: web.Request) -> web.Response:
    """Flat settings -> the same with `id`, `object` and `client_secret: {"value", "expires_at"}`."""
    return await _answer(request, lambda body, request: _older(body, request, "realtime"))


async def transcription_sessions(request: web.Request) -> web.Response:
    """The same for sessions that only write down."""
    return await _answer(request, lambda body, request: _older(body, request, "transcription"))


async def _answer(request: web.Request, make: Callable[[Fields, web.Request], Fields]) -> web.Response:
    entry = admitted(request)
    if isinstance(entry, web.Response):
        return entry
    if entry.grant is not None:
        return problem(403, "A client secret cannot make another one: use the key.", "insufficient_permissions")
    try:
        return web.json_response(make(await _body(request), request), headers={"Cache-Control": "no-store"})
    except TimeoutError:
        return problem(408, "The body of the request did not come in time.", "request_timeout")
    except ProtocolError as exc:
        return problem(400, str(exc), exc.code, None, exc.param)


def _current(body: Fields, request: web.Request) -> Fields:
    for name in body:
        if name not in ("expires_after", "session", USER):
            raise unknown(name[:SHOWN_LETTERS])
    life_s = _life_s(body.get("expires_after"), "expires_after", USUAL_S)
    asked = body.get("session")
    session = {"type": "realtime"} if asked is None else _object(asked, "session")
    value, grant = _granted(session, life_s, request, _user(body.get(USER), request))
    return {"value": value, "expires_at": grant.exp, "session": _effective(session, grant, request)}


def _older(body: Fields, request: web.Request, kind: str) -> Fields:
    wanted = _object(body.pop("client_secret", None) or {}, "client_secret")
    life_s = _life_s(wanted.get("expires_after") or body.pop("expires_after", None), "client_secret.expires_after", OLDER_S)
    session = nested(body, kind)
    value, grant = _granted(session, life_s, request)
    _effective(session, grant, request)
    kinds = {"realtime": "realtime.session", "transcription": "realtime.transcription_session"}
    secret = {"value": value, "expires_at": grant.exp}
    return {"id": f"sess_{grant.jti}", "object": kinds[kind], **_shown_flat(body, kind, request), "client_secret": secret}


def _user(given: object, request: web.Request) -> str:
    """Who a secret is made for. Only who has shown the server key may say so. Raises: ProtocolError."""
    if given is None:
        return ""
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_USER or not given.isprintable():
        raise ProtocolError(f"Invalid value for '{USER}': expected a name of 1 to {LONGEST_USER} letters.", "invalid_value", USER)
    if request.app[DOOR].key is None:
        message = f"'{USER}' needs a server with a key (VOICE_SERVER_KEY): without one anybody could name anybody."
        raise ProtocolError(message, "invalid_value", USER)
    return given


def _granted(session: Fields, life_s: int, request: web.Request, user: str = "") -> tuple[str, Grant]:
    need_one_of(session, "type", KINDS, "session")
    grant = Grant(int(time.time()) + life_s, uuid.uuid4().hex[:24], session["type"], session, user)
    return mint(grant, request.app[DOOR].signing_key), grant


def _effective(session: Fields, grant: Grant, request: web.Request) -> Fields:
    """The settings that a session will have, as far as they are known here. Raises: ProtocolError for those that cannot be.

    The upstream of a relay knows more settings than we do: it is the judge of its own.
    """
    session_id, engine, additions = f"sess_{grant.jti}", request.app[ENGINE], request.app[ADDITIONS]
    if additions is not None and grant.scope == "realtime":
        # As the stage does, in front of every engine.
        Veil(names=() if additions.tools is None else additions.tools.names).check(session, "session")
    if not isinstance(engine, LocalEngine):
        kind = "realtime.session" if grant.scope == "realtime" else "realtime.transcription_session"
        return {**session, "id": session_id, "object": kind, "expires_at": 0}
    event = decode_client(msgspec.json.encode({"type": "session.update", "session": session}))
    assert isinstance(event, SessionUpdate)
    refuse_taken(event.session.tools, () if engine.tools is None else engine.tools.names, "session.tools")
    model = session.get("model")
    if grant.scope == "transcription":
        start = transcription_defaults(session_id, 0, engine.transcriber.name)
    else:
        start = defaults(model if isinstance(model, str) else MODEL, session_id, 0, engine.synthesizer.name)
    effective: Fields = msgspec.to_builtins(merged(start, event.session, recogniser=engine.transcriber.name))
    return effective


def _shown_flat(body: Fields, kind: str, request: web.Request) -> Fields:
    if kind == "transcription":
        return body
    model = {} if "model" in body or not isinstance(request.app[ENGINE], LocalEngine) else {"model": MODEL}
    return {"modalities": ["audio", "text"], **model, **body}


def _life_s(asked: object, path: str, usual_s: int) -> int:
    """Raises: ProtocolError."""
    if asked is None:
        return usual_s
    fields = _object(asked, path)
    one_of(fields.get("anchor", ANCHOR), f"{path}.anchor", (ANCHOR,))
    seconds = usual_s if fields.get("seconds") is None else fields["seconds"]
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        raise wrong_kind(f"{path}.seconds", "an integer")
    need(seconds, f"{path}.seconds", lambda value: SHORTEST_S <= value <= LONGEST_S, f"{SHORTEST_S} to {LONGEST_S}")
    return seconds


def _object(value: object, path: str) -> Fields:
    """Raises: ProtocolError."""
    if not isinstance(value, dict):
        raise wrong_kind(path, "an object")
    return value


async def _body(request: web.Request) -> Fields:
    """Raises: ProtocolError, TimeoutError."""
    async with asyncio.timeout(BODY_TIMEOUT_S):
        raw = await request.read()
    try:
        body = msgspec.json.decode(raw) if raw.strip() else {}
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as exc:
        raise ProtocolError("We could not parse the JSON body of your request.", "invalid_json") from exc
    if not isinstance(body, dict):
        raise ProtocolError("The body of the request is not a JSON object.", "invalid_type")
    return body
