// The page's ears and mouth: one AudioContext, a worklet that captures, a worklet that plays.
//
// `wake` must be called inside a tap or a key press: browsers let sound begin only there, and the first reply would be silent on a
// phone. The worklets are loaded before the microphone is asked for, so that its first word is not lost.

import { Rate } from "./rate.js";

const CLEAN = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const MAX_REMEMBERED = 64;

// Why there is no microphone, as a key of words.js.
export class MicrophoneError extends Error {
  constructor(key) {
    super(key);
    this.key = key;
  }
}

// What getUserMedia threw, as a key of words.js. `allowed`: the page's own policy lets it ask.
export function microphoneKey(name, allowed) {
  switch (name) {
    case "NotAllowedError":
    case "SecurityError":
      return allowed ? "micDenied" : "micPolicy";
    case "NotFoundError":
      return "micMissing";
    case "NotReadableError":
    case "AbortError":
      return "micBusy";
    case "OverconstrainedError":
      return "micUnfit";
    default:
      return "micOther";
  }
}

// Whether this browser, on this address, can play and record at all.
export function canSound() {
  return typeof AudioWorkletNode !== "undefined" && window.isSecureContext;
}

export class Sound {
  // Hooks: frame(samples), level(in), playing(bool), started(itemId, delayMs), outLevel(level), lost(), suspended(bool).
  constructor(hooks) {
    this.playing = false;
    this._hooks = hooks;
    this._context = null;
    this._waking = null;
    this._player = null;
    this._early = []; // what came while the worklets were being loaded: [itemId, what to do then]
    this._stream = null;
    this._source = null;
    this._dropped = new Set(); // items that were stopped: what still comes of them is not played
    this._rates = new Map();
    this._flushes = new Map();
    this._flushCount = 0;
    this._muted = false;
    this._told = 0; // the latency that the player knows, in samples
  }

  get rateHz() {
    return this._context?.sampleRate ?? 0;
  }

  get listening() {
    return this._stream !== null;
  }

  get muted() {
    return this._muted;
  }

  // Inside a gesture. Resolves when sound can be played; false where the browser cannot.
  wake() {
    if (this._context === null) {
      if (!canSound()) return Promise.resolve(false);
      this._context = new AudioContext({ latencyHint: "interactive" });
      this._context.onstatechange = () => this._hooks.suspended(this._context.state !== "running");
      this._waking = this._load().catch(() => this._failed());
    }
    if (this._context.state !== "running") this._context.resume();
    return this._waking;
  }

