"""Every answering session of every test is judged, whatever the test looks at: the order of its events, and their form.

`conftest.py` switches it on. In this process and in every Python that a test starts (`noting/sitecustomize.py`) a `ServerSession`
leaves what it sends; when the test is over, that passes the order checker and the typed models of the `openai` package.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from tests.support.needs import missing
from tests.support.oracle import judge
from tests.support.order import Order
from tests.support.order_rules import AUDIO_DELTA

NOTING = Path(__file__).parent / "noting"


class Sessions:
    """All that were seen so far; a session may outlive a test, and is judged further after the next one."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.count = 0
        """How many sessions were judged, of this process and of others."""
        self._here: list[tuple[Order, str]] = []
        self._orders: WeakKeyDictionary[object, Order] = WeakKeyDictionary()
        self._read: dict[Path, tuple[Order, int]] = {}

    def judge(self) -> None:
        """What has come since the last call. Raises: AssertionError."""
        here, self._here = self._here, []
        for order, text in here:
            examine(order, text)
        for path in sorted(self.folder.glob("*.jsonl")) if self.folder else ():
            if path.stat().st_size == (self._read[path][1] if path in self._read else 0):
                continue
            order, at = self._read.get(path) or (self.begun(), 0)
            with path.open("rb") as notes:
                notes.seek(at)
                text = notes.read()
            whole = text[: text.rfind(b"\n") + 1]
            # What is wrong in it is told once, to the test that it belongs to.
            self._read[path] = (order, at + len(whole))
            for line in whole.decode().split("\n")[:-1]:
                examine(order, line)

    def begun(self) -> Order:
        """A new session."""
        self.count += 1
        return Order()

    def sent(self, session: object, texts: list[str]) -> None:
        """A session of this process has sent this."""
        if session not in self._orders:
            self._orders[session] = self.begun()
        self._here += [(self._orders[session], text) for text in texts]

    def forget(self) -> None:
        """What was not judged yet is not judged."""
        self._here.clear()


def examine(order: Order, text: str) -> None:
    """One event of a session. Raises: AssertionError."""
    event: dict[str, Any] = json.loads(text)
    assert len(text) < 1 << 20, "an event stays under 1 MiB"
    order.see(event)
    # One piece of sound is like the other, and there are many.
    if not missing("openai") and (event["type"] != AUDIO_DELTA or order.seen[-2]["type"] != AUDIO_DELTA):
        judge("server", text)


@contextmanager
def watched(sessions: Sessions) -> Iterator[None]:
    """Every `ServerSession` of this process is one of these `sessions` from now on."""
    from voice.protocol.server import ServerSession

    outgoing = ServerSession.outgoing

    def noting(session: Any) -> list[str]:
        texts = outgoing(session)
        if texts and not getattr(session, "judged_elsewhere", False):
            sessions.sent(session, texts)
        return texts

    ServerSession.outgoing = noting  # type: ignore[method-assign]
    try:
        yield
    finally:
        ServerSession.outgoing = outgoing  # type: ignore[method-assign]
