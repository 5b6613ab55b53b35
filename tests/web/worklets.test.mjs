// The worklets, in a scope that plays the audio thread: frames of the microphone, and the messages round the playback buffer.

import assert from "node:assert/strict";
import { test } from "node:test";

const processors = {};
globalThis.AudioWorkletProcessor = class {
  constructor() {
    this.port = { posted: [], postMessage: (message) => this.port.posted.push(structuredClone(message)), onmessage: null };
  }
};
globalThis.registerProcessor = (name, processor) => (processors[name] = processor);
globalThis.sampleRate = 48_000;
globalThis.currentTime = 0;
await import("../../web/capture.worklet.js");
await import("../../web/player.worklet.js");

const QUANTUM = 128;

test("the microphone's samples are posted in frames of 20 ms, each once, in order", () => {
  for (const rate of [16_000, 44_100, 48_000]) {
    globalThis.sampleRate = rate;
    const capture = new processors.capture();
    const values = Float32Array.from({ length: QUANTUM * 50 }, (_, at) => ((at % 60_000) - 30_000) / 32_768);
    for (let at = 0; at < values.length; at += QUANTUM) assert.ok(capture.process([[values.subarray(at, at + QUANTUM)]]));
    const frames = capture.port.posted;
    assert.ok(frames.every((frame) => frame instanceof Int16Array && frame.length === Math.round(rate / 50)));
    assert.equal(frames.length, Math.floor(values.length / Math.round(rate / 50)));
    assert.ok(frames.flatMap((frame) => [...frame]).every((sample, at) => sample === Math.round(values[at] * 32_768)));
  }
  globalThis.sampleRate = 48_000;
});

test("what is too loud is clipped, and a missing microphone is waited for", () => {
  const capture = new processors.capture();
  assert.ok(capture.process([[]]));
  assert.deepEqual(capture.port.posted, []);
  const loud = Float32Array.from({ length: 960 }, (_, at) => [1, -1, 7, -7, NaN][at % 5]);
  capture.process([[loud]]);
  assert.deepEqual([...capture.port.posted[0].subarray(0, 5)], [32_767, -32_768, 32_767, -32_768, 0]);
});

function player() {
  globalThis.currentTime = 0;
  const made = new processors.player();
  const say = (order) => made.port.onmessage({ data: order });
  const run = (quanta, channels = 2) => {
    const sound = [];
    for (let n = 0; n < quanta; n += 1) {
      const out = Array.from({ length: channels }, () => new Float32Array(QUANTUM).fill(9));
      assert.ok(made.process([], [out]));
      for (const channel of out) assert.deepEqual(channel, out[0]);
      sound.push(...out[0]);
      globalThis.currentTime += QUANTUM / sampleRate;
    }
    return sound;
  };
  return { say, run, told: (did) => made.port.posted.filter((message) => message.did === did), posted: made.port.posted };
}

test("silence at first, then every sample, then a word that all has been played", () => {
  const { say, run, told, posted } = player();
  assert.ok(run(10).every((value) => value === 0));
  assert.deepEqual(posted, []);
  const samples = Int16Array.from({ length: 4800 }, (_, at) => 1000 + at);
  say({ do: "put", itemId: "a", samples: samples.slice(), atS: currentTime });
  say({ do: "end", itemId: "a" });
  const sound = run(60);
  const from = sound.findIndex((value) => value !== 0);
  assert.deepEqual(sound.slice(from, from + 4800).map((value) => Math.round(value * 32_768)), [...samples]);
  const [started] = told("started");
  assert.equal(started.itemId, "a");
  assert.ok(Math.abs(started.delayMs - (from / sampleRate) * 1000) < 0.01 && started.delayMs <= 40);
  assert.equal(told("idle").length, 1);
  assert.ok(told("level").length >= 4 && told("level").length <= 6);
  assert.ok(told("level").every(({ level }) => level > 0 && level <= 0.2));
  assert.equal(posted.at(-1).did, "idle");
  run(20);
  assert.equal(posted.at(-1).did, "idle");
});

test("a flush tells what was heard, and what waited behind it was not", () => {
  const { say, run, told } = player();
  say({ do: "flush", id: 1 });
  assert.deepEqual(told("flushed"), [{ did: "flushed", id: 1, stopped: null }]);
  for (const itemId of ["a", "b"]) {
    say({ do: "put", itemId, samples: new Int16Array(48_000).fill(5000), atS: currentTime });
    say({ do: "end", itemId });
  }
  say({ do: "latency", samples: 480 });
  run(150);
  say({ do: "flush", id: 2 });
  const [, { stopped }] = told("flushed");
  assert.equal(stopped.itemId, "a");
  assert.deepEqual(stopped.unheard, ["b"]);
  assert.ok(Math.abs(stopped.heardMs - ((150 * QUANTUM - 480) / 48)) < 1);
  const after = run(20);
  assert.ok(after.slice(480).every((value) => value === 0));
  assert.equal(told("idle").length, 1);
});
