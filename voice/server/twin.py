"""`voice.twin()`: a twin on a free port of this machine, in this process, for a test.

async with voice.twin('[[reply]]\\nsay = "Hello."') as twin:
    client = AsyncOpenAI(base_url=twin.base_url, api_key="any")
    ...
    assert twin.sessions[0].up("session.update")
"""

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from voice.engines.local import LIFE_S, counted_ids
from voice.engines.script import Script, default_script, load_faults, load_script, read_script, toml_text
from voice.engines.twin import TwinEngine, TwinOptions, twin_engine
from voice.errors import UsageError
from voice.links.trace import Sink, WireTraces
from voice.policy.faults import FaultPlan, faults_of, read_faults
from voice.policy.tables import near
from voice.protocol.dialect import DIALECTS
from voice.server.app import ServeOptions, served
from voice.server.found import twin_findings


@dataclass(frozen=True, slots=True)
class TwinTrace:
    """What has passed in one session so far, oldest first."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    """`{"t", "dir", "link", "event"}`: "up" is from the client. A message that is no JSON is told as a text."""

    def up(self, kind: str = "") -> list[dict[str, Any]]:
        """The events of the client, of one type or of all."""
        return self._events("up", kind)

    def down(self, kind: str = "") -> list[dict[str, Any]]:
        """The events that it got."""
        return self._events("down", kind)

    def write(self, line: str) -> None:
        """One more; for `WireTraces`."""
        self.lines.append(json.loads(line))

    def _events(self, direction: str, kind: str) -> list[dict[str, Any]]:
        events = [line["event"] for line in self.lines if line["dir"] == direction and isinstance(line["event"], dict)]
        return [event for event in events if kind in ("", event.get("type"))]


@dataclass(frozen=True, slots=True)
class Twin:
    """A twin that listens."""

    address: str
    """`http://127.0.0.1:PORT`."""
    engine: TwinEngine
    sessions: list[TwinTrace] = field(default_factory=list)
    """Every session since it listens, in the order in which they began."""

    @property
    def url(self) -> str:
        """Of its WebSocket: what `voice.connect` and other clients of the protocol take."""
        return f"{self.address.replace('http', 'ws', 1)}/v1/realtime"

    @property
    def base_url(self) -> str:
        """What SDKs call so, and `OPENAI_BASE_URL`."""
        return f"{self.address}/v1"


@asynccontextmanager
async def twin(
    script: str | Path | Mapping[str, Any] | Script | None = None,
    *,
    faults: str | Path | Mapping[str, Any] | FaultPlan | None = None,
    life_s: float = LIFE_S,
    hurry: bool = False,
    dialect: str | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Twin]:
    """A twin that answers as `script` says: the text of one, the path of its file, what that would be read as, or None for an echo.

    `hurry`: its delays and paces are passed over, the order stays. `faults`: what goes wrong, in the same forms. `dialect`: see `twin_listens`.
    Raises: ConfigError (with file, line and key), UsageError (an unknown dialect), MissingError (the port is taken).
    """
    sessions: list[TwinTrace] = []

    @contextmanager
    def noted(number: int) -> Iterator[Sink]:
        sessions.append(TwinTrace())
        yield sessions[-1]

    chosen, listens = _script(script), twin_listens(ServeOptions(host, port), dialect)
    options = TwinOptions(life_s, hurry=hurry, faults=_faults(faults), witness=WireTraces(noted, time.monotonic))
    async with twin_engine(chosen, options) as engine:
        async with served(engine, listens, twin_findings(engine)) as (_, address):
            yield Twin(address, engine, sessions)


def twin_listens(options: ServeOptions, dialect: str | None) -> ServeOptions:
    """How a twin listens: what it puts on the wire is counted, and it speaks this dialect to everybody; None: today's protocol, and the beta
    to clients that show that they want it. Raises: UsageError.
    """
    if dialect is not None and dialect not in DIALECTS:
        raise UsageError(f"no dialect '{dialect}'{near(dialect, tuple(DIALECTS))}")
    return replace(options, dialect=dialect, new_ids=lambda: counted_ids("t"))


def _faults(given: str | Path | Mapping[str, Any] | FaultPlan | None) -> FaultPlan | None:
    match given:
        case Path():
            return load_faults(given)
        case str():
            return read_faults(toml_text(given, "faults"), "faults")
        case Mapping():
            return faults_of(given)
        case None | FaultPlan():
            return given
        case _:
            raise UsageError(f"faults is TOML as text, the Path of a file, or a whole file as a mapping, not {given!r:.80}")


def _script(given: str | Path | Mapping[str, Any] | Script | None) -> Script:
    match given:
        case None:
            return default_script()
        case Script():
            return given
        case Path():
            return load_script(given)
        case str():
            return read_script(toml_text(given, "script"), "script")
        case Mapping():
            return read_script(given, "script")
        case _:
            raise UsageError(f"script is TOML as text, the Path of a file, or a whole file as a mapping, not {given!r:.80}")
