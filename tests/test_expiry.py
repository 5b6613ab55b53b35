"""When a session's time is up: what the server ends first, and what a client that moves on asks again."""

from tests.support.served import Served, types
from tests.support.signals import tone
from voice.protocol.orders import Hangup, ReplyStopped

TURN = "." * 25 + "#" * 25 + "." * 40


def test_what_is_open_when_time_is_up_ends_before_it_is_said() -> None:
    """An answer that speaks, another that has not begun, one out of band, and a turn that waits for its answer."""
    served = Served(ends_at=100.0)
    served.update(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}})
    served.send("response.create", response={"conversation": "none"})
    served.send("response.create")
    spoken = served.wanted()[-1].response_id
    served.say("One two three.", tone(400, rate_hz=24_000))
    served.hear(TURN)
    events = served.tick(100.0)
    ends = ["response.done", "rate_limits.updated"]
    said = ["output_audio.done", "output_audio_transcript.done", "content_part.done"]
    message = [*(f"response.{kind}" for kind in said), "conversation.item.done", "response.output_item.done"]
    assert [kind for kind in types(events) if not kind.endswith(".delta")] == [*ends, *message, *ends, "error"]
    for done in (event["response"] for event in events if event["type"] == "response.done"):
        assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", "session_expired")
    served.order.complete()
    stopped = [order.response_id for order in served.orders if isinstance(order, ReplyStopped)]
    assert len(stopped) == 2 and spoken == stopped[1] and isinstance(served.orders[-1], Hangup)
