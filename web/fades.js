// No clicks where playback stops and goes on: the twin of voice/audio/fades.py. Allocates nothing.

const ONE = 1 << 15;
const HALF = 1 << 14;

/** What passes on to the loudspeaker (an Int16Array, or `floats` within +-1), and how it begins and ends. */
export class Fades {
  #length;
  #recent;
  #sounding = false;
  #fadedIn;
  #rest;
  #restAt = 0;
  #restLength = 0;

  constructor(length) {
    this.#length = length;
    this.#recent = new Int16Array(length);
    this.#rest = new Int16Array(length);
    this.#fadedIn = length;
  }

  start(fadeIn) {
    if (this.#sounding) return;
    this.#sounding = true;
    this.#recent.fill(0);
    this.#fadedIn = fadeIn ? 0 : this.#length;
  }

  stop(length = this.#length) {
    if (!this.#sounding) return;
    this.#sounding = false;
    this.#restAt = 0;
    this.#restLength = Math.min(length, this.#length);
    for (let index = 0; index < this.#restLength; index++) {
      const gain = Math.floor(((this.#restLength - 1 - index) * ONE) / this.#restLength);
      this.#rest[index] = (this.#recent[this.#length - 1 - index] * gain + HALF) >> 15;
    }
  }

  ring(out, at, floats) {
    const count = Math.min(out.length - at, this.#restLength - this.#restAt);
    for (let index = 0; index < count; index++) {
      const sample = this.#rest[this.#restAt++];
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
      if (this.#restAt < this.#restLength) sample = Math.max(-ONE, Math.min(ONE - 1, sample + this.#rest[this.#restAt++]));
      out[at + index] = floats ? sample / 32768 : sample;
      const place = length - count + index;
      if (place >= 0) recent[place] = sample;
    }
  }
}
