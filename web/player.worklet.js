// The loudspeaker's end of the audio graph: a shell around the playback buffer (jitter.js).
//
// In:  {do: "put", itemId, samples, atS}  sound at the context's rate; `atS`: the audio clock when its data came
//      {do: "end", itemId}                no more of it comes
//      {do: "flush", id}                  stop at once
//      {do: "latency", samples}           from here to the air
// Out: {did: "flushed", id, stopped}      stopped: {itemId, heardMs, unheard} or null
//      {did: "started", itemId, delayMs}  the first sample of a reply went out, so long after its data came
//      {did: "level", level}              every 20 ms of playing: the loudest sample, 0..1
//      {did: "idle"}                      all has been played
// `process` makes no objects: it posts its own ones again and again, and posting makes the copy.

import { JitterBuffer } from "./jitter.js";

const REPORTS_PER_SECOND = 50;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this._buffer = new JitterBuffer(sampleRate);
    this._busy = false;
    this._fresh = false;
    this._cameAtS = 0;
    this._sinceReport = 0;
    this._started = { did: "started", itemId: "", delayMs: 0 };
    this._level = { did: "level", level: 0 };
    this._idle = { did: "idle" };
    this._loudest = 0;
    this.port.onmessage = (message) => this._obey(message.data);
  }

  process(_inputs, outputs) {
    const out = outputs[0][0];
    if (!out) return true;
    this._buffer.take(out, nowUs());
    for (let channel = 1; channel < outputs[0].length; channel += 1) outputs[0][channel].set(out);
    if (this._busy) this._report(out);
    return true;
  }

  _report(out) {
    for (let at = 0; at < out.length; at += 1) {
      const size = Math.abs(out[at]);
      if (size > this._loudest) this._loudest = size;
      if (this._fresh && size > 0) {
        this._fresh = false;
        this._started.delayMs = (currentTime + at / sampleRate - this._cameAtS) * 1000;
        this.port.postMessage(this._started);
      }
    }
    this._sinceReport += out.length;
    if (this._buffer.idle) {
      this._busy = false;
      this._fresh = false;
      this.port.postMessage(this._idle);
    } else if (this._sinceReport * REPORTS_PER_SECOND >= sampleRate) {
      this._level.level = this._loudest;
      this._loudest = 0;
      this._sinceReport = 0;
      this.port.postMessage(this._level);
    }
  }

  _obey(order) {
    switch (order.do) {
      case "put":
        if (this._buffer.idle) {
          this._fresh = true;
          this._cameAtS = order.atS;
          this._started.itemId = order.itemId;
        }
        this._busy = true;
        this._buffer.put(order.itemId, order.samples, nowUs());
        break;
      case "end":
        this._buffer.end(order.itemId);
        break;
      case "flush":
        this.port.postMessage({ did: "flushed", id: order.id, stopped: this._buffer.flush() });
        break;
      case "latency":
        this._buffer.latencySamples = order.samples;
        break;
    }
  }
}

function nowUs() {
  return Math.round(currentTime * 1_000_000);
}

registerProcessor("player", Player);
