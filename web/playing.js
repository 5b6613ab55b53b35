// The items of replies that are played, and which of their samples have left the loudspeaker: the twin of voice/audio/playing.py.

import { Quiet } from "./quiet.js";
import { Tape } from "./tape.js";

export const WAITING = 0;
export const PLAYING = 1;
export const DRY = 2;

/** One item of a reply: its sound that is still to be played, and where it is. */
export class Item {
  state = WAITING;
  ended = false;
  played = 0;
  silent = 0;
  heard = 0;
  #tape;

  constructor(itemId, arrivals) {
    this.itemId = itemId;
    this.arrivals = arrivals;
    this.quiet = new Quiet(arrivals.rateHz);
    this.#tape = new Tape(arrivals.rateHz);
  }

  get left() {
    return this.arrivals.received - this.played;
  }

  get finished() {
    return this.ended && this.heard === this.arrivals.received;
  }

  add(samples, nowUs) {
    this.#tape.add(samples);
    this.quiet.add(samples);
    this.arrivals.add(samples.length, nowUs);
  }

  /** Some samples, at most `limit`, through `fades` into `out` from `at` on; how many. */
  draw(limit, fades, out, at, floats) {
    const count = this.#tape.read(limit, fades, out, at, floats);
    this.played += count;
    return count;
  }

  /** Fills `into` with the last `back` samples that were drawn and the next `ahead` ones; false where there are not so many. */
  around(into, back, ahead) {
    if (this.played < back || this.left < ahead) return false;
    this.#tape.around(into, back, ahead);
    return true;
  }
}

/** What was handed out and has not been heard yet. */
export class Runs {
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
      run.item.heard = Math.max(run.item.heard, run.itemFrom + heard);
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
