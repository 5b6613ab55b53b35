// The sound of an item as it came, read once, and a little of what was read: the twin of voice/audio/tape.py. `read` and `around` allocate
// nothing.

const LOOKS_BACK_MS = 40;

/** Pieces of sound, one behind the other. */
export class Tape {
  #pieces = [];
  #first = 0;
  #offset = 0;
  #behind = 0;
  #behindCount = 0;
  #back;

  constructor(rateHz) {
    this.#back = Math.floor((LOOKS_BACK_MS * rateHz) / 1000);
  }

  add(samples) {
    this.#pieces.push(samples);
  }

  /** The next samples, at most `limit`, through `fades` into `out` from `at` on; how many. */
  read(limit, fades, out, at, floats) {
    const piece = this.#pieces[this.#first];
    const count = Math.min(piece.length - this.#offset, limit);
    fades.passOn(piece, this.#offset, count, out, at, floats);
    this.#offset += count;
    if (this.#offset === piece.length) {
      this.#first++;
      this.#offset = 0;
      this.#behindCount += piece.length;
      while (this.#behindCount - this.#pieces[this.#behind].length >= this.#back) {
        this.#behindCount -= this.#pieces[this.#behind].length;
        this.#pieces[this.#behind++] = null;
      }
    }
    return count;
  }

  /** Fills `into` with the last `back` samples that were read and the next `ahead` ones. There must be so many. */
  around(into, back, ahead) {
    let place = this.#first;
    let at = this.#offset;
    for (let index = back - 1; index >= 0; index--) {
      while (at === 0) at = this.#pieces[--place].length;
      into[index] = this.#pieces[place][--at];
    }
    place = this.#first;
    at = this.#offset;
    for (let index = back; index < back + ahead; index++) {
      while (at === this.#pieces[place].length) {
        place++;
        at = 0;
      }
      into[index] = this.#pieces[place][at++];
    }
  }
}
