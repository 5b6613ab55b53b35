// The playback buffer: the twin of voice/audio/jitter.py, whose comments tell the whole story (arrivals.js, elastic.js,
// fades.js, lead.js, playing.js, quiet.js, starting.js, tape.js and tuning.js are those of the Python files of these names). Both run fixtures/traces/jitter-*.jsonl and must give the same samples, decisions and
// counters. No DOM, no audio, no clock: an AudioWorklet imports it. Times are whole microseconds, counts whole samples.

import { Arrivals } from "./arrivals.js";
import { Fades } from "./fades.js";
import { Lead } from "./lead.js";
import { DRY, Item, PLAYING, Runs, WAITING } from "./playing.js";
import { Starting } from "./starting.js";
import { SETTINGS } from "./tuning.js";

const REMEMBERED = 32;

const divided = (number, by) => Math.floor(number / by);

/** Like JitterBuffer in jitter.py, and with its words; a worklet's frames are filled in place. */
export class JitterBuffer {
  /** From `take` to the air, in samples; may change at any time. */
  latencySamples = 0;
  /** Whether playback rests: see `hold`. */
  held = false;
  #settings;
  #starting;
  #lead;
  #items = [];
  #gone = new Array(REMEMBERED).fill(null);
  #goneCount = 0;
  #runs = new Runs();
  #fades;
  #flushSamples;
  #counts = { out: 0, replies: 0, start: 0, startTotal: 0, underruns: 0, silence: 0, played: 0, lateMaxUs: 0 };

  constructor(rateHz = 24000, settings = {}) {
    if (!(rateHz >= 1)) throw new RangeError(`a sample rate is positive, not ${rateHz} Hz`);
    this.rateHz = rateHz;
    this.#settings = { ...SETTINGS, ...settings };
    this.#starting = new Starting(this.#settings, rateHz);
    this.#lead = new Lead(this.#settings, rateHz, this.#starting.past);
    this.#fades = new Fades(this.#samplesIn(this.#settings.fadeMs), this.#samplesIn(this.#settings.concealMs));
    this.#flushSamples = this.#samplesIn(this.#settings.flushMs);
  }

