"""What cannot be changed as things are, and who is told: the voice that was heard, the speed amid an answer, one answer at a time."""

from typing import Any

import pytest

from tests.support.pair import Pair
from tests.support.served import Served, types
from tests.support.signals import tone
from voice.protocol.notices import ErrorReported, ReplyEnded
from voice.protocol.objects import Session

TEXT = {"output_modalities": ["text"]}


def voice(name: Any) -> dict[str, Any]:
    return {"audio": {"output": {"voice": name}}}


def refusal(events: list[dict[str, Any]]) -> tuple[str, str | None, str | None]:
    [event] = events
    return event["error"]["code"], event["error"]["param"], event["error"]["event_id"]


def test_a_voice_is_locked_by_the_first_sound_of_it() -> None:
    served = Served()
    assert served.update(**voice("alloy"))[0]["session"]["audio"]["output"]["voice"] == "alloy"
    served.send("response.create")
    assert types(served.update(**voice("marin"))) == ["session.updated"], "nothing was heard yet"
    served.reply()
    told = served.send("session.update", event_id="mine", session={"type": "realtime", "instructions": "x", **voice("cedar")})
    assert refusal(told) == ("cannot_update_voice", "session.audio.output.voice", "mine")
    [updated] = served.update(instructions="y", **voice("marin"))
    assert updated["session"]["instructions"] == "y" and updated["session"]["audio"]["output"]["voice"] == "marin"


def test_amid_the_answer_it_is_locked_too() -> None:
    served = Served()
    served.send("response.create")
    served.say("Hello", tone(200, rate_hz=24_000))
    assert refusal(served.update(**voice("cedar")))[0] == "cannot_update_voice"


def test_words_alone_lock_no_voice() -> None:
    served = Served()
    served.update(**TEXT)
    served.send("response.create")
    served.reply()
    assert types(served.update(**voice("cedar"))) == ["session.updated"]


def test_a_voice_that_is_gone_from_the_conversation_is_free_again() -> None:
    """The service speaks of assistant audio that is present."""
    served = Served()
    served.send("response.create")
    item_id = next(event["item"]["id"] for event in served.reply() if event["type"] == "conversation.item.added")
    served.send("conversation.item.delete", item_id=item_id)
    assert types(served.update(**voice("cedar"))) == ["session.updated"]


def test_what_a_user_says_locks_nothing() -> None:
    served = Served()
    served.update(audio={"input": {"turn_detection": None}})
    served.hear("#" * 20)
    served.send("input_audio_buffer.commit")
    assert types(served.update(**voice("cedar"))) == ["session.updated"]


def test_the_speed_waits_for_the_end_of_an_answer() -> None:
    served = Served()
    served.send("response.create")
    assert refusal(served.update(audio={"output": {"speed": 1.25}}))[:2] == ("cannot_update_speed", "session.audio.output.speed")
    assert types(served.update(audio={"output": {"speed": 1.0}})) == ["session.updated"]
    served.reply()
    assert served.update(audio={"output": {"speed": 1.25}})[0]["session"]["audio"]["output"]["speed"] == 1.25


@pytest.mark.parametrize(
    "session",
    [
        {"type": "realtime", "instructions": "x", "tools": [{"type": "function"}]},
        {"type": "realtime", "instructions": "x", "audio": {"input": {"turn_detection": None}, "output": {"speed": 9}}},
        {"type": "realtime", "instructions": "x", "modalities": ["text"]},
        {"type": "realtime", "instructions": "x", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 1}}}},
        {"type": "realtime", "instructions": "x", "truncation": {"type": "retention_ratio", "retention_ratio": 2}},
        {"type": "transcription", "audio": {"input": {"turn_detection": None}}},
        {"instructions": "x", "audio": {"input": {"turn_detection": None}}},
    ],
)
def test_a_refused_update_changes_nothing(session: dict[str, Any]) -> None:
    served = Served()
    before = served.sent[0]["session"]
    [told] = served.send("session.update", event_id="mine", session=session)
    assert told["type"] == "error" and told["error"]["event_id"] == "mine" and told["error"]["param"].startswith("session.")
    assert served.update()[0]["session"] == before
    assert "input_audio_buffer.speech_started" in types(served.hear("." * 25 + "#" * 20 + "." * 30)), "the detector listens on"


def test_two_wishes_for_an_answer_are_told_apart_by_their_ids() -> None:
    served = Served()
    assert types(served.send("response.create", event_id="one")) == ["response.created"]
    assert refusal(served.send("response.create", event_id="two")) == ("conversation_already_has_active_response", None, "two")
    beside = served.send("response.create", event_id="three", response={"conversation": "none", "metadata": {"for": "three"}})
    assert beside[0]["response"]["metadata"] == {"for": "three"} and len(served.wanted()) == 2


def test_both_sides_settle_a_race_for_the_answer() -> None:
    """The user's turn is answered by itself while our own wish is on its way: the wish waits, and is asked for once more."""
    pair = Pair(Session())
    turn = pair.server.hear("." * 25 + "#" * 20 + "." * 30, 16_000)
    pair.client.say("And this?")
    pair.deliver(turn)
    codes = [notice.code for notice in pair.notices if isinstance(notice, ErrorReported)]
    assert codes == ["conversation_already_has_active_response"] and pair.client.arbiter.active
    pair.reply()
    assert len(pair.server.wanted()) == 2, "asked for once more"
    pair.reply()
    assert [notice.status for notice in pair.notices if isinstance(notice, ReplyEnded)] == ["completed", "completed"]
    assert not pair.client.arbiter.busy and [event["type"] for event in pair.up].count("response.create") == 2
