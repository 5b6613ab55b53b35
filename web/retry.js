// When to dial again, and after how long. Twin of voice/policy/retry.py: chance and how long a link lived come in, ms go out.
//
// Full jitter (a delay between 0 and a bound that doubles up to a cap) keeps many pages of one server from coming back in step. Only a
// link that lived for a while resets the delays: a server that accepts and hangs up would make a hot loop otherwise.

const RETRIED_CLOSES = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014, 1015]);
const FINAL_CLOSES = new Set([3000, 3003, 4001, 4003, 4401, 4403]); // by which servers say "not with this key"
const FINAL_CODES = new Set([
  "insufficient_quota",
  "credit_balance_exhausted",
  "invalid_api_key",
  "account_deactivated",
  "billing_hard_limit_reached",
  "invalid_model",
  "model_not_found",
]);

export const FIRST_MS = 250; // bound of the first delay
export const CAP_MS = 8000; // bound of all delays
export const TRIES = 12; // in a row without a stable link; then it is given up (about half a minute on average)
export const STABLE_MS = 5000; // a link that lived so long resets the delays
export const LONGEST_WAIT_MS = 60_000; // a Retry-After beyond it is not waited for

// Whether a link that ended so may be dialled again. An expired session may, whatever the close code says.
export function worthRetrying(closeCode, errorCode = "") {
  if (FINAL_CODES.has(errorCode)) return false;
  if (errorCode === "session_expired") return true;
  return RETRIED_CLOSES.has(closeCode) || (closeCode >= 3000 && closeCode < 5000 && !FINAL_CLOSES.has(closeCode));
}

export class Backoff {
  // `chance()` gives 0..1.
  constructor(chance) {
    this._chance = chance;
    this.failures = 0; // tries since the last stable link
  }

  // How long to wait before the next try; null: give up. `livedMs`: how long the link lived that has just ended.
  nextDelayMs(livedMs = 0, retryAfterMs = 0) {
    if (livedMs >= STABLE_MS) this.failures = 0;
    if (this.failures >= TRIES || retryAfterMs > LONGEST_WAIT_MS) return null;
    const boundMs = Math.min(CAP_MS, FIRST_MS * 2 ** this.failures);
    this.failures += 1;
    return retryAfterMs + this._chance() * boundMs;
  }

  reset() {
    this.failures = 0;
  }
}
