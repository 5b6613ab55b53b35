// Which words of a reply had been played when it was stopped. Pure.
//
// Words lead their sound: what is written when so much sound has come is spoken by the sound that comes next. So the letters that
// came between two amounts of sound are spread evenly over the sound that followed them, and a word that was not heard to its
// end is not heard.

const MAX_ITEMS = 256; // replies that are remembered; an interruption concerns the newest ones

export class Heard {
  constructor() {
    this._replies = new Map();
  }

  // More words of a reply (`final`: all of them, which replaces what was there).
  words(itemId, text, final) {
    const reply = this._reply(itemId);
    reply.text = final ? text : reply.text + text;
    const last = reply.steps.at(-1);
    if (last && last.from === reply.samples) last.letters = reply.text.length;
    else if (!last || last.letters !== reply.text.length) reply.steps.push({ from: reply.samples, letters: reply.text.length });
  }

  // More sound of it, in samples at the server's rate.
  sound(itemId, samples) {
    this._reply(itemId).samples += samples;
  }

  samples(itemId) {
    return this._replies.get(itemId)?.samples ?? 0;
  }

  text(itemId) {
    return this._replies.get(itemId)?.text ?? "";
  }

  // The words whose sound lies within the first `samples`.
  until(itemId, samples) {
    const reply = this._replies.get(itemId);
    if (!reply || samples <= 0) return "";
    if (samples >= reply.samples) return reply.text;
    const at = reply.steps.findLastIndex((step) => step.from <= samples);
    if (at < 0) return wholeWords(reply.text, Math.floor((reply.text.length * samples) / reply.samples));
    const from = reply.steps[at].from;
    const to = at + 1 < reply.steps.length ? reply.steps[at + 1].from : reply.samples;
    const before = at > 0 ? reply.steps[at - 1].letters : 0;
    const letters = Math.min(reply.steps[at].letters, reply.text.length);
    return wholeWords(reply.text, before + Math.floor(((letters - before) * (samples - from)) / Math.max(to - from, 1)));
  }

  _reply(itemId) {
    let reply = this._replies.get(itemId);
    if (!reply) {
      reply = { text: "", samples: 0, steps: [] };
      this._replies.set(itemId, reply);
      if (this._replies.size > MAX_ITEMS) this._replies.delete(this._replies.keys().next().value);
    }
    return reply;
  }
}

// The first `letters` of a text without a word that is cut.
function wholeWords(text, letters) {
  if (letters >= text.length) return text;
  const end = text.slice(0, letters + 1).search(/\s\S*$/u);
  return end > 0 ? text.slice(0, end) : "";
}
