// The conversation as the page knows it: one line an item, in the order of the conversation, whatever order the texts come in.
// Twin of voice/protocol/history.py. A line is {itemId, role, text, status, estimated}: an
// interrupted answer's words are `estimated` where the server does not tell which of them had been heard. The calls of functions, and what
// came of them, stand between the lines for whoever must tell it all again: they are no lines, and have `item` instead of a role.

export const MAX_LINES = 2000; // beyond it the oldest go
export const MAX_TOLD = 1900; // lines that a server is asked to keep: ours holds 2000 items, calls among them, and refuses more

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
    this._unplaced = new Set();
  }

  lines() {
    return this.entries().filter((entry) => !entry.item);
  }

  // The lines, and between them {itemId, item}: calls of functions and their outputs.
  entries() {
    return [...this._lines.values()];
  }

  // The items of all entries but the newest `count`, oldest first.
  beyond(count) {
    return [...this._lines.keys()].slice(0, Math.max(0, this._lines.size - count));
  }

  has(itemId) {
    return this._lines.has(itemId);
  }

  // An item was added or finished; `after` is the one before it, where the server tells.
  see(item, itemId, after) {
    const old = this._lines.get(itemId);
    let line;
    if (item.type === "message") line = lineOf(item, itemId, old?.item ? undefined : old);
    else if (["function_call", "function_call_output"].includes(item.type) && typeof item.call_id === "string") {
      line = { itemId, item: joined(old?.item, item) };
    } else return;
    if (!old || this._unplaced.delete(itemId)) {
      this._lines.delete(itemId);
      this._place(line, after);
    } else {
      this._lines.set(itemId, line);
    }
    this._bound();
  }

  // The text of an item has become known; the item may not have been seen yet: then it stands last until it is.
  write(itemId, role, text, estimated = false) {
    const old = this._lines.get(itemId);
    if (!old) this._unplaced.add(itemId);
    this._lines.set(itemId, { itemId, role, text, status: old?.status ?? "completed", estimated });
    this._bound();
  }

  // The item was deleted.
  forget(itemId) {
    this._lines.delete(itemId);
    this._unplaced.delete(itemId);
  }

  _place(line, after) {
    const lines = this.entries();
    const found = lines.findIndex((known) => known.itemId === after);
    if (found < 0 || found + 1 === lines.length) {
      this._lines.set(line.itemId, line);
      return;
    }
    lines.splice(found + 1, 0, line);
    this._lines = new Map(lines.map((known) => [known.itemId, known]));
  }

  _bound() {
    while (this._lines.size > MAX_LINES) this.forget(this._lines.keys().next().value);
  }
}

// A message's line, with what was known of it.
function lineOf(item, itemId, old) {
  const text = textOf(item) || (old ? old.text : "");
  const role = typeof item.role === "string" ? item.role : old ? old.role : "";
  const status = typeof item.status === "string" ? item.status : "completed";
  return { itemId, role, text, status, estimated: old?.text === text && old.estimated };
}

// A call, or an output, with what was known of it: servers tell of a call before its arguments.
function joined(old, item) {
  const known = { ...(old ?? { type: item.type }) };
  for (const name of ["id", "call_id", "name", "arguments", "output"]) {
    if (typeof item[name] === "string" && item[name] !== "") known[name] = item[name];
  }
  return known;
}
