"""What a client is told about a text that cannot be read: a sentence, without a word of ours."""

import re

import msgspec
import pytest

from voice.protocol.codec import ClientMistake, decode_client
from voice.protocol.complaints import complaint

UPDATE = '{"type":"session.update","session":'
DELETE = '{"type":"conversation.item.delete","item_id":'
NOT_UNICODE = "We could not parse the JSON of this event: it is not valid Unicode, half of a \\u pair stands alone."
CUT = "We could not parse the JSON of this event: Input data was truncated."
SENTENCES = [
    ('{"type":"input_audio_buffer.append","audio":7}', "Invalid type for 'audio': expected a base64 string, but got an integer instead."),
    ('{"type":"input_audio_buffer.append","audio":"?"}', "Invalid value for 'audio': expected base64-encoded audio."),
    ('{"type":"conversation.item.delete","item_id":1}', "Invalid type for 'item_id': expected a string, but got an integer instead."),
    ('{"type":"conversation.item.delete","item_id":null}', "Invalid type for 'item_id': expected a string, but got null instead."),
    ('{"type":"conversation.item.delete"}', "Missing required parameter: 'item_id'."),
    (UPDATE + '[]}', "Invalid type for 'session': expected an object, but got an array instead."),
    (UPDATE + '{"tools":[1]}}', "Invalid type for 'session.tools[0]': expected an object, but got an integer instead."),
    (UPDATE + '{"tool_choice":1.5}}', "Invalid type for 'session.tool_choice': expected a string, an object or null, but got a number instead."),
    (UPDATE + '{"max_output_tokens":1' + "0" * 6000 + "}}", "Invalid type for 'session.max_output_tokens': the integer is too large."),
    (UPDATE + '{"truncation":{"retention_ratio":0.5}}}', "Missing required parameter: 'session.truncation.type'."),
    ("[1]", "Invalid type for the event: expected an object, but got an array instead."),
    (DELETE + '"\\ud800"}', NOT_UNICODE),
    (DELETE + '"\\uD83D and more"}', NOT_UNICODE),
    (DELETE + '"\\udc00 and more"}', NOT_UNICODE),
    (DELETE + '"\\\\\\ud83d\\ud83d\\ude00"}', NOT_UNICODE),
    ((DELETE + '"\\ud800"}').encode(), NOT_UNICODE),
    ('{"type":"response.create","response":{"metadata":{"\\ud800":"5"}}}', NOT_UNICODE),
    (DELETE + '"\\\\ud800', CUT),
    (DELETE + '"\\ud83d\\ude00', CUT),
    ('{"type":"session.update","type":"response.create"}', "Invalid value for 'type': there are two in this event, and they differ."),
    (b'{"type":"conversation.item.delete","item_id":"\xff"}', "We could not parse the JSON of this event: it is not valid UTF-8."),
    ('{"type"', "We could not parse the JSON of this event: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), SENTENCES, ids=range(len(SENTENCES)))
def test_the_sentence(text: str | bytes, sentence: str) -> None:
    with pytest.raises(ClientMistake) as caught:
        decode_client(text)
    assert str(caught.value).startswith(sentence)
    assert not re.search(r"`|\bstr\b|\bint\b|\bbytes\b|codec|0x|msgspec|surrogate", str(caught.value))


def test_what_nobody_has_thought_of_is_said_too() -> None:
    assert complaint(msgspec.ValidationError("Expected `datetime`, got `str` - at `$.a.b`")) == (
        "Invalid type for 'a.b': expected another kind of value, but got a string instead.",
        "invalid_type",
        "a.b",
    )
    assert complaint(msgspec.ValidationError("Bad moon - at `$.a`")) == (
        "Invalid type for 'a': the value cannot be read.",
        "invalid_type",
        "a",
    )
    assert complaint(RecursionError())[1] == "invalid_json"
