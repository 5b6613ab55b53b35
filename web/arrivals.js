// How the sound of replies arrives: the twin of voice/audio/arrivals.py.

export const SECOND_US = 1_000_000;
export const SLOW_SPEED = 1400;
const FAST_ENOUGH = 4000;
const KEPT = 24;
const NEWEST_WEIGHT = 1 << 16;

const divided = (number, by) => Math.floor(number / by);

/** The arrivals of one reply. */
export class Arrivals {
  received = 0;
  neededUs = 0;
  #firstUs;
  #beforeLast = 0;

  constructor(rateHz, nowUs) {
    this.rateHz = rateHz;
    this.#firstUs = nowUs;
    this.lastUs = nowUs;
  }

  add(count, nowUs) {
    const dueUs = this.#firstUs + divided(this.received * SECOND_US, this.rateHz);
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
    const soundUs = divided(this.#beforeLast * SECOND_US, this.rateHz);
    return Math.min(FAST_ENOUGH, divided(soundUs * 1000, Math.max(1, this.lastUs - this.#firstUs)));
  }
}

/** The last replies, newer ones weighing more. */
export class Past {
  neededUs = 0;
  likelyUs = 0;
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
    this.likelyUs = divided(this.neededUs * (this.#replies.length + 1), this.#replies.length);
  }
}
