// web/session.js over the traces that the Python client runs too (tests/test_session_traces.py), and what only the page does.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { MAX_WAITING } from "../../web/arbiter.js";
import { Received } from "../../web/heard.js";
import { MAX_TOLD } from "../../web/history.js";
import { inputRate, outputRate } from "../../web/inbound.js";
import { decodeBase64 } from "../../web/pcm.js";
import { ClientSession, TOO_MANY, usualSettings } from "../../web/session.js";
import { APPEND_MS, RESEND_MS, TAIL_MS } from "../../web/uplink.js";

const TRACES = new URL("../../fixtures/traces/", import.meta.url);

function countedIds() {
  const counts = {};
  return (kind) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
    return `${kind}_client${String(counts[kind]).padStart(6, "0")}`;
  };
}

function fresh(captureHz) {
  return new ClientSession(usualSettings(), countedIds(), captureHz);
}

function told(notice) {
  const { kind } = notice;
  switch (kind) {
    case "SessionReady":
      return [kind, inputRate(notice.settings), outputRate(notice.settings)];
    case "SpeechBegan":
    case "SpeechEnded":
      return [kind, notice.atMs, notice.itemId];
    case "TurnCommitted":
      return [kind, notice.itemId];
    case "UserText":
      return [kind, notice.itemId, notice.text, notice.final, notice.failed];
    case "ReplyBegan":
      return [kind, notice.responseId];
    case "ReplyText":
      return [kind, notice.responseId, notice.itemId, notice.text, notice.final];
    case "ReplyAudio": {
      const sum = notice.samples.reduce((total, sample) => total + sample, 0);
      return [kind, notice.responseId, notice.itemId, notice.samples.length, sum, notice.rateHz];
    }
    case "ReplyEnded":
      return [kind, notice.responseId, notice.status, notice.reason];
    case "ErrorReported":
      if (notice.code.startsWith("unreadable_")) return [kind, "unreadable"];
      return [kind, notice.code, notice.message, notice.param, notice.eventId];
    case "TurnResent":
      return [kind, notice.itemId];
    case "ReplyLost":
      return [kind, notice.responseId, notice.again];
    case "Other":
      return [kind, notice.event.type];
  }
  throw new Error(kind);
}

function act(session, event) {
  if (event.do === "connected") return session.connected();
  if (event.do === "say") session.say(event.text);
  else if (event.do === "push") session.pushAudio(decodeBase64(event.audio));
  else if (event.do === "interrupt") session.interrupt(event.item_id, event.heard_ms);
  else throw new Error(event.do);
  return [];
}

function* run(session, lines) {
  for (const line of lines) {
    if (line.dir !== "do" && line.dir !== "down") continue;
    yield line;
    const notices = line.dir === "down" ? session.receive(JSON.stringify(line.event)) : act(session, line.event);
    for (const notice of notices) yield { dir: "note", event: told(notice) };
    for (const text of session.outgoing()) yield { dir: "up", event: JSON.parse(text) };
  }
  const lines_ = session.history.lines().map(({ itemId, role, text, status, estimated }) => [itemId, role, text, status, estimated]);
  yield { dir: "history", event: lines_ };
}

const traces = readdirSync(TRACES).filter((name) => name.startsWith("session-"));

test("there are traces", () => assert.ok(traces.length >= 9));

for (const name of traces) {
  test(`the trace ${name}`, () => {
    const want = readFileSync(new URL(name, TRACES), "utf8").trim().split("\n").map(JSON.parse);
    const settings = usualSettings();
    settings.audio.output.format.rate = 8000;
    const got = [...run(new ClientSession(settings, countedIds()), want)];
    for (let at = 0; at < want.length; at += 1) assert.deepEqual(got[at], want[at], `line ${at + 1}`);
    assert.equal(got.length, want.length);
  });
}

const EMOJI = "😀😀😀😀😀😀 one two three four five";

// What only the page does: links that break, words that were heard, other rates.

const events = (session) => session.outgoing().map(JSON.parse);
const down = (session, type, fields) => session.receive(JSON.stringify({ type, ...fields }));
const settled = (session, rate = 16_000) =>
  down(session, "session.updated", { session: { audio: { input: { format: { type: "audio/pcm", rate } } } } });

