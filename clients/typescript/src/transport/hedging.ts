/** Calls that are made again beside themselves (clients/BEHAVIOUR.md, C2.4). */

import { HitoError, Unavailable } from "../rpc/errors.js";
import type { Hedging } from "../rpc/method.js";
import { PUSHBACK_MAX_MS } from "./retry.js";
import { now, type Timer } from "./scope.js";

const COPIES_MAX = 5;

/** One copy of a call. */
export interface Copy<Result> {
  readonly result: Promise<Result>;
  cancel(): void;
}

export function copiesOf(hedging: Hedging): number {
  return Math.min(Math.max(1, hedging.copies ?? 2), COPIES_MAX);
}

/**
 * The result of the first copy that has one, or fails with anything but UNAVAILABLE; the others are cancelled then.
 * `beside` makes another copy; undefined where there is none to be made now.
 */
export function hedged<Result>(
  hedging: Hedging, first: Copy<Result>, beside: () => Copy<Result> | undefined,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const delayMs = Math.max(1, hedging.delayMs);
    const copies = copiesOf(hedging);
    const running = new Set<Copy<Result>>();
    let made = 0;
    let hasEnded = false;
    // By one of the copies; what decides may know of itself only.
    let isStarted = false;
    let nextAt = now() + delayMs;
    let timer: Timer | undefined;

    const end = (settle: () => void) => {
      hasEnded = true;
      clearTimeout(timer);
      for (const copy of running) copy.cancel();
      settle();
    };
    const arm = () => {
      clearTimeout(timer);
      if (made < copies) timer = setTimeout(another, Math.max(0, Math.ceil(nextAt - now())));
    };
    const start = (copy: Copy<Result>) => {
      made += 1;
      running.add(copy);
      copy.result.then(
        (result) => {
          running.delete(copy);
          if (!hasEnded) end(() => resolve(result));
        },
        (error: unknown) => {
          running.delete(copy);
          if (hasEnded) return;
          isStarted ||= !(error instanceof HitoError && error.notStarted);
          if (!(error instanceof Unavailable) || running.size === 0) {
            if (error instanceof HitoError && (isStarted || running.size > 0)) error.perhapsStarted();
            return end(() => reject(error));
          }
          // A server that asks for time is not asked again before.
          nextAt = Math.max(nextAt, now() + Math.min(error.retryDelayMs, PUSHBACK_MAX_MS));
          arm();
        },
      );
    };
    const another = () => {
      nextAt = now() + delayMs;
      const copy = beside();
      if (copy !== undefined) start(copy);
      arm();
    };
    start(first);
    arm();
  });
}
