// The items of replies that are played, and which of their samples have left the loudspeaker: the twin of voice/audio/playing.py.

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