function linked(rate, captureHz) {
  const session = fresh(captureHz);
  session.connected();
  settled(session, rate);
  session.outgoing();
  return session;
}

function added(session, id, role, text, after = null) {
  const part = role === "user" ? { type: "input_text", text } : { type: "output_audio", transcript: text };
  down(session, "conversation.item.added", { previous_item_id: after, item: { type: "message", id, role, content: [part] } });
}

test("what is typed before there is a link waits for the settings", () => {
  const session = fresh();
  assert.equal(session.say("hello"), "item_client000001");
  assert.deepEqual(events(session), []);
  session.connected();
  assert.deepEqual(
    events(session).map((event) => event.type),
    ["session.update"],
  );
  settled(session);
  const [item, create] = events(session);
  assert.deepEqual(item.item.content, [{ type: "input_text", text: "hello" }]);
  assert.equal(create.type, "response.create");
});

test("nothing is said by an empty message, and too many are refused", () => {
  const session = linked();
  for (const empty of ["", "  ", "\n\t"]) assert.equal(session.say(empty), "");
  assert.deepEqual(events(session), []);
  for (let n = 0; n <= MAX_WAITING; n += 1) assert.notEqual(session.say("more"), TOO_MANY);
  assert.equal(session.say("too much"), TOO_MANY);
});

test("after a break settings and finished lines are told again, as text", () => {
  const session = linked();
  added(session, "u1", "user", "what is seven times eight");
  added(session, "a1", "assistant", "56.", "u1");
  added(session, "u2", "user", "", "a1");
  session.connected();
  const [settings, ...items] = events(session);
  assert.equal(settings.type, "session.update");
  assert.deepEqual(
    items.map(({ type, item }) => [type, item]),
    [
      ["conversation.item.create", { type: "message", id: "u1", status: "completed", role: "user", content: [{ type: "input_text", text: "what is seven times eight" }] }],
      ["conversation.item.create", { type: "message", id: "a1", status: "completed", role: "assistant", content: [{ type: "output_text", text: "56." }] }],
    ],
  );
  assert.deepEqual(session.history.lines().map((line) => line.itemId), ["u1", "a1", "u2"]);
});

test("a long conversation leaves room on the server for what is typed", () => {
  const session = linked();
  for (let n = 0; n < MAX_TOLD + 2; n++) added(session, `i${n}`, "user", "x");
  session.say("one more");
  assert.deepEqual(
    events(session).map(({ type, item_id: itemId }) => [type, itemId]),
    [
      ["conversation.item.delete", "i0"],
      ["conversation.item.delete", "i1"],
      ["conversation.item.create", undefined],
      ["response.create", undefined],
    ],
  );
  assert.equal(session.history.lines().length, MAX_TOLD);
});

test("a question that was on its way when the link broke is asked again, once", () => {
  const session = linked();
  session.say("hello");
  session.outgoing();
  session.connected();
  settled(session);
  const again = events(session);
  assert.deepEqual(
    again.map((event) => event.type),
    ["session.update", "conversation.item.create", "response.create"],
  );
  assert.equal(again[1].item.id, "item_client000001");
});

test("the same where the server had taken the question, and had not begun to answer", () => {
  const session = linked();
  const itemId = session.say("hello");
  session.outgoing();
  added(session, itemId, "user", "hello");
  down(session, "response.created", { response: { id: "r1" } });
  assert.deepEqual(session.connected(), [{ kind: "ReplyLost", responseId: "r1", again: true }]);
  settled(session);
  assert.deepEqual(
    events(session).map((event) => event.type),
    ["session.update", "conversation.item.create", "response.create"],
  );
});

test("an answer that broke off in the middle is told again as far as it came, and not asked for again", () => {
  const session = linked();
  const itemId = session.say("count");
  session.outgoing();
  added(session, itemId, "user", "count");
  down(session, "response.created", { response: { id: "r1" } });
  added(session, "a1", "assistant", "", itemId);
  down(session, "response.output_audio_transcript.delta", { response_id: "r1", item_id: "a1", delta: "one two" });
  assert.deepEqual(session.connected(), [{ kind: "ReplyLost", responseId: "r1", again: false }]);
  assert.deepEqual(session.history.lines().at(-1), { itemId: "a1", role: "assistant", text: "one two", status: "completed", estimated: false });
  settled(session);
  assert.deepEqual(
    events(session).map((event) => event.item?.content[0].text),
    [undefined, "count", "one two"],
  );
});

