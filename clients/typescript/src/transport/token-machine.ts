/**
 * Which token a call has, and when the provider is asked for another (clients/BEHAVIOUR.md, C5.8). Pure: it asks nobody
 * and waits for nothing; time (in milliseconds) and chance are arguments.
 *
 *     none --asked--> current --refused--> none --asked--> current
 *                       +--margin: asked again, current until then
 *     asked in vain, or two tokens in a row refused: rests, and nobody asks
 */

import { backoffMs } from "./retry.js";

const TOKEN_BYTES_MAX = 256;
const MARGIN_MAX_MS = 10_000;

/** What a call does next. */
export type TokenStep =
  | { readonly kind: "use"; readonly text: string }
  /** Begins the question where that is new, and looks again with `afterQuestion` when it has ended. */
  | { readonly kind: "wait"; readonly isNew: boolean }
  | { readonly kind: "fail" };

/** How a question ended: with what the provider gave, whatever that is, or why there is nothing. */
export type TokenAnswer =
  | { readonly kind: "given"; readonly text: unknown; readonly validForMs: unknown }
  | { readonly kind: "failed"; readonly reason: string };

/** What of it is worth a record. */
export type TokenOutcome =
  | { readonly kind: "refreshed"; readonly validForMs: number | undefined }
  | { readonly kind: "rests"; readonly reason: string; readonly restMs: number };

interface Current {
  readonly text: string;
  readonly validUntil: number;
  readonly renewAt: number;
  /** Whether a call under it had another answer than that it is refused. */
  isProven: boolean;
}

export class TokenMachine {
  #current: Current | undefined;
  #refusedText: string | undefined;
  /** Tokens that were refused and not proven, in a row. */
  #refusals = 0;
  #rests = 0;
  #restsUntil = -Infinity;
  #isAsking = false;
  #reason = "the token provider has no token";

  /** Why there is no token. */
  get reason(): string {
    return this.#reason;
  }

  /** A call needs a token. */
  next(now: number): TokenStep {
    const current = this.#current;
    if (current !== undefined && now < current.renewAt) return { kind: "use", text: current.text };
    if (this.#isAsking) return { kind: "wait", isNew: false };
    if (now < this.#restsUntil) return this.afterQuestion(now);
    this.#isAsking = true;
    return { kind: "wait", isNew: true };
  }

  /** A call has waited for a question, and does not wait for another. */
  afterQuestion(now: number): TokenStep {
    const current = this.#current;
    if (current === undefined || now >= current.validUntil) return { kind: "fail" };
    return { kind: "use", text: current.text };
  }

  answered(answer: TokenAnswer, now: number, chance: number): TokenOutcome {
    this.#isAsking = false;
    if (answer.kind === "failed") return this.#rest(answer.reason, now, chance);
    const { text } = answer;
    const validForMs = answer.validForMs ?? undefined;
    if (!isSendable(text)) return this.#rest("the token provider gave what may not be sent", now, chance);
    if (text === this.#refusedText) {
      return this.#rest("the token provider gave the token that was refused", now, chance);
    }
    if (validForMs !== undefined && !(typeof validForMs === "number" && validForMs > 0)) {
      return this.#rest("the token provider gave a token that is not valid any more", now, chance);
    }
    const validUntil = now + (validForMs ?? Infinity);
    const renewAt = validUntil - Math.min(MARGIN_MAX_MS, (validForMs ?? 0) / 10);
    this.#current = { text, validUntil, renewAt, isProven: false };
    return { kind: "refreshed", validForMs };
  }

  /** The server did not take a token. One that is not the current one any more does not matter. */
  refused(text: string, now: number, chance: number): TokenOutcome | undefined {
    if (this.#current?.text !== text) return undefined;
    this.#refusals = this.#current.isProven ? 0 : this.#refusals + 1;
    this.#refusedText = text;
    this.#current = undefined;
    if (this.#refusals < 2) return undefined;
    return this.#rest("the server refuses the tokens of the provider", now, chance);
  }

  /** The server answered a call under a token. */
  taken(text: string): void {
    if (this.#current?.text !== text || this.#current.isProven) return;
    this.#current.isProven = true;
    this.#refusals = this.#rests = 0;
  }

  #rest(reason: string, now: number, chance: number): TokenOutcome {
    const restMs = backoffMs(this.#rests, chance);
    this.#reason = reason;
    this.#rests += 1;
    this.#restsUntil = now + restMs;
    return { kind: "rests", reason, restMs };
  }
}

/** Whether a CALL may have it (W5.2): text, which half of a surrogate pair is not. */
function isSendable(text: unknown): text is string {
  if (typeof text !== "string" || text.includes("\0") || /[\ud800-\udfff]/u.test(text)) return false;
  // A character has three bytes at most, or two such: what is longer need not be encoded.
  return text !== "" && text.length <= TOKEN_BYTES_MAX && new TextEncoder().encode(text).length <= TOKEN_BYTES_MAX;
}
