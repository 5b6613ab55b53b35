// PCM samples: base64, floats, and a change of rate. No DOM, no audio, and no atob (an AudioWorklet has none).
//
// Samples are Int16Array, mono, any length; floats within +-1. On the wire they are little-endian, whatever the machine is.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const LETTERS = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < 64; value++) VALUES[LETTERS[value]] = value;
const PAD = "=".charCodeAt(0);

/** Samples as base64 of little-endian 16-bit bytes. */
export function encodeBase64(samples) {
  const bytes = samples.length * 2;
  const letters = new Uint8Array(4 * Math.ceil(bytes / 3));
  const byteAt = (index) => (index < bytes ? (samples[index >> 1] >> (8 * (index & 1))) & 255 : 0);
  for (let from = 0, to = 0; from < bytes; from += 3, to += 4) {
    const group = (byteAt(from) << 16) | (byteAt(from + 1) << 8) | byteAt(from + 2);
    letters[to] = LETTERS[group >> 18];
    letters[to + 1] = LETTERS[(group >> 12) & 63];
    letters[to + 2] = from + 1 < bytes ? LETTERS[(group >> 6) & 63] : PAD;
    letters[to + 3] = from + 2 < bytes ? LETTERS[group & 63] : PAD;
  }
  let text = "";
  // In parts: a function takes some ten thousand arguments at most.
  for (let at = 0; at < letters.length; at += 8192) text += String.fromCharCode.apply(null, letters.subarray(at, at + 8192));
  return text;
}

/** Base64 of little-endian 16-bit bytes as samples. Throws a RangeError if it is not base64, or half a sample is left over. */
export function decodeBase64(text) {
  let length = text.length;
  if (length % 4) throw new RangeError(`base64 comes in fours of characters, not ${length}`);
  if (length && text.charCodeAt(length - 1) === PAD) length--;
  if (length && text.charCodeAt(length - 1) === PAD) length--;
  const bytes = (length * 3) >> 2;
  if (bytes % 2) throw new RangeError(`16-bit PCM has an even number of bytes, not ${bytes}`);
  const samples = new Int16Array(bytes >> 1);
  for (let at = 0, pending = 0, bits = 0, byte = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    const value = code < 128 ? VALUES[code] : -1;
    if (value < 0) throw new RangeError(`not a character of base64: ${JSON.stringify(text[at])} at ${at}`);
    pending = (pending << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      samples[byte >> 1] |= ((pending >> bits) & 255) << (8 * (byte & 1));
      byte++;
      pending &= (1 << bits) - 1;
    }
  }
  return samples;
}

/** Samples as floats, into `floats` if given (of the same length or more). */
export function toFloats(samples, floats = new Float32Array(samples.length)) {
  for (let index = 0; index < samples.length; index++) floats[index] = samples[index] / 32768;
  return floats;
}

/** Floats as samples, rounded and clipped, NaN as 0; into `samples` if given. */
export function fromFloats(floats, samples = new Int16Array(floats.length)) {
  for (let index = 0; index < floats.length; index++) {
    const value = Math.round(floats[index] * 32768);
    // What is not a number compares as false, and becomes 0 in an Int16Array.
    samples[index] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
  }
  return samples;
}

const divisor = (one, other) => (other ? divisor(other, one % other) : one);

