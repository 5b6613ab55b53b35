// What the server's events mean to the page: wire events in, notices out. Twin of voice/protocol/inbound.py. Late sound and words of an
// item that was cut are dropped here. Times become ms of our own count, without padding and silence window.

import { UNNAMED } from "./arbiter.js";
import { Received } from "./heard.js";
import { History } from "./history.js";
import { decodeBase64 } from "./pcm.js";
import { Unheard } from "./unheard.js";
import { Unsettled } from "./unsettled.js";

const PCM_RATE_HZ = 24_000; // where no rate is named
const STANDARD = { prefixMs: 300, silenceMs: 500 };
const PAUSE_MS = 240; // of semantic_vad: what our server waits for beyond it is in no turn; see audio/patience.py
const MAX_CUT = 256;

export function inputRate(settings) {
  return rateOf(settings?.audio?.input?.format);
}

export function outputRate(settings) {
  return rateOf(settings?.audio?.output?.format);
}

function rateOf(format) {
  const rate = format?.rate;
  return Number.isInteger(rate) && rate >= 8000 && rate <= 48_000 ? rate : PCM_RATE_HZ;
}

// The padding and the silence window of the server's detector.
export function windowOf(settings) {
  const detection = settings?.audio?.input?.turn_detection;
  if (!detection) return STANDARD;
  if (detection.type === "semantic_vad") return { ...STANDARD, silenceMs: PAUSE_MS };
  return {
    prefixMs: detection.prefix_padding_ms ?? STANDARD.prefixMs,
    silenceMs: detection.silence_duration_ms ?? STANDARD.silenceMs,
  };
}

export class Inbound {
  constructor(arbiter, uplink) {
    this.history = new History();
    this.received = new Received();
    this.settings = null; // those in effect, once the server has told them
    this._arbiter = arbiter;
    this._uplink = uplink;
    this._cut = new Map(); // item -> the words of it that were heard
    this._ended = new Set(); // answers that are over
    this.unheard = new Unheard();
    this._turnEndMs = 0; // of the turn that is being spoken, as far as it is known
    this.unsettled = new Unsettled();
  }

  receivedMs(itemId) {
    return this.received.soundMs(itemId);
  }

  // So much of a reply was heard: what still comes of it is dropped; false if that was said before. Its words are cut as well as can be
  // without word times; a server that knows them tells the words that are left.
  cut(itemId, heardMs) {
    if (this._cut.has(itemId)) return false;
    if (this.received.text(itemId) === "") {
      // Some servers tell the words with the finished item alone.
      this.received.words(itemId, this.history.lines().find((line) => line.itemId === itemId)?.text ?? "", true);
    }
    this._keep(itemId, this.received.until(itemId, heardMs), heardMs > 0);
    return true;
  }

  isCut(itemId) {
    return this._cut.has(itemId);
  }

  // The words of a line that the user has really heard or said.
  heardOf(line) {
    return this._cut.get(line.itemId) ?? line.text;
  }

  // The link is gone: what it took along (see unsettled.js), and what the page is to know of it. Answers in progress stay as far as they came.
  broken() {
    const loss = this.unsettled.broken();
    this._turnEndMs = 0;
    this._ended.clear();
    this.unheard.clear();
    for (const itemId of loss.turns) this.history.forget(itemId);
    for (const itemId of this.received.unfinished()) {
      if (this._cut.has(itemId)) continue;
      const words = this.received.text(itemId);
      this.history.write(itemId, "assistant", words);
      this.received.words(itemId, words, true);
    }
    for (const line of this.history.lines()) {
      // Nothing of it has come, and nothing will: another answer takes its place.
      if (line.role === "assistant" && line.status === "in_progress" && !line.text) this.history.forget(line.itemId);
    }
    const notices = [
      ...loss.turns.map((itemId) => ({ kind: "TurnResent", itemId })),
      ...loss.answers.map(([responseId, begun]) => ({ kind: "ReplyLost", responseId, again: !begun })),
    ];
    return { loss, notices };
  }

  notices(event) {
    switch (event.type) {
      case "response.output_audio.delta":
        return this._sound(event);
      case "response.output_text.delta":
      case "response.output_audio_transcript.delta":
        return this._words(event, event.delta, false);
      case "response.output_text.done":
        return this._words(event, event.text, true);
      case "response.output_audio_transcript.done":
        return this._words(event, event.transcript, true);
      case "input_audio_buffer.speech_started":
      case "input_audio_buffer.speech_stopped":
      case "input_audio_buffer.committed":
        return [this._speech(event)];
      case "response.created":
      case "response.done":
        // The link is as good as gone: then it is an answer that was lost, like any that a break takes along.
        if (expired(event.response)) return [{ kind: "Other", event }];
        return [this._response(event)];
      case "conversation.item.input_audio_transcription.delta":
      case "conversation.item.input_audio_transcription.completed":
      case "conversation.item.input_audio_transcription.failed":
        return [this._userText(event)];
      case "error":
        return [this._error(event.error)];
      default:
        this._items(event);
        return [{ kind: "Other", event }];
    }
  }

  _keep(itemId, text, estimated) {
    this._cut.set(itemId, text);
    if (this._cut.size > MAX_CUT) this._cut.delete(this._cut.keys().next().value);
    this.history.write(itemId, "assistant", text, estimated);
  }

  // The server cut an answer, for us or by itself; ours tells which words are left, others leave that to be guessed.
  _truncated({ item_id: itemId, audio_end_ms: endMs, transcript, estimated }) {
    if (!this.received.has(itemId) && !this.history.has(itemId)) return;
    if (typeof transcript === "string") this._keep(itemId, transcript, estimated === true);
    else if (!this._cut.has(itemId)) this.cut(itemId, endMs);
  }

