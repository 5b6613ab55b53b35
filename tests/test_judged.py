"""No session of any test goes unseen: neither one of this process nor one of a Python that the test starts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.judged import NOTING, Sessions, watched
from tests.support.served import LIFE_S, counted, loud_turns
from tests.support.wire import fake_engine, talking
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults

ROOT = Path(__file__).resolve().parent.parent
CHILD = """
from tests.support.served import LIFE_S, counted, loud_turns
from voice.protocol.server import ServerSession
from voice.protocol.settings import defaults
session = ServerSession(defaults("m", "sess_1", 9, "v"), counted("s"), loud_turns, LIFE_S)
session.receive('{"type":"session.update","session":{"type":"realtime","instructions":"a\\u2028b"}}', 0.0)
texts = session.outgoing()
if WRONG:
    session._outbox.append(texts[-1])
    session.outgoing()
"""


def server_session() -> ServerSession:
    return ServerSession(defaults("m", "sess_1", 9, "v"), counted("s"), loud_turns, LIFE_S)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_audio.done", "response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0},
        {"type": "error", "error": {"type": "x", "message": 5}},
        {"type": "thing.happened"},
    ],
)
def test_a_session_of_this_process_is_judged(event: dict[str, object], in_order: Sessions) -> None:
    sessions = Sessions()
    with watched(sessions):
        session = server_session()
        assert len(session.outgoing()) == 1
        sessions.judge()
        session._outbox.append(json.dumps({"event_id": "event_wrong", **event}))
        session.outgoing()
        with pytest.raises(AssertionError):
            sessions.judge()
    in_order.forget()
    assert sessions.count == 1


@pytest.mark.parametrize("wrong", [False, True])
def test_a_session_of_another_process_is_judged(wrong: bool, tmp_path: Path) -> None:
    place = {**os.environ, "NOTES_OF_SESSIONS": str(tmp_path), "PYTHONPATH": f"{NOTING}{os.pathsep}{ROOT}"}
    subprocess.run([sys.executable, "-c", f"WRONG = {wrong}\n{CHILD}"], cwd=ROOT, env=place, check=True, timeout=60)
    sessions = Sessions(tmp_path)
    if wrong:
        with pytest.raises(AssertionError, match="an id of its own"):
            sessions.judge()
    else:
        sessions.judge()
    assert sessions.count == 1
    sessions.judge()


async def test_the_engine_s_sessions_are_seen(all_sessions: Sessions) -> None:
    before = all_sessions.count
    async with talking(fake_engine()) as wire:
        await wire.type("Hello")
        await wire.until("response.done")
    assert all_sessions.count == before + 1


def test_the_children_of_tests_are_told_where_to_note() -> None:
    assert str(NOTING) in os.environ["PYTHONPATH"].split(os.pathsep) and Path(os.environ["NOTES_OF_SESSIONS"]).is_dir()
