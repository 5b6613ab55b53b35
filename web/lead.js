// What is done with a reply of which little is left to play while more is to come: the twin of voice/audio/lead.py. Allocates nothing.

import { SLOW_SPEED } from "./arrivals.js";
import { Elastic } from "./elastic.js";

const MOST_OWED_MS = 20;

const divided = (number, by) => Math.floor(number / by);

/** Gives what is played next. */
export class Lead {
  lengthened = 0;
  stretched = 0;
  /** Whether what `draw` gave last was the item's own. */
  own = true;
  #settings;
  #rateHz;
  #past;
  #elastic;
  #item = null;
  #extraAt = 0;
  #extraLeft = 0;
  #lookedAt = 0;
  #looksAt = 0;
  #owed = 0;
  #mostOwed;
  #pauseFrom = 0;
  #rested = 0;

  constructor(settings, rateHz, past) {
    this.#settings = settings;
    this.#rateHz = rateHz;
    this.#past = past;
    this.#elastic = new Elastic(rateHz, settings.concealMs);
    this.#mostOwed = 17 * this.#samplesIn(MOST_OWED_MS);
  }

  /** The next samples, through `fades` into `out` from `at` on; how many. */
  draw(item, fades, out, at, floats) {
    const need = out.length - at;
    if (item !== this.#item) this.#begin(item);
    if (!this.#extraLeft && !item.ended) {
      const limit = this.#look(item, item.left - need);
      if (!this.#extraLeft) {
        this.own = true;
        return item.draw(limit ? Math.min(need, limit) : need, fades, out, at, floats);
      }
    }
    this.own = this.#extraLeft === 0;
    if (this.own) return item.draw(need, fades, out, at, floats);
    const count = Math.min(this.#extraLeft, need);
    fades.passOn(this.#elastic.extra, this.#extraAt, count, out, at, floats);
    this.#extraAt += count;
    this.#extraLeft -= count;
    return count;
  }

  rest() {
    this.#extraLeft = 0;
  }

  /** The item breaks off: what may be heard of it, through `fades`. */
  dry(item, fades) {
    const elastic = this.#elastic;
    if (item.around(elastic.around, elastic.back + elastic.ahead, 0) && elastic.continued()) fades.trail(elastic.tail, elastic.tail.length);
  }

  #begin(item) {
    this.#item = item;
    this.#extraLeft = 0;
    this.#rested = 0;
    this.#lookedAt = 0;
    this.#looksAt = 0;
    this.#owed = 0;
  }

  #look(item, lead) {
    const settings = this.#settings;
    const neededMs = divided(Math.max(this.#past.neededUs, item.arrivals.neededUs) * settings.neededPercent, 100_000);
    const pauseMs = Math.min(Math.max(neededMs, settings.pauseBelowMs), settings.pauseBelowMostMs);
    const calm = neededMs === 0 && this.#past.speed !== null && this.#past.speed >= SLOW_SPEED;
    const stretchMs = Math.min(Math.max(neededMs, calm ? settings.calmBelowMs : settings.stretchBelowMs), settings.stretchBelowMostMs);
    const leadMs = divided(Math.max(0, lead) * 1000, this.#rateHz);
    if (leadMs >= pauseMs && leadMs >= stretchMs) return 0;
    const at = item.played;
    if (at >= this.#looksAt) {
      const step = this.#samplesIn(settings.lookMs);
      this.#owed = Math.min(this.#owed + 3 * Math.min(at - this.#lookedAt, step), this.#mostOwed);
      this.#lookedAt = at;
      this.#looksAt = at + step;
      if (!(leadMs < pauseMs && this.#lengthen(item)) && leadMs < stretchMs && this.#owed >= 0) this.#stretch(item);
    }
    return this.#looksAt - at;
  }

  #lengthen(item) {
    const { back, ahead } = this.#elastic;
    const at = item.played;
    const quiet = item.quiet;
    if (!quiet.around(at)) return false;
    if (quiet.from !== this.#pauseFrom) {
      this.#pauseFrom = quiet.from;
      this.#rested = 0;
    }
    if (!quiet.from || quiet.to - quiet.from < this.#samplesIn(this.#settings.pauseMs)) return false;
    if (this.#rested >= this.#samplesIn(this.#settings.pauseMostMs) || at - quiet.from < back || quiet.to - at < ahead) return false;
    if (!item.around(this.#elastic.around, back, ahead)) return false;
    this.#elastic.rested();
    this.#give();
    this.#rested += this.#elastic.length;
    this.lengthened += this.#elastic.length;
    return true;
  }

  #stretch(item) {
    const { back, ahead } = this.#elastic;
    if (!item.around(this.#elastic.around, back, ahead)) return;
    this.#elastic.stretched();
    this.#give();
    this.stretched += this.#elastic.length;
    this.#owed -= 17 * this.#elastic.length;
  }

  #give() {
    this.#extraAt = 0;
    this.#extraLeft = this.#elastic.length;
  }

  #samplesIn(ms) {
    return divided(ms * this.#rateHz, 1000);
  }
}
