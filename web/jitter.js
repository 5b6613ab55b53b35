// The playback buffer: the twin of voice/audio/jitter.py (with arrivals.py, fades.py and playing.py), whose comments tell the whole
// story. Both run fixtures/traces/jitter-*.jsonl and must give the same samples, decisions and counters. No DOM, no audio, no clock:
// an AudioWorklet imports it. `take` allocates nothing. Times are whole microseconds, counts whole samples.

const SECOND_US = 1_000_000;
const FAST_ENOUGH = 4000;
const KEPT = 24;
const NEWEST_WEIGHT = 1 << 16;
const ONE = 1 << 15;
const HALF = 1 << 14;
const REMEMBERED = 32;
const WAITING = 0;
const PLAYING = 1;
const DRY = 2;

const divided = (number, by) => Math.floor(number / by);

/** The settings of JitterSettings in jitter.py; `new JitterBuffer(rate, {mostWaitMs: 300})` changes some. */
export const SETTINGS = Object.freeze({
  quantilePercent: 75,
  decayPercent: 90,
  mostWaitMs: 500,
  slowSpeed: 1400,
  slowWaitMs: 80,
  aheadFactor: 2,
  resumeMs: 120,
  learnMs: 1000,
  fadeMs: 10,
  flushMs: 5,
});

class Arrivals {
  received = 0;
  neededUs = 0;
  #rateHz;
  #firstUs;
  #beforeLast = 0;

  constructor(rateHz, nowUs) {
    this.#rateHz = rateHz;
    this.#firstUs = nowUs;
    this.lastUs = nowUs;
  }

  add(count, nowUs) {
    const dueUs = this.#firstUs + divided(this.received * SECOND_US, this.#rateHz);
    this.neededUs = Math.max(this.neededUs, nowUs - dueUs);
    this.#beforeLast = this.received;
    this.lastUs = nowUs;
    this.received += count;
  }

  ageUs(nowUs) {
    return nowUs - this.#firstUs;
  }

