"""Thirty turns of `voice talk` with interruptions at random moments, against the strict twin: both sides agree, to the word that was heard."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.heard_words import Listener
from tests.support.long_talk import Outcome, User, long_talk
from tests.support.noises import cough, mm_hm
from tests.support.virtual_time import played
from voice.devices.wavfile import read_wav
from voice.protocol.conversation import text_of

TURNS = 30
WAV_FOLDER = Path(__file__).resolve().parent.parent / "fixtures/wav"
WAVS = ("time-slt", "date-rms", "keys-awb", "france-slt", "sum-awb")
NOUNS = """apple anchor basket bridge candle castle desert dragon engine feather forest garden hammer harbor island jacket ladder lemon
marble meadow mirror needle packet pencil pillow planet rabbit ribbon saddle summer table ticket tunnel turtle violin walnut
winter wizard yellow copper doctor kitten magnet oyster quartz tailor uncle banner hollow ivory nickel""".split()
"""No two have the same tone, and replies that follow each other share none."""
ASIDE = ["pardon"]
"""The answer to what is no question."""
UH_HUH = "uh huh"
ACTS = ("nothing", "soon", "later", "enter", "cough", "mm-hm")
"""The last two are interruptions to a server that decides by itself."""
APART_S = 0.8
"""Silence after speech, so that what follows is another turn."""


@pytest.mark.parametrize(("seed", "decide"), [(0, True), (1, True), (2, True), (3, False)])
def test_both_sides_agree_on_what_was_said_and_heard(seed: int, decide: bool) -> None:
    outcome = conversation(seed, decide)
    assert {line["error"]["code"] for line in outcome.events("error")} <= {"response_cancel_not_active"}
    assert outcome.taken.summary["errors"] == []
    told = [(line.item_id, line.role, line.text) for line in outcome.client]
    assert told == [(str(item.id), item.role, text_of(item)) for item in outcome.server]
    answers = {f"question {number}": reply["say"].split() for number, reply in enumerate(script(seed)["reply"])}
    listener, asked, answered = Listener(outcome.sound), [""], [""]
    for _, role, text in told:
        if role == "user":
            asked.append(text)
            continue
        kept, reply = text.split(), answers.get(asked[-1], ASIDE)
        assert asked[-1] not in answers or asked[-1] not in answered, "answered twice"
        answered.append(asked[-1])
        assert reply[: len(kept)] == kept
        listener.hear(reply, len(kept))
    listener.ends()
    assert [words for words in asked if words in answers] == [f"question {number}" for number in range(1, TURNS + 1)]
    check_frames(outcome.taken.summary)


def test_the_same_user_gives_the_same_conversation() -> None:
    first, second = conversation(3, turns=6), conversation(3, turns=6)
    assert first.trace == second.trace and (first.sound == second.sound).all()


def conversation(seed: int, decide: bool = True, turns: int = TURNS) -> Outcome:
    return played(long_talk(script(seed), Conversation(seed, turns, ACTS if decide else ACTS[:4]).talk, seed, decide))


def check_frames(summary: dict[str, Any]) -> None:
    assert summary["frames_captured"] == summary["frames_committed"] + sum(summary["frames_discarded"].values()) + summary["frames_lost"]
    assert summary["frames_lost"] == 0


def script(seed: int) -> dict[str, Any]:
    """An answer to each question, at any pace."""
    rng = np.random.default_rng(seed)
    replies: list[dict[str, Any]] = [{"when": {"heard": f"^({UH_HUH})?$"}, "say": " ".join(ASIDE)}]
    for number in range(1, TURNS + 1):
        words = np.concatenate([rng.permutation(NOUNS[number % 3 :: 3]) for _ in range(3)])[: int(rng.integers(3, 45))]
        reply = {"when": {"heard": f"^question {number}$"}, "say": " ".join(words), "delay_ms": int(rng.choice([0, 150, 600]))}
        replies.append(reply | {"pace": float(rng.choice([1.05, 2.0, 5.0, 20.0])), "chunk_ms": int(rng.choice([40, 100, 200]))})
    return {"reply": replies, "transcript_delay_ms": int(rng.choice([0, 120, 350]))}


class Conversation:
    """What the user does."""

    def __init__(self, seed: int, turns: int, acts: Sequence[str]) -> None:
        self._turns = turns
        self._acts = acts
        self._rng = np.random.default_rng([seed, 1])
        self._sounds = {name: np.concatenate(list(read_wav(f"{WAV_FOLDER}/{name}.wav"))) for name in WAVS}

    async def talk(self, user: User) -> None:
        for number in range(1, self._turns + 1):
            await self._ask(user, f"question {number}")
            await self._meanwhile(user)

    async def _ask(self, user: User, words: str) -> None:
        if self._rng.uniform() < 0.25:
            user.type(words)
            return await asyncio.sleep(0.1)
        await user.say(self._sounds[str(self._rng.choice(WAVS))], words)
        await asyncio.sleep(APART_S)

    async def _meanwhile(self, user: User) -> None:
        """Until the next question: at any moment of the answer, or before it."""
        act = str(self._rng.choice(self._acts))
        if act == "soon":
            return await asyncio.sleep(self._rng.uniform(0, 1.0))
        await user.state("speaking", "listening")
        if act != "nothing":
            await asyncio.sleep(self._rng.uniform(0, 6.0))
        match act:
            case "enter":
                user.type("")
                await asyncio.sleep(self._rng.uniform(0, 0.5))
            case "cough":
                await user.say(cough(int(self._rng.integers(1_000))))
                await asyncio.sleep(APART_S + self._rng.uniform(0, 3.0))
            case "mm-hm":
                await user.say(mm_hm(int(self._rng.integers(1_000))), UH_HUH)
                await asyncio.sleep(APART_S + self._rng.uniform(0, 3.0))
            case "nothing":
                await user.state("listening")
