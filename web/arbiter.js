// The page's one owner of `response.create`: at most one response is asked for at a time. Twin of voice/protocol/arbiter.py.
//
//     SHUT --- open (the settings are in effect) ---> FREE
//     FREE --- ask ----------------> ASKED --- response.created ---> ACTIVE --- response.done ---> FREE
//     ASKED or ACTIVE --- ask -----> the wish waits, and is sent when FREE
//     ASKED --- error with our id, "already has an active response" ---> ACTIVE, the wish waits on
//     ASKED --- any other error with our id ---> FREE
//
// A server that answers by itself (server_vad) enters at ACTIVE. `response.created` does not say which wish it answers, so an error may
// still come for one that seemed fulfilled: wishes are remembered for a while. A wish may have an event before it (a typed message),
// which is sent with it: sent earlier it would be answered by the response before.

export const UNNAMED = "?"; // the active response, where the server has told us of it in an error only
export const MAX_WAITING = 32; // wishes beyond it are refused: nobody waits for so many answers
const REMEMBERED = 8; // wishes that an error may still name

export class Arbiter {
  // `send(event)` takes an event as an object; `newId(kind)` makes an id.
  constructor(send, newId) {
    this.active = null; // the id of the response in progress
    this._send = send;
    this._newId = newId;
    this._shut = true;
    this._waiting = []; // {before}
    this._sent = new Map(); // event id -> {before}
    this._asked = null; // the event id of our response.create
  }

  // A response is in progress or asked for.
  get busy() {
    return this.active !== null || this._asked !== null;
  }

  get waiting() {
    return this._waiting.length;
  }

  // Ask for a response, now or as soon as it may be, right behind `before`; false if too many wait.
  ask(before = null) {
    if (this._waiting.length >= MAX_WAITING) return false;
    this._waiting.push({ before });
    this._next();
    return true;
  }

  // The server has taken the settings: answers will be what was asked for.
  open() {
    this._shut = false;
    this._next();
  }

  created(responseId) {
    this.active = responseId;
    this._asked = null;
  }

  done(responseId) {
    if (responseId === "" || this.active === responseId || this.active === UNNAMED || this.active === null) {
      this.active = null;
      this._asked = null;
      this._next();
    }
  }

  // The server answered an event of ours with an error.
  refused(eventId, code) {
    const wish = this._sent.get(eventId);
    if (!wish) return;
    this._sent.delete(eventId);
    const current = eventId === this._asked;
    if (current) this._asked = null;
    if (code === "conversation_already_has_active_response") {
      this._waiting.unshift({ before: null });
      if (current) this.active = this.active ?? UNNAMED;
    }
    this._next();
  }

  // A new link: nothing is active there, what waits still waits, and what was asked for is asked for again. `known(event)`: the
  // server had told of what this event brought, so that it need not be sent again.
  reset(known = () => true) {
    const wish = this._sent.get(this._asked);
    if (wish) this._waiting.unshift({ before: wish.before && !known(wish.before) ? wish.before : null });
    this._sent.clear();
    this.active = null;
    this._asked = null;
    this._shut = true;
  }

  _next() {
    if (this._waiting.length === 0 || this.busy || this._shut) return;
    const wish = this._waiting.shift();
    if (wish.before) this._send(wish.before);
    this._asked = this._newId("event");
    this._sent.set(this._asked, wish);
    if (this._sent.size > REMEMBERED) this._sent.delete(this._sent.keys().next().value);
    this._send({ type: "response.create", event_id: this._asked, response: {} });
  }
}
