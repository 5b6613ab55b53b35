// The same as mic.py for scripts that run in Node: orders, a microphone at the pace of a real one, a loudspeaker that knows what was heard.

import { readFileSync } from "node:fs";

export const RATE_HZ = 24000;
export const BYTES_MS = (2 * RATE_HZ) / 1000;

export const orders = () => JSON.parse(process.argv[2]);
/** The version of a package beside this script. */
export const versionOf = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** The samples of a WAV. */
export function soundOf(path) {
  const file = readFileSync(path);
  return file.subarray(file.indexOf("data") + 8);
}

/** Gives `send` a Buffer every `chunkMs`: silence, but while it was told to speak. */
export class Microphone {
  #sound = Buffer.alloc(0);
  #spoken = () => {};
  #running = true;

  constructor(send, chunkMs) {
    this.#run(send, chunkMs);
  }

  /** Speak a WAV; resolves when the last chunk of it is sent. */
  say(path) {
    this.#sound = Buffer.concat([this.#sound, soundOf(path)]);
    return new Promise((done) => (this.#spoken = done));
  }

  stop() {
    this.#running = false;
  }

  async #run(send, chunkMs) {
    const size = chunkMs * BYTES_MS;
    let due = performance.now();
    while (this.#running) {
      const chunk = Buffer.alloc(size);
      this.#sound.copy(chunk);
      this.#sound = this.#sound.subarray(size);
      send(chunk);
      if (this.#sound.length === 0) {
        this.#spoken();
        this.#spoken = () => {};
      }
      due += chunkMs;
      await sleep(Math.max(0, due - performance.now()));
    }
  }
}

/** Plays what comes of one item, from its first byte on, at the pace of a real one. */
export class Loudspeaker {
  itemId = null;
  receivedMs = 0;
  #since = 0;

  play(itemId, size) {
    if (itemId !== this.itemId) {
      this.itemId = itemId;
      this.receivedMs = 0;
      this.#since = performance.now();
    }
    this.receivedMs += size / BYTES_MS;
  }

  get heardMs() {
    return Math.floor(Math.min(this.receivedMs, performance.now() - this.#since));
  }

  /** Wait until so much was heard. */
  async heard(ms) {
    while (this.heardMs < ms) await sleep(Math.max(10, ms - this.heardMs));
  }
}

/** What is put in one by one, and waited for one by one. */
export class Queue {
  #items = [];
  #waiting = [];

  put(item) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  take() {
    return this.#items.length ? Promise.resolve(this.#items.shift()) : new Promise((done) => this.#waiting.push(done));
  }
}
