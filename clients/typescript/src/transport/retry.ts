/** When to try again. Pure: time and chance are arguments. */

import type { HitoError, Unavailable } from "../rpc/errors.js";

const BACKOFF_MIN_MS = 50;
const BACKOFF_MAX_MS = 5000;
/** The longest that a server can make a client wait. */
export const PUSHBACK_MAX_MS = 60_000;

/** How many repeats the calls of a client have together. */
export interface RetryBudget {
  /** At once; 100 where not said. */
  readonly burst?: number;
  /** When that is used up: further repeats wait, and further copies are not made. 200 where not said. */
  readonly perSecond?: number;
}

/** How long to wait after so many failures before the last: half is fixed, half is chance. */
export function backoffMs(failures: number, chance: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** Math.min(failures, 20));
  return ceiling * (0.5 + 0.5 * chance);
}

/** Delays that grow by half to double with each failure, from 50 ms to 5 s (W14.3). */
export class Backoff {
  readonly #chance: () => number;
  #failures = 0;

  constructor(chance: () => number = Math.random) {
    this.#chance = chance;
  }

  reset(): void {
    this.#failures = 0;
  }

  /** How long to wait; at least what the server asked for, within reason. */
  nextMs(pushbackMs = 0): number {
    const delay = backoffMs(this.#failures, this.#chance());
    this.#failures += 1;
    return Math.max(Math.min(pushbackMs, PUSHBACK_MAX_MS), delay);
  }
}

/**
 * Spreads the retries of all calls of a client: a burst is free, then so many a second. A server that comes back
 * after an outage meets a bounded stream of retries instead of all at once.
 */
export class RetryPacer {
  readonly #burst: number;
  readonly #intervalMs: number;
  #nextAt = -Infinity;

  constructor(budget: RetryBudget = {}) {
    this.#burst = Math.max(1, budget.burst ?? 100);
    this.#intervalMs = 1000 / Math.max(budget.perSecond ?? 200, 1e-3);
  }

  /** Books a retry; how much later than planned it should happen. */
  delayMs(now: number): number {
    this.#nextAt = this.#earliest(now) + this.#intervalMs;
    return Math.max(0, this.#nextAt - now);
  }

  /** Books a retry that is of use now or not at all; false where there is none left. */
  takeNow(now: number): boolean {
    const at = this.#earliest(now) + this.#intervalMs;
    // Beyond the rounding of a sum of intervals.
    if (at > now + this.#intervalMs * 1e-6) return false;
    this.#nextAt = at;
    return true;
  }

  #earliest(now: number): number {
    return Math.max(this.#nextAt, now - this.#burst * this.#intervalMs);
  }
}

/** Whether a call that failed is repeated, and when. */
export class Repeats {
  readonly #pacer: RetryPacer;
  readonly #backoff = new Backoff();
  readonly #repeatTimeMs: number | undefined;
  #end: number | undefined;

  /** `repeatTimeMs`: for how long after its first failure a call without a deadline is repeated; without end where undefined. */
  constructor(pacer: RetryPacer, deadline: number | undefined, repeatTimeMs?: number) {
    this.#pacer = pacer;
    this.#end = deadline;
    this.#repeatTimeMs = repeatTimeMs;
  }

  /** How long to wait before the next attempt; throws `error` where there is to be none. */
  delayMs(error: Unavailable, mayRepeat: boolean, now: number): number {
    if (this.#end === undefined && this.#repeatTimeMs !== undefined) this.#end = now + this.#repeatTimeMs;
    // With a cursor where it continues is the caller's to say: the same request might begin elsewhere.
    if (!mayRepeat || error.isLasting || error.resumeCursor !== "") throw error;
    let wait = this.#backoff.nextMs(error.retryDelayMs);
    this.#check(error, now + wait);
    wait += this.#pacer.delayMs(now);
    this.#check(error, now + wait);
    return wait;
  }

  #check(error: HitoError, at: number): void {
    if (this.#end !== undefined && at >= this.#end) throw error;
  }
}
