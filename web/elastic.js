// Sound made longer without a change of pitch: the twin of voice/audio/elastic.py. Allocates nothing after its beginning.

const LEAST_LAG_MS = 10;
const MOST_LAG_MS = 20;
const FADE_MS = 10;
const COARSE_HZ = 6000;
const ONE = 1 << 15;
const HALF = 1 << 14;

const divided = (number, by) => Math.floor(number / by);

/** Makes the extra samples for sound at one rate. */
export class Elastic {
  /** What was made, `length` samples of it. */
  extra;
  length = 0;
  /** How sound may go on that breaks off at the end of `around`. */
  tail;
  /** The sound around the place: `back` samples before it, `ahead` from it on. To be filled by the caller. */
  around;
  #thin;
  #least;
  #most;
  #fade;
  #coarse;
  #unlike = 0;

  constructor(rateHz, tailMs = 0) {
    const samplesIn = (ms) => divided(ms * rateHz, 1000);
    this.#thin = Math.max(1, divided(rateHz, COARSE_HZ));
    this.#least = Math.max(1, divided(samplesIn(LEAST_LAG_MS), this.#thin));
    this.#most = Math.max(2, divided(samplesIn(MOST_LAG_MS), this.#thin));
    this.#fade = Math.max(1, divided(samplesIn(FADE_MS), this.#thin));
    this.ahead = this.#fade * this.#thin;
    this.back = (this.#most + 1) * this.#thin;
    this.around = new Int16Array(this.back + this.ahead);
    this.extra = new Int16Array(this.back);
    this.tail = new Int16Array(samplesIn(tailMs));
    this.#coarse = new Int32Array(this.#most + 1 + this.#fade);
  }

  stretched() {
    const lag = this.#best();
    this.length = 0;
    if (this.#unlike * 4 <= this.#size(lag) * 3) this.#between(lag);
  }

  rested() {
    this.#between(this.#most * this.#thin);
  }

  /** Whether there is a `tail`. */
  continued() {
    const lag = this.#best();
    if (this.#unlike * 2 > this.#size(lag)) return false;
    for (let index = 0; index < this.tail.length; index++) this.tail[index] = this.around[this.around.length - lag + (index % lag)];
    return true;
  }

  #best() {
    const thin = this.#thin;
    for (let index = 0; index < this.#coarse.length; index++) {
      let sum = 0;
      for (let at = index * thin; at < (index + 1) * thin; at++) sum += this.around[at];
      this.#coarse[index] = sum;
    }
    const coarse = this.#mostAlike(this.#coarse, this.#most + 1, this.#fade, this.#least, this.#most);
    return this.#mostAlike(this.around, this.back, this.ahead, Math.max((coarse - 1) * thin, this.ahead), (coarse + 1) * thin);
  }

  #mostAlike(samples, here, length, low, high) {
    let found = low;
    this.#unlike = Infinity;
    for (let lag = low; lag <= high; lag++) {
      let sum = 0;
      for (let at = here; at < here + length; at++) sum += Math.abs(samples[at] - samples[at - lag]);
      if (sum < this.#unlike) {
        this.#unlike = sum;
        found = lag;
      }
    }
    return found;
  }

  #size(lag) {
    let sum = 0;
    for (let at = this.back; at < this.back + this.ahead; at++) sum += Math.abs(this.around[at]) + Math.abs(this.around[at - lag]);
    return sum;
  }

  #between(lag) {
    const { around, back, ahead } = this;
    for (let index = 0; index < ahead; index++) {
      const gain = divided((index + 1) * ONE, ahead);
      this.extra[index] = (around[back + index] * (ONE - gain) + around[back - lag + index] * gain + HALF) >> 15;
    }
    for (let index = ahead; index < lag; index++) this.extra[index] = around[back - lag + index];
    this.length = lag;
  }
}