/** Modified Bessel function of order 0: the Kaiser window's. */
function bessel(x) {
  let sum = 1;
  for (let k = 1, term = 1; term > sum * 1e-12; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

const CROSSINGS = 16;
const BETA = 8; // stopband 80 dB down; with 16 zero crossings the passband ends at 0.42 of the lower rate, the stopband begins at 0.58

/**
 * A stream of floats from one rate to another: a windowed sinc, one row of coefficients for each of the positions that an output can
 * have between two inputs. However the stream is cut, the output is the same; with `flush` it has length * to / from samples, rounded.
 * It holds 16 samples of the lower rate back (1 ms at 16 kHz).
 */
export class Resampler {
  #up; // an output every #down / #up inputs
  #down;
  #half; // inputs on either side of an output
  #rows;
  #held; // the inputs that are still needed
  #filled; // how many
  #at = 0; // of the next output, in inputs of #held ...
  #phase = 0; // ... and 1/#up of an input
  #received = 0;
  #given = 0;

  /** Throws a RangeError if a rate is not a positive whole number. */
  constructor(fromHz, toHz) {
    for (const rate of [fromHz, toHz]) {
      if (!(Number.isInteger(rate) && rate >= 1)) throw new RangeError(`a sample rate is a positive whole number, not ${rate} Hz`);
    }
    const common = divisor(fromHz, toHz);
    this.#up = toHz / common;
    this.#down = fromHz / common;
    const cutoff = Math.min(1, toHz / fromHz);
    this.#half = Math.ceil(CROSSINGS / cutoff);
    this.#rows = fromHz === toHz ? null : this.#coefficients(cutoff);
    this.#held = new Float32Array(4 * this.#half + 4096);
    this.#restart();
  }

  #restart() {
    this.#held.fill(0, 0, this.#half);
    this.#filled = this.#half;
    this.#at = 0;
    this.#phase = 0;
    this.#received = 0;
    this.#given = 0;
  }

  #coefficients(cutoff) {
    const width = 2 * this.#half;
    const rows = new Float32Array(this.#up * width);
    for (let phase = 0; phase < this.#up; phase++) {
      const row = rows.subarray(phase * width, (phase + 1) * width);
      let sum = 0;
      const exact = Array.from(row, (_, tap) => {
        // The row's first tap is #half - 1 inputs before the output's whole position.
        const x = (tap - this.#half + 1 - phase / this.#up) * cutoff;
        const inside = 1 - (x / CROSSINGS) ** 2;
        const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
        const value = inside > 0 ? sinc * bessel(BETA * Math.sqrt(inside)) : 0;
        sum += value;
        return value;
      });
      // A row sums to 1, so that a constant stays one, without a ripple from row to row.
      exact.forEach((value, tap) => (row[tap] = value / sum));
    }
    return rows;
  }

  /** How many samples `push` can give at most for so many. */
  room(count) {
    return Math.ceil(((count + 2 * this.#half) * this.#up) / this.#down) + 1;
  }

  /** Writes what is ready after these floats into `out` (see `room`); how many. Allocates nothing for up to 4096 floats. */
  push(floats, out) {
    this.#received += floats.length;
    if (!this.#rows) {
      out.set(floats);
      return floats.length;
    }
    this.#hold(floats);
    return this.#give(out, Infinity);
  }

  /** The end of the stream: what was held back, into `out`; how many. The next push begins a new stream. */
  flush(out) {
    let count = 0;
    if (this.#rows) {
      const total = Math.floor((2 * this.#received * this.#up + this.#down) / (2 * this.#down));
      this.#reserve(2 * this.#half + 1);
      this.#held.fill(0, this.#filled, this.#filled + 2 * this.#half + 1);
      this.#filled += 2 * this.#half + 1;
      count = this.#give(out, total - this.#given);
    }
    this.#restart();
    return count;
  }

  #hold(floats) {
    this.#reserve(floats.length);
    this.#held.set(floats, this.#filled);
    this.#filled += floats.length;
  }

  #reserve(count) {
    if (this.#filled + count <= this.#held.length) return;
    const held = new Float32Array(2 * (this.#filled + count));
    held.set(this.#held);
    this.#held = held;
  }

  #give(out, most) {
    const width = 2 * this.#half;
    let count = 0;
    while (this.#at + width < this.#filled && count < most) {
      const row = this.#phase * width;
      const first = this.#at + 1;
      let sum = 0;
      for (let tap = 0; tap < width; tap++) sum += this.#held[first + tap] * this.#rows[row + tap];
      out[count++] = sum;
      this.#phase += this.#down;
      const whole = Math.floor(this.#phase / this.#up);
      this.#at += whole;
      this.#phase -= whole * this.#up;
    }
    const drop = Math.min(this.#at, this.#filled);
    this.#held.copyWithin(0, drop, this.#filled);
    this.#filled -= drop;
    this.#at -= drop;
    this.#given += count;
    return count;
  }
}
