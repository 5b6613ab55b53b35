// The small pure files of the page: words, state, retries, heard words, and that its files fit together.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { microphoneKey } from "../../web/audio.js";
import { Received } from "../../web/heard.js";
import { Backoff, CAP_MS, FIRST_MS, LONGEST_WAIT_MS, STABLE_MS, TRIES, worthRetrying } from "../../web/retry.js";
import { stateOf } from "../../web/state.js";
import { WORDS, chooseLanguage, say } from "../../web/words.js";

const WEB = new URL("../../web/", import.meta.url);
const file = (name) => readFileSync(new URL(name, WEB), "utf8");
const scripts = readdirSync(WEB).filter((name) => name.endsWith(".js"));

test("both languages say everything, with the same places to fill", () => {
  const places = (text) => (text.match(/\{\w+\}/g) ?? []).sort();
  assert.deepEqual(Object.keys(WORDS.ko).sort(), Object.keys(WORDS.en).sort());
  for (const key of Object.keys(WORDS.en)) {
    assert.ok(WORDS.en[key].trim() && WORDS.ko[key].trim(), key);
    assert.deepEqual(places(WORDS.ko[key]), places(WORDS.en[key]), key);
    if (key !== "title") assert.match(WORDS.ko[key], /[가-힣]/, key);
  }
});

test("every word that the page asks for is there, and every word is asked for", () => {
  const html = file("index.html");
  const asked = new Set([...html.matchAll(/data-(?:word|label|placeholder)="(\w+)"/g)].map((found) => found[1]));
  for (const key of asked) assert.ok(Object.hasOwn(WORDS.en, key), key);
  const everything = html + scripts.filter((name) => name !== "words.js").map(file).join("");
  for (const key of Object.keys(WORDS.en)) assert.match(everything, new RegExp(`["']${key}["']`), `nobody says ${key}`);
});

test("the page in English is what the words say, before any script has run", () => {
  for (const [, key, text] of file("index.html").matchAll(/data-word="(\w+)"[^>]*>([^<]*)</g)) {
    if (text !== "") assert.equal(text.replaceAll("&amp;", "&"), WORDS.en[key], key);
  }
});

test("the language is what was chosen, else the browser's first that is known", () => {
  assert.equal(chooseLanguage(null, ["ko-KR", "en"]), "ko");
  assert.equal(chooseLanguage(null, ["fr-FR", "KO", "en"]), "ko");
  assert.equal(chooseLanguage("en", ["ko"]), "en");
  assert.equal(chooseLanguage("xx", ["de"]), "en");
  assert.equal(chooseLanguage("__proto__", ["constructor"]), "en");
  assert.equal(chooseLanguage(null, undefined), "en");
});

test("what is filled in is not looked at again", () => {
  assert.equal(say("en", "serverSays", { message: "{message} <b>{seconds}</b> $&" }), "The server says: {message} <b>{seconds}</b> $&");
  assert.equal(say("ko", "latencyTyped", { seconds: "0.4" }), "0.4초 만에 답했어요");
  assert.equal(say("en", "latencyTyped"), "answered in {seconds} s");
});

test("the state is what matters most", () => {
  const quiet = { link: "open", replying: false, playing: false, speech: false, microphone: false, muted: false };
  for (const [more, want] of [
    [{}, "ready"],
    [{ link: "idle" }, "ready"],
    [{ microphone: true }, "listening"],
    [{ microphone: true, muted: true }, "muted"],
    [{ microphone: true, speech: true }, "hearing"],
    [{ microphone: true, speech: true, muted: true }, "muted"],
    [{ replying: true, microphone: true }, "thinking"],
    [{ replying: true, speech: true }, "hearing"],
    [{ replying: true, playing: true, speech: true }, "speaking"],
    [{ playing: true, microphone: true, muted: true }, "speaking"],
    [{ link: "connecting", microphone: true }, "connecting"],
    [{ link: "reconnecting", playing: true }, "reconnecting"],
    [{ link: "failed", playing: true }, "failed"],
  ]) {
    assert.equal(stateOf({ ...quiet, ...more }), want, JSON.stringify(more));
  }
});

