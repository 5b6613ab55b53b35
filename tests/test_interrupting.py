"""What speech over a reply does in `voice talk`, where the server leaves it to us and where it does not."""

import asyncio

import pytest

from tests.support.talking import SPEECH, Stage, stage
from tests.support.until import until
from voice.audio.jitter import JitterStats
from voice.audio.voicing import Voice
from voice.interrupting import backchannels
from voice.protocol.notices import (
    Notice,
    ReplyBegan,
    ReplyEnded,
    SessionReady,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    TurnResent,
    UserText,
)
from voice.protocol.objects import Audio, AudioInput, Session, Transcription, TurnDetection
from voice.protocol.overspoken import Ending

WRITTEN = SessionReady(Session(audio=Audio(AudioInput(transcription=Transcription(model="any"), turn_detection=TurnDetection()))))
QUIET = [0] * 13
COUGH = [*[SPEECH] * 10, *QUIET]
SENTENCE = [SPEECH] * 40


@pytest.fixture(autouse=True)
def spoken_with_a_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The speech of the test is a level, which has none."""
    monkeypatch.setattr(Voice, "push", lambda voice, samples, asked: asked)


async def deciding(scene: Stage, own: bool = False) -> None:
    """The server leaves it to us, and writes down what is said."""
    scene.session.arbitrates, scene.session.deciding.own = True, own
    scene.session.tell(WRITTEN)
    await scene.settled()


def turn(scene: Stage, item_id: str, ms: int) -> tuple[Notice, ...]:
    """The server makes a turn of the newest sound."""
    end_ms = scene.session.position_ms
    return SpeechBegan(end_ms - ms, False, item_id), SpeechEnded(end_ms - 240, False, item_id), TurnCommitted(item_id)


async def test_a_cough_costs_nothing() -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        await scene.frames(*COUGH)
        assert (scene.speaker.holds, scene.speaker.releases, scene.speaker.stopped) == (1, 1, 0)
        scene.session.tell(*turn(scene, "u1", 460))
        await scene.settled()
        assert scene.session.did == [], "until its words are known"
        scene.session.tell(UserText("u1", "[cough]", True))
        await until(lambda: scene.session.did)
        assert scene.session.did == [("delete", "u1")]
        scene.session.tell(ReplyEnded("r1", "completed", "", None))
        scene.speaker.hear_out("a")
        await scene.state("listening")
    assert [line["status"] for line in scene.taken.turns] == ["completed"], "it was no turn"


async def test_a_sentence_stops_the_reply_and_is_answered() -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        scene.speaker.heard["a"] = 700
        await scene.frames(*SENTENCE, *QUIET)
        assert scene.session.did == [("interrupt", "a", 700)] and scene.speaker.stopped == 1
        scene.session.tell(ReplyEnded("r1", "cancelled", "", None), *turn(scene, "u1", 1_060))
        await until(lambda: len(scene.session.did) == 2)
        assert scene.session.did[1] == ("respond", "u1")
        scene.session.tell(UserText("u1", "what time is it", True))
        await scene.reply("r2", "b")
        scene.speaker.hear_out("b")
        await until(lambda: len(scene.taken.turns) == 2)
    assert [line["user_text"] for line in scene.taken.turns] == ["", "what time is it"]


# (the words, ms that are left of the reply or None: more may come; what is done)
WORDS = [
    ("stop", None, [("interrupt", "a", 0), ("respond", "u1")]),
    ("uh-huh", None, [("delete", "u1")]),
    ("", None, [("delete", "u1")]),
    ("yes", 400, [("respond", "u1")]),
    ("yes", 3_000, [("delete", "u1")]),
]


@pytest.mark.parametrize(("words", "left_ms", "done"), WORDS, ids=[f"{words}, {left_ms} ms" for words, left_ms, _ in WORDS])
async def test_a_short_word_is_judged_when_it_is_known(words: str, left_ms: int | None, done: list[tuple[object, ...]]) -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=left_ms is not None, ms=4_000)
        await scene.frames(*COUGH)
        scene.speaker.stats = JitterStats(buffered_ms=left_ms or 0)
        scene.session.tell(*turn(scene, "u1", 460))
        await scene.settled()
        scene.session.tell(UserText("u1", words, True))
        await until(lambda: len(scene.session.did) == len(done))
        assert scene.session.did == done


async def test_words_that_never_come_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voice.interrupting.WORDS_S", 0.05)
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        await scene.frames(*COUGH)
        scene.session.tell(*turn(scene, "u1", 460))
        await scene.settled()
        await asyncio.sleep(0.06)
        await scene.frames(0)
        await until(lambda: scene.session.did)
        assert scene.session.did == [("delete", "u1")]


async def test_words_may_be_known_before_their_turn() -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        await scene.frames(*COUGH)
        scene.session.tell(UserText("u1", "mhm", True), *turn(scene, "u1", 460))
        await until(lambda: scene.session.did)
        assert scene.session.did == [("delete", "u1")]


async def test_what_only_the_server_has_heard_over_a_reply_is_taken_back_at_once() -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        await scene.frames(*[0] * 50)
        scene.session.tell(*turn(scene, "u1", 500))
        await until(lambda: scene.session.did)
        assert scene.session.did == [("delete", "u1")] and scene.speaker.holds == 0


async def test_a_turn_over_nothing_is_answered_at_once() -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.frames(*[SPEECH] * 20, *QUIET)
        scene.session.tell(*turn(scene, "u1", 660))
        await until(lambda: scene.session.did)
        assert scene.session.did == [("respond", "u1")]
        await scene.state("thinking")


async def test_a_reply_that_begins_while_its_user_speaks_on_is_stopped() -> None:
    async with stage() as scene:
        await deciding(scene)
        scene.session.tell(SpeechBegan(0, False, "u0"), SpeechEnded(10, False, "u0"), TurnCommitted("u0"))
        await until(lambda: scene.session.did)
        await scene.frames(*SENTENCE)
        assert scene.session.did[1:] == [("interrupt", None, 0)]
        scene.session.tell(ReplyBegan("r1"))
        await until(lambda: len(scene.session.did) == 3)
        assert scene.session.did[2] == ("interrupt", None, 0)


async def test_a_turn_that_is_sent_again_is_judged_anew() -> None:
    async with stage() as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        await scene.frames(*COUGH)
        first = turn(scene, "u1", 460)
        again = SpeechBegan(first[0].at_ms, False, "v1"), SpeechEnded(first[1].at_ms, False, "v1"), TurnCommitted("v1")  # type: ignore[union-attr]
        scene.session.tell(*first, TurnResent("u1"), *again, UserText("v1", "hm", True))
        await until(lambda: scene.session.did)
        assert scene.session.did == [("delete", "v1")]


@pytest.mark.parametrize("ending", Ending)
async def test_a_turn_of_ours_ends_as_it_was_spoken(ending: Ending) -> None:
    async with stage(turns="client") as scene:
        await deciding(scene, own=True)
        if ending is not Ending.ANSWER:
            await scene.reply(whole=False, ms=4_000)
        start_ms = scene.session.position_ms
        scene.session.hears.extend([[], [], [SpeechBegan(start_ms, True)]])
        await scene.frames(*[SPEECH if ending is not Ending.DROP else 0] * 10, *QUIET)
        assert scene.session.deciding.ending is ending
        scene.session.hears.append([SpeechEnded(start_ms + 200, True)])
        scene.session.deciding.starts["u1"] = max(0, start_ms - 300)
        await scene.frames(0)
        if ending is not Ending.DROP:
            scene.session.tell(TurnCommitted("u1"), UserText("u1", "mhm", True))
            await scene.settled()
        want = [("delete", "u1")] if ending is Ending.DOUBT else []
        await until(lambda: scene.session.did == want)


async def test_a_server_that_decides_is_followed_and_that_is_said_once() -> None:
    async with stage() as scene:
        scene.session.tell(WRITTEN, WRITTEN)
        await until(lambda: scene.taken.notes)
        await scene.reply(whole=False, ms=4_000)
        await scene.frames(*[SPEECH] * 6)
        assert scene.speaker.holds == 1 and scene.session.did == []
        scene.session.tell(*turn(scene, "u1", 120))
        await until(lambda: scene.session.did)
        assert scene.session.did == [("interrupt", "a", 0)]
    assert sum("decides by itself" in note for note in scene.taken.notes) == 1


async def test_half_duplex_is_neither_ducked_nor_stopped() -> None:
    async with stage(half_duplex=True) as scene:
        await deciding(scene)
        await scene.reply(whole=False, ms=4_000)
        await scene.state("speaking")
        await scene.frames(*SENTENCE)
        assert scene.speaker.holds == scene.speaker.stopped == 0
        assert {withheld for _, withheld in scene.session.pushed} == {"muted"}


async def test_half_duplex_hears_to_its_end_what_was_begun_before_the_answer() -> None:
    async with stage(half_duplex=True) as scene:
        await deciding(scene)
        scene.session.tell(SpeechBegan(0, False, "u0"), SpeechEnded(10, False, "u0"), TurnCommitted("u0"))
        await until(lambda: scene.session.did)
        await scene.frames(*[SPEECH] * 10)
        await scene.reply(whole=False, ms=4_000)
        assert scene.speaker.held, "the answer waits"
        await scene.frames(*[SPEECH] * 30)
        assert scene.session.did[1:] == [("interrupt", "a", 0)] and scene.speaker.stopped == 1
        assert {withheld for _, withheld in scene.session.pushed} == {""}


def test_the_words_of_the_package_are_read_once() -> None:
    assert backchannels() is backchannels() and backchannels().only("mhm")
