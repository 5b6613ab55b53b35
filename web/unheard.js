// What the user has heard nothing of, though it was made: it is taken out of the conversation, or the model believes that it has said it.
// Neither an item that was stopped while it waited behind another, nor one that began after the stop, can be deleted while it is being
// generated: so all of them are when their answer is over. Twin of voice/protocol/unheard.py.

const SOUND = new Set(["output_audio", "audio"]);

export class Unheard {
  constructor() {
    this._items = new Set();
    this._stopped = null;
  }

  // Nothing was heard of this item, whose answer is being made.
  add(itemId) {
    this._items.add(itemId);
  }

  // The answer in progress is stopped: what of it begins from now on is not heard. null: there is none yet.
  stop(responseId) {
    if (responseId !== null) this._stopped = responseId;
  }

  // Whether this answer was stopped.
  stopped(responseId) {
    return responseId === this._stopped;
  }

  // An answer is over: the items to delete. `soundMs(itemId)`: how much sound of an item has come that was not dropped.
  over(response, soundMs) {
    const items = this._items;
    this._items = new Set();
    if (response.id === this._stopped) {
      this._stopped = null;
      for (const item of Array.isArray(response.output) ? response.output : []) {
        const spoken = Array.isArray(item.content) && item.content.some((part) => SOUND.has(part.type));
        if (typeof item.id === "string" && spoken && !soundMs(item.id)) items.add(item.id);
      }
    }
    return [...items];
  }

  // The link is gone, and with it what was being made.
  clear() {
    this._items.clear();
    this._stopped = null;
  }
}
