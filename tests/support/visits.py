"""Visits to scripted servers: what `links/probe.py` has to tell about them, and that it never tells the key."""

import asyncio
import json
import secrets
from pathlib import Path

from tests.support.scripted import Handler, frame, listening
from voice.links.probe import Step, probe

CREATED = frame('{"type":"session.created","session":{}}')
KEY = f"sk-{secrets.token_hex(12)}"
HEADERS = {"Authorization": f"Bearer {KEY}"}


def error(message: str, code: str) -> str:
    """An error as the service writes it, as a body and as an event."""
    return json.dumps({"type": "error", "error": {"message": message, "code": code}})


async def visit(url: str, timeout_s: float = 5.0, cafile: Path | None = None, headers: dict[str, str] | None = None) -> list[Step]:
    async with asyncio.timeout(30):
        steps = [step async for step in probe(url, HEADERS if headers is None else headers, timeout_s, str(cafile) if cafile else None)]
    assert steps and not any(KEY in step.said + step.fix for step in steps)
    assert not any("\n" in step.said or "\x1b" in step.said for step in steps)
    assert all(bool(step.fix) != step.ok and step.took_ms >= 0 for step in steps)
    return steps


async def last(url: str, **options: object) -> Step:
    """The step that failed, which is the last one."""
    steps = await visit(url, **options)  # type: ignore[arg-type]
    assert [step.ok for step in steps] == [True] * (len(steps) - 1) + [False], steps
    return steps[-1]


async def told(handler: Handler, scheme: str = "ws", path: str = "/v1/realtime", **options: object) -> tuple[str, str, str]:
    async with listening(handler) as port:
        step = await last(f"{scheme}://127.0.0.1:{port}{path}", **options)
    return step.name, step.said.replace(str(port), "PORT"), step.fix
