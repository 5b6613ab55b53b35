// The conversation as the page knows it: one line an item, in the order of the conversation, whatever order the texts come in.
// Twin of voice/protocol/history.py. A line is {itemId, role, text, status}.

export const MAX_LINES = 2000; // beyond it the oldest go

// What a message says, typed or spoken; "" if nothing is known.
export function textOf(item) {
  const parts = Array.isArray(item.content) ? item.content : [];
  return parts
    .map((part) => part.text ?? part.transcript)
    .filter((text) => typeof text === "string" && text !== "")
    .join(" ");
}

export class History {
  constructor() {
    this._lines = new Map();
  }

  lines() {
    return [...this._lines.values()];
  }

  get(itemId) {
    return this._lines.get(itemId);
  }

  // An item was added or finished.
  see(item, after) {
    if (item.type !== "message") return;
    const itemId = String(item.id);
    const old = this._lines.get(itemId);
    const line = {
      itemId,
      role: String(item.role),
      text: textOf(item) || (old ? old.text : ""),
      status: String(item.status ?? "completed"),
    };
    const inPlace = old || after === null || after === undefined || !this._lines.has(after) || this._last() === after;
    if (inPlace) this._lines.set(itemId, line);
    else this._insert(line, after);
    while (this._lines.size > MAX_LINES) this._lines.delete(this._lines.keys().next().value);
  }

  // The text of an item has become known; the item may not have been seen yet.
  write(itemId, role, text) {
    const old = this._lines.get(itemId);
    this._lines.set(itemId, { itemId, role, text, status: old ? old.status : "completed" });
  }

  // The item will not be finished any more: the link went away in the middle of it.
  settle(itemId, text) {
    const old = this._lines.get(itemId);
    if (old) this._lines.set(itemId, { ...old, text, status: "incomplete" });
  }

  forget(itemId) {
    this._lines.delete(itemId);
  }

  _last() {
    let last = null;
    for (const itemId of this._lines.keys()) last = itemId;
    return last;
  }

  _insert(line, after) {
    const lines = this.lines();
    const place = lines.findIndex((known) => known.itemId === after) + 1;
    lines.splice(place, 0, line);
    this._lines = new Map(lines.map((known) => [known.itemId, known]));
  }
}
