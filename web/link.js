// The page's link to its server: one WebSocket at a time, dialled again when it breaks.
//
//     idle --- open() ---> connecting --- opened ---> open --- broken ---> reconnecting --- opened ---> open
//     reconnecting --- worth no other try, or too many ---> failed --- open() ---> connecting
//
// Browsers cannot set headers on a socket: a credential goes into the subprotocols. The page gets one from its address, behind "#", which
// no browser sends to a server, or asks its server for a short-lived one. A machine that slept has a dead link, and no browser tells: a
// clock that jumped does.

import { Backoff, worthRetrying } from "./retry.js";

const CONNECT_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 5000;
const WATCH_MS = 5000;
const SLEPT_MS = 150_000; // browsers let the clock of a hidden page tick once a minute
export const MAX_BUFFERED = 1 << 20; // bytes; beyond it sound is dropped: a live microphone does not wait

export class Link {
  // Hooks: opened(), text(text), down(), state(state, why): `why` is a key of words.js or "". `secret`: a credential, or null.
  constructor(hooks, secret = null) {
    this.state = "idle";
    this.droppedSounds = 0;
    this._hooks = hooks;
    this._backoff = new Backoff(Math.random);
    this._socket = null;
    this._openedMs = 0;
    this._lastCode = "";
    this._secret = secret;
    this._refused = false; // the server is there, and opens no session
    this._minted = false; // the secret is one that the server gave to this page
    this._timer = 0;
    this._watchedMs = Date.now();
    window.addEventListener("online", () => this._hurry());
    setInterval(() => this._watch(), WATCH_MS);
  }

  // Dial, unless that is going on already.
  open() {
    if (this.state !== "idle" && this.state !== "failed") return;
    this._backoff.reset();
    this._become("connecting", "");
    this._dial();
  }

  // Send if there is a link; sound only while the line keeps up with it.
  send(text) {
    if (this._socket?.readyState !== WebSocket.OPEN) return;
    if (this._socket.bufferedAmount > MAX_BUFFERED && text.startsWith('{"type":"input_audio_buffer.append"')) {
      this.droppedSounds += 1;
      return;
    }
    this._socket.send(text);
  }

  // The server said why it may hang up; decides whether another try is worth it.
  noteError(code) {
    this._lastCode = code;
  }

  _dial() {
    clearTimeout(this._timer);
    if (this._socket !== null) return;
    const url = new URL("v1/realtime", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const protocols = this._secret ? ["realtime", `openai-insecure-api-key.${this._secret}`] : ["realtime"];
    const socket = new WebSocket(url, protocols);
    this._socket = socket;
    this._lastCode = "";
    this._openedMs = 0;
    const late = setTimeout(() => socket.close(), CONNECT_TIMEOUT_MS);
    socket.onopen = () => {
      clearTimeout(late);
      this._openedMs = Date.now();
      this._refused = false;
      this._become("open", "");
      this._hooks.opened();
    };
    socket.onmessage = (message) => this._hooks.text(message.data);
    socket.onclose = (close) => {
      clearTimeout(late);
      if (socket === this._socket) this._closed(close.code);
    };
  }

  async _closed(code) {
    const opened = this._openedMs > 0;
    const livedMs = opened ? Date.now() - this._openedMs : 0;
    this._socket = null;
    this._hooks.down();
    if (opened && !worthRetrying(code, this._lastCode)) {
      this._become("failed", code === 1000 ? "linkEnded" : "linkRefused");
      return;
    }
    const delayMs = this._backoff.nextDelayMs(livedMs);
    if (delayMs === null) {
      this._become("failed", this._refused ? "linkNoSession" : "linkGivenUp");
      return;
    }
    const state = this.state === "connecting" ? "connecting" : "reconnecting";
    this._become(state, navigator.onLine ? (opened ? "linkBroken" : "linkAway") : "linkOffline");
    if (!opened && !(await this._mayTryAgain())) {
      this._become("failed", "linkCredential");
      return;
    }
    if (this._refused) this._become(state, "linkNoSession");
    this._timer = setTimeout(() => this._dial(), delayMs);
  }

  // A socket that was refused does not say why; ask the server. False: it does not want us.
  async _mayTryAgain() {
    this._refused = (await ask("readyz"))?.ok === true;
    if (!this._refused) return true; // not there now: that is what trying again is for
    const given = this._minted ? null : this._secret;
    const answer = await ask("v1/realtime/client_secrets", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(given && { Authorization: `Bearer ${given}` }) },
      body: JSON.stringify({ session: { type: "realtime" } }),
    });
    if (answer?.ok) {
      this._refused = this._minted; // with a credential of its own it may do better
      this._secret = (await answer.json()).value;
      this._minted = true;
    } else if (answer?.status === 401) {
      return false;
    }
    return answer?.status !== 403 || given !== null; // a secret cannot make another one, and is good all the same
  }

  _hurry() {
    if (this.state !== "reconnecting" || this._socket !== null) return;
    this._backoff.reset();
    this._dial();
  }

  _watch() {
    const nowMs = Date.now();
    const slept = nowMs - this._watchedMs > SLEPT_MS;
    this._watchedMs = nowMs;
    if (!slept || this.state !== "open") return;
    const dead = this._socket;
    this._socket = null;
    dead.close();
    this._closed(1006);
  }

  _become(state, why) {
    this.state = state;
    this._hooks.state(state, why);
  }
}

// The answer of the server, null if there is none.
async function ask(path, wishes = {}) {
  try {
    return await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(PROBE_TIMEOUT_MS), ...wishes });
  } catch {
    return null;
  }
}