  /** Per mille of real time; null after one delta only. */
  speed() {
    if (!this.#beforeLast) return null;
    const soundUs = divided(this.#beforeLast * SECOND_US, this.#rateHz);
    return Math.min(FAST_ENOUGH, divided(soundUs * 1000, Math.max(1, this.lastUs - this.#firstUs)));
  }
}

class Past {
  neededUs = 0;
  speed = null;
  #replies = [];
  #quantilePercent;
  #decayPercent;

  constructor(quantilePercent, decayPercent) {
    this.#quantilePercent = quantilePercent;
    this.#decayPercent = decayPercent;
  }

  add(neededUs, speed) {
    this.#replies.unshift({ neededUs, speed, weight: 0 });
    this.#replies.length = Math.min(KEPT, this.#replies.length);
    let weight = NEWEST_WEIGHT;
    let total = 0;
    let sum = 0;
    for (const reply of this.#replies) {
      reply.weight = weight;
      total += weight;
      sum += reply.speed * weight;
      weight = divided(weight * this.#decayPercent, 100);
    }
    this.speed = divided(sum, total);
    let below = 0;
    for (const reply of [...this.#replies].sort((one, other) => one.neededUs - other.neededUs)) {
      below += reply.weight;
      if (below * 100 >= total * this.#quantilePercent) {
        this.neededUs = reply.neededUs;
        break;
      }
    }
  }
}

class Fades {
  #length;
  #recent;
  #sounding = false;
  #fadedIn;
  #ringAt = 0;
  #ringLength = 0;

  constructor(length) {
    this.#length = length;
    this.#recent = new Int16Array(length);
    this.#fadedIn = length;
  }

  start(fadeIn) {
    if (this.#sounding) return;
    this.#sounding = true;
    this.#recent.fill(0);
    this.#fadedIn = fadeIn ? 0 : this.#length;
  }

  stop(length = this.#length) {
    if (!this.#sounding) return false;
    this.#sounding = false;
    this.#ringAt = 0;
    this.#ringLength = Math.min(length, this.#length);
    return true;
  }

  ring(out, at, floats) {
    const count = Math.min(out.length - at, this.#ringLength - this.#ringAt);
    for (let index = 0; index < count; index++, this.#ringAt++) {
      const gain = divided((this.#ringLength - 1 - this.#ringAt) * ONE, this.#ringLength);
      const sample = (this.#recent[this.#length - 1 - this.#ringAt] * gain + HALF) >> 15;
      out[at + index] = floats ? sample / 32768 : sample;
    }
    return count;
  }

  passOn(samples, from, count, out, at, floats) {
    const recent = this.#recent;
    const length = this.#length;
    if (count < length) recent.copyWithin(0, count);
    for (let index = 0; index < count; index++) {
      let sample = samples[from + index];
      if (this.#fadedIn < length) {
        this.#fadedIn++;
        sample = (sample * divided(this.#fadedIn * ONE, length) + HALF) >> 15;
      }
      out[at + index] = floats ? sample / 32768 : sample;
      const place = length - count + index;
      if (place >= 0) recent[place] = sample;
    }
  }
}

class Item {
  state = WAITING;
  ended = false;
  played = 0;
  silent = 0;
  heard = 0;
  #chunks = [];
  #first = 0;
  #offset = 0;

  constructor(itemId, arrivals) {
    this.itemId = itemId;
    this.arrivals = arrivals;
  }

  get left() {
    return this.arrivals.received - this.played;
  }

  get finished() {
    return this.ended && this.heard === this.arrivals.received;
  }

  add(samples, nowUs) {
    this.#chunks.push(samples);
    this.arrivals.add(samples.length, nowUs);
  }

  /** Some samples, through `fades` into `out` from `at` on; how many. */
  draw(fades, out, at, floats) {
    const chunk = this.#chunks[this.#first];
    const count = Math.min(chunk.length - this.#offset, out.length - at);
    fades.passOn(chunk, this.#offset, count, out, at, floats);
    this.#offset += count;
    this.played += count;
    if (this.#offset === chunk.length) {
      this.#chunks[this.#first++] = null;
      this.#offset = 0;
    }
    return count;
  }
}

class Runs {
  latest = null;
  #ring = Array.from({ length: 64 }, () => ({ item: null, outFrom: 0, itemFrom: 0, count: 0 }));
  #first = 0;
  #used = 0;

  #at(index) {
    return this.#ring[(this.#first + index) % this.#ring.length];
  }

  add(item, outFrom, count) {
    if (this.#used) {
      const last = this.#at(this.#used - 1);
      if (last.item === item && last.outFrom + last.count === outFrom) {
        last.count += count;
        return;
      }
    }
    if (this.#used === this.#ring.length) this.#grow();
    const run = this.#at(this.#used++);
    run.item = item;
    run.outFrom = outFrom;
    run.itemFrom = item.played - count;
    run.count = count;
  }

  settle(out) {
    while (this.#used) {
      const run = this.#at(0);
      if (run.outFrom >= out) break;
      const heard = Math.min(run.count, out - run.outFrom);
      run.item.heard = run.itemFrom + heard;
      this.latest = run.item;
      if (heard < run.count) break;
      run.item = null;
      this.#first = (this.#first + 1) % this.#ring.length;
      this.#used--;
    }
  }

  items() {
    return [...new Set(Array.from({ length: this.#used }, (_, index) => this.#at(index).item))];
  }

  clear() {
    for (const run of this.#ring) run.item = null;
    this.#used = 0;
    this.latest = null;
  }

  // 64 breaks in the sound within the device's latency: not heard of, but no reason to lose the position.
  #grow() {
    const more = Array.from({ length: this.#ring.length }, () => ({ item: null, outFrom: 0, itemFrom: 0, count: 0 }));
    this.#ring = [...this.#ring.slice(this.#first), ...this.#ring.slice(0, this.#first), ...more];
    this.#first = 0;
  }
}

/** Like JitterBuffer in jitter.py, and with its words; a worklet's frames are filled in place. */
export class JitterBuffer {
  /** From `take` to the air, in samples; may change at any time. */
  latencySamples = 0;
  #settings;
  #past;
  #items = [];
  #gone = new Array(REMEMBERED).fill(null);
  #goneCount = 0;
  #runs = new Runs();
  #fades;
  #counts = { out: 0, replies: 0, start: 0, startTotal: 0, underruns: 0, silence: 0, played: 0, lateMaxUs: 0 };

  constructor(rateHz = 24000, settings = {}) {
    if (!(rateHz >= 1)) throw new RangeError(`a sample rate is positive, not ${rateHz} Hz`);
    this.rateHz = rateHz;
    this.#settings = { ...SETTINGS, ...settings };
    this.#past = new Past(this.#settings.quantilePercent, this.#settings.decayPercent);
    this.#fades = new Fades(this.#samplesIn(this.#settings.fadeMs));
  }

  /** Sound of an item (Int16Array; kept, not copied), behind all that was put before. */
  put(itemId, samples, nowUs) {
    if (!samples.length) return;
    let item = this.#items.find((one) => one.itemId === itemId);
    if (!item) {
      for (const before of this.#items) this.#end(before);
      item = new Item(itemId, new Arrivals(this.rateHz, nowUs));
      this.#items.push(item);
    }
    item.add(samples, nowUs);
    this.#counts.lateMaxUs = Math.max(this.#counts.lateMaxUs, item.arrivals.neededUs);
  }

  /** The item is complete: the rest is played at once. */
  end(itemId) {
    for (const item of this.#items) if (item.itemId === itemId) this.#end(item);
  }

  /** Fills `out` (Int16Array, or Float32Array within +-1) for the loudspeaker. For the audio callback: allocates nothing. */
  take(out, nowUs) {
    const floats = out instanceof Float32Array;
    let at = 0;
    while (at < out.length) {
      const rung = this.#fades.ring(out, at, floats);
      this.#hush(rung);
      at += rung;
      if (at === out.length) break;
      const item = this.#next(nowUs);
      if (item) {
        at += this.#play(item, out, at, floats);
      } else if (!this.#fades.stop()) {
        this.#hush(out.length - at);
        out.fill(0, at);
        break;
      }
    }
    this.#counts.out += out.length;
  }

  /** Stops: the next `take` fades out, then silence. {itemId, heardMs, unheard: [itemId]}, or null if there was nothing to stop. */
  flush() {
    this.#settle();
    const heard = this.#runs.latest;
    const stopped = new Set(heard && !heard.finished ? [heard] : []);
    for (const item of [...this.#runs.items(), ...this.#items]) stopped.add(item);
    for (const item of this.#items) {
      this.#end(item);
      this.#leave(item);
    }
    this.#items.length = 0;
    this.#runs.clear();
    this.#fades.stop(this.#samplesIn(this.#settings.flushMs));
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

  /** Whether there is nothing left to play. Allocates nothing. */
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
    };
  }

  #end(item) {
    if (item.ended) return;
    item.ended = true;
    const speed = item.arrivals.speed();
    if (speed !== null && item.arrivals.received >= this.#samplesIn(this.#settings.learnMs)) {
      this.#past.add(item.arrivals.neededUs, speed);
    }
  }

  #next(nowUs) {
    while (this.#items.length) {
      const item = this.#items[0];
      if (item.left && (item.state === PLAYING || this.#mayStart(item, nowUs))) {
        this.#begin(item);
        return item;
      }
      if (item.left || !item.ended) {
        if (item.state === PLAYING) item.state = DRY;
        return null;
      }
      this.#leave(this.#items.shift());
    }
    return null;
  }

  #mayStart(item, nowUs) {
    const settings = this.#settings;
    if (item.ended || nowUs - item.arrivals.lastUs >= settings.mostWaitMs * 1000) return true;
    if (item.state === DRY) return item.left >= this.#samplesIn(settings.resumeMs);
    const speed = this.#past.speed ?? item.arrivals.speed();
    const leastMs = speed !== null && speed < settings.slowSpeed ? settings.slowWaitMs : 0;
    if (item.left < this.#samplesIn(leastMs)) return false;
    const waitUs = Math.max(leastMs * 1000, Math.min(this.#past.neededUs, settings.mostWaitMs * 1000));
    const aheadUs = divided(item.left * SECOND_US, this.rateHz);
    return item.arrivals.ageUs(nowUs) >= waitUs || aheadUs >= waitUs * settings.aheadFactor;
  }

  #begin(item) {
    if (item.state === PLAYING) return;
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
    const count = item.draw(this.#fades, out, at, floats);
    this.#runs.add(item, this.#counts.out + at, count);
    this.#counts.played += count;
    this.#settle();
    return count;
  }

  #hush(count) {
    if (this.#items.length) this.#items[0].silent += count;
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
