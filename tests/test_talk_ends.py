"""`voice talk --input FILE` comes to its end, and each question of the file is a turn, whatever the moment its answers come."""

import asyncio
from typing import Any

import numpy as np
import pytest

from tests.support.long_talk import WALL_S, HeardSpeaker
from tests.support.served import counted
from tests.support.talking import Taken
from tests.support.virtual_time import played
from tests.support.wav import write_wav
from tests.test_long_talk import NOUNS, WAV_FOLDER, WAVS
from voice.audio.echo import EchoReading
from voice.audio.pcm import ms_in
from voice.audio.turns import TurnDetector, TurnSettings
from voice.audio.vad import make_detector
from voice.devices.wavfile import read_wav
from voice.devices.wavmic import WavMicrophone
from voice.engines import twin
from voice.engines.cues import Cue, Cues
from voice.engines.script import Reply, read_script
from voice.engines.speaker import Clocks
from voice.engines.twin import TwinEngine, TwinOptions
from voice.protocol.floor import HOLD_S
from voice.session import hold, settings_of
from voice.talk import Talk, TalkOptions

QUESTIONS = 4
BOUND_S = 60.0
"""Behind the end of the file: the longest answer, and what is left of those before it."""
LOUD = 1_000
"""Peak of a sample that is speech."""
NOTICED_S = 0.15
"""Speech is noticed within."""
BAD = EchoReading(level_db=-30.0, erle_db=3.0, settled=True, played_ms=60_000)
CASES = ["trusted", "not trusted", "trusted, our turns", "not trusted, our turns"]


@pytest.mark.parametrize("seed", [0, 1, 6])
@pytest.mark.parametrize(("echo", "turns"), [(None, "server"), (BAD, "server"), (None, "client"), (BAD, "client")], ids=CASES)
def test_it_ends_and_every_question_is_a_turn(seed: int, echo: EchoReading | None, turns: str, tmp_path: Any) -> None:
    taken, unheard = played(conversation(seed, echo, turns, f"{tmp_path}/questions.wav"))
    assert taken.summary["errors"] == []
    told = [(turn["user_text"], turn["status"]) for turn in taken.turns if turn["user_text"]]
    asked = {words for words, _ in told}
    assert {f"question {number}" for number in range(1, QUESTIONS + 1) if number not in unheard} <= asked, (told, unheard)
    assert len(told) == len(asked), told
    assert told[-1][1] == "completed" and {status for _, status in told} <= {"completed", "cancelled"}, told


async def conversation(seed: int, echo: EchoReading | None, turns: str, path: str) -> tuple[Taken, set[int]]:
    """What was told, and the questions that began while an answer was played to a microphone that is not trusted."""
    rng, clock = np.random.default_rng(seed), asyncio.get_running_loop().time
    began_s, taken, unheard = clock(), Taken(), set[int]()
    sound, starts_s = [np.zeros(8_000, np.int16)], list[float]()
    for _ in range(QUESTIONS):
        question = np.concatenate(list(read_wav(f"{WAV_FOLDER}/{rng.choice(WAVS)}.wav")))
        starts_s.append((sum(part.size for part in sound) + int(np.argmax(np.abs(question) > LOUD))) / 16_000)
        sound += [question]
        sound += [np.zeros(int(16_000 * rng.uniform(0.9, 6.0)), np.int16)]
    write_wav(path, np.concatenate(sound), 16_000)
    file_s = ms_in(sum(part.size for part in sound)) / 1000

    class Overhearing(Cues):
        def hear(self, answered: bool = True) -> Cue:
            asked = sum(clock() - began_s >= start_s for start_s in starts_s)
            return Cue(Reply(number=0, heard=f"question {asked}", transcript_delay_ms=int(rng.choice([0, 300, 2_000]))), 0)

    replies = [
        {
            "when": {"heard": f"^question {number}$"},
            "say": " ".join(rng.choice(NOUNS, int(rng.integers(3, 25)))),
            "delay_ms": int(rng.integers(0, 4_000)),
            "pace": float(rng.choice([1.05, 5.0])),
        }
        for number in range(1, QUESTIONS + 1)
    ]
    script = {"voice": "tones", "reply": replies}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twin, "Cues", Overhearing)
        clocks = Clocks(clock, lambda: WALL_S + clock() - began_s)
        engine = TwinEngine(read_script(script, "ends.toml"), None, TwinOptions(clocks=clocks))
        detector = TurnDetector(TurnSettings(), make_detector())
        settings = settings_of(turns=turns, decide=True)
        opened = hold(engine=engine, settings=settings, detector=detector, new_id=counted("c"), clock=clock)
        async with opened as session, asyncio.TaskGroup() as group:
            microphone, speaker = WavMicrophone(path, clock=clock), HeardSpeaker(clock)
            microphone.echo = echo  # type: ignore[assignment]

            async def watched() -> None:
                for number, start_s in enumerate(starts_s, 1):
                    await asyncio.sleep(began_s + start_s - HOLD_S - clock())
                    for _ in range(round((HOLD_S + NOTICED_S) * 100)):
                        if echo is BAD and speaker.busy and not speaker.held:
                            unheard.add(number)
                        await asyncio.sleep(0.01)

            card = group.create_task(speaker.run())
            talk = Talk(TalkOptions(turns=turns), session, microphone, speaker, taken)
            watch = group.create_task(watched())
            async with asyncio.timeout(file_s + BOUND_S):
                await talk.run(nobody())
            card.cancel()
            watch.cancel()
    return taken, unheard


async def nobody() -> Any:
    """Types nothing."""
    await asyncio.Event().wait()
    yield ""
