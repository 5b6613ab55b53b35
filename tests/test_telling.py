"""Turns are told in order, once each is over: answered, its words known, its reply heard or stopped."""

import numpy as np

from tests.support.talking import FakeMicrophone, FakeSession, FakeSpeaker, Taken
from voice.devices.base import Frame
from voice.protocol.captions import NO_TURN, Caption
from voice.protocol.floor import Floor
from voice.protocol.history import HistoryLine
from voice.protocol.notices import Notice, ReplyAudio, ReplyBegan, ReplyEnded, ReplyText, SpeechBegan, SpeechEnded, TurnCommitted, UserText
from voice.protocol.played import Played
from voice.protocol.turnlog import LATE_TEXT_S, TurnLog
from voice.telling import Teller

FRAME = Frame(np.zeros(320, np.int16))


class Scene:
    """A teller, and the conversation that it tells of."""

    def __init__(self) -> None:
        self.log, self.played, self.speaker, self.taken = TurnLog(), Played(), FakeSpeaker(), Taken()
        self.microphone, self.session, self.floor = FakeMicrophone(), FakeSession(), Floor()
        self.teller = Teller(self.log, self.played, self.floor, self.session, self.speaker, self.microphone, self.taken)  # type: ignore[arg-type]

    def see(self, now: float, *notices: Notice) -> None:
        for notice in notices:
            self.log.see(notice, now)
            self.teller.see(notice, now)
            match notice:
                case ReplyBegan():
                    self.played.begin(notice.response_id)
                case ReplyAudio() if self.played.wants(notice):
                    self.speaker.play(notice.item_id, notice.samples, notice.rate_hz)
                case _:
                    pass

    @property
    def told(self) -> list[tuple[object, ...]]:
        return [(turn["index"], turn["status"], turn["heard_ms"]) for turn in self.taken.turns]


def turn(item_id: str, response_id: str, *, words: bool = True, ms: int = 100) -> list[Notice]:
    said = [UserText(item_id, "hello", True)] if words else []
    spoken = [SpeechBegan(100, False, item_id), SpeechEnded(900, False, item_id), TurnCommitted(item_id)]
    sound = ReplyAudio(response_id, f"{response_id}-item", np.ones(24 * ms, np.int16), 24_000)
    words_of_it = ReplyText(response_id, sound.item_id, "Hello.", True)
    return [*spoken, *said, ReplyBegan(response_id), sound, words_of_it, ReplyEnded(response_id, "completed", "", None)]


def test_a_turn_is_told_when_its_reply_has_been_heard() -> None:
    scene = Scene()
    scene.see(1.0, *turn("u1", "r1", ms=250))
    scene.teller.tell(1.1)
    assert scene.told == []
    scene.speaker.hear_out("r1-item")
    scene.teller.tell(1.4)
    scene.teller.tell(1.5)
    assert scene.told == [(0, "completed", 250)]


def test_a_reply_that_is_followed_by_another_one_has_been_heard() -> None:
    scene = Scene()
    scene.see(1.0, *turn("u1", "r1"), *turn("u2", "r2"))
    scene.teller.tell(1.1)
    assert scene.told == [(0, "completed", 0)]


def test_words_that_come_late_are_waited_for_but_not_for_ever() -> None:
    scene = Scene()
    scene.see(1.0, *turn("u1", "r1", words=False))
    scene.speaker.hear_out("r1-item")
    scene.teller.tell(1.0 + LATE_TEXT_S)
    assert scene.told == []
    scene.teller.tell(1.1 + LATE_TEXT_S)
    assert scene.told == [(0, "completed", 100)]


def test_a_reply_that_was_stopped_is_not_waited_for() -> None:
    scene = Scene()
    scene.see(1.0, *turn("u1", "r1"))
    scene.speaker.heard["r1-item"] = 40
    scene.played.stop(("r1-item",))
    scene.teller.tell(1.1)
    assert scene.told == [(0, "completed", 40)]


def test_at_the_end_everything_is_told() -> None:
    scene = Scene()
    scene.see(1.0, *turn("u1", "r1"), *turn("u2", "r2", words=False)[:3])
    scene.log.close()
    scene.teller.tell(1.1, final=True)
    assert scene.told == [(0, "completed", 0), (1, "no_reply", 0)]


def test_the_microphones_own_count_says_when_it_was_spoken() -> None:
    """The frame that was fetched soonest tells when the count began: later ones may have waited."""
    scene = Scene()
    for position_ms, now in ((20, 10.02), (40, 10.30), (60, 10.31)):
        scene.teller.fetched(FRAME, "", position_ms, now)
    scene.see(11.0, *turn("u1", "r1"))
    scene.speaker.began_s = lambda item_id: 11.4  # type: ignore[method-assign]
    scene.speaker.hear_out("r1-item")
    scene.teller.tell(12.0)
    (told,) = scene.taken.turns
    assert told["first_audio_ms"] == 500, "the count began at 10.0 s, the last voiced sample was its 900th ms"
    assert told["waterfall"] == {"turn_ms": 100, "delta_ms": 100, "sound_ms": 500}


def test_where_a_file_ended() -> None:
    scene = Scene()
    scene.teller.fetched(FRAME, "", 20, 1.0)
    assert scene.teller.ended_ms(20) == 20
    scene.microphone.ended = True
    scene.teller.fetched(FRAME, "", 40, 1.02)
    scene.teller.fetched(FRAME, "", 60, 1.04)
    assert scene.teller.ended_ms(60) == 20


def test_words_are_shown_as_they_are_heard_and_told_as_they_were() -> None:
    scene = Scene()
    scene.see(1.0, UserText("u1", "what", False))
    scene.teller.tell(1.1)
    assert scene.taken.shown == [(Caption(NO_TURN, "you", "what", partial=True),)]
    scene.see(1.2, *turn("u1", "r1", ms=300))
    for at, heard_ms, voice in ((1.3, 0, ""), (1.34, 300, "not looked at so soon"), (1.5, 100, ""), (1.7, 300, "Hello.")):
        scene.speaker.heard["r1-item"] = heard_ms
        scene.teller.tell(at)
        if voice == "not looked at so soon":
            continue
        you = Caption(0, "you", "hello")
        assert scene.taken.shown[-1] == ((you, Caption(0, "voice", voice)) if voice else (you,)), at
    assert not scene.told
    scene.speaker.hear_out("r1-item")
    scene.teller.tell(1.8)
    scene.teller.tell(1.95)
    assert scene.told == [(0, "completed", 300)] and scene.taken.shown[-1] == ()


def test_an_answer_that_was_interrupted_is_told_with_the_words_that_the_history_has() -> None:
    scene = Scene()
    scene.see(1.0, *turn("u1", "r1", ms=3_000))
    scene.speaker.heard["r1-item"] = 40
    scene.played.stop(("r1-item",))
    scene.session.lines_of_history.append(HistoryLine("r1-item", "assistant", "Hel", "incomplete"))
    scene.teller.tell(1.01)
    assert scene.taken.shown[0][1] == Caption(0, "voice", "Hel", partial=True, stopped=True)


def test_nobody_looks_and_nothing_is_shown() -> None:
    scene = Scene()
    scene.taken.live = False
    scene.see(1.0, *turn("u1", "r1"))
    scene.teller.tell(1.1)
    scene.speaker.hear_out("r1-item")
    scene.teller.tell(1.3)
    assert scene.told == [(0, "completed", 100)] and scene.taken.shown == [] and scene.taken.readings == []
