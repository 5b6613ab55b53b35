"""Truncating a real reply at each 20 ms: what is left is the words whose sound had ended by then.

Two judges that know nothing of the synthesiser's times: a recogniser that looks for the words in the sound (`support/aligned.py`),
and the sound itself: while nothing is heard no word ends.
"""

import base64
import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.aligned import word_ends
from tests.support.fakes import FakeResponder, FakeTranscriber
from tests.support.needs import needs
from tests.support.wire import Wire, talking
from voice.audio.pcm import Samples, from_bytes
from voice.audio.resample import resample
from voice.engines.local import LocalEngine, LocalOptions
from voice.engines.sentences import sentences
from voice.engines.speaker import Clocks
from voice.engines.tts import EspeakSynthesizer, FliteSynthesizer, ManagedSynthesizer

pytestmark = pytest.mark.slow

STEP_MS = 20
QUIET = 120
"""The loudest sample of a pause; full scale is 32768."""
LONG = (
    "Well, yes. I think so. You could ask her about the weather tomorrow, or look out of the window. "
    "It costs $2.10 for each of us, and the house is 5 km from here; Dr. Smith lives at the end of the street. "
    "First, open the door. Then walk through the long corridor, turn left, and take the second door on the right. "
    "One of the most important parts of a conversation is knowing when to stop and listen to what the other person has to say."
)
SPELLED = {
    **{"$2.10": "two dollars and ten cents", "5": "five", "km": "kilometers", "Dr": "doctor", "10:30": "ten thirty", "23": "twenty three"},
    **{"17": "seventeen", "391": "three hundred [and] ninety one", "3.11": "three point one one"},
}
VOICES: list[tuple[str, Callable[[], ManagedSynthesizer], pytest.MarkDecorator]] = [
    ("espeak", EspeakSynthesizer, needs("espeakng-loader", "pocketsphinx")),
    *((voice, lambda voice=voice: FliteSynthesizer(voice), needs("flite", "pocketsphinx")) for voice in ("rms", "slt", "awb")),  # type: ignore[misc]
]
EACH_VOICE = pytest.mark.parametrize("make", [pytest.param(make, id=name, marks=mark) for name, make, mark in VOICES])


async def cuts(
    make: Callable[[], ManagedSynthesizer], text: str, rate_hz: int = 24_000, **output: object
) -> tuple[Samples, dict[int, str]]:
    """A reply of these words as sound at 16 kHz, and what is left of it when it is truncated at each 20 ms, from its end down."""
    responder = FakeResponder(answer=lambda prompt: sentences(text))
    async with make() as synthesizer:
        engine = LocalEngine(
            FakeTranscriber(), synthesizer, lambda: responder, LocalOptions(clocks=Clocks(time.monotonic, time.time, None))
        )
        async with talking(engine, within_s=120) as wire:
            form = {"format": {"type": "audio/pcm", "rate": rate_hz}}
            await wire.send("session.update", session={"type": "realtime", "audio": {"output": {**form, **output}}})
            await wire.type("talk")
            done = await wire.until("response.done")
            item_id = done["response"]["output"][0]["id"]
            assert done["response"]["output"][0]["content"][0]["transcript"] == text
            sound = from_bytes(b"".join(base64.b64decode(event["delta"]) for event in wire.of("response.output_audio.delta")))
            total_ms = len(sound) * 1000 // rate_hz
            left = {ms: await cut(wire, item_id, ms) for ms in [total_ms, *range(total_ms - total_ms % STEP_MS, -1, -STEP_MS)]}
            await wire.send("conversation.item.retrieve", item_id=item_id)
            [part] = (await wire.until("conversation.item.retrieved"))["item"]["content"]
            assert part["transcript"] == ""
    return resample(sound, rate_hz, 16_000), left


async def cut(wire: Wire, item_id: str, ms: int) -> str:
    await wire.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
    event = await wire.until("conversation.item.truncated")
    assert event["audio_end_ms"] == ms and event["estimated"] is False
    return str(event["transcript"])


def spoken_words(text: str) -> list[str]:
    return [word.strip(".,;:!?") for word in text.split() if any(letter.isalnum() for letter in word)]


