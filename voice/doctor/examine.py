"""The whole examination, in order. Nothing leaves the machine unless an upstream is named."""

import contextlib
import os
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path

from voice.doctor.finding import Finding
from voice.doctor.programs import imports, programs
from voice.engines.providers import Provider, provider


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to examine besides this machine."""

    provider: str | None = None
    url: str | None = None
    model: str | None = None
    file: Path | None = None
    """The configuration to use instead of the usual ones."""
    timeout_s: float = 5.0
    """For each step on the way to an upstream."""


async def examine(wanted: Wanted, environ: Mapping[str, str] = os.environ) -> AsyncGenerator[Finding, None]:
    """Each finding as it is made. Raises: UsageError for a provider or an address that is none."""
    # First, so that a slip in the command is not told after all the work.
    service = provider(wanted.provider, environ) if wanted.provider else None
    for finding in programs():
        yield finding
    # What follows imports them.
    broken = imports()
    if broken is not None:
        yield broken
        return
    async with contextlib.aclosing(_rest(wanted, service, environ)) as findings:
        async for finding in findings:
            yield finding


async def _rest(wanted: Wanted, service: Provider | None, environ: Mapping[str, str]) -> AsyncGenerator[Finding, None]:
    from voice.doctor.machine import configuration, port, sound
    from voice.doctor.models import models
    from voice.doctor.tooling import tools
    from voice.doctor.upstream import to_address, to_service
    from voice.links.dial import realtime_url

    url = realtime_url(wanted.url, wanted.model) if wanted.url else None
    config, finding = configuration(wanted.file, environ)
    yield finding
    for finding in tools(config.tools, config.environ):
        yield finding
    for finding in sound():
        yield finding
    yield await port(config.settings.host, config.settings.port)
    parts = [models(config.settings.speech, needed=service is None and url is None)]
    if url is not None:
        parts.append(to_address(url, config.environ, wanted.timeout_s))
    if service is not None:
        parts.append(to_service(service, wanted.model, config.environ, wanted.timeout_s))
    for part in parts:
        async with contextlib.aclosing(part) as findings:
            async for finding in findings:
                yield finding
