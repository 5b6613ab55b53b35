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

  /** `length`: of a fade; `longest`: of what `trail` is given. */
  constructor(length, longest = length) {
    this.#length = length;
    this.#recent = new Int16Array(length);
    this.#rest = new Int16Array(Math.max(length, longest));
    this.#fadedIn = length;
  }

  start(fadeIn) {
    if (this.#sounding) return;
    this.#sounding = true;
    this.#recent.fill(0);
    this.#fadedIn = fadeIn ? 0 : this.#length;
  }

  stop(length) {
    if (this.#sounding) {
      this.#sounding = false;
      this.#restAt = 0;
      this.#restLength = Math.min(length ?? this.#length, this.#length);
      for (let index = 0; index < this.#restLength; index++) this.#rest[index] = this.#recent[this.#length - 1 - index];
      this.#fall();
    } else if (length !== undefined && this.#restLength - this.#restAt > length) {
      this.#restLength = this.#restAt + length;
      this.#fall();
    }
  }

  trail(samples, count) {
    if (!this.#sounding || !count) return;
    this.#sounding = false;
    this.#restAt = 0;
    this.#restLength = count;
    for (let index = 0; index < count; index++) {
      let sample = samples[index];
      if (index < this.#length) {
        const gain = Math.floor(((index + 1) * ONE) / this.#length);
        sample = (this.#recent[this.#length - 1 - index] * (ONE - gain) + sample * gain + HALF) >> 15;
      }
      this.#rest[index] = sample;
    }
    this.#fall();
  }

  #fall() {
    const length = this.#restLength - this.#restAt;
    for (let index = 0; index < length; index++) {
      const gain = Math.floor(((length - 1 - index) * ONE) / length);
      const at = this.#restAt + index;
      this.#rest[at] = (this.#rest[at] * gain + HALF) >> 15;
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