test("an emoji is one letter, as in tests/test_heard.py", () => {
  const reply = new Received();
  reply.words("a", EMOJI, false);
  reply.sound("a", 1000, 1000);
  reply.words("a", " six seven eight", false);
  reply.sound("a", 2000, 1000);
  reply.finish("a");
  assert.equal(EMOJI.length, 12 + 24);
  assert.deepEqual(
    [150, 199, 200, 400, 1000].map((ms) => reply.until("a", ms)),
    ["", "", EMOJI.slice(0, 12), EMOJI.slice(0, 16), EMOJI],
  );
});

test("of an answer that was interrupted only what was heard is told again", () => {
  const session = linked();
  down(session, "response.created", { response: { id: "r1" } });
  added(session, "a1", "assistant", "");
  const sound = Buffer.alloc(48_000).toString("base64"); // a second
  for (const words of ["First sentence. ", "Second sentence."]) {
    down(session, "response.output_audio_transcript.delta", { response_id: "r1", item_id: "a1", delta: words });
    down(session, "response.output_audio.delta", { response_id: "r1", item_id: "a1", delta: sound });
  }
  session.interrupt("a1", 1600);
  assert.equal(session.inbound.heardOf({ itemId: "a1", text: "" }), "First sentence. Second");
  assert.deepEqual(
    events(session).map(({ type, audio_end_ms: endMs }) => [type, endMs]),
    [
      ["response.cancel", undefined],
      ["conversation.item.truncate", 1600],
    ],
  );
  added(session, "a1", "assistant", "First sentence. Second sentence.");
  session.connected();
  assert.equal(events(session).at(-1).item.content[0].text, "First sentence. Second");
});

test("sound waits for the server, the oldest goes, and nothing else", () => {
  const session = fresh();
  for (let n = 0; n < 850; n += 1) session.pushAudio(new Int16Array(320).fill(n));
  assert.deepEqual(events(session), []);
  session.connected();
  settled(session);
  const sent = events(session).slice(1).flatMap((event) => [...decodeBase64(event.audio)]);
  assert.equal(sent.length, (RESEND_MS * 16_000) / 1000);
  assert.equal(sent[0], 100);
  assert.equal(sent.at(-1), 849);
  assert.equal(session.uplink.dropped, 100 * 320);
  const [began] = down(session, "input_audio_buffer.speech_started", { audio_start_ms: 500, item_id: "u" });
  assert.equal(began.atMs, 2000 + 500 + 300);
});

// A frame of 20 ms, all samples its number.
const frames = (session, from, to) => {
  for (let n = from; n < to; n += 1) session.pushAudio(new Int16Array(320).fill(n));
};
const heard = (session) => events(session).filter((event) => event.audio).flatMap((event) => [...decodeBase64(event.audio)]);

test("a turn whose words nobody knows yet is sent again as sound, and its placeholder goes", () => {
  const session = linked();
  frames(session, 0, 100);
  down(session, "input_audio_buffer.speech_started", { audio_start_ms: 600, item_id: "u1" });
  down(session, "input_audio_buffer.speech_stopped", { audio_end_ms: 1800, item_id: "u1" });
  down(session, "input_audio_buffer.committed", { item_id: "u1" });
  added(session, "u1", "user", "");
  down(session, "response.created", { response: { id: "r1" } });
  assert.deepEqual(session.connected(), [
    { kind: "TurnResent", itemId: "u1" },
    { kind: "ReplyLost", responseId: "r1", again: true },
  ]);
  assert.deepEqual(session.history.lines(), []);
  frames(session, 100, 110);
  settled(session);
  const sent = events(session);
  assert.ok(!sent.some((event) => event.type === "response.create"), "the server answers the turn by itself");
  const sound = sent.filter((event) => event.audio).flatMap((event) => [...decodeBase64(event.audio)]);
  assert.deepEqual([sound[0], sound.at(-1), sound.length], [30, 109, 80 * 320]);
  const [began] = down(session, "input_audio_buffer.speech_started", { audio_start_ms: 0, item_id: "u2" });
  assert.equal(began.atMs, 900);
});

