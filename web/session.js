// The talking side of a Realtime session: microphone sound and wishes in, notices out. No DOM, no socket, no clock. It is the twin of
// voice/protocol/client.py; both run fixtures/traces/session-*.jsonl.
//
//     UNLINKED --- connected ---> ASKED --- session.updated ----------------------------> READY
//                                 ASKED --- error for our id ---> ASKED_AGAIN (24 kHz) ---> READY
//
// The machines: uplink.js (sound up), arbiter.js (who may ask for a response), history.js (lines in order), heard.js (which words were
// heard), inbound.js (what the server's events mean). A notice is an object with `kind`: SessionReady, SpeechBegan, SpeechEnded,
// TurnCommitted, UserText, ReplyBegan, ReplyText, ReplyAudio, ReplyEnded, ErrorReported, TurnResent, ReplyLost, Other.

import { Arbiter } from "./arbiter.js";
import { MAX_TOLD } from "./history.js";
import { Inbound, inputRate } from "./inbound.js";
import { readEvent } from "./events.js";
import { TAIL_MS, Uplink } from "./uplink.js";

export const RATE_HZ = 16_000; // what we ask for
export const PCM_RATE_HZ = 24_000; // what every server takes
const UNLINKED = "unlinked";
const ASKED = "asked";
const ASKED_AGAIN = "asked again, for 24 kHz";
const READY = "ready";
const MAX_CANCELS = 8; // whose errors are known to be harmless
export const TOO_MANY = "too many wait";

// The usual settings: speech in, speech or text out, the user's words written down, turns ended by the server's detector.
export function usualSettings(spoken = true) {
  return {
    type: "realtime",
    output_modalities: [spoken ? "audio" : "text"],
    audio: {
      input: {
        transcription: { model: "whisper-1" },
        turn_detection: { type: "server_vad", threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500 },
      },
      output: { format: { type: "audio/pcm", rate: 24_000 } },
    },
  };
}

export class ClientSession {
  // `settings`: what to ask for. `newId(kind)` makes an id. `captureHz`: rate of the microphone's samples.
  constructor(settings, newId, captureHz = RATE_HZ) {
    this.stage = UNLINKED;
    this._asked = settings;
    this._newId = newId;
    this._outbox = [];
    this._settingsId = "";
    this._cancels = [];
    this._restored = new Set(); // lines that were told to this link as text: their sound cannot be truncated there
    this.uplink = new Uplink((event) => this._send(event), captureHz);
    this.arbiter = new Arbiter((event) => this._send(event), newId);
    this.inbound = new Inbound(this.arbiter, this.uplink);
  }

  get history() {
    return this.inbound.history;
  }

  // A link is there, the first or a new one: ask for the settings, then tell again what had been said. Returns notices of what the
  // broken link took along: turns that are sent again as sound, answers that are lost or asked for again.
  connected() {
    const again = this.stage !== UNLINKED;
    this._outbox = [];
    const { loss, notices } = this.inbound.broken();
    const resent = loss.resendFromMs !== null;
    this.arbiter.reset((event) => this.history.has(event.item.id));
    const quietMs = Math.max(this.inbound.unsettled.takenMs, this.uplink.positionMs - TAIL_MS);
    this.uplink.close(loss.resendFromMs ?? quietMs);
    this._askSettings(RATE_HZ, ASKED);
    if (again) {
      this._restored.clear();
      for (const itemId of this.history.beyond(MAX_TOLD)) this.history.forget(itemId);
      for (const entry of toldAgain(this.history.entries())) {
        if (entry.item) this._create(entry.item);
        else this._tellAgain(entry.itemId, entry.role, this.inbound.heardOf(entry));
      }
      if (!resent && loss.answers.some(([, begun]) => !begun)) this.arbiter.ask();
    }
    return notices;
  }

  // A message of the server as text: the notices. What cannot be read is reported and dropped; it never throws.
  receive(text) {
    const { event, problem } = readEvent(text);
    if (problem) return [{ kind: "ErrorReported", code: "unreadable_event", message: problem, param: null, eventId: null }];
    if (event.type === "session.updated") return [this._settled(event.session)];
    if (event.type === "error") {
      const { event_id: eventId, code } = event.error;
      if (eventId === this._settingsId && this._asking) {
        if (this.stage === ASKED) {
          this._askSettings(PCM_RATE_HZ, ASKED_AGAIN);
          return [];
        }
        // Refused twice: the session runs with the server's defaults, and the page is told.
        this._ready(PCM_RATE_HZ);
      }
      // The answer was over, or the server had stopped it by itself, before our cancel arrived: what was wished is so.
      if (code === "response_cancel_not_active" && this._cancels.includes(eventId)) return [{ kind: "Other", event }];
    }
    const notices = this.inbound.notices(event);
    if (event.type === "response.done") {
      for (const itemId of this.inbound.unheard.over(event.response, (itemId) => this.inbound.receivedMs(itemId))) {
        this._send({ type: "conversation.item.delete", event_id: this._newId("event"), item_id: itemId });
      }
    }
    return notices;
  }

