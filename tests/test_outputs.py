"""The items of a response: what each one announces, says and closes, and where it stands."""

from tests.support.served import counted
from tests.support.signals import tone
from voice.audio.encoding import PCM, Encoding
from voice.protocol.conversation import Conversation, SpokenWord, text_of
from voice.protocol.events import ItemAdded, ItemDone, OutputItemAdded, OutputItemDone, ServerEvent
from voice.protocol.outputs import Outputs

START = SpokenWord(0, 0)
USUAL = Encoding(PCM, 24_000)


def kinds(events: list[ServerEvent]) -> list[str]:
    return [str(event.__struct_config__.tag).removeprefix("response.").removeprefix("conversation.") for event in events]


def test_one_item_is_open_at_a_time() -> None:
    outputs = Outputs("resp_1", None, counted(""))
    events, message = outputs.message(None, START)
    assert kinds(events) == ["output_item.added", "content_part.added"]
    assert outputs.message(None, START) == ([], message)
    message.say("Hello")
    events, call = outputs.begin_call("c", "f")
    assert kinds(events) == ["output_text.done", "content_part.done", "output_item.done", "output_item.added"]
    assert outputs.calling("c") is call and outputs.calling("d") is None
    assert kinds(call.say("{}")) == ["function_call_arguments.delta"] and call.say("") == []
    assert kinds(outputs.close("incomplete")) == ["function_call_arguments.done", "output_item.done"]
    assert outputs.close("completed") == [] and outputs.calling("c") is None
    assert [(item.type, item.status) for item in outputs.done] == [("message", "completed"), ("function_call", "incomplete")]


def test_in_band_an_item_stands_in_the_conversation_too() -> None:
    conversation = Conversation()
    outputs = Outputs("resp_1", conversation, counted(""))
    events, message = outputs.message(USUAL, START)
    added = [event for event in events if isinstance(event, OutputItemAdded | ItemAdded)]
    assert [event.item.content for event in added] == [[], []] and added[0].item == added[1].item
    message.say("One two")
    message.sound(tone(400, rate_hz=24_000))
    assert text_of(conversation.get("item_1").item) == "One two" and conversation.get("item_1").audio_ms == 400
    events, _ = outputs.begin_call("c", "f")
    done = [event.item for event in events if isinstance(event, OutputItemDone | ItemDone)]
    assert done[0] == done[1] == conversation.get("item_1").item and done[0].status == "completed"
    [second] = [event for event in events if isinstance(event, ItemAdded)]
    assert (second.item.id, second.previous_item_id) == ("item_2", "item_1")
    kept = conversation.get("item_1").samples
    assert kept is not None and kept.size == 9600


def test_a_message_that_was_cut_takes_nothing_more() -> None:
    conversation = Conversation()
    outputs = Outputs("resp_1", conversation, counted(""))
    _, message = outputs.message(USUAL, SpokenWord(1000, 10))
    message.say("One two")
    message.words([SpokenWord(1200, 13), SpokenWord(1400, 17)])
    message.sound(tone(400, rate_hz=24_000))
    assert not outputs.cut
    conversation.truncate("item_1", 250)
    assert outputs.cut and message.say(" three") == message.sound(tone(20)) == []
    outputs.close("incomplete")
    assert [text_of(item) for item in outputs.done] == ["One"]
    kept = conversation.get("item_1").samples
    assert kept is not None and kept.size == 6000


def test_words_have_no_sound_where_none_was_asked_for() -> None:
    _, message = Outputs("resp_1", None, counted("")).message(None, START)
    assert message.sound(tone(100)) == []
