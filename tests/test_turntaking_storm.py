"""Turns under any order of sound, judgements, time, settings and answers: they stay whole, and sound alone decides about them."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.served import Served, sound, types
from voice.audio.patience import Thought
from voice.protocol.orders import ListenDropped, ListenEnded, ListenMore, ListenPaused, ListenStarted

THOUGHTS = st.sampled_from(list(Thought))
DETECTIONS: list[dict[str, Any] | None] = [
    None,
    {"type": "server_vad", "idle_timeout_ms": 500},
    {"type": "server_vad", "silence_duration_ms": 200, "interrupt_response": False},
    {"type": "semantic_vad", "eagerness": "high"},
    {"type": "semantic_vad", "eagerness": "low", "create_response": False},
]
PATTERNS = st.lists(st.tuples(st.sampled_from("#."), st.integers(1, 40)), max_size=8).map(lambda runs: "".join(c * n for c, n in runs))
ACTS = st.one_of(
    st.tuples(st.just("hear"), PATTERNS),
    st.tuples(st.just("judge"), st.integers(-1, 2), THOUGHTS),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.3, 1.0, 2.5])),
    st.tuples(st.just("detect"), st.sampled_from(DETECTIONS)),
    st.tuples(st.just("send"), st.sampled_from(["input_audio_buffer.commit", "input_audio_buffer.clear", "response.create"])),
    st.tuples(st.just("answer"), st.integers(0, 800)),
)


def act(served: Served, one: tuple[Any, ...]) -> None:
    match one:
        case ("hear", pattern):
            served.hear(pattern)
        case ("judge", lag, thought):
            pauses = [order.pause for order in served.orders if isinstance(order, ListenPaused)]
            served.session.judging.judged(max(pauses, default=0) - lag, thought)
            served.tick(served.now)
        case ("wait", seconds):
            served.now += seconds
            served.tick(served.now)
        case ("detect", detection):
            served.update(audio={"input": {"turn_detection": detection}})
        case ("send", kind):
            served.send(kind)
        case ("answer", ms):
            if served.wanted() and served.session.say(served.wanted()[-1].response_id, "Hm."):
                served.take()
                served.reply("Well.", ms)
                served.tick(served.now)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(ACTS, max_size=14))
def test_whatever_happens_turns_stay_whole(acts: list[tuple[Any, ...]]) -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": DETECTIONS[3]}})
    for one in acts:
        act(served, one)
        deadline = served.session.deadline()
        served.tick(served.now)
        assert deadline is not None and (served.session.deadline() or 0.0) > served.now, (
            "who ticks when he is asked to is not asked at once again"
        )
    open_turns: set[str] = set()
    for order in served.orders:
        match order:
            case ListenStarted():
                assert not open_turns
                open_turns.add(order.item_id)
            case ListenMore() | ListenPaused():
                assert order.item_id in open_turns
            case ListenEnded() | ListenDropped():
                open_turns.remove(order.item_id)
            case _:
                pass
    served.send("input_audio_buffer.clear")
    assert "error" not in types(served.hear("." * 10))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(PATTERNS, st.lists(THOUGHTS, min_size=12, max_size=12), st.data())
def test_the_same_sound_and_judgements_make_the_same_turns_however_they_come(
    pattern: str, thoughts: list[Thought], data: st.DataObject
) -> None:
    """Cut anywhere, judged at once or late, up to the time that a judgement has: what is told of the turns is the same."""
    told = []
    pattern = "." * 10 + pattern + "." * 450
    for lazy in (False, True):
        served = Served()
        served.update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}})
        samples = sound(pattern, 24_000)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(samples)), max_size=6))) if lazy else range(0, len(samples), 24_000 // 10)
        judged = 0
        for start, end in zip([0, *cuts], [*cuts, len(samples)], strict=True):
            served.append(samples[start:end])
            while len(pauses := [order for order in served.orders if isinstance(order, ListenPaused)]) > judged:
                if lazy and data.draw(st.booleans()) and end < len(samples):
                    break
                served.session.judging.judged(pauses[-1].pause, thoughts[judged % len(thoughts)])
                judged += 1
                served.tick(served.now)
        told.append(
            [(event["type"], event.get("audio_start_ms", event.get("audio_end_ms"))) for event in served.sent if "speech_" in event["type"]]
        )
    assert told[0] == told[1] and len(told[0]) % 2 == 0