def judged_by_ear(sound: Samples, text: str, left: dict[int, str]) -> list[int]:
    """By how many ms each word's end was missed; a positive figure: it was kept too late."""
    words = spoken_words(text)
    audible = np.flatnonzero(np.abs(sound.astype(int)) > QUIET) // 16
    # The recogniser hears the pause behind a word as a part of it.
    ends = [int(audible[audible < end][-1]) + 1 for end in word_ends(sound, [SPELLED.get(word, word.lower()) for word in words])]
    assert len(ends) >= len(words) * 0.8, f"the judge found {len(ends)} of {len(words)} words"
    for ms, kept in left.items():
        assert text.startswith(kept)
        if ms <= ends[-1]:
            assert abs(len(spoken_words(kept)) - sum(end <= ms for end in ends)) <= 1, f"at {ms} ms: {kept[-60:]!r}"
    first = [min(ms for ms, kept in left.items() if len(spoken_words(kept)) > n) for n in range(len(ends))]
    return [told - end for told, end in zip(first, ends, strict=True)]


def judged_by_silence(sound: Samples, left: dict[int, str]) -> int:
    """Cuts in the same pause leave the same words; returns how many pauses there were."""
    quiet = np.abs(sound.astype(int)) <= QUIET
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    pauses = [(begin // 16, end // 16) for begin, end in edges.reshape(-1, 2) if end - begin >= 3 * STEP_MS * 16]
    for begin_ms, end_ms in pauses:
        # The resampling to and fro moves the edge of a sound by a little.
        inside = {kept for ms, kept in left.items() if begin_ms + 5 <= ms <= end_ms - 5}
        assert len(inside) <= 1, f"between {begin_ms} and {end_ms} ms: {inside}"
    return len(pauses)


@EACH_VOICE
async def test_what_is_left_is_what_had_been_heard(make: Callable[[], ManagedSynthesizer]) -> None:
    sound, left = await cuts(make, LONG)
    assert left[max(left)] == LONG and left[0] == ""
    errors = np.abs(judged_by_ear(sound, LONG, left))
    # The judge itself is off by some 10 ms, and by 100 where two words run into each other.
    assert np.median(errors) <= 25 and np.percentile(errors, 80) <= 60, sorted(errors)
    assert judged_by_silence(sound, left) >= 6


@EACH_VOICE
@pytest.mark.parametrize("rate_hz", [8_000, 48_000])
async def test_other_rates_do_not_shift_the_words(make: Callable[[], ManagedSynthesizer], rate_hz: int) -> None:
    text = "The meeting is at 10:30 on Monday. Hello, I am glad to see you again, my old friend."
    sound, left = await cuts(make, text, rate_hz)
    errors = np.abs(judged_by_ear(sound, text, left))
    # The judge itself is off by some 10 ms, and by 100 where two words run into each other.
    assert np.median(errors) <= 25 and np.percentile(errors, 80) <= 60, sorted(errors)


@EACH_VOICE
@pytest.mark.parametrize("speed", [0.75, 1.5])
async def test_the_words_follow_the_speed(make: Callable[[], ManagedSynthesizer], speed: float) -> None:
    text = "The meeting is at 10:30 on Monday. Hello, I am glad to see you again, my old friend."
    sound, left = await cuts(make, text, speed=speed)
    errors = np.abs(judged_by_ear(sound, text, left))
    assert np.median(errors) <= 30 and np.percentile(errors, 80) <= 80, sorted(errors)


@EACH_VOICE
async def test_the_slowest_speech_is_cut_in_its_pauses(make: Callable[[], ManagedSynthesizer]) -> None:
    sound, left = await cuts(make, "Well, yes. I think so. First, open the door; then walk.", speed=0.25)
    assert len(sound) > 12 * 16_000 and judged_by_silence(sound, left) >= 4


@needs("espeakng-loader")
@pytest.mark.parametrize(
    "text",
    [
        "안녕하세요, 지금은 오전 10시 30분입니다. 오늘 날씨는 맑습니다.",
        "It is 7:05 p.m. on Jan. 5th; 1,234,567 is 12.5% of it, e.g. in the U.S. – about ½ – “so” they say... (Really?) Yes!",
        "Wait - what? No... 😀 fine: go/no-go, AT&T & co., x = -3.5!",
    ],
)
async def test_odd_texts_are_cut_at_their_words_in_order(text: str) -> None:
    sound, left = await cuts(EspeakSynthesizer, text)
    judged_by_silence(sound, left)
    kept = [left[ms] for ms in sorted(left)]
    assert kept[0] == "" and kept[-1] == text
    assert all(text.startswith(one) and two.startswith(one) for one, two in zip(kept, kept[1:], strict=False))
    # Every word has an end of its own, but for those read as one with a neighbour.
    assert len(set(kept)) >= 0.8 * len(spoken_words(text))