  // The texts to send, in order; each is given once.
  outgoing() {
    const texts = this._outbox;
    this._outbox = [];
    return texts;
  }

  // Microphone sound: Int16Array, mono, at the rate of capture.
  pushAudio(samples) {
    this.uplink.push(samples);
  }

  // A typed message; it and its answer wait until the one in progress is done. Returns the item's id, TOO_MANY, or "" for an empty one.
  say(text) {
    if (text.trim() === "") return "";
    for (const itemId of this.history.beyond(MAX_TOLD)) {
      // A server that is full refuses what is typed: the oldest lines make room.
      this.history.forget(itemId);
      this._send({ type: "conversation.item.delete", event_id: this._newId("event"), item_id: itemId });
    }
    const item = { type: "message", id: this._newId("item"), role: "user", content: [{ type: "input_text", text }] };
    const event = { type: "conversation.item.create", event_id: this._newId("event"), item };
    return this.arbiter.ask(event) ? item.id : TOO_MANY;
  }

  // Stop the answer. `itemId`: the one that was being played, of which `heardMs` were really heard; null: none was.
  interrupt(itemId = null, heardMs = 0) {
    const active = this.arbiter.busy;
    if (active) {
      const eventId = this._newId("event");
      this._cancels = [...this._cancels.slice(1 - MAX_CANCELS), eventId];
      this._send({ type: "response.cancel", event_id: eventId });
      this.inbound.unheard.stop(this.arbiter.active);
    }
    const clampedMs = itemId === null ? 0 : Math.min(heardMs, this.inbound.receivedMs(itemId));
    if (itemId === null || !this.inbound.cut(itemId, clampedMs)) return;
    if (this._restored.has(itemId)) {
      this._send({ type: "conversation.item.delete", event_id: this._newId("event"), item_id: itemId });
      const heard = this.inbound.heardOf({ itemId, text: "" });
      if (heard !== "") this._tellAgain(null, "assistant", heard);
      return;
    }
    if (clampedMs > 0) {
      this._send({
        type: "conversation.item.truncate",
        event_id: this._newId("event"),
        item_id: itemId,
        content_index: 0,
        audio_end_ms: clampedMs,
      });
    } else if (active) {
      this.inbound.unheard.add(itemId);
    } else {
      this._send({ type: "conversation.item.delete", event_id: this._newId("event"), item_id: itemId });
    }
  }

  _settled(settings) {
    this.inbound.settings = settings;
    if (this._asking) this._ready(inputRate(settings));
    return { kind: "SessionReady", settings };
  }

  get _asking() {
    return this.stage === ASKED || this.stage === ASKED_AGAIN;
  }

  // What waited for the settings goes now, in its order.
  _ready(rateHz) {
    this.stage = READY;
    this.uplink.open(rateHz);
    this.arbiter.open();
  }

  _askSettings(rateHz, stage) {
    const audio = this._asked.audio ?? {};
    const input = { ...audio.input, format: { type: "audio/pcm", rate: rateHz } };
    this._settingsId = this._newId("event");
    this.stage = stage;
    this._send({
      type: "session.update",
      event_id: this._settingsId,
      session: { ...this._asked, type: "realtime", audio: { ...audio, input } },
    });
  }

  // A line as text: what was said, or as much of it as was heard. Its sound is gone, and cannot be given to a server. `itemId`: null
  // for a new one.
  _tellAgain(itemId, role, text) {
    const type = { user: "input_text", system: "input_text", assistant: "output_text" }[role];
    if (text === "" || type === undefined) return;
    if (itemId !== null) this._restored.add(itemId);
    const eventId = this._newId("event");
    const item = { type: "message", id: itemId ?? this._newId("item"), status: "completed", role, content: [{ type, text }] };
    this._create(item, eventId);
  }

  _create(item, eventId = this._newId("event")) {
    this._send({ type: "conversation.item.create", event_id: eventId, item });
  }

  _send(event) {
    this._outbox.push(JSON.stringify(event));
  }
}

// What a new server is told: many models refuse a call without its output, and an output without its call; each is told once.
function toldAgain(entries) {
  const calls = placesOf(entries, "function_call");
  const outputs = placesOf(entries, "function_call_output");
  return entries.filter(({ item }, place) => {
    if (!item) return true;
    const [call, output] = [calls.get(item.call_id) ?? -1, outputs.get(item.call_id) ?? -1];
    return call >= 0 && call < output && (place === call || place === output);
  });
}

// Where the calls, or the outputs, stand; by call_id.
function placesOf(entries, kind) {
  return new Map(entries.flatMap(({ item }, place) => (item?.type === kind ? [[item.call_id, place]] : [])));
}
