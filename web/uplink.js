// The page's sound on its way up: what the microphone gives becomes appends at the server's rate. Twin of voice/protocol/uplink.py.
//
// Until the server has taken the settings sound is held back (bounded), so that the first word is not sent at a rate that the server
// does not know of. The newest of what was sent is kept too: when a link breaks, the next one gets it again from where it matters. The
// server counts time from the first sample that it got; `toLocalMs` maps its times to ours.

import { encodeBase64 } from "./pcm.js";
import { Rate } from "./rate.js";
import { SoundQueue } from "./soundqueue.js";

export const APPEND_MS = 40; // 25 messages a second: half the cost of one a frame, 20 ms later at most
export const RESEND_MS = 15_000; // held back while no server is ready, and kept to be sent again; beyond it the oldest goes
export const TAIL_MS = 1000; // sent again in any case: the beginning of a turn that no detector has noticed yet

export class Uplink {
  // `send(event)` takes an event as an object. `rateHz`: of the samples that are pushed.
  constructor(send, rateHz) {
    this._send = send;
    this._captureHz = rateHz;
    this._held = this._queue();
    this._lately = this._queue();
    this._serverHz = 0;
    this._offset = 0;
    this._rest = new Int16Array(0);
    this._rate = null;
    this.position = 0; // samples captured
    this.dropped = 0; // samples that were held back for too long
  }

  get positionMs() {
    return this._msIn(this.position);
  }

  // The microphone runs at another rate from now on; what is held is of the old one and is let go.
  captureAt(rateHz) {
    if (rateHz === this._captureHz) return;
    this.position = Math.floor((this.position * rateHz) / this._captureHz);
    this._offset = Math.floor((this._offset * rateHz) / this._captureHz);
    this._captureHz = rateHz;
    this._held = this._queue();
    this._lately = this._queue();
    if (this._serverHz) this._prepare();
  }

  // The server is ready for this rate: what was held goes first.
  open(rateHz) {
    this._serverHz = rateHz;
    this._prepare();
    this._offset = this._held.start ?? this.position;
    for (const { at, samples } of this._held.take()) {
      this._lately.add(at, samples);
      this._push(samples);
    }
  }

  // The link is gone: hold back again, and hold what was sent from there on, to be sent again.
  close(resendFromMs) {
    if (this._serverHz) this._held = this._lately.since(Math.floor((resendFromMs * this._captureHz) / 1000));
    this._lately.take();
    this._serverHz = 0;
  }

  // Microphone sound: Int16Array, mono, any length; kept, not copied.
  push(samples) {
    const at = this.position;
    this.position += samples.length;
    if (this._serverHz) {
      this._lately.add(at, samples);
      this._push(samples);
    } else {
      this.dropped += this._held.add(at, samples);
    }
  }

  // Silence after the microphone was stopped: a server that waits for the end of speech must hear it end.
  pushSilence(durationMs) {
    const frame = Math.round(this._captureHz / 50);
    for (let at = 0; at < durationMs; at += 20) this.push(new Int16Array(frame));
    if (this._serverHz) this._flush();
  }

  toLocalMs(serverMs) {
    return serverMs + this._msIn(this._offset);
  }

  _msIn(samples) {
    return Math.floor((samples * 1000) / this._captureHz);
  }

  _queue() {
    return new SoundQueue((RESEND_MS * this._captureHz) / 1000);
  }

  _prepare() {
    this._rate = new Rate(this._captureHz, this._serverHz);
    this._rest = new Int16Array(0);
  }

  _push(samples) {
    const size = Math.floor((this._serverHz * APPEND_MS) / 1000);
    let whole = joined(this._rest, this._rate.push(samples));
    for (; whole.length >= size; whole = whole.subarray(size)) this._append(whole.subarray(0, size));
    this._rest = whole.slice();
  }

  _flush() {
    const rest = joined(this._rest, this._rate.flush());
    if (rest.length) this._append(rest);
    this._rest = new Int16Array(0);
  }

  _append(samples) {
    this._send({ type: "input_audio_buffer.append", audio: encodeBase64(samples) });
  }
}

function joined(first, second) {
  if (first.length === 0) return second;
  const whole = new Int16Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