test("a turn that the server forgot, as it was told to, is not sent again", () => {
  const session = linked();
  frames(session, 0, 100);
  down(session, "input_audio_buffer.speech_started", { audio_start_ms: 600, item_id: "u1" });
  assert.equal(down(session, "input_audio_buffer.cleared")[0].kind, "Other");
  assert.deepEqual(session.inbound.broken().loss, { resendFromMs: null, turns: [], answers: [] });
});

test("a turn that is known is not sent again, the last moment is", () => {
  const session = linked();
  frames(session, 0, 100);
  down(session, "input_audio_buffer.speech_started", { audio_start_ms: 200, item_id: "u1" });
  down(session, "input_audio_buffer.committed", { item_id: "u1" });
  down(session, "conversation.item.input_audio_transcription.completed", { item_id: "u1", transcript: "hello" });
  session.outgoing();
  session.connected();
  settled(session);
  const sound = heard(session);
  assert.deepEqual([sound[0], sound.length], [100 - TAIL_MS / 20, (TAIL_MS / 20) * 320]);
});

test("of speech that is too old only the newest is sent again", () => {
  const session = linked();
  down(session, "input_audio_buffer.speech_started", { audio_start_ms: 0, item_id: "u1" });
  frames(session, 0, 1000);
  session.outgoing();
  session.connected();
  settled(session);
  const sound = heard(session);
  assert.deepEqual([sound[0], sound.at(-1), sound.length], [1000 - RESEND_MS / 20, 999, RESEND_MS * 16]);
});

for (const [captureHz, serverHz] of [
  [48_000, 16_000],
  [44_100, 16_000],
  [48_000, 24_000],
  [16_000, 24_000],
]) {
  test(`a microphone at ${captureHz} for a server at ${serverHz}`, () => {
    const session = linked(serverHz, captureHz);
    const frame = Math.round(captureHz / 50);
    for (let n = 0; n < 100; n += 1) {
      const tone = Int16Array.from({ length: frame }, (_, at) => 8000 * Math.sin(((n * frame + at) * 440 * 2 * Math.PI) / captureHz));
      session.pushAudio(tone);
    }
    const pieces = events(session).map((event) => decodeBase64(event.audio));
    assert.ok(pieces.every((piece) => piece.length === (serverHz * APPEND_MS) / 1000));
    const sound = pieces.flatMap((piece) => [...piece]);
    assert.ok(sound.length > serverHz * 1.9 && sound.length <= serverHz * 2);
    const crossings = sound.slice(serverHz / 2, (serverHz * 3) / 2).filter((sample, at, all) => at > 0 && sample >= 0 && all[at - 1] < 0);
    assert.ok(Math.abs(crossings.length - 440) <= 1, `${crossings.length} Hz`);
    assert.ok(Math.abs(Math.max(...sound) - 8000) < 100);
    assert.equal(session.uplink.positionMs, 2000);
  });
}

test("a microphone that goes off is followed by silence, so that the turn ends", () => {
  const session = linked();
  session.pushAudio(new Int16Array(320).fill(1));
  session.uplink.pushSilence(700);
  const sent = events(session).flatMap((event) => [...decodeBase64(event.audio)]);
  assert.equal(sent.length, 320 + 700 * 16);
  assert.equal(sent.filter((sample) => sample !== 0).length, 320);
});

test("an answer that is told twice to be over is over once", () => {
  const session = linked();
  const done = { response: { id: "r1", status: "completed" } };
  down(session, "response.created", { response: { id: "r1" } });
  assert.equal(down(session, "response.done", done)[0].kind, "ReplyEnded");
  assert.equal(down(session, "response.done", done)[0].kind, "Other");
  session.inbound.broken();
  assert.equal(down(session, "response.done", done)[0].kind, "ReplyEnded", "the next link may count from the beginning");
});

test("an answer of which nothing came leaves no line behind", () => {
  const session = linked();
  for (const itemId of ["a1", "a2"]) {
    down(session, "response.created", { response: { id: itemId } });
    const item = { type: "message", id: itemId, role: "assistant", status: "in_progress", content: [] };
    down(session, "conversation.item.added", { item });
  }
  down(session, "response.output_audio_transcript.delta", { response_id: "a2", item_id: "a2", delta: "one" });
  session.inbound.broken();
  assert.deepEqual(session.history.lines().map(({ itemId, text }) => [itemId, text]), [["a2", "one"]]);
});
