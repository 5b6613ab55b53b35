// Which words of a reply had been played when it was stopped, as far as can be said without word times. Pure; twin of
// voice/protocol/heard.py.
//
// Words lead their sound: what is written when so much sound has come is spoken by the sound that comes next. So the letters that
// came between two amounts of sound are spread evenly over the sound that followed them. Of a reply that broke off, the last letters
// may have had no sound at all: they are given the time that it takes to say them. A word that was not heard to its end is not heard.

const MAX_REPLIES = 256; // that are remembered; an interruption concerns the newest ones
const LETTER_MS = 65; // to say a letter
const WIDE_MS = 190; // one that is a syllable
const WIDE = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]/g;
const LAST_ALONE = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff][^\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]*$/;
const LAST_BLANK = /[ \t\r\n\u3000]+[^ \t\r\n\u3000]*$/;

export class Received {
  constructor() {
    this._replies = new Map();
  }

  has(itemId) {
    return this._replies.has(itemId);
  }

  // More words of a reply (`final`: all of them, which replaces what was there).
  words(itemId, text, final) {
    const reply = this._reply(itemId);
    reply.text = final ? text : reply.text + text;
    reply.final = final;
    const [last, letters] = [reply.steps.at(-1), count(reply.text)];
    if (last && last.fromMs === reply.soundMs) last.letters = letters;
    else if (!last || last.letters !== letters) reply.steps.push({ fromMs: reply.soundMs, letters });
  }

  // More sound of it.
  sound(itemId, samples, rateHz) {
    const reply = this._reply(itemId);
    reply.samples += samples;
    reply.soundMs = Math.floor((reply.samples * 1000) / rateHz);
  }

  // All of it has come: its last word is heard with its last sound.
  finish(itemId) {
    const reply = this._replies.get(itemId);
    if (reply) reply.finished = true;
  }

  // How much sound of it has come.
  soundMs(itemId) {
    return this._replies.get(itemId)?.soundMs ?? 0;
  }

  // Its words so far.
  text(itemId) {
    return this._replies.get(itemId)?.text ?? "";
  }

  // The words whose sound lies within the first `heardMs`.
  until(itemId, heardMs) {
    const reply = this._replies.get(itemId);
    if (!reply || heardMs <= 0) return "";
    const { text, soundMs, finished } = reply;
    if (finished && heardMs >= soundMs) return text;
    const all = [...text];
    const steps = reply.steps.length > 0 ? reply.steps : [{ fromMs: 0, letters: all.length }];
    const at = Math.max(
      steps.findLastIndex((step) => step.fromMs <= heardMs),
      0,
    );
    // The first words may come behind their sound: they count from its start, and have all of it.
    const fromMs = at > 0 ? steps[at].fromMs : 0;
    const behind = at === 0 && steps[0].fromMs > 0;
    const before = at > 0 ? Math.min(steps[at - 1].letters, all.length) : 0;
    const letters = Math.min(steps[at].letters, all.length) - before;
    const said = all.slice(before, before + letters).join("");
    const lastMs = finished || behind ? soundMs : Math.max(soundMs, fromMs + saidMs(said));
    const endMs = at + 1 < steps.length ? steps[at + 1].fromMs : lastMs;
    const share = Math.floor((letters * (heardMs - fromMs)) / Math.max(endMs - fromMs, 1));
    return wholeWords(text, before + Math.min(share, letters));
  }

  // The items of which words have come, and not all.
  unfinished() {
    return [...this._replies].filter(([, reply]) => reply.text !== "" && !reply.final).map(([itemId]) => itemId);
  }

  _reply(itemId) {
    let reply = this._replies.get(itemId);
    if (!reply) {
      reply = { text: "", final: false, samples: 0, soundMs: 0, steps: [], finished: false };
      this._replies.set(itemId, reply);
      if (this._replies.size > MAX_REPLIES) this._replies.delete(this._replies.keys().next().value);
    }
    return reply;
  }
}

// Letters as Python counts them: one outside of the basic plane (an emoji) is one, not two.
function count(text) {
  return [...text].length;
}

// About how long it takes to say this.
function saidMs(text) {
  return count(text) * LETTER_MS + (text.match(WIDE)?.length ?? 0) * (WIDE_MS - LETTER_MS);
}

// The first `letters` of a text without a word that is cut; the blank behind the last letter ends it.
function wholeWords(text, letters) {
  const all = [...text];
  if (letters >= all.length) return text;
  const alone = all.slice(0, letters).join("").search(LAST_ALONE);
  const blank = all.slice(0, letters + 1).join("").search(LAST_BLANK);
  return text.slice(0, Math.max(alone + 1, blank, 0));
}
