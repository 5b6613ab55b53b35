"""The thread of a twin: sessions that run keep their engine, orders are waited for, failures are those of who ordered."""

import json

import pytest
from websockets.sync.client import connect

from voice.engines.script import read_script
from voice.engines.twin import TwinEngine, TwinOptions
from voice.links.faulty import Faults
from voice.links.sights import Began, Sight
from voice.policy.faults import FaultPlan, read_faults
from voice.server.app import ServeOptions
from voice.testing.inside import Changing, TwinThread

SCRIPT = read_script('voice = "tones"\n[[reply]]\nsay = "x"', "s")


def test_the_sessions_of_all_twins_are_counted() -> None:
    one, other = TwinEngine(SCRIPT), TwinEngine(SCRIPT)
    engine = Changing(one, Faults())
    one.sessions = 2
    engine.change(other)
    other.sessions = 1
    assert engine.sessions == 3 and engine.engine is other and engine.name == "twin"


def test_a_thread_does_what_it_is_told_and_ends() -> None:
    seen: list[tuple[int, Sight]] = []
    thread = TwinThread(TwinOptions(), ServeOptions(port=0), lambda number, sight: seen.append((number, sight)))
    thread.start(SCRIPT, FaultPlan())
    try:
        url = thread.address.replace("http", "ws") + "/v1/realtime"
        first = thread.engine
        with connect(url, proxy=None) as socket:
            assert json.loads(socket.recv(20))["type"] == "session.created"
        thread.play(SCRIPT)
        assert thread.engine is not first
        thread.misbehave(read_faults('[[fault]]\ndo = "refuse"', "f"))
        with pytest.raises(Exception, match="503"), connect(url, proxy=None):
            raise AssertionError
        broken = read_script('voice = "espeak"\n[[reply]]\nsay = "x"', "s")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("voice.engines.tts.make_synthesizer", lambda name: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                thread.play(broken)
    finally:
        thread.stop()
    assert seen[0] == (1, Began())
