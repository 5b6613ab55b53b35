// No clicks where playback stops and goes on: the twin of voice/audio/fades.py. Allocates nothing.

const ONE = 1 << 15;
const HALF = 1 << 14;

/** What passes on to the loudspeaker (an Int16Array, or `floats` within +-1), and how it begins and ends. */
export class Fades {
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
      const gain = Math.floor(((this.#ringLength - 1 - this.#ringAt) * ONE) / this.#ringLength);
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
        sample = (sample * Math.floor((this.#fadedIn * ONE) / length) + HALF) >> 15;
      }
      out[at + index] = floats ? sample / 32768 : sample;
      const place = length - count + index;
      if (place >= 0) recent[place] = sample;
    }
  }
}
