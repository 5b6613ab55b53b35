// Text of a WebSocket message -> event, lenient as voice/protocol/mending.py: unknown types and fields pass, a number that is written as a word
// is a number, and what is left out or null has the value below. What an event would be nothing without must be there.

// type -> the fields that the page reads, with the value of one that says nothing.
const FIELDS = {
  "session.created": { session: {} },
  "session.updated": { session: {} },
  error: { error: {} },
  "input_audio_buffer.committed": { item_id: "" },
  "input_audio_buffer.speech_started": { audio_start_ms: 0, item_id: "" },
  "input_audio_buffer.speech_stopped": { audio_end_ms: 0, item_id: "" },
  "conversation.item.deleted": { item_id: "" },
  "conversation.item.input_audio_transcription.delta": { item_id: "" },
  "conversation.item.input_audio_transcription.completed": { item_id: "", transcript: "" },
  "conversation.item.input_audio_transcription.failed": { item_id: "" },
  "response.created": { response: {} },
  "response.done": { response: {} },
  "response.output_text.delta": spoken("delta"),
  "response.output_text.done": spoken("text"),
  "response.output_audio_transcript.delta": spoken("delta"),
  "response.output_audio_transcript.done": spoken("transcript"),
  "response.output_audio.delta": { response_id: "", item_id: "" },
  "response.function_call_arguments.done": { response_id: "" },
};
// type -> what must be there, as path; always words.
const NEEDS = {
  "response.output_audio.delta": "delta",
  "conversation.item.added": "item.type",
  "conversation.item.created": "item.type",
  "conversation.item.done": "item.type",
};

function spoken(field) {
  return { response_id: "", item_id: "", [field]: "" };
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
  if (Object.hasOwn(NEEDS, event.type)) {
    const path = NEEDS[event.type];
    const value = path.split(".").reduce((inner, name) => inner?.[name], event);
    if (typeof value !== "string") {
      return { problem: `the server sent an event that cannot be read: ${event.type} lacks ${path}` };
    }
    if (typeof event.item?.id === "number") event.item.id = String(event.item.id);
  }
  for (const [name, otherwise] of Object.entries(Object.hasOwn(FIELDS, event.type) ? FIELDS[event.type] : {})) {
    event[name] = understood(event[name], otherwise);
  }
  const { response } = event;
  if (typeof response?.id === "number") response.id = String(response.id);
  return { event };
}

// The value as the kind that `otherwise` is, if it can only mean that; else `otherwise`.
function understood(value, otherwise) {
  switch (typeof otherwise) {
    case "number": {
      const number = typeof value === "number" ? value : typeof value === "string" && value.trim() ? Number(value) : NaN;
      return Number.isFinite(number) && Math.abs(number) < 2 ** 53 ? Math.round(number) : otherwise;
    }
    case "string":
      return typeof value === "number" ? String(value) : typeof value === "string" ? value : otherwise;
    default:
      return typeof value === "object" && value !== null && !Array.isArray(value) ? value : { ...otherwise };
  }
}
