/** What bounds the waits of one call: its deadline, its caller's signal, and who else may end it (C6.3). */

import { CancelledCall, DeadlineExceeded, type HitoError } from "../rpc/errors.js";

// The longest that a timer of the platform takes.
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** What `setTimeout` gives, wherever. */
export type Timer = ReturnType<typeof setTimeout>;

/** Milliseconds of a clock that only goes forward. */
export function now(): number {
  return performance.now();
}

const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when a signal is aborted, or now where it is; returns what takes that back. A signal has one listener of
 * ours however many calls it is for: platforms warn of more than a few.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  const all = listeners.get(signal) ?? listenTo(signal);
  all.add(listener);
  return () => all.delete(listener);
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  listeners.set(signal, all);
  signal.addEventListener("abort", () => {
    for (const listener of [...all]) listener();
    all.clear();
  }, { once: true });
  return all;
}

export class Scope {
  /** When it ends by itself. */
  readonly deadline: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #listeners = new Set<(error: HitoError) => void>();
  #error: HitoError | undefined;
  #hasTimedOut = false;
  #timer: Timer | undefined;
  #forgetSignal: () => void = () => {};

  constructor(signal: AbortSignal | undefined, deadline: number | undefined) {
    this.deadline = deadline;
    this.#signal = signal;
    if (signal !== undefined) this.#forgetSignal = onAbort(signal, () => this.#aborted());
    this.#arm();
  }

  /** Why it has ended. */
  get error(): HitoError | undefined {
    return this.#error;
  }

  /** Whether its deadline has ended it. */
  get hasTimedOut(): boolean {
    return this.#hasTimedOut;
  }

  end(error: HitoError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.dispose();
    for (const listener of [...this.#listeners]) listener(error);
    this.#listeners.clear();
  }

  /** Calls `listener` when it ends, or now where it has; returns what takes that back. */
  onEnd(listener: (error: HitoError) => void): () => void {
    if (this.#error !== undefined) {
      listener(this.#error);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What a promise comes to, or how the scope ended before; `undo` gets what came then all the same. */
  run<T>(promise: Promise<T>, undo?: (late: T) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let hasEnded = false;
      const forget = this.onEnd((error) => {
        hasEnded = true;
        reject(error);
      });
      promise.then(
        (value) => {
          forget();
          if (hasEnded) undo?.(value);
          else resolve(value);
        },
        (error: unknown) => {
          forget();
          reject(error);
        },
      );
    });
  }

  /** Nothing ends it any more by itself. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#forgetSignal();
  }

  #aborted(): void {
    this.end(new CancelledCall("the caller cancelled", { cause: this.#signal?.reason }));
  }

  #arm(): void {
    if (this.deadline === undefined || this.#error !== undefined) return;
    const left = this.deadline - now();
    if (left <= 0) {
      this.#hasTimedOut = true;
      this.end(new DeadlineExceeded("no answer in time"));
      return;
    }
    this.#timer = setTimeout(() => this.#arm(), Math.min(Math.ceil(left), TIMER_MAX_MS));
  }
}

/** Waits; no longer than `signal` allows. Never fails. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    let forget = () => {};
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, Math.min(Math.max(0, milliseconds), TIMER_MAX_MS));
    if (signal === undefined) return;
    forget = onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
