// Where the sound of an item is quiet: the twin of voice/audio/quiet.py. `around` allocates nothing.

const FRAME_MS = 5;
const RATIO = 24;
const NOTHING = 16;
const WINDOW = 4;

/** The quiet of one item. */
export class Quiet {
  from = 0;
  to = 0;
  #frame;
  #frames = new Uint8Array(64);
  #count = 0;
  #sum = 0;
  #summed = 0;
  #sums = new Array(WINDOW).fill(0);
  #loudest = 0;

  constructor(rateHz) {
    this.#frame = Math.max(1, Math.floor((FRAME_MS * rateHz) / 1000));
  }

  add(samples) {
    for (const sample of samples) {
      this.#sum += Math.abs(sample);
      if (++this.#summed === this.#frame) this.#close();
    }
  }

  /** Whether it is quiet at sample `at`; then from `from` on, and up to `to`. */
  around(at) {
    const frame = Math.floor(at / this.#frame);
    if (frame >= this.#count || !this.#frames[frame]) return false;
    let last = this.#frames.indexOf(0, frame);
    if (last < 0 || last > this.#count) last = this.#count;
    this.from = (this.#frames.lastIndexOf(0, frame) + 1) * this.#frame;
    this.to = last * this.#frame;
    return true;
  }

  #close() {
    this.#sums[this.#count % WINDOW] = this.#sum;
    this.#loudest = Math.max(this.#loudest, this.#sums.reduce((sum, one) => sum + one, 0));
    if (this.#count === this.#frames.length) {
      const more = new Uint8Array(2 * this.#count);
      more.set(this.#frames);
      this.#frames = more;
    }
    const quiet = this.#sum * RATIO * WINDOW <= this.#loudest || this.#sum <= NOTHING * this.#frame;
    this.#frames[this.#count++] = quiet ? 1 : 0;
    this.#sum = 0;
    this.#summed = 0;
  }
}
