// web/pcm.js: base64, floats, and rates: exact lengths, clean tones, the same samples however a stream is cut.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler, decodeBase64, encodeBase64, fromFloats, toFloats } from "../../web/pcm.js";

function noise(count, seed = 1) {
  let state = seed;
  return new Int16Array(count).map(() => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) - 32768;
  });
}

/** What Node makes of the same samples. */
function reference(samples) {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, index) => bytes.writeInt16LE(sample, index * 2));
  return bytes.toString("base64");
}

test("base64 is what others write and read", () => {
  for (const count of [0, 1, 2, 3, 4, 5, 2399, 2400, 100_000]) {
    const samples = noise(count, count + 1);
    const text = encodeBase64(samples);
    assert.equal(text, reference(samples));
    assert.deepEqual(decodeBase64(text), samples);
  }
  assert.deepEqual(decodeBase64("AIABAP9/"), Int16Array.of(-32768, 1, 32767));
});

test("what is not base64 of whole samples is refused", () => {
  for (const text of ["A", "AA", "AAA", "AAAAA", "AA==", "AAAA====", "A*AA", "AAA\n", "AA=A", "한글AA", "=AAA", "AAAA AAA", "AA-_", "===="]) {
    assert.throws(() => decodeBase64(text), RangeError, JSON.stringify(text));
  }
});

test("floats and back", () => {
  const samples = Int16Array.of(-32768, -1, 0, 1, 16384, 32767);
  assert.deepEqual(fromFloats(toFloats(samples)), samples);
  assert.deepEqual(toFloats(Int16Array.of(-32768, 16384)), Float32Array.of(-1, 0.5));
  assert.deepEqual(fromFloats([1, 2, Infinity, -2, -Infinity, NaN, 0.00002]), Int16Array.of(32767, 32767, 32767, -32768, -32768, 0, 1));
  const out = new Int16Array(3);
  assert.equal(fromFloats([0.5], out), out);
  assert.deepEqual(out, Int16Array.of(16384, 0, 0));
});

function streamed(resampler, floats, cut) {
  const found = [];
  for (let at = 0; at < floats.length; at += cut) {
    const piece = floats.subarray(at, at + cut);
    const out = new Float32Array(resampler.room(piece.length));
    found.push(...out.subarray(0, resampler.push(piece, out)));
  }
  const out = new Float32Array(resampler.room(0));
  found.push(...out.subarray(0, resampler.flush(out)));
  return Float32Array.from(found);
}

const tone = (hz, rate, count) => Float32Array.from({ length: count }, (_, index) => 0.5 * Math.sin((2 * Math.PI * hz * index) / rate));

/** Level in dB of what is not the tone itself: at the right time, of the right level. The ends, where there is no signal yet, left out. */
function errorDb(out, hz, rate) {
  const want = tone(hz, rate, out.length);
  let signal = 0;
  let error = 0;
  for (let index = rate / 50; index < out.length - rate / 50; index++) {
    signal += want[index] ** 2;
    error += (out[index] - want[index]) ** 2;
  }
  return 10 * Math.log10(error / signal);
}

const RATES = [
  [48000, 16000],
  [44100, 16000],
  [48000, 24000],
  [44100, 24000],
  [24000, 48000],
  [24000, 44100],
  [16000, 24000],
  [24000, 16000],
  [16000, 48000],
  [22050, 16000],
  [8000, 16000],
  [96000, 24000],
];

for (const [from, to] of RATES) {
  test(`${from} to ${to} Hz: tones below 0.4 of the lower rate keep level and place`, () => {
    const lower = Math.min(from, to);
    for (const part of [0.005, 0.05, 0.1, 0.21, 0.3, 0.35, 0.4]) {
      const hz = Math.round(part * lower);
      const out = streamed(new Resampler(from, to), tone(hz, from, from / 4), 128);
      assert.ok(errorDb(out, hz, to) < -65, `${hz} Hz: ${errorDb(out, hz, to)} dB`);
    }
  });

  test(`${from} to ${to} Hz: the length is exact, a constant stays one, and cutting changes nothing`, () => {
    for (const count of [0, 1, 2, 127, 1000, 4410]) {
      const floats = toFloats(noise(count));
      const whole = streamed(new Resampler(from, to), floats, 5000);
      assert.equal(whole.length, Math.floor((2 * count * to + from) / (2 * from)));
      for (const cut of [1, 128, 441]) assert.deepEqual(streamed(new Resampler(from, to), floats, cut), whole);
    }
    const flat = streamed(new Resampler(from, to), new Float32Array(5000).fill(0.25), 128).subarray(200, -200);
    assert.ok(flat.every((value) => Math.abs(value - 0.25) < 1e-5));
  });
}

for (const [from, to] of RATES.filter(([from, to]) => to < from)) {
  test(`${from} to ${to} Hz: nothing folds back`, () => {
    for (const part of [0.6, 0.7, 0.9]) {
      const hz = part * to;
      if (hz > from / 2) continue;
      const out = streamed(new Resampler(from, to), tone(hz, from, from / 4), 128).subarray(to / 50, -to / 50);
      const level = 20 * Math.log10(Math.max(...out.map(Math.abs)) / 0.5);
      assert.ok(level < -65, `${hz} Hz: ${level} dB`);
    }
  });
}

test("equal rates are the identity", () => {
  const floats = toFloats(noise(1000));
  assert.deepEqual(streamed(new Resampler(24000, 24000), floats, 128), floats);
});

test("a flushed resampler begins a new stream", () => {
  const resampler = new Resampler(48000, 16000);
  const floats = toFloats(noise(1000));
  assert.deepEqual(streamed(resampler, floats, 128), streamed(resampler, floats, 128));
});

test("little is held back", () => {
  for (const [from, to] of [[48000, 16000], [24000, 48000], [44100, 16000]]) {
    const resampler = new Resampler(from, to);
    const out = new Float32Array(resampler.room(from));
    let given = 0;
    for (let at = 0; at < from; at += 100) given += resampler.push(new Float32Array(100), out);
    assert.ok((to - given) / to < 0.0012, `${((to - given) / to) * 1000} ms`);
  }
});

test("large pushes are as good as small ones", () => {
  const floats = toFloats(noise(50_000));
  assert.deepEqual(streamed(new Resampler(44100, 16000), floats, 50_000), streamed(new Resampler(44100, 16000), floats, 100));
});

test("rates are positive whole numbers", () => {
  for (const rates of [[0, 16000], [16000, -1], [44100.5, 16000], [NaN, 1]]) assert.throws(() => new Resampler(...rates), RangeError);
});
