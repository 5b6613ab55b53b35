// The page: joins the session to the link, the sound and what is shown, and does what the user asks for.

import { MicrophoneError, Sound, canSound } from "./audio.js";
import { listen, memory, tellWhatRuns } from "./controls.js";
import { textOf } from "./history.js";
import { windowOf } from "./inbound.js";
import { Link } from "./link.js";
import { ClientSession, TOO_MANY, usualSettings } from "./session.js";
import { stateOf } from "./state.js";
import { View } from "./view.js";
import { chooseLanguage } from "./words.js";

const byId = (id) => document.getElementById(id);
const TRAILING_MS = 200; // of silence, beyond the server's window, when the microphone goes off
const LINK_NOTICES = ["linkBroken", "linkAway", "linkNoSession", "linkOffline", "linkGivenUp", "linkEnded", "linkRefused", "linkCredential"];
const MICROPHONE_NOTICES = ["micInsecure", "micDenied", "micPolicy", "micMissing", "micBusy", "micUnfit", "micOther", "micLost"];
// What a stop and a server's own stop say of each other when they cross, and an end that a new link follows.
const HARMLESS = new Set(["response_cancel_not_active", "input_audio_buffer_commit_empty", "item_not_found", "session_expired"]);

function newId(kind) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${kind}_${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

class Page {
  constructor() {
    this.view = new View(chooseLanguage(memory.get("language"), navigator.languages));
    this.session = new ClientSession(usualSettings(canSound()), newId);
    this.sound = new Sound({
      frame: (samples) => this.captured(samples),
      level: (level) => this.view.level(level, "input"),
      outLevel: (level) => this.view.level(level, "output"),
      playing: () => this.refresh(),
      started: (itemId, delayMs, latencyMs) => this.heardFirst(delayMs, latencyMs),
      suspended: (suspended) => this.suspended(suspended),
      lost: () => this.microphoneGone("micLost"),
    });
    const hooks = {
      opened: () => this.opened(),
      text: (text) => this.received(text),
      down: () => this.down(),
      state: (state, why) => this.linked(state, why),
    };
    this.link = new Link(hooks, secretOfAddress());
    this.speech = false;
    this.spoken = null; // the item that is being spoken
    this.asked = null; // {atMs, spoken}: since when an answer is waited for
    this.growing = new Map(); // items that will get more text -> role
    this.wakeLock = null;
    this.starting = false;
    this.toldSilent = false;
  }

  // What the user does.

  async talk() {
    if (this.starting) return;
    if (this.sound.listening) {
      this.stopMicrophone();
      return;
    }
    this.starting = true;
    const awake = this.sound.wake();
    this.view.dismiss(...MICROPHONE_NOTICES);
    try {
      if (!(await awake)) throw new MicrophoneError(window.isSecureContext ? "micOther" : "micInsecure");
      await this.sound.listen(byId("cleaning").checked);
      this.session.uplink.captureAt(this.sound.rateHz);
      this.link.open();
      this.stayAwake();
    } catch (error) {
      this.microphoneGone(error.key ?? "micOther");
    } finally {
      this.starting = false;
      this.refresh();
    }
  }

  stopMicrophone() {
    this.sound.stop();
    // The server must hear the end of what was being said.
    this.session.uplink.pushSilence(windowOf(this.session.inbound.settings).silenceMs + TRAILING_MS);
    this.speech = false;
    this.wakeLock?.release();
    this.wakeLock = null;
    this.pump();
    this.refresh();
  }

  mute() {
    this.sound.mute(!this.sound.muted);
    this.refresh();
  }

  // False if the text was not taken.
  say(text) {
    this.sound.wake().then((awake) => awake || this.silent());
    this.link.open();
    const itemId = this.session.say(text.trim());
    if (itemId === "") return false;
    if (itemId === TOO_MANY) {
      this.view.notice("tooMany");
      return false;
    }
    this.view.dismiss("tooMany", "serverSays", "replyFailed");
    this.view.line(itemId, "user", text.trim());
    this.asked = { atMs: performance.now(), spoken: false };
    this.pump();
    this.refresh();
    return true;
  }

  // Stop the answer: what was not heard of it is not said, and the server is told how much was heard.
  async interrupt() {
    const stopped = await this.sound.flush();
    this.session.interrupt(stopped?.itemId ?? null, stopped?.heardMs ?? 0);
    for (const itemId of stopped?.unheard ?? []) this.session.interrupt(itemId, 0);
    for (const itemId of stopped ? [stopped.itemId, ...stopped.unheard] : []) {
      this.view.mark(itemId, "interrupted", this.session.inbound.heardOf({ itemId, text: "" }));
    }
    this.asked = null;
    this.pump();
    this.refresh();
  }

  // What the link does.

  opened() {
    for (const notice of this.session.connected()) this[notice.kind]?.(notice);
    this.pump();
  }

  received(text) {
    for (const notice of this.session.receive(text)) this[notice.kind]?.(notice);
    this.pump();
    this.refresh();
  }

  // What somebody was saying will be heard again by the next link, which shows it then.
  down() {
    for (const itemId of this.waitingFor("user")) this.view.remove(itemId);
    for (const itemId of this.waitingFor("assistant")) {
      this.view.finish(itemId);
      this.view.mark(itemId, "cutOff");
      this.sound.end(itemId);
    }
    this.growing.clear();
    this.speech = false;
  }

  linked(state, why) {
    const remedy = state === "failed" ? () => this.link.open() : undefined;
    if (why !== "") this.view.notice(why, {}, { remedy });
    else if (state === "connecting") this.view.dismiss(...LINK_NOTICES);
    this.refresh();
  }

  // What the session tells, by the kind of the notice.

  SessionReady() {
    this.view.dismiss(...LINK_NOTICES);
  }

  TurnResent({ itemId }) {
    this.view.remove(itemId);
  }

  SpeechBegan({ itemId }) {
    this.speech = true;
    this.spoken = itemId;
    if (this.sound.playing) this.interrupt();
    this.expect(itemId, "user");
  }

  SpeechEnded({ atMs }) {
    this.speech = false;
    this.asked = { atMs: performance.now() - (this.session.uplink.positionMs - atMs), spoken: true };
  }

  // Whoever has not been written down by the next turn will not be: some servers do not write, or lose one.
  TurnCommitted({ itemId }) {
    for (const earlier of this.waitingFor("user")) {
      if (earlier === itemId) continue;
      this.growing.delete(earlier);
      this.view.mark(earlier, "notUnderstood");
    }
  }

  UserText({ itemId, text, final, failed }) {
    if (!final) {
      this.view.more(itemId, text);
      return;
    }
    this.growing.delete(itemId);
    this.view.line(itemId, "user", text);
    if (failed || text.trim() === "") this.view.mark(itemId, "notUnderstood");
  }

  ReplyText({ itemId, text, final }) {
    if (final) this.view.line(itemId, "assistant", text, { growing: true });
    else this.view.more(itemId, text);
    this.growing.set(itemId, "assistant");
    if (this.sound.rateHz === 0) this.heardFirst(0, 0);
  }

  ReplyAudio({ itemId, samples, rateHz }) {
    this.sound.play(itemId, samples, rateHz);
  }

  ReplyEnded({ status, reason }) {
    for (const itemId of this.waitingFor("assistant")) {
      this.growing.delete(itemId);
      this.sound.end(itemId);
      this.view.finish(itemId);
    }
    if (status === "failed") this.view.notice("replyFailed", { reason: reason || status });
  }

  ErrorReported({ code, message }) {
    this.link.noteError(code);
    if (!HARMLESS.has(code)) this.view.notice("serverSays", { message });
  }

  Other({ event }) {
    switch (event.type) {
      case "conversation.item.added":
      case "conversation.item.done":
        this.itemSeen(event);
        break;
      case "conversation.item.truncated":
        // Ours tells which words were heard, others leave what was guessed.
        if (this.session.inbound.isCut(event.item_id)) {
          this.view.mark(event.item_id, "interrupted", this.session.inbound.heardOf({ itemId: event.item_id, text: "" }));
        }
        break;
      case "input_audio_buffer.cleared":
        if (this.speech) {
          this.growing.delete(this.spoken);
          this.view.remove(this.spoken);
        }
        this.speech = false;
        break;
      case "conversation.item.deleted":
        this.growing.delete(event.item_id);
        this.view.remove(event.item_id);
        break;
      case "response.output_audio.done":
        this.sound.end(event.item_id);
        break;
    }
  }

  itemSeen({ item, previous_item_id: afterId = null }) {
    if (item.type !== "message" || (item.role !== "user" && item.role !== "assistant")) return;
    if (this.session.inbound.isCut(item.id)) return;
    this.view.place(item.id, afterId);
    const text = textOf(item);
    if (text !== "") this.view.line(item.id, item.role, text, { afterId, growing: this.growing.has(item.id) });
    else if (!this.view.has(item.id)) this.expect(item.id, item.role, afterId);
  }

  // What the sound does.

  captured(samples) {
    this.session.pushAudio(samples);
    this.pump();
  }

  heardFirst(delayMs, latencyMs) {
    if (this.asked === null) return;
    const ms = performance.now() + latencyMs - this.asked.atMs;
    this.view.latency(this.asked.spoken ? { spokenMs: ms, delayMs } : { typedMs: ms, delayMs });
    this.asked = null;
  }

  suspended(suspended) {
    if (suspended) this.view.notice("soundSuspended", {}, { remedy: () => this.sound.wake() });
    else this.view.dismiss("soundSuspended");
  }

  // Said once: whoever goes on typing knows.
  silent() {
    if (!this.toldSilent) this.view.notice("soundNone");
    this.toldSilent = true;
  }

  microphoneGone(key) {
    if (key === "micLost") this.stopMicrophone();
    this.view.notice(key, {}, { remedy: () => this.talk() });
    this.refresh();
  }

  // The rest.

  expect(itemId, role, afterId = null) {
    this.growing.set(itemId, role);
    this.view.line(itemId, role, "", { afterId, growing: true });
  }

  waitingFor(role) {
    return [...this.growing].filter(([, whose]) => whose === role).map(([itemId]) => itemId);
  }

  pump() {
    for (const text of this.session.outgoing()) this.link.send(text);
  }

  refresh() {
    const microphone = this.sound.listening;
    const { muted } = this.sound;
    this.view.microphone({ on: microphone, muted });
    this.view.state(
      stateOf({
        link: this.link.state,
        replying: this.session.arbiter.busy || this.session.arbiter.waiting > 0,
        playing: this.sound.playing,
        speech: this.speech,
        microphone,
        muted,
      }),
    );
  }

  // A phone must not fall asleep in the middle of a conversation.
  async stayAwake() {
    try {
      this.wakeLock = await navigator.wakeLock?.request("screen");
    } catch {
      this.wakeLock = null; // a battery saver says no: nothing to be done
    }
  }
}

// A credential behind the "#" of the address ("#secret=ek_..."), taken out of sight.
function secretOfAddress() {
  const secret = new URLSearchParams(location.hash.slice(1)).get("secret");
  if (secret !== null) history.replaceState(null, "", location.pathname + location.search);
  return secret;
}

const page = new Page();
listen(page);
page.refresh();
tellWhatRuns(page);
