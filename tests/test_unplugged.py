"""`voice talk` on sound cards that PortAudio really opens, and that go and come back while it runs: the conversation goes on."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.live_talk import LiveTalk, live_talk
from tests.support.needs import needs
from tests.support.until import until
from tests.support.virtual_audio import Cards, virtual_audio

pytestmark = [pytest.mark.slow, needs("libportaudio2", "pulseaudio", "pocketsphinx", "espeakng-loader")]

QUESTION = Path(__file__).resolve().parent.parent / "fixtures/wav/time-slt.wav"


@asynccontextmanager
async def asked(folder: Path) -> AsyncIterator[tuple[Cards, LiveTalk]]:
    """A conversation in which one question has been answered."""
    async with asyncio.timeout(150), virtual_audio(folder) as cards, live_talk(cards.environment) as talk:
        await talk.state("listening")
        await cards.say(QUESTION)
        await talk.turn(1)
        await talk.state("listening")
        yield cards, talk


async def asks_again(cards: Cards, talk: LiveTalk) -> None:
    """A question that is answered. A busy machine may lose one on the way between cards."""
    known = len(talk.turns)
    while len(talk.turns) == known:
        await cards.say(QUESTION)
        try:
            await talk.turn(known + 1, within_s=15)
        except TimeoutError:
            continue
    turn = talk.turns[known]
    assert turn["status"] == "completed" and turn["heard_ms"] == turn["reply_ms"] > 500, turn
    await talk.state("listening")


async def ends(talk: LiveTalk) -> None:
    assert await talk.end() == 130 and "Traceback" not in talk.errors, talk.errors
    assert "Expression" not in talk.errors and "ALSA" not in talk.errors, "what libraries think of it"
    discarded = talk.summary["frames_discarded"]
    assert talk.summary["frames_captured"] == talk.summary["frames_committed"] + sum(discarded.values()) + talk.summary["frames_lost"]
    assert discarded.get("bound", 0) + discarded.get("stale", 0) > 10, "time went on without a card"


async def test_the_sound_server_is_killed_and_started_again(tmp_path: Path) -> None:
    async with asked(tmp_path) as (cards, talk):
        await cards.kill()
        await until(lambda: "have gone: plug" in talk.errors)
        talk.type("what is seven times eight")
        await until(lambda: "thinking" in talk.states)
        await cards.start()
        await until(lambda: "are back" in talk.errors)
        turn = await talk.turn(2)
        assert turn["heard_ms"] == turn["reply_ms"] > 500, "the answer has waited for a loudspeaker"
        await talk.state("listening")
        await asks_again(cards, talk)
        await ends(talk)


async def test_the_sound_server_freezes_and_goes_on_and_does_not_hold_up_the_end(tmp_path: Path) -> None:
    async with asked(tmp_path) as (cards, talk):
        cards.daemon.send_signal(signal.SIGSTOP)
        await until(lambda: "does not answer" in talk.errors)
        cards.daemon.send_signal(signal.SIGCONT)
        await until(lambda: "opened again" in talk.errors or "are back" in talk.errors)
        await asks_again(cards, talk)
        said = talk.errors.count("does not answer")
        cards.daemon.send_signal(signal.SIGSTOP)
        await until(lambda: talk.errors.count("does not answer") > said)
        await ends(talk)


async def test_the_microphone_is_pulled_out_and_plugged_in_again(tmp_path: Path) -> None:
    """The sound server puts the loudspeaker's own sound in its place, and the microphone back when it is there."""
    async with asked(tmp_path) as (cards, talk):
        await cards.unplug()
        await until(lambda: "that is what the loudspeaker plays, and no microphone" in talk.errors)
        talk.type("what is seven times eight")
        turn = await talk.turn(2)
        assert turn["heard_ms"] == turn["reply_ms"], "nothing has interrupted it"
        await talk.state("listening")
        assert len(talk.turns) == 2, "what it heard of itself is no question"
        await cards.plug()
        await until(lambda: "the microphone is 'mic' now" in talk.errors)
        await asks_again(cards, talk)
        assert await talk.end() == 130 and "Traceback" not in talk.errors, talk.errors
