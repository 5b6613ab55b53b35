"""`voice.twin()`: a twin on a free port of this machine, in this process, for a test.

async with voice.twin('[[reply]]\\nsay = "Hello."') as twin:
    client = AsyncOpenAI(base_url=twin.base_url, api_key="any")
    ...
    assert twin.sessions[0].up("session.update")
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voice.engines.local import LIFE_S
from voice.engines.script import Script, default_script, load_script, read_script
from voice.engines.twin import TwinEngine, TwinOptions, twin_engine
from voice.links.trace import Sink
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
        """One more; for `TracedLink`."""
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
    script: str | Path | Script | None = None,
    *,
    life_s: float = LIFE_S,
    hurry: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Twin]:
    """A twin that answers as `script` says: the text of one, the path of its file, or None for an echo. `hurry`: its delays and paces are
    passed over, the order stays. Raises: ConfigError (with file, line and key), MissingError (the port is taken).
    """
    sessions: list[TwinTrace] = []

    @contextmanager
    def noted(number: int) -> Iterator[Sink]:
        sessions.append(TwinTrace())
        yield sessions[-1]

    chosen = _script(script)
    async with twin_engine(chosen, TwinOptions(life_s=life_s, hurry=hurry, traces=noted)) as engine:
        async with served(engine, ServeOptions(host, port), twin_findings(engine)) as (_, address):
            yield Twin(address, engine, sessions)


def _script(given: str | Path | Script | None) -> Script:
    match given:
        case None:
            return default_script()
        case Script():
            return given
        case Path():
            return load_script(given)
        case _:
            return read_script(given, "script")
