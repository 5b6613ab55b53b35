"""The keys of `voice talk`: what each of them does to the conversation. How a terminal reads them is in test_keys.py and test_terminal.py."""

import asyncio

from tests.support.talking import Stage, stage
from tests.support.until import until
from voice.devices.typed import Key
from voice.protocol.notices import SessionReady, SpeechBegan, SpeechEnded, TurnCommitted
from voice.protocol.objects import Session as Settings
from voice.talk import TalkOptions


async def test_a_microphone_that_is_shut_and_opened_again() -> None:
    async with stage() as scene:
        await scene.frames(1)
        scene.press(Key.MUTE)
        await scene.state("muted")
        await scene.frames(2)
        await scene.reply()
        await scene.state("speaking")
        scene.speaker.hear_out("a")
        await scene.state("muted")
        scene.press(Key.MUTE)
        await scene.state("listening")
        await scene.frames(3)
        scene.press(Key.MUTE)
        await scene.state("muted")
        scene.press(Key.TALK)
        await scene.state("listening")
    assert scene.session.pushed == [(1, ""), (2, "muted"), (3, "")]


async def test_push_to_talk_with_its_key_and_a_muted_microphone() -> None:
    async with stage(turns="client", push_to_talk=True) as scene:
        await scene.state("muted")
        scene.press(Key.TALK)
        await scene.state("listening")
        scene.press(Key.MUTE)
        await scene.state("muted")
        await scene.frames(1)
        scene.press(Key.TALK)  # the user has the floor already: it only opens the microphone again
        await scene.state("listening")
        await scene.frames(*[2] * 6)
        scene.press(Key.TALK)
        await until(lambda: ("commit", 140) in scene.session.did)
    assert [withheld for _, withheld in scene.session.pushed] == ["muted"] + [""] * 6


async def test_a_key_does_not_wait_behind_a_message() -> None:
    async with stage() as scene:
        await scene.reply(ms=500, whole=False)
        scene.session.full = True
        scene.type("one more")
        await until(lambda: scene.taken.notes)
        scene.press(Key.STOP)
        await until(lambda: scene.speaker.stopped)
        scene.session.full = False


async def test_the_user_ends_it() -> None:
    scene = Stage(TalkOptions())
    scene.session.tell(
        SessionReady(Settings(type="realtime")), SpeechBegan(100, False, "u1"), SpeechEnded(900, False, "u1"), TurnCommitted("u1")
    )
    scene.press(Key.END)
    async with asyncio.timeout(30):
        assert await scene.talk.run(scene.lines(), scene.keys()) is True, "not a failure"
    assert scene.taken.turns[0]["status"] == "no_reply" and scene.taken.summary["turns"] == 1
