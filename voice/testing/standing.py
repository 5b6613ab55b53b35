"""A twin as a test has it: where it is, what it is to do, what it has seen. It stands in a thread of its own (`inside.py`)."""

import asyncio
from dataclasses import replace
from types import TracebackType

from voice.engines.local import LIFE_S
from voice.engines.script import Script
from voice.engines.twin import TwinOptions
from voice.policy.faults import FaultPlan
from voice.server.app import ServeOptions
from voice.server.twin import twin_listens
from voice.testing import given
from voice.testing.inside import TwinThread
from voice.testing.seen import Event, Log, TwinSession

WAIT_S = 10.0
"""For an event that a test waits for."""


class VoiceTwin:
    """A double of the service at `url` (WebSocket) and `base_url` (what SDKs take). Made by `voice.testing.twin`, and by the fixture."""

    def __init__(self, script: Script, faults: FaultPlan, options: TwinOptions, dialect: str | None) -> None:
        self._script = _spoken(script)
        self._faults = faults
        self._log = Log()
        self._inside = TwinThread(options, twin_listens(ServeOptions(port=0), dialect), self._log)

    def __enter__(self) -> "VoiceTwin":
        self._inside.start(self._script, self._faults)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None) -> None:
        self._inside.stop()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:PORT`."""
        return self._inside.address

    @property
    def url(self) -> str:
        """`ws://127.0.0.1:PORT/v1/realtime`."""
        return f"{self.address.replace('http', 'ws', 1)}/v1/realtime"

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:PORT/v1`."""
        return f"{self.address}/v1"

    @property
    def sessions(self) -> list[TwinSession]:
        """Every connection so far."""
        return self._log.sessions()

    def script(self, script: given.Script) -> None:
        """Answer so from the next session on, from the first reply. Raises: ConfigError."""
        self._script = _spoken(given.script_of(script))
        self._inside.play(self._script)

    def faults(self, faults: given.Faults) -> None:
        """Misbehave so from the next session on, which counts as the first. Raises: ConfigError."""
        self._faults = given.faults_of(faults)
        self._inside.misbehave(self._faults)

    def wait_for(self, kind: str, index: int = 0, timeout_s: float = WAIT_S, session: int | None = None) -> Event:
        """An event of either side by its type (a * stands for any letters) and index, from 0, of one session or of all.

        Raises: AssertionError that says what came instead; at once in a coroutine, whose loop must not stand still: see `wait_for_async`.
        """
        __tracebackhide__ = True
        return self._log.wait_for(kind, index, _patience_s(timeout_s), session)

    async def wait_for_async(self, kind: str, index: int = 0, timeout_s: float = WAIT_S, session: int | None = None) -> Event:
        """The same for coroutines."""
        __tracebackhide__ = True
        return await asyncio.to_thread(self._log.wait_for, kind, index, timeout_s, session)

    def wait_ended(self, session: int = 1, timeout_s: float = WAIT_S) -> tuple[int, str]:
        """Close code and reason of a session that ends. Raises: AssertionError if it does not."""
        __tracebackhide__ = True
        return self._log.wait_ended(session, _patience_s(timeout_s))

    async def wait_ended_async(self, session: int = 1, timeout_s: float = WAIT_S) -> tuple[int, str]:
        """The same for coroutines."""
        __tracebackhide__ = True
        return await asyncio.to_thread(self._log.wait_ended, session, timeout_s)

    def complain(self) -> None:
        """Raises: AssertionError if a scripted reply was not used, or a fault has not happened."""
        __tracebackhide__ = True
        engine = self._inside.engine
        replies = [f"reply {reply.number} was not used" for reply in engine.script.replies if reply.number not in engine.taken]
        faults = [f"the fault at {fault.where} has not happened" for fault in self._faults.unused()]
        if replies or faults:
            raise AssertionError("; ".join((*replies, *faults)) + "".join(f"\n  {session}" for session in self.sessions))


def twin_of(
    script: given.Script = None,
    faults: given.Faults = None,
    *,
    life_s: float = LIFE_S,
    hurry: bool = False,
    dialect: str | None = None,
) -> VoiceTwin:
    """See `voice.testing.twin`; stands while it is entered. Raises: ConfigError, UsageError."""
    given.checked_dialect(dialect)
    return VoiceTwin(given.script_of(script), given.faults_of(faults), TwinOptions(life_s, hurry=hurry), dialect)


def _spoken(script: Script) -> Script:
    """By tones, unless it names a voice: the same on every machine, and at once."""
    return replace(script, voice="tones") if script.voice == "auto" else script


def _patience_s(timeout_s: float) -> float:
    """How long this thread may stand still: not at all where a loop runs in it."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return timeout_s
    return 0.0
