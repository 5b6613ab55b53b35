"""The way to an upstream: its key, then each step from the name to the first event."""

import contextlib
from collections.abc import AsyncGenerator, Mapping

from voice.doctor.finding import BAD, NOTE, OK, Finding
from voice.engines.providers import Provider, key_for, key_name_for, needed_key
from voice.errors import VoiceError
from voice.links.dial import realtime_url
from voice.links.probe import probe

MODEL = "gpt-realtime"
"""Asked for where none is named: most Realtime services want one in the address."""


async def to_address(url: str, environ: Mapping[str, str], timeout_s: float) -> AsyncGenerator[Finding, None]:
    """A complete ws(s):// address. Its key goes along if one is set."""
    try:
        key = key_for(url, environ)
    except VoiceError as exc:
        yield Finding("key", BAD, str(exc), "a key is one line of letters, digits, - and _")
        return
    said = "set, and sent" if key else "none is set for this address: it is asked without"
    yield Finding("key", OK if key else NOTE, said, "" if key else f"set {key_name_for(url)} if it wants one")
    async with contextlib.aclosing(_visit(url, {"Authorization": f"Bearer {key}"} if key else {}, timeout_s, "")) as findings:
        async for finding in findings:
            yield finding


async def to_service(chosen: Provider, model: str | None, environ: Mapping[str, str], timeout_s: float) -> AsyncGenerator[Finding, None]:
    """A provider: its Realtime address and its chat address, whichever it has."""
    of_events = "; its events are known from recordings that others have published" if chosen.recorded else ""
    told = f"unverified, known from its documents only{of_events}: what follows is what really answers"
    spoken = "" if chosen.realtime_url is None else f"; its dialect is {_dialect(chosen.dialect)}"
    yield Finding("provider", OK if chosen.recorded else NOTE, f"{chosen.name}, {told}{spoken}")
    try:
        key = needed_key(chosen, environ)
    except VoiceError as exc:
        said, _, fix = str(exc).partition(": ")
        yield Finding("key", BAD, said, fix or "see docs/operations.md")
        return
    yield Finding("key", OK, "set, and sent (never shown)" if key else "none is needed")
    addresses = []
    if chosen.realtime_url is not None:
        addresses.append(
            ("realtime", realtime_url(chosen.realtime_url, model or (MODEL if chosen.realtime_model is None else chosen.realtime_model)))
        )
    if chosen.chat_url is not None:
        addresses.append(("chat", f"{chosen.chat_url}/models"))
    for label, url in addresses:
        async with contextlib.aclosing(_visit(url, chosen.headers(key), timeout_s, f"{label} ")) as findings:
            async for finding in findings:
                yield finding


def _dialect(name: str) -> str:
    return "heard in its first event" if name == "auto" else f"'{name}'"


async def _visit(url: str, headers: Mapping[str, str], timeout_s: float, label: str) -> AsyncGenerator[Finding, None]:
    async with contextlib.aclosing(probe(url, headers, timeout_s)) as steps:
        async for step in steps:
            yield Finding(f"{label}{step.name}", OK if step.ok else BAD, step.said, step.fix, step.took_ms)
