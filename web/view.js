// What the page shows: captions by item, the state, notices, levels, in the chosen language. Text from outside goes in as text only.

import { say } from "./words.js";

const MAX_CAPTIONS = 400; // the oldest go
const MAX_LETTERS = 20_000; // of one caption
const NEAR_PX = 80; // so near to the end one still follows the conversation
const LEVEL_GAIN = 4; // speech at a usual distance fills the bars

const byId = (id) => document.getElementById(id);

export class View {
  constructor(language) {
    this.language = language;
    this._captions = new Map();
    this._state = "ready";
    this._notice = null;
    this._latency = null;
    this._scroll = byId("scroll");
    this._scroll.addEventListener("scroll", () => this._followed(), { passive: true });
    new ResizeObserver(() => this._follow()).observe(this._scroll);
    byId("newest").addEventListener("click", () => this._toEnd());
    this.speak(language);
  }

  // Another language, everywhere at once.
  speak(language) {
    this.language = language;
    document.documentElement.lang = language;
    document.title = say(language, "title");
    for (const place of document.querySelectorAll("[data-word]")) place.textContent = say(language, place.dataset.word);
    for (const place of document.querySelectorAll("[data-label]")) place.setAttribute("aria-label", say(language, place.dataset.label));
    byId("text").placeholder = say(language, "typeHere");
    for (const caption of this._captions.values()) this._name(caption);
    this.state(this._state);
    this.microphone(this._microphone ?? { on: false, muted: false });
    if (this._notice) this.notice(this._notice.key, this._notice.values, this._notice.options);
    if (this._latency) this.latency(this._latency);
  }

  state(state) {
    this._state = state;
    document.body.dataset.state = state;
    byId("state").textContent = say(this.language, state);
    byId("stop").disabled = state !== "speaking" && state !== "thinking";
  }

  microphone({ on, muted }) {
    this._microphone = { on, muted };
    const mute = byId("mute");
    byId("talk").dataset.on = on;
    byId("talk-word").textContent = say(this.language, on ? "stopMicrophone" : "talk");
    mute.disabled = !on;
    mute.dataset.on = muted;
    mute.querySelector("span").textContent = say(this.language, muted ? "unmute" : "mute");
  }

  // Loudness of the microphone or of the reply, 0..1.
  level(level, whose) {
    const talk = byId("talk");
    const shown = Math.min(1, level * LEVEL_GAIN);
    talk.style.setProperty("--level", shown.toFixed(3));
    talk.dataset[whose] = level.toFixed(4);
  }

  // `spokenMs` or `typedMs`: until the answer was heard; `delayMs`: from its first data to its first sound.
  latency(latency) {
    this._latency = latency;
    const place = byId("latency");
    const spoken = latency.spokenMs !== undefined;
    const seconds = ((spoken ? latency.spokenMs : latency.typedMs) / 1000).toFixed(1);
    place.textContent = say(this.language, spoken ? "latencySpoken" : "latencyTyped", { seconds });
    place.dataset.ms = Math.round(spoken ? latency.spokenMs : latency.typedMs);
    place.dataset.delayMs = latency.delayMs.toFixed(1);
  }

  // A sentence with a way out. `options.remedy`: what its button does; none without it.
  notice(key, values = {}, options = {}) {
    this._notice = { key, values, options };
    const notice = byId("notice");
    notice.querySelector("p").textContent = say(this.language, key, values);
    notice.dataset.key = key;
    byId("remedy").hidden = !options.remedy;
    byId("remedy").onclick = options.remedy ?? null;
    notice.hidden = false;
    document.body.dataset.noticed = key;
  }

  // Take the notice away; with keys, only if it is one of them.
  dismiss(...keys) {
    if (!this._notice || (keys.length && !keys.includes(this._notice.key))) return;
    this._notice = null;
    byId("notice").hidden = true;
    delete document.body.dataset.noticed;
  }

  // A line of the conversation, behind `afterId`, or last. `growing`: more of it will come.
  line(itemId, role, text, { afterId = null, growing = false } = {}) {
    const caption = this._captions.get(itemId) ?? this._add(itemId, role, afterId);
    this._write(caption, text);
    this._grow(caption, growing);
    this._follow();
  }

  // The server has said where a line stands that was shown before: once, behind `afterId`.
  place(itemId, afterId) {
    const caption = this._captions.get(itemId);
    const before = this._captions.get(afterId);
    if (!caption || caption.placed) return;
    caption.placed = true;
    if (before && before.element.nextElementSibling !== caption.element) before.element.after(caption.element);
  }

  more(itemId, text) {
    const caption = this._captions.get(itemId) ?? this._add(itemId, "assistant", null);
    this._write(caption, caption.text + text);
    this._grow(caption, true);
    this._follow();
  }

  has(itemId) {
    return this._captions.has(itemId);
  }

  finish(itemId) {
    const caption = this._captions.get(itemId);
    if (!caption) return;
    // One that was stopped before its first word says so.
    if (caption.text === "" && caption.role === "assistant" && !caption.mark) this.remove(itemId);
    else this._grow(caption, false);
  }

  // Why the line is not whole, as a key of words.js.
  mark(itemId, key, text) {
    const caption = this._captions.get(itemId);
    if (!caption) return;
    if (text !== undefined) this._write(caption, text);
    caption.mark = key;
    caption.element.dataset.mark = key;
    this._grow(caption, false);
    this._name(caption);
  }

  remove(itemId) {
    this._captions.get(itemId)?.element.remove();
    this._captions.delete(itemId);
    byId("welcome").hidden = this._captions.size > 0;
  }

  _add(itemId, role, afterId) {
    const element = document.createElement("li");
    const who = document.createElement("span");
    const words = document.createElement("p");
    const mark = document.createElement("span");
    element.dataset.role = role === "user" ? "user" : "assistant";
    element.dataset.item = itemId;
    who.className = "unseen";
    mark.className = "mark";
    words.dir = "auto";
    element.append(who, words, mark);
    const caption = { element, who, words, markPlace: mark, role, text: "", mark: "", placed: false };
    this._captions.set(itemId, caption);
    this._name(caption);
    const before = this._captions.get(afterId);
    if (before) before.element.after(element);
    else byId("captions").append(element);
    byId("welcome").hidden = true;
    if (this._captions.size > MAX_CAPTIONS) this.remove(byId("captions").firstElementChild.dataset.item);
    return caption;
  }

  _name(caption) {
    caption.who.textContent = `${say(this.language, caption.role === "user" ? "you" : "assistant")}: `;
    caption.markPlace.textContent = caption.mark ? say(this.language, caption.mark) : "";
  }

  _write(caption, text) {
    caption.text = text.slice(0, MAX_LETTERS);
    caption.words.textContent = caption.text;
  }

  // While it grows a screen reader waits for the end.
  _grow(caption, growing) {
    caption.element.setAttribute("aria-busy", String(growing));
    caption.element.classList.toggle("waiting", growing && caption.text === "");
    caption.element.classList.toggle("growing", growing && caption.text !== "");
  }

  _nearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this._scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  _followed() {
    this._away = !this._nearEnd();
    byId("newest").hidden = !this._away;
  }

  _follow() {
    if (!this._away && this._captions.size > 0) this._scroll.scrollTop = this._scroll.scrollHeight;
  }

  _toEnd() {
    this._away = false;
    this._follow();
    byId("newest").hidden = true;
  }
}
