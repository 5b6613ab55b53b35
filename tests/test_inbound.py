"""What a server's events mean to the talking side, oddities of servers included."""

import base64
import json
from typing import Any

import pytest

from tests.support.served import counted
from voice.protocol.arbiter import Arbiter
from voice.protocol.codec import decode_server
from voice.protocol.events import Unknown
from voice.protocol.inbound import Inbound, input_rate, output_rate
from voice.protocol.ledger import Ledger
from voice.protocol.notices import (
    ErrorReported,
    Notice,
    Other,
    ReplyAudio,
    ReplyBegan,
    ReplyEnded,
    ReplyText,
    SpeechBegan,
    SpeechEnded,
    TurnCommitted,
    UserText,
)
from voice.protocol.objects import Audio, AudioFormat, AudioInput, AudioOutput, ResponseParams, Session, TurnDetection

WHERE = {"response_id": "r", "item_id": "a", "output_index": 0, "content_index": 0}


class Bench:
    """An `Inbound` whose local time is a second ahead of the server's."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.ledger.capture(10_000)
        self.arbiter = Arbiter(lambda event: None, counted("c"))
        self.inbound = Inbound(self.arbiter, self.ledger, lambda ms: ms + 1000)

    def see(self, kind: str, **fields: Any) -> list[Notice]:
        return list(self.inbound.notices(decode_server(json.dumps({"type": kind, **fields}))))


def audio(data: bytes) -> str:
    return base64.b64encode(data).decode()


def settings(**given: Any) -> Session:
    return Session(
        audio=Audio(input=AudioInput(turn_detection=TurnDetection(**given)), output=AudioOutput(AudioFormat("audio/pcm", 8_000)))
    )


@pytest.mark.parametrize(
    ("told", "want"),
    [
        (None, (1600, 2500)),
        (settings(prefix_padding_ms=100, silence_duration_ms=200), (1400, 2800)),
        (settings(type="semantic_vad"), (1600, 2760)),
    ],
)
def test_times_of_speech_are_ours_without_padding_and_silence(told: Session | None, want: tuple[int, int]) -> None:
    bench = Bench()
    bench.inbound.settings = told
    assert bench.see("input_audio_buffer.speech_started", item_id="u", audio_start_ms=300) == [SpeechBegan(want[0], False, "u")]
    assert bench.see("input_audio_buffer.speech_stopped", item_id="u", audio_end_ms=2000) == [SpeechEnded(want[1], False, "u")]
    assert bench.see("input_audio_buffer.committed", item_id="u") == [TurnCommitted("u")]
    total = bench.ledger.total()
    assert (total.committed, total.discarded) == (85, {"silence": 415})


def test_speech_that_was_cleared_is_no_speech_any_more() -> None:
    bench = Bench()
    bench.see("input_audio_buffer.speech_started", item_id="u", audio_start_ms=300)
    assert bench.inbound.unsettled.speaking
    [other] = bench.see("input_audio_buffer.cleared")
    assert isinstance(other, Other) and not bench.inbound.unsettled.speaking
    bench.see("input_audio_buffer.committed", item_id="v")
    assert bench.ledger.total().committed == 0


def test_a_commit_of_our_own_is_not_settled_here() -> None:
    bench = Bench()
    assert bench.see("input_audio_buffer.committed", item_id="u", previous_item_id="x") == [TurnCommitted("u")]
    assert bench.ledger.total().committed == 0


def test_words_and_sound_of_an_answer() -> None:
    bench = Bench()
    assert bench.see("response.created", response={"id": "r"}) == [ReplyBegan("r")] and bench.arbiter.active == "r"
    for form in ("output_text", "output_audio_transcript"):
        assert bench.see(f"response.{form}.delta", **WHERE, delta="Hel") == [ReplyText("r", "a", "Hel", final=False)]
    assert bench.see("response.output_text.done", **WHERE, text="Hello") == [ReplyText("r", "a", "Hello", final=True)]
    assert bench.see("response.output_audio_transcript.done", **WHERE, transcript="Hello!") == [ReplyText("r", "a", "Hello!", final=True)]
    [heard] = bench.see("response.output_audio.delta", **WHERE, delta=audio(b"\x01\x00\x02\x00"))
    assert isinstance(heard, ReplyAudio) and (heard.samples.tolist(), heard.rate_hz, heard.item_id) == ([1, 2], 24_000, "a")
    assert [line.text for line in bench.inbound.history] == ["Hello!"]


def test_odd_sound_is_reported_and_the_answer_goes_on() -> None:
    bench = Bench()
    [error] = bench.see("response.output_audio.delta", **WHERE, delta=audio(b"\x01\x00\x02"))
    assert isinstance(error, ErrorReported) and error.code == "unreadable_audio"
    assert bench.see("response.output_audio.delta", **WHERE, delta="") == []


def test_what_was_cut_is_dropped() -> None:
    bench = Bench()
    bench.inbound.settings = settings()
    bench.see("response.output_audio.delta", **WHERE, delta=audio(bytes(2 * 800)))
    assert bench.inbound.received_ms("a") == 100 and bench.inbound.received_ms("b") == 0
    assert bench.inbound.cut("a", 50) and not bench.inbound.cut("a", 50)
    for kind, field, value in (
        ("output_audio.delta", "delta", audio(bytes(2))),
        ("output_audio_transcript.delta", "delta", "x"),
        ("output_text.delta", "delta", "x"),
        ("output_text.done", "text", "x"),
        ("output_audio_transcript.done", "transcript", "x"),
    ):
        assert bench.see(f"response.{kind}", **WHERE, **{field: value}) == []
        assert bench.see(f"response.{kind}", **{**WHERE, "item_id": "b"}, **{field: value}), "another item is heard"
    assert bench.inbound.received_ms("a") == 100
    bench.see("response.done", response={"id": "r", "status": "cancelled"})


def spoken_bench() -> Bench:
    """400 ms of an answer have come, and its item as a server tells it that is done with it."""
    bench = Bench()
    bench.inbound.settings = settings()
    bench.see("response.output_audio_transcript.delta", **WHERE, delta="One two three four.")
    bench.see("response.output_audio.delta", **WHERE, delta=audio(bytes(2 * 3200)))
    return bench


def line(bench: Bench) -> tuple[str, bool]:
    [one] = bench.inbound.history
    return one.text, one.estimated


ITEM = {"id": "a", "type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "One two three four."}]}


def test_the_words_that_a_server_tells_go_before_a_guess() -> None:
    bench = spoken_bench()
    assert bench.inbound.cut("a", 390) and line(bench) == ("One", True)
    where = {"item_id": "a", "content_index": 0, "audio_end_ms": 390}
    assert isinstance(bench.see("conversation.item.truncated", **where)[0], Other)
    assert line(bench) == ("One", True), "the service tells no words"
    bench.see("conversation.item.truncated", **where, transcript="One two", estimated=False)
    assert line(bench) == ("One two", False) and bench.inbound.heard_of("a") == "One two"
    bench.see("conversation.item.done", item={**ITEM, "status": "incomplete"})
    assert line(bench) == ("One two", False), "nothing grows back"
    bench.see("conversation.item.truncated", **where, transcript="One", estimated=True)
    assert line(bench) == ("One", True)
    bench.see("conversation.item.truncated", item_id="x", content_index=0, audio_end_ms=1, transcript="Who?")
    assert len(list(bench.inbound.history)) == 1


def test_a_server_that_cuts_by_itself_is_believed() -> None:
    """As over WebRTC, and as some say over a WebSocket too."""
    for told, want in (({}, ("One two", True)), ({"transcript": "One two three", "estimated": False}, ("One two three", False))):
        bench = spoken_bench()
        bench.see("conversation.item.done", item={**ITEM, "status": "completed"})
        bench.see("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=200, **told)
        assert line(bench) == want
        assert bench.see("response.output_audio.delta", **WHERE, delta=audio(bytes(2))) == []
        assert bench.see("response.output_audio_transcript.done", **WHERE, transcript="One two three four.") == []
        assert line(bench) == want


def test_words_that_come_with_the_item_alone_are_cut_too() -> None:
    bench = Bench()
    bench.see("response.output_audio.delta", **WHERE, delta=audio(bytes(2 * 24_000)))
    bench.see("conversation.item.done", item={**ITEM, "status": "completed"})
    assert bench.inbound.cut("a", 500) and line(bench) == ("One two", True)


def test_the_memory_of_lengths_is_bounded() -> None:
    bench = Bench()
    for n in range(300):
        bench.see("response.output_audio.delta", **{**WHERE, "item_id": str(n)}, delta=audio(bytes(48)))
    assert bench.inbound.received_ms("0") == 0 and bench.inbound.received_ms("299") == 1


DETAILS: list[tuple[Any, str]] = [
    (None, ""),
    ({"type": "cancelled", "reason": "turn_detected"}, "turn_detected"),
    ({"type": "failed", "error": {"code": "c", "message": "m", "type": "t"}}, "m"),
    ({"type": "failed", "error": {"code": "c"}}, "c"),
    ({"type": "failed", "error": None}, ""),
    ({}, ""),
    ("unimplemented", "unimplemented"),
    (["?"], ""),
]


@pytest.mark.parametrize(("details", "reason"), DETAILS)
def test_why_an_answer_ended(details: Any, reason: str) -> None:
    [ended] = Bench().see("response.done", response={"id": "r", "status": "failed", "status_details": details})
    assert ended == ReplyEnded("r", "failed", reason, None, ())


def test_an_end_may_lack_nearly_everything() -> None:
    assert Bench().see("response.done", response={}) == [ReplyEnded("", "completed", "", None, ())]
    [ended] = Bench().see("response.done", response={"id": "r", "usage": {}, "output": None, "metadata": 5}, usage={"total": 5})
    assert isinstance(ended, ReplyEnded) and ended.usage is not None and ended.usage.total_tokens == 0 and ended.output == ()


def test_what_the_user_said() -> None:
    bench, kind = Bench(), "conversation.item.input_audio_transcription"
    assert bench.see(f"{kind}.delta", item_id="u", delta="Hel") == [UserText("u", "Hel", final=False)]
    assert bench.see(f"{kind}.delta", item_id="u") == [UserText("u", "", final=False)]
    for text in ("Hello", "Hello you"):
        assert bench.see(f"{kind}.completed", item_id="u", transcript=text, status="in_progress") == [UserText("u", text, final=True)]
    assert bench.see(f"{kind}.failed", item_id="v", error={"code": "x"}) == [UserText("v", "", final=True, failed=True)]
    assert [(line.role, line.text) for line in bench.inbound.history] == [("user", "Hello you")]


def test_items_come_and_go() -> None:
    bench = Bench()
    for n, kind in enumerate(("added", "done")):
        [other] = bench.see(
            f"conversation.item.{kind}",
            item={"type": "message", "id": "u", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        )
        assert isinstance(other, Other), n
    bench.see("conversation.item.added", item={"type": "message", "role": "user"})
    assert [line.item_id for line in bench.inbound.history] == ["u"], "an item without a name is no line"
    bench.see("conversation.item.deleted", item_id="u")
    assert list(bench.inbound.history) == []


def test_errors_and_the_unknown() -> None:
    bench = Bench()
    assert bench.see("error", error={"type": "t", "message": "m", "param": "p", "event_id": "e"}) == [ErrorReported("t", "m", "p", "e")]
    assert bench.see("error", error={"type": "t", "code": "c", "message": "m"})[0] == ErrorReported("c", "m")
    assert bench.see("ping", n=1) == [Other(Unknown("ping", {"type": "ping", "n": 1}))]


@pytest.mark.parametrize(("rate", "want"), [(16_000, 16_000), (None, 24_000), (0, 24_000), (-8, 24_000), (10**12, 24_000)])
def test_rates_that_a_server_tells(rate: int | None, want: int) -> None:
    told = Session(audio=Audio(AudioInput(AudioFormat("audio/pcm", rate)), AudioOutput(AudioFormat("audio/pcm", rate))))
    assert input_rate(told) == output_rate(told) == want


def test_a_server_that_tells_nothing() -> None:
    for told in (None, Session(), Session(audio=None), Session(audio=Audio()), Session(audio=Audio(AudioInput(), AudioOutput()))):
        assert input_rate(told) == output_rate(told) == 24_000


def test_an_answer_that_is_told_twice_to_be_over_is_over_once() -> None:
    bench = Bench()
    bench.arbiter.open()
    done = {"response": {"id": "r1", "status": "completed"}}
    bench.see("response.created", response={"id": "r1"})
    assert isinstance(bench.see("response.done", **done)[0], ReplyEnded)
    bench.arbiter.ask(ResponseParams())
    assert isinstance(bench.see("response.done", **done)[0], Other)
    assert bench.arbiter.busy, "the next one was asked for, and is not over"
    bench.inbound.broken(None)
    assert isinstance(bench.see("response.done", **done)[0], ReplyEnded), "the next link may count from the beginning"


def test_an_answer_of_which_nothing_came_leaves_no_line_behind() -> None:
    bench = Bench()
    for item_id in ("a1", "a2"):
        bench.see("response.created", response={"id": item_id})
        item = {"type": "message", "id": item_id, "role": "assistant", "status": "in_progress", "content": []}
        bench.see("conversation.item.added", item=item)
    bench.see("response.output_audio_transcript.delta", **{**WHERE, "item_id": "a2"}, delta="one")
    bench.inbound.broken(None)
    assert [(line.item_id, line.text) for line in bench.inbound.history] == [("a2", "one")]
