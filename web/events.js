// Text of a WebSocket message -> event, lenient as voice/protocol/codec.py: unknown types and fields pass, what an event is about must
// be there.

// type -> what must be there, as path and type.
const NEEDS = {
  "session.created": [["session", "object"]],
  "session.updated": [["session", "object"]],
  error: [["error.type", "string"]],
  "input_audio_buffer.committed": [["item_id", "string"]],
  "input_audio_buffer.speech_started": [
    ["audio_start_ms", "number"],
    ["item_id", "string"],
  ],
  "input_audio_buffer.speech_stopped": [
    ["audio_end_ms", "number"],
    ["item_id", "string"],
  ],
  "conversation.item.added": [["item.type", "string"]],
  "conversation.item.done": [["item.type", "string"]],
  "conversation.item.deleted": [["item_id", "string"]],
  "conversation.item.input_audio_transcription.delta": [["item_id", "string"]],
  "conversation.item.input_audio_transcription.completed": [
    ["item_id", "string"],
    ["transcript", "string"],
  ],
  "conversation.item.input_audio_transcription.failed": [["item_id", "string"]],
  "response.created": [["response", "object"]],
  "response.done": [["response", "object"]],
  "response.output_text.delta": spoken("delta"),
  "response.output_text.done": spoken("text"),
  "response.output_audio_transcript.delta": spoken("delta"),
  "response.output_audio_transcript.done": spoken("transcript"),
  "response.output_audio.delta": spoken("delta"),
};

function spoken(field) {
  return [
    ["response_id", "string"],
    ["item_id", "string"],
    [field, "string"],
  ];
}

// {event} or {problem}, a sentence.
export function readEvent(text) {
  let event;
  try {
    event = JSON.parse(text);
  } catch (error) {
    return { problem: `the server sent an event that cannot be read: ${error.message}` };
  }
  if (typeof event !== "object" || event === null || Array.isArray(event) || typeof event.type !== "string") {
    return { problem: "the server sent an event that cannot be read: it has no type" };
  }
  const needs = Object.hasOwn(NEEDS, event.type) ? NEEDS[event.type] : [];
  for (const [path, type] of needs) {
    const value = path.split(".").reduce((inner, name) => inner?.[name], event);
    if (typeof value !== type || value === null) {
      return { problem: `the server sent an event that cannot be read: ${event.type} lacks ${path}` };
    }
  }
  return { event };
}