  /** Sound of an item (Int16Array; kept, not copied), behind all that was put before. */
  put(itemId, samples, nowUs) {
    if (!samples.length) return;
    let item = this.#items.find((one) => one.itemId === itemId);
    if (!item) {
      for (const before of this.#items) this.#starting.end(before);
      item = new Item(itemId, new Arrivals(this.rateHz, nowUs));
      this.#items.push(item);
    }
    item.add(samples, nowUs);
    this.#counts.lateMaxUs = Math.max(this.#counts.lateMaxUs, item.arrivals.neededUs);
  }

  /** The item is complete: the rest is played at once. */
  end(itemId) {
    for (const item of this.#items) if (item.itemId === itemId) this.#starting.end(item);
  }

  /** Fills `out` (Int16Array, or Float32Array within +-1) for the loudspeaker. For the audio callback: allocates nothing. */
  take(out, nowUs) {
    const floats = out instanceof Float32Array;
    let at = 0;
    while (at < out.length) {
      const item = this.#next(out.length - at, nowUs);
      if (item) {
        at += this.#play(item, out, at, floats);
        continue;
      }
      this.#lead.rest();
      this.#fades.stop(this.held ? this.#flushSamples : undefined);
      let quiet = this.#fades.ring(out, at, floats);
      if (!quiet) {
        quiet = out.length - at;
        out.fill(0, at);
      }
      if (this.#items.length && !this.held) this.#items[0].silent += quiet;
      at += quiet;
    }
    this.#counts.out += out.length;
  }

  /** Rests: the next `take` fades out, then silence, until `release`. Nothing is lost. */
  hold() {
    this.held = true;
  }

  /** Plays on from the sample behind the last one that was given, fading in. */
  release() {
    this.held = false;
  }

  /** Stops, also what is held: the next `take` fades out, then silence. {itemId, heardMs, unheard: [itemId]}, or null if there was nothing to stop. */
  flush() {
    this.held = false;
    this.#settle();
    const heard = this.#runs.latest;
    const stopped = new Set(heard && !heard.finished ? [heard] : []);
    for (const item of [...this.#runs.items(), ...this.#items]) stopped.add(item);
    for (const item of this.#items) {
      this.#starting.end(item);
      this.#leave(item);
    }
    this.#items.length = 0;
    this.#runs.clear();
    this.#lead.rest();
    this.#fades.stop(this.#flushSamples);
    if (!stopped.size) return null;
    const [first, ...others] = stopped;
    return { itemId: first.itemId, heardMs: this.#msIn(first.heard), unheard: others.map((item) => item.itemId) };
  }

  /** {itemId, samplesPlayed} of what is at the loudspeaker; null before the first and after the last sample. */
  position() {
    this.#settle();
    const item = this.#runs.latest;
    return item && !item.finished ? { itemId: item.itemId, samplesPlayed: item.heard } : null;
  }

  /** How many ms of an item were heard; 0 of one that is not known or was forgotten. */
  heard(itemId) {
    this.#settle();
    let found = null;
    for (let back = Math.min(this.#goneCount, REMEMBERED); back > 0; back--) {
      const item = this.#gone[(this.#goneCount - back) % REMEMBERED];
      if (item.itemId === itemId) found = item;
    }
    found = this.#items.findLast((item) => item.itemId === itemId) ?? found;
    return found ? this.#msIn(found.heard) : 0;
  }

  /** Whether there is nothing left to play, and nothing more to come of what was. Allocates nothing. */
  get idle() {
    return this.#items.length === 0;
  }

  get stats() {
    const counts = this.#counts;
    return {
      replies: counts.replies,
      startMs: this.#msIn(counts.start),
      startTotalMs: this.#msIn(counts.startTotal),
      underruns: counts.underruns,
      silenceMs: this.#msIn(counts.silence),
      playedMs: this.#msIn(counts.played),
      bufferedMs: this.#msIn(this.#items.reduce((sum, item) => sum + item.left, 0)),
      lateMaxMs: divided(counts.lateMaxUs, 1000),
      lengthenedMs: this.#msIn(this.#lead.lengthened),
      stretchedMs: this.#msIn(this.#lead.stretched),
    };
  }

  #next(count, nowUs) {
    while (this.#items.length && this.#items[0].ended && !this.#items[0].left) this.#leave(this.#items.shift());
    if (!this.#items.length || this.held) return null;
    const item = this.#items[0];
    if (item.left && (item.state === PLAYING || this.#starting.mayStart(item, count, nowUs))) {
      this.#begin(item);
      return item;
    }
    if (item.state === PLAYING) {
      item.state = DRY;
      this.#lead.dry(item, this.#fades);
    }
    return null;
  }

  #begin(item) {
    if (item.state === PLAYING) {
      this.#fades.start(true);
      return;
    }
    const counts = this.#counts;
    if (item.state === WAITING) {
      counts.replies++;
      counts.start = item.silent;
      counts.startTotal += item.silent;
    } else {
      counts.underruns++;
      counts.silence += item.silent;
    }
    this.#fades.start(item.state === DRY);
    item.state = PLAYING;
    item.silent = 0;
  }

  #play(item, out, at, floats) {
    const count = this.#lead.draw(item, this.#fades, out, at, floats);
    if (this.#lead.own) {
      this.#runs.add(item, this.#counts.out + at, count);
      this.#counts.played += count;
    }
    this.#settle();
    return count;
  }

  #settle() {
    this.#runs.settle(this.#counts.out - this.latencySamples);
  }

  #leave(item) {
    this.#gone[this.#goneCount++ % REMEMBERED] = item;
  }

  #samplesIn(ms) {
    return divided(ms * this.rateHz, 1000);
  }

  #msIn(count) {
    return divided(count * 1000, this.rateHz);
  }
}