  async _load() {
    const context = this._context;
    await Promise.all(["capture", "player"].map((name) => context.audioWorklet.addModule(new URL(`${name}.worklet.js`, import.meta.url))));
    this._capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, channelCount: 1, channelCountMode: "explicit" });
    this._capture.port.onmessage = (message) => this._captured(message.data);
    const player = new AudioWorkletNode(context, "player", { numberOfInputs: 0, outputChannelCount: [2] });
    player.port.onmessage = (message) => this._reported(message.data);
    player.connect(context.destination);
    this._player = player;
    for (const [, act] of this._early.splice(0)) act();
    return true;
  }

  _failed() {
    this._early = [];
    this._say(false);
    return false;
  }

  // The microphone on, after `wake`. `clean`: echo, noise and level are taken care of. Throws: MicrophoneError.
  async listen(clean) {
    if (!navigator.mediaDevices?.getUserMedia) throw new MicrophoneError(window.isSecureContext ? "micOther" : "micInsecure");
    let stream;
    try {
      stream = await this._ask(clean ? CLEAN : RAW);
    } catch (error) {
      throw new MicrophoneError(microphoneKey(error.name, pageMayAsk()));
    }
    this.stop();
    this._stream = stream;
    const [track] = stream.getAudioTracks();
    track.onended = () => {
      this.stop();
      this._hooks.lost();
    };
    this._source = this._context.createMediaStreamSource(stream);
    this._source.connect(this._capture);
  }

  async _ask(processing) {
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, ...processing } });
    } catch (error) {
      if (error.name !== "OverconstrainedError") throw error;
      return navigator.mediaDevices.getUserMedia({ audio: true });
    }
  }

  // A muted microphone gives silence: a turn that had begun still finds its end.
  mute(muted) {
    this._muted = muted;
    for (const track of this._stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  // The microphone off; the light of the browser goes out.
  stop() {
    if (this._stream === null) return;
    this._source.disconnect();
    for (const track of this._stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this._stream = null;
    this._source = null;
    this._muted = false;
    this._hooks.level(0);
  }

  // Sound of a reply: Int16Array, mono. Before `wake` nothing can be heard, and nothing is kept.
  play(itemId, samples, rateHz) {
    if (this._waking === null || this._dropped.has(itemId)) return;
    if (this._player === null) {
      this._early.push([itemId, () => this.play(itemId, samples, rateHz)]);
      this._say(true);
      return;
    }
    const atS = this._context.currentTime;
    if (!this._rates.has(itemId)) this._rates.set(itemId, new Rate(rateHz, this._context.sampleRate));
    this._say(true);
    this._tellLatency();
    this._put(itemId, this._rates.get(itemId).push(samples), atS);
  }

  // No more of an item comes.
  end(itemId) {
    if (this._early.length) this._early.push([itemId, () => this.end(itemId)]);
    const rate = this._rates.get(itemId);
    if (!rate) return;
    this._rates.delete(itemId);
    this._put(itemId, rate.flush(), this._context.currentTime);
    this._player.port.postMessage({ do: "end", itemId });
  }

  // Stop what is played: {itemId, heardMs, unheard} or null. What still comes of it is dropped from this moment on.
  async flush() {
    if (!this.playing) return null;
    if (this._player === null) return this._forgetEarly();
    for (const itemId of this._rates.keys()) this._drop(itemId);
    this._flushCount += 1;
    const id = this._flushCount;
    const stopped = await new Promise((resolve) => {
      this._flushes.set(id, resolve);
      this._player.port.postMessage({ do: "flush", id });
    });
    if (stopped) [stopped.itemId, ...stopped.unheard].forEach((itemId) => this._drop(itemId));
    return stopped;
  }

  _forgetEarly() {
    const [itemId, ...unheard] = new Set(this._early.splice(0).map(([early]) => early));
    for (const early of [itemId, ...unheard]) this._drop(early);
    this._say(false);
    return { itemId, heardMs: 0, unheard };
  }

  // It changes while sound is played, too: a headset is connected.
  _tellLatency() {
    const samples = Math.round(this._latencyS() * this._context.sampleRate);
    if (samples === this._told) return;
    this._told = samples;
    this._player.port.postMessage({ do: "latency", samples });
  }

  _latencyS() {
    return (this._context.baseLatency || 0) + (this._context.outputLatency || 0);
  }

  _put(itemId, samples, atS) {
    this._player.port.postMessage({ do: "put", itemId, samples, atS }, [samples.buffer]);
  }

  _drop(itemId) {
    this._dropped.add(itemId);
    this._rates.delete(itemId);
    if (this._dropped.size > MAX_REMEMBERED) this._dropped.delete(this._dropped.values().next().value);
  }

  _captured(frame) {
    if (this._stream === null) return;
    let sum = 0;
    for (const sample of frame) sum += sample * sample;
    this._hooks.level(this._muted ? 0 : Math.sqrt(sum / frame.length) / 32768);
    this._hooks.frame(frame);
  }

  _reported(report) {
    switch (report.did) {
      case "started":
        this._hooks.started(report.itemId, report.delayMs, this._latencyS() * 1000);
        break;
      case "level":
        this._tellLatency();
        this._hooks.outLevel(report.level);
        break;
      case "idle":
        this._say(false);
        break;
      case "flushed":
        this._flushes.get(report.id)?.(report.stopped);
        this._flushes.delete(report.id);
        break;
    }
  }

  _say(playing) {
    if (this.playing === playing) return;
    this.playing = playing;
    if (!playing) this._hooks.outLevel(0);
    this._hooks.playing(playing);
  }
}

// Whether this page's policy (its own headers, or those of a page around it) lets it ask for a microphone.
function pageMayAsk() {
  const policy = document.permissionsPolicy ?? document.featurePolicy;
  return policy?.allowsFeature ? policy.allowsFeature("microphone") : true;
}
