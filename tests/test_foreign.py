"""The events that only other servers send are typed like all others; `test_events.py` looks at each of them."""

from voice.protocol.codec import decode_server
from voice.protocol.events import OWN_EVENTS
from voice.protocol.foreign import FOREIGN_EVENTS, DtmfReceived, McpCallFailed, TranscriptionSegment


def test_they_are_apart_from_ours() -> None:
    assert set(OWN_EVENTS).isdisjoint(FOREIGN_EVENTS)
    assert {event.__module__ for event in FOREIGN_EVENTS} == {"voice.protocol.foreign"}


def test_an_event_without_an_id_is_read() -> None:
    got = decode_server('{"type":"input_audio_buffer.dtmf_event_received","event":"9","received_at":1763605510}')
    assert got == DtmfReceived(event="9", received_at=1763605510)


def test_times_may_be_written_as_words() -> None:
    got = decode_server(
        '{"type":"conversation.item.input_audio_transcription.segment","event_id":"e","item_id":"i","id":"s","speaker":7,"start":"1.5","end":2,"text":"hi"}'
    )
    assert got == TranscriptionSegment(event_id="e", item_id="i", id="s", speaker="7", start=1.5, end=2.0, text="hi")


def test_a_call_says_of_which_item() -> None:
    assert decode_server('{"type":"response.mcp_call.failed","item_id":"i","output_index":null}') == McpCallFailed(item_id="i")
