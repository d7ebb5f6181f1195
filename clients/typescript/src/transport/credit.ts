/** The two ends of a credit window (W9). Pure values. */

import { CREDIT_MAX, FRAGMENT_MIN, Reason, WireError } from "./frames.js";

/** What we may still send. */
export class SendWindow {
  available: number;

  constructor(granted: number) {
    this.available = granted;
  }

  grant(amount: number): void {
    if (this.available + amount > CREDIT_MAX) {
      throw new WireError(Reason.FLOW_CONTROL, "credit above its maximum");
    }
    this.available += amount;
  }

  take(amount: number): void {
    this.available -= amount;
  }
}

/** What the peer may still send, and what we owe it for bytes that were consumed. */
export class ReceiveWindow {
  #available: number;
  #owed = 0;
  readonly #step: number;

  constructor(initial: number) {
    this.#available = initial;
    // In large steps: a CREDIT frame for each message would double the frames (W9.5). A small window goes back at
    // once, so that the server never lacks the credit for a fragment.
    this.#step = initial >= 2 * FRAGMENT_MIN ? Math.max(Math.floor(initial / 4), FRAGMENT_MIN) : 1;
  }

  received(amount: number): void {
    if (amount > this.#available) {
      throw new WireError(Reason.FLOW_CONTROL, "more bytes than were granted");
    }
    this.#available -= amount;
  }

  /** Takes note of bytes that no longer take room; returns the credit to grant now, or 0. */
  consumed(amount: number): number {
    this.#owed += amount;
    if (this.#owed < this.#step) return 0;
    const granted = this.#owed;
    this.#owed = 0;
    this.#available += granted;
    return granted;
  }
}