test("a microphone that is not given has its own words", () => {
  for (const [name, allowed, want] of [
    ["NotAllowedError", true, "micDenied"],
    ["NotAllowedError", false, "micPolicy"],
    ["SecurityError", false, "micPolicy"],
    ["NotFoundError", true, "micMissing"],
    ["NotReadableError", true, "micBusy"],
    ["AbortError", true, "micBusy"],
    ["OverconstrainedError", true, "micUnfit"],
    ["TypeError", true, "micOther"],
    ["__proto__", true, "micOther"],
  ]) {
    assert.equal(microphoneKey(name, allowed), want);
    assert.ok(WORDS.en[want] && WORDS.ko[want]);
  }
});

test("delays grow to a cap, are spread over all of it, and end", () => {
  const most = new Backoff(() => 1);
  const delays = Array.from({ length: TRIES }, () => most.nextDelayMs());
  assert.deepEqual(delays.slice(0, 6), [FIRST_MS, 500, 1000, 2000, 4000, CAP_MS]);
  assert.ok(delays.slice(6).every((delay) => delay === CAP_MS));
  assert.equal(most.nextDelayMs(), null);
  assert.equal(most.nextDelayMs(STABLE_MS - 1), null);
  assert.equal(most.nextDelayMs(STABLE_MS), FIRST_MS);
  assert.equal(new Backoff(() => 0.25).nextDelayMs(0, 1000), 1000 + FIRST_MS / 4);
  assert.equal(new Backoff(() => 0).nextDelayMs(0, LONGEST_WAIT_MS + 1), null);
});

test("which ends are worth another try", () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015, 3001, 4000, 4999]) assert.ok(worthRetrying(code), code);
  for (const code of [1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 3003, 4001, 4003, 4401, 4403]) assert.ok(!worthRetrying(code), code);
  assert.ok(worthRetrying(1000, "session_expired"));
  assert.ok(!worthRetrying(1001, "insufficient_quota"));
});

test("the words that were heard", () => {
  const heard = new Received();
  heard.words("a", "One two. ", false);
  heard.sound("a", 1000, 1000);
  heard.words("a", "Three four five.", false);
  heard.sound("a", 2000, 1000);
  for (const [ms, want] of [
    [0, ""],
    [-5, ""],
    [300, ""],
    [500, "One"],
    [999, "One two."],
    [1000, "One two."],
    [2000, "One two. Three"],
    [2500, "One two. Three four"],
    [2999, "One two. Three four"],
    [3000, "One two. Three four five."],
    [9999, "One two. Three four five."],
  ]) {
    assert.equal(heard.until("a", ms), want, `${ms} ms`);
  }
  assert.equal(heard.until("unknown", 100), "");
});

test("words that come after their sound, and a language of long words", () => {
  const heard = new Received();
  heard.sound("a", 1000, 1000);
  heard.words("a", "지금은 오후 세 시입니다", true);
  assert.equal(heard.until("a", 500), "지금은 오후");
  heard.words("b", "한국어로말하는긴단어", false);
  heard.sound("b", 100, 1000);
  assert.equal(heard.until("b", 50), "");
  heard.words("c", "👍👍👍 👍👍", false);
  heard.sound("c", 100, 1000);
  for (let ms = 0; ms <= 100; ms += 1) assert.ok(heard.until("c", ms).isWellFormed?.() ?? true);
});

test("text from outside never becomes markup, and nothing is inline", () => {
  for (const name of scripts) {
    assert.doesNotMatch(file(name), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("style"/, name);
  }
  const html = file("index.html");
  assert.doesNotMatch(html, /\son\w+=|\sstyle=|<style|<script(?![^>]*\bsrc=)|javascript:/i);
});

test("files stay small, and the pure ones touch neither page nor socket", () => {
  for (const name of scripts) {
    const text = file(name);
    assert.ok(text.split("\n").length <= 401 || name === "jitter.js", name);
    assert.match(text, /^\/\//, `${name} says what it is`);
  }
  for (const name of ["session.js", "inbound.js", "events.js", "arbiter.js", "history.js", "heard.js", "unsettled.js", "unheard.js", "soundqueue.js", "uplink.js", "rate.js", "retry.js", "state.js"]) {
    const code = file(name).replace(/\/\/.*$/gm, "");
    assert.doesNotMatch(code, /\b(document|window|navigator|fetch|WebSocket|AudioContext|setTimeout|Math\.random|Date|performance)\b/, name);
  }
});
