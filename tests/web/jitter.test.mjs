// web/jitter.js does what voice/audio/jitter.py does, to the sample: both run fixtures/traces/jitter-*.jsonl.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { JitterBuffer } from "../../web/jitter.js";
import { SETTINGS } from "../../web/tuning.js";

const FOLDER = new URL("../../fixtures/traces/", import.meta.url);
const NAMES = readdirSync(FOLDER).filter((name) => /^jitter-.*\.jsonl$/.test(name));

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const camelKeys = (object) => Object.fromEntries(Object.entries(object).map(([key, value]) => [camel(key), value]));
const lines = (name) => readFileSync(new URL(name, FOLDER), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line));

const divided = (number, by) => Math.floor(number / by);

/** Like `spoken` in jitter_trace.py. */
function spoken(place, rateHz) {
  const timeMs = divided(place * 1000, rateHz);
  const period = divided(rateHz, 130) + (divided(timeMs, 400) % 3);
  const buzz = (divided((place % period) * 2000, period) - 1000) * (2 + divided(timeMs % 250, 50));
  const hiss = ((place * 7919 + divided(place, 13) * 104729) % 257) - 128;
  return timeMs % 1200 < 1000 ? buzz + hiss : divided(hiss, 32);
}

function sound({ count, seed, level, from }, rateHz) {
  const samples = new Int16Array(count);
  if (from !== undefined) return samples.map((_, index) => spoken(from + index, rateHz));
  if (seed === undefined) return samples.fill(level);
  let state = seed;
  return samples.map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) - 32768;
  });
}

const CRC = new Uint32Array(256).map((_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** Of samples as little-endian bytes. node:zlib has it only from 20.15 on. */
function crc32(samples) {
  let crc = -1;
  for (const sample of samples) {
    crc = CRC[(crc ^ sample) & 255] ^ (crc >>> 8);
    crc = CRC[(crc ^ (sample >> 8)) & 255] ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** What came of an operation, with the keys of the trace. `floats`: taken as a worklet takes it. */
function done(buffer, op, floats) {
  switch (op.op) {
    case "put":
      buffer.put(op.item, sound(op, buffer.rateHz), op.now_us);
      return {};
    case "end":
      buffer.end(op.item);
      return {};
    case "hold":
    case "release":
      buffer[op.op]();
      return {};
    case "latency":
      buffer.latencySamples = op.samples;
      return {};
    case "take": {
      const taken = new Int16Array(op.count * op.times);
      for (let index = 0; index < op.times; index++) {
        const out = new (floats ? Float32Array : Int16Array)(op.count).fill(1);
        buffer.take(out, op.now_us + index * op.every_us);
        taken.set(floats ? out.map((value) => value * 32768) : out, index * op.count);
      }
      const position = buffer.position();
      return {
        crc32: crc32(taken),
        position: position && [position.itemId, position.samplesPlayed],
        idle: buffer.idle,
        stats: buffer.stats,
      };
    }
    case "flush": {
      const heard = buffer.flush();
      return { heard: heard && { item_id: heard.itemId, heard_ms: heard.heardMs, unheard: heard.unheard } };
    }
    case "heard":
      return { ms: buffer.heard(op.item) };
  }
  throw new Error(`no operation ${op.op}`);
}

test("there are traces", () => assert.ok(NAMES.length >= 5));

for (const name of NAMES) {
  for (const floats of [false, true]) {
    test(`${name} ${floats ? "as floats" : "as integers"}`, () => {
      const [head, ...ops] = lines(name);
      const buffer = new JitterBuffer(head.rate_hz, camelKeys({ ...head.settings, ...head.lead }));
      ops.forEach((op, index) => {
        const found = done(buffer, op, floats);
        for (const [key, value] of Object.entries(found)) {
          const want = key === "stats" ? camelKeys(op.stats) : op[key];
          assert.deepEqual(value, want, `line ${index + 2}: ${key} of ${JSON.stringify(op)}`);
        }
      });
    });
  }
}

test("the traces use every operation, both kinds of fade, and both ways to be longer", () => {
  const all = NAMES.flatMap((name) => lines(name).slice(1));
  assert.deepEqual(new Set(all.map((op) => op.op)), new Set(["put", "end", "hold", "release", "latency", "take", "flush", "heard"]));
  assert.ok(all.some((op) => op.stats?.underruns > 3));
  assert.ok(all.some((op) => op.heard?.unheard.length));
  assert.ok(all.some((op) => op.stats?.lengthened_ms > 100) && all.some((op) => op.stats?.stretched_ms > 100));
});

test("settings are those of tuning.py", () => {
  const body = readFileSync(new URL("../../voice/audio/tuning.py", import.meta.url), "utf8");
  const found = Object.fromEntries([...body.matchAll(/^ {4}(\w+): int = (\d+)$/gm)].map(([, key, value]) => [camel(key), Number(value)]));
  assert.deepEqual(found, { ...SETTINGS });
});

test("take allocates nothing", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const buffer = new JitterBuffer(24000);
  const out = new Float32Array(128);
  buffer.put("a", new Int16Array(24000 * 300).fill(100), 0);
  // The engine itself allocates until it has compiled the loop for good: the best of some rounds counts.
  const rounds = Array.from({ length: 8 }, () => {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 5000; index++) buffer.take(out, index);
    return process.memoryUsage().heapUsed - before;
  });
  assert.ok(buffer.stats.bufferedMs > 0);
  assert.ok(Math.min(...rounds) < 5000 * 4, `bytes in 5000 takes: ${rounds}`);
});
