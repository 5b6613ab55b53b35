// A bounded queue of captured sound: pieces, and the positions at which they were captured. Twin of voice/protocol/soundqueue.py.

export class SoundQueue {
  // When there is more than `maxSamples` the oldest goes.
  constructor(maxSamples) {
    this.samples = 0;
    this._maxSamples = maxSamples;
    this._pieces = [];
  }

  // Where its first sound was captured; null: it holds none.
  get start() {
    return this._pieces.length ? this._pieces[0].at : null;
  }

  // Put a piece at the end; returns how many samples had to go for it.
  add(at, samples) {
    if (samples.length === 0) return 0;
    this._pieces.push({ at, samples });
    this.samples += samples.length;
    let gone = 0;
    while (this.samples > this._maxSamples) gone += this._drop();
    return gone;
  }

  // A queue of the sound from a position on.
  since(position) {
    const newer = new SoundQueue(this._maxSamples);
    for (const { at, samples } of this._pieces) {
      const cut = Math.min(Math.max(0, position - at), samples.length);
      newer.add(at + cut, samples.subarray(cut));
    }
    return newer;
  }

  // Everything, in order; then it is empty.
  take() {
    const pieces = this._pieces;
    this._pieces = [];
    this.samples = 0;
    return pieces;
  }

  _drop() {
    const { samples } = this._pieces.shift();
    this.samples -= samples.length;
    return samples.length;
  }
}
