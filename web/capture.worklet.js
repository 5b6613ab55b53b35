// The microphone's end of the audio graph: cuts what comes into frames of 20 ms (int16, mono, the context's rate) and posts each.
// `process` allocates nothing: the same frame is filled again, and posting it makes the copy.

const FRAMES_PER_SECOND = 50;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this._frame = new Int16Array(Math.round(sampleRate / FRAMES_PER_SECOND));
    this._used = 0;
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (!channel) return true; // no microphone is connected now
    for (let at = 0; at < channel.length; at += 1) {
      const value = Math.round(channel[at] * 32768);
      this._frame[this._used] = value > 32767 ? 32767 : value < -32768 ? -32768 : value;
      this._used += 1;
      if (this._used === this._frame.length) {
        this._used = 0;
        this.port.postMessage(this._frame);
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
