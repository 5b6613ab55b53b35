// A stream of int16 pieces from one sample rate to another; a thin shell around pcm.js. Pure.

import { Resampler, fromFloats, toFloats } from "./pcm.js";

export class Rate {
  // Throws a RangeError if a rate is not a positive whole number.
  constructor(fromHz, toHz) {
    this._same = fromHz === toHz;
    this._resampler = this._same ? null : new Resampler(fromHz, toHz);
  }

  // More of the stream: what is ready, a new array.
  push(samples) {
    if (this._same) return samples.slice();
    const out = new Float32Array(this._resampler.room(samples.length));
    return fromFloats(out.subarray(0, this._resampler.push(toFloats(samples), out)));
  }

  // The end of the stream: what was held back. The next piece begins a new stream.
  flush() {
    if (this._same) return new Int16Array(0);
    const out = new Float32Array(this._resampler.room(0));
    return fromFloats(out.subarray(0, this._resampler.flush(out)));
  }
}
