"""Pauses in a turn: the recogniser is asked what it has heard so far, and the session is told how finished that seems (`ending.py`)."""

import asyncio
import logging
from collections.abc import Callable

from voice.audio.patience import Thought
from voice.engines.base import Foretelling, Hearing
from voice.engines.ending import thought
from voice.errors import WorkerDied

log = logging.getLogger(__name__)


class PauseJudge:
    """Judges the pauses of one session. `tell(pause, thought)` is called for each, also where nothing is known, and `kick()` behind it."""

    def __init__(self, tell: Callable[[int, Thought], None], kick: Callable[[], None]) -> None:
        self._told = tell
        self._kick = kick
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, pause: int, hearing: Hearing, group: asyncio.TaskGroup) -> None:
        """What is to be thought of this pause; never waits. A recogniser that cannot say what it has heard so far is not asked."""
        if not isinstance(hearing, Foretelling):
            self._tell(pause, Thought.UNKNOWN)
            return
        task = group.create_task(self._judge(pause, hearing), name=f"judge pause {pause}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Nobody wants to know any more."""
        for task in self._tasks:
            task.cancel()

    def _tell(self, pause: int, judgement: Thought) -> None:
        self._told(pause, judgement)
        self._kick()

    async def _judge(self, pause: int, hearing: Foretelling) -> None:
        judgement = Thought.UNKNOWN
        try:
            if (so_far := await hearing.so_far()) is not None:
                judgement = thought(so_far)
        except WorkerDied:
            pass  # told when the turn ends
        except Exception:
            # A bug in a recogniser must not take the session along: it is logged, and the pause is as long as any.
            log.exception("a pause was not judged")
        self._tell(pause, judgement)
