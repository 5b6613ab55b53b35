// The page's one owner of `response.create`: at most one response is asked for at a time. Twin of voice/protocol/arbiter.py.
//
//     FREE --- ask ----------------> ASKED --- response.created ---> ACTIVE --- response.done ---> FREE
//     ASKED or ACTIVE --- ask -----> the wish waits, and is sent when FREE
//     ASKED --- error with our id, "already has an active response" ---> ACTIVE, the wish waits on
//     ASKED --- any other error with our id ---> FREE
//
// A server that answers by itself (server_vad) enters at ACTIVE.

const UNNAMED = "?"; // the active response, where the server has told us of it in an error only
export const MAX_WAITING = 32; // wishes beyond it are refused: nobody waits for so many answers

export class Arbiter {
  // `send(event)` takes an event as an object; `newId(kind)` makes an id.
  constructor(send, newId) {
    this.active = null; // the id of the response in progress
    this._send = send;
    this._newId = newId;
    this._waiting = 0;
    this._asked = null; // the event id of our response.create
  }

  get busy() {
    return this.active !== null || this._asked !== null;
  }

  get waiting() {
    return this._waiting;
  }

  // Ask for a response, now or as soon as it may be; false if too many wait.
  ask() {
    if (this._waiting >= MAX_WAITING) return false;
    this._waiting += 1;
    this._next();
    return true;
  }

  // The same while there is no link: it is sent after `resume`.
  later() {
    if (this._waiting >= MAX_WAITING) return false;
    this._waiting += 1;
    return true;
  }

  created(responseId) {
    this.active = responseId;
    this._asked = null;
  }

  done(responseId) {
    if (this.active === responseId || this.active === UNNAMED || this.active === null) {
      this.active = null;
      this._asked = null;
      this._next();
    }
  }

  // The server answered an event of ours with an error.
  refused(eventId, code) {
    if (this._asked === null || eventId !== this._asked) return;
    this._asked = null;
    if (code === "conversation_already_has_active_response") {
      this._waiting += 1;
      this.active = this.active ?? UNNAMED;
    } else {
      this._next();
    }
  }

  // A new link: nothing is active there, what waits still waits.
  reset() {
    if (this._asked !== null) this._waiting += 1;
    this.active = null;
    this._asked = null;
  }

  // After `reset` and what had to be sent first: the oldest wish may go.
  resume() {
    this._next();
  }

  _next() {
    if (this._waiting === 0 || this.busy) return;
    this._waiting -= 1;
    this._asked = this._newId("event");
    this._send({ type: "response.create", event_id: this._asked, response: {} });
  }
}
