// When the next item of a reply begins to sound, or goes on after it ran dry: the twin of voice/audio/starting.py. Allocates nothing in
// `mayStart`.

import { Past, SECOND_US, SLOW_SPEED } from "./arrivals.js";
import { DRY } from "./playing.js";

const divided = (number, by) => Math.floor(number / by);

/** Knows what past replies needed. */
export class Starting {
  past;
  #settings;
  #rateHz;

  constructor(settings, rateHz) {
    this.#settings = settings;
    this.#rateHz = rateHz;
    this.past = new Past(settings.quantilePercent, settings.decayPercent);
  }

  end(item) {
    if (item.ended) return;
    item.ended = true;
    const speed = item.arrivals.speed();
    if (speed !== null && item.arrivals.received >= this.#samplesIn(this.#settings.learnMs)) {
      this.past.add(item.arrivals.neededUs, speed);
    }
  }

  mayStart(item, count, nowUs) {
    const settings = this.#settings;
    if (item.ended || nowUs - item.arrivals.lastUs >= settings.mostWaitMs * 1000) return true;
    if (item.state === DRY) return item.left >= Math.max(count, this.#samplesIn(settings.resumeMs));
    const speed = this.past.speed ?? item.arrivals.speed();
    let leastMs = 0;
    let waitUs = Math.min(this.past.likelyUs, settings.mostWaitMs * 1000);
    if (speed !== null && speed < SLOW_SPEED) {
      leastMs = settings.slowWaitMs;
      waitUs = Math.max(leastMs * 1000, divided(waitUs * settings.slowWaitPercent, 100));
    }
    if (item.left < Math.max(count, this.#samplesIn(leastMs))) return false;
    const aheadUs = divided(item.left * SECOND_US, this.#rateHz);
    return item.arrivals.ageUs(nowUs) >= waitUs || aheadUs >= divided(waitUs * settings.aheadPercent, 100);
  }

  #samplesIn(ms) {
    return divided(ms * this.#rateHz, 1000);
  }
}