  _sound(event) {
    if (this._cut.has(event.item_id)) return [];
    if (this.unheard.stopped(event.response_id) && this.receivedMs(event.item_id) === 0) {
      this.unheard.add(event.item_id);
      this._keep(event.item_id, "", false);
      return [];
    }
    const notices = [];
    let samples;
    try {
      samples = decodeBase64(event.delta);
    } catch (error) {
      const message = `the server sent audio that cannot be read: ${error.message}`;
      notices.push({ kind: "ErrorReported", code: "unreadable_audio", message, param: null, eventId: null });
      samples = new Int16Array(0);
    }
    this.received.sound(event.item_id, samples.length, outputRate(this.settings));
    if (samples.length) {
      this.unsettled.begun(event.response_id);
      const { response_id: responseId, item_id: itemId } = event;
      notices.push({ kind: "ReplyAudio", responseId, itemId, samples, rateHz: outputRate(this.settings) });
    }
    return notices;
  }

  _words(event, text, final) {
    const itemId = event.item_id;
    if (this._cut.has(itemId)) return [];
    if (!final) this.unsettled.begun(event.response_id);
    this.received.words(itemId, text, final);
    if (final) this.history.write(itemId, "assistant", text);
    return [{ kind: "ReplyText", responseId: event.response_id, itemId, text, final }];
  }

  _speech(event) {
    const { prefixMs, silenceMs } = windowOf(this.settings);
    const itemId = event.item_id;
    if (event.type === "input_audio_buffer.committed") {
      this.unsettled.committed(itemId, this._turnEndMs);
      this._turnEndMs = 0;
      return { kind: "TurnCommitted", itemId };
    }
    const ended = event.type === "input_audio_buffer.speech_stopped";
    this._turnEndMs = this._uplink.toLocalMs(ended ? event.audio_end_ms : event.audio_start_ms);
    if (ended) return { kind: "SpeechEnded", atMs: this._turnEndMs - silenceMs, itemId };
    this.unsettled.speech(this._turnEndMs);
    return { kind: "SpeechBegan", atMs: this._turnEndMs + prefixMs, itemId };
  }

  _response(event) {
    const { response } = event;
    let responseId = typeof response.id === "string" ? response.id : "";
    if (event.type === "response.created") {
      this._arbiter.created(responseId || UNNAMED);
      this.unsettled.created(responseId);
      return { kind: "ReplyBegan", responseId };
    }
    // Told twice: the next answer may have been asked for by now, and is not over with it.
    if (this._ended.has(responseId)) return { kind: "Other", event };
    responseId ||= this.unsettled.newest; // a server that does not say which means the one there is
    if (responseId) this._ended.add(responseId);
    if (this._ended.size > MAX_CUT) this._ended.delete(this._ended.keys().next().value);
    this._arbiter.done(responseId);
    this.unsettled.done(responseId, Boolean(this.settings?.audio?.input?.transcription));
    const status = typeof response.status === "string" ? response.status : "completed";
    return { kind: "ReplyEnded", responseId, status, reason: reasonOf(response.status_details) };
  }

  _userText(event) {
    const itemId = event.item_id;
    if (event.type.endsWith(".delta")) {
      const text = typeof event.delta === "string" ? event.delta : "";
      return { kind: "UserText", itemId, text, final: false, failed: false };
    }
    this.unsettled.written(itemId);
    if (event.type.endsWith(".failed")) return { kind: "UserText", itemId, text: "", final: true, failed: true };
    this.history.write(itemId, "user", event.transcript);
    return { kind: "UserText", itemId, text: event.transcript, final: true, failed: false };
  }

  _error(error) {
    this._arbiter.refused(error.event_id ?? null, error.code ?? null);
    const { message, param = null, event_id: eventId = null } = error;
    return { kind: "ErrorReported", code: wordOf(error.code) || wordOf(error.type), message: wordOf(message), param, eventId };
  }

  _items(event) {
    switch (event.type) {
      case "response.function_call_arguments.done":
        this.unsettled.begun(event.response_id);
        break;
      case "conversation.item.added":
      case "conversation.item.created":
      case "conversation.item.done":
        if (typeof event.item.id === "string") {
          // The server's item holds all the words of an answer that was cut here: what was heard stays.
          const item = this._cut.has(event.item.id) ? { ...event.item, content: [] } : event.item;
          this.history.see(item, event.item.id, event.previous_item_id ?? null);
          if (event.type === "conversation.item.done" && item.status === "completed") this.received.finish(item.id);
        }
        break;
      case "input_audio_buffer.cleared":
        this._turnEndMs = 0;
        this.unsettled.cleared();
        break;
      case "conversation.item.truncated":
        this._truncated(event);
        break;
      case "conversation.item.deleted":
        this.history.forget(event.item_id);
        break;
    }
  }
}

// A word, or a number in words; "" for all else.
function wordOf(value) {
  return typeof value === "number" ? String(value) : typeof value === "string" ? value : "";
}

// Whether a response failed for no other reason than that the session's time was up.
function expired(response) {
  return response.status === "failed" && response.status_details?.error?.code === "session_expired";
}

// Why a response is not completed, in a word or a sentence; "" if it is.
function reasonOf(details) {
  if (!details) return "";
  if (typeof details === "string") return details;
  return String(details.error?.message || details.error?.code || details.reason || "");
}
