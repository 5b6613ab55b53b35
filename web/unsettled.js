// What a link takes along when it breaks: turns whose words nobody knows yet, and answers of which nothing has come. Twin of
// voice/protocol/unsettled.py.
//
//     turn    SPEECH --- committed ---> COMMITTED --- its words are written ---> settled: the history has it
//             SPEECH --- cleared ---> nothing
//     answer  CREATED --- first words or sound ---> BEGUN --- response.done ---> settled
//
// A turn that is not settled is sent again, as sound. An answer that had not begun is asked for again; one that had is over, and what
// came of it stays. Times are ms of the captured sound.

const MAX_OPEN = 64; // turns, and answers

export class Unsettled {
  constructor() {
    this.takenMs = 0; // up to here the sound has become turns: it is not sent again with the silence that follows it
    this._speechMs = null;
    this._turns = new Map(); // item id -> where its sound begins
    this._answers = new Map(); // response id -> whether it has begun
  }

  // The server has heard somebody begin to speak.
  speech(startMs) {
    this._speechMs = startMs;
  }

  // The server has forgotten the turn that was being spoken, as it was told to.
  cleared() {
    this._speechMs = null;
  }

  // The server has made a turn, which ended there, an item.
  committed(itemId, endMs) {
    this.takenMs = Math.max(this.takenMs, endMs);
    if (this._speechMs !== null) this._turns.set(itemId, this._speechMs);
    bound(this._turns);
    this._speechMs = null;
  }

  // The words of a turn are known, or will never be.
  written(itemId) {
    this._turns.delete(itemId);
  }

  // The id of the newest answer in progress; "" if there is none.
  get newest() {
    return [...this._answers.keys()].at(-1) ?? "";
  }

  created(responseId) {
    this._answers.set(responseId, false);
    bound(this._answers);
  }

  begun(responseId) {
    if (this._answers.has(responseId)) this._answers.set(responseId, true);
  }

  // An answer is complete. Where nobody writes down what the user says (not `written`), its question is settled with it.
  done(responseId, written) {
    this._answers.delete(responseId);
    this._answers.delete(""); // one that was begun without a name is over with whichever ends
    if (!written) this._turns.clear();
  }

  // The link is gone: {resendFromMs (null: nothing was said that is not known), turns: [item id], answers: [[response id, begun]]}.
  broken() {
    const starts = [...this._turns.values()];
    if (this._speechMs !== null) starts.push(this._speechMs);
    const loss = { resendFromMs: starts.length ? Math.min(...starts) : null, turns: [...this._turns.keys()], answers: [...this._answers] };
    this._speechMs = null;
    this._turns.clear();
    this._answers.clear();
    return loss;
  }
}

// What a server never settles is forgotten, the oldest first.
function bound(entries) {
  while (entries.size > MAX_OPEN) entries.delete(entries.keys().next().value);
}
