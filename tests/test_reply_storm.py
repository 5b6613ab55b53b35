"""Whatever an engine does, and in whatever order: a response's events are in order, keep to its limit, and end once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.served import Served
from voice.audio.pcm import Samples
from voice.policy.usage import spoken_tokens, text_tokens
from voice.protocol.conversation import SpokenWord
from voice.protocol.orders import ReplyStopped

HZ = 16_000


@dataclass(frozen=True)
class Act:
    """One command of an engine, or a client's truncation."""

    kind: str
    text: str = ""
    length_ms: int = 0
    word_ends: tuple[int, ...] = ()
    """In ms from the beginning of this sound."""


WORDS = st.lists(st.sampled_from(["one", "two", "three,", "안녕", "你好", "well...", "\n", "supercalifragilistic"]), max_size=6).map(
    " ".join
)
ACTS = st.one_of(
    WORDS.map(lambda text: Act("say", text)),
    st.builds(
        lambda length, ends: Act("sound", length_ms=length, word_ends=tuple(sorted(ends))),
        st.integers(0, 900),
        st.lists(st.integers(1, 1200), max_size=4),
    ),
    st.builds(
        lambda name, text: Act("call", f"{name} {text}"), st.sampled_from(["f", "g"]), st.sampled_from(["{}", '{"x": "', "안녕", ""])
    ),
    st.integers(0, 1500).map(lambda length: Act("cut", length_ms=length)),
)


class Engine:
    """Answers the newest response of a `Served`, and remembers what it said."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.response_id = served.wanted()[-1].response_id
        self.said = ""
        self.sound_ms = 0

    def do(self, act: Act) -> bool:
        """False: nobody wants more."""
        session = self.served.session
        match act.kind:
            case "say":
                self.said += act.text
                return session.say(self.response_id, act.text)
            case "sound":
                count = max(1, len(act.word_ends))
                words = [SpokenWord(self.sound_ms + at, len(self.said) * (n + 1) // count) for n, at in enumerate(act.word_ends)]
                samples: Samples = np.full(act.length_ms * HZ // 1000, 1000, np.int16)
                self.sound_ms += act.length_ms
                session.sound(self.response_id, samples, HZ, words)
            case "call":
                name, _, arguments = act.text.partition(" ")
                return session.call(self.response_id, f"call_{name}", name, arguments)
            case "cut":
                items = [event["item_id"] for event in self.served.sent if event["type"] == "response.content_part.added"]
                if items:
                    self.served.send("conversation.item.truncate", item_id=items[-1], content_index=0, audio_end_ms=act.length_ms)
        return session._intake.replies.get(self.response_id) is not None


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ACTS, max_size=14),
    st.sampled_from([1, 3, 7, 20, 60, 4096, "inf"]),
    st.sampled_from(["text", "audio"]),
    st.sampled_from(["auto", "none"]),
    st.sampled_from(["end", "fail", "cancel", "break"]),
)
def test_any_answer(acts: list[Act], limit: int | str, modality: str, conversation: str, end: str) -> None:
    served = Served()
    asked = {"max_output_tokens": limit, "output_modalities": [modality], "conversation": conversation}
    served.send("response.create", response=asked)
    engine = Engine(served)
    wanted = all(engine.do(act) for act in acts)
    served.take()
    match end:
        case "cancel":
            served.send("response.cancel", response_id=engine.response_id)
        case _:
            failure, broken = ("mute" if end == "fail" else None), ("content_filter" if end == "break" else None)
            served.orders += served.session.end_reply(engine.response_id, failure, broken)
    served.tick(0.0)
    served.take()
    served.order.complete()
    [done] = [event["response"] for event in served.sent if event["type"] == "response.done"]
    _check(served, engine, done, limit)
    if not wanted:
        assert done["status"] == "incomplete" and ReplyStopped(engine.response_id) in served.orders
    before = len(served.sent)
    for act in (Act("say", "late"), Act("sound", length_ms=50), Act("call", "f {}")):
        assert not engine.do(act)
    assert served.session.end_reply(engine.response_id) == [] and served.take() == [] and len(served.sent) == before


def _check(served: Served, engine: Engine, done: dict[str, Any], limit: int | str) -> None:
    """What was sent is what the usage says, and no more than the limit; words are a beginning of what was said."""
    deltas = [event for event in served.sent if event["type"].endswith("transcript.delta") or event["type"].endswith("text.delta")]
    words = "".join(event["delta"] for event in deltas)
    calls = [event["item"]["name"] for event in served.sent if event["type"] == "response.output_item.added" and "name" in event["item"]]
    arguments = "".join(event["delta"] for event in served.sent if event["type"].endswith("arguments.delta"))
    samples = (
        sum(len(event["delta"]) * 3 // 4 - event["delta"].count("=") for event in served.sent if event["type"].endswith("audio.delta")) // 2
    )
    tokens = done["usage"]["output_token_details"]
    assert (tokens["text_tokens"], tokens["audio_tokens"]) == (
        text_tokens(words + "".join(calls) + arguments),
        spoken_tokens(samples, 24_000),
    )
    if isinstance(limit, int):
        assert done["usage"]["output_tokens"] <= limit
    if "conversation.item.truncated" not in {event["type"] for event in served.sent} and not calls:
        assert engine.said.startswith(words) or not words.strip()
        behind = engine.said[len(words) : len(words) + 1]
        if done["output_modalities"] == ["text"] and done["status"] != "completed":
            assert not behind or behind.isspace() or words[-1:] in "你好" or behind in "你好", "whole words"


@pytest.mark.parametrize("limit", [2, 30])
def test_what_stops_at_the_limit_is_told_at_once(limit: int) -> None:
    served = Served()
    served.send("response.create", response={"max_output_tokens": limit, "output_modalities": ["text"]})
    engine = Engine(served)
    while engine.do(Act("say", "word after word ")):
        pass
    served.tick(0.0)
    assert [type(order) for order in served.orders][-1] is ReplyStopped
    served.order.complete()
