/**
 * The tokens of a client that has a provider of them (clients/BEHAVIOUR.md, C5.8): asks it, one question at a time, and
 * has calls wait for the answer. `TokenMachine` decides.
 */

import type { TokenProvider } from "../options.js";
import { CancelledCall, HitoError, Unauthenticated } from "../rpc/errors.js";
import { type ClientLog, nameOfKind } from "./log.js";
import { now, type Scope, TIMER_MAX_MS } from "./scope.js";
import { type TokenAnswer, TokenMachine, type TokenOutcome, type TokenStep } from "./token-machine.js";

const TIMEOUT_MS = 10_000;

/** One question, for all calls that wait for its answer. */
interface Question {
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  end(): void;
}

export class Tokens {
  readonly #provider: TokenProvider;
  readonly #timeoutMs: number;
  readonly #log: ClientLog | undefined;
  readonly #machine = new TokenMachine();
  #question: Question | undefined;
  /** What the provider threw last. */
  #cause: unknown;
  #isClosed = false;

  constructor(provider: TokenProvider, timeoutMs: number | undefined, log: ClientLog | undefined) {
    this.#provider = provider;
    this.#timeoutMs = Math.min(Math.max(1, timeoutMs ?? TIMEOUT_MS), TIMER_MAX_MS);
    this.#log = log;
  }

  /** The token for an attempt. Fails with `Unauthenticated` where there is none to have. */
  async get(scope: Scope): Promise<string> {
    this.#checkOpen();
    if (scope.error !== undefined) throw scope.error;
    const step = this.#machine.next(now());
    if (step.kind !== "wait") return this.#textOf(step);
    const question = this.#question ?? this.#ask();
    // Who goes leaves it to the others.
    await scope.run(question.ended);
    this.#checkOpen();
    return this.#textOf(this.#machine.afterQuestion(now()));
  }

  /** The server did not take it. */
  refused(text: string): void {
    const outcome = this.#machine.refused(text, now(), Math.random());
    if (outcome !== undefined) this.#cause = undefined;
    this.#tell(outcome);
  }

  /** The server answered a call that had it. */
  taken(text: string): void {
    this.#machine.taken(text);
  }

  /** Ends the question; who waits gets an error. */
  close(): void {
    this.#isClosed = true;
    this.#question?.end();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new CancelledCall("the client is closed", { notStarted: true });
  }

  #textOf(step: TokenStep): string {
    if (step.kind === "use") return step.text;
    // A new one for each call: the stack is that of who asks.
    throw new Unauthenticated(this.#machine.reason, { notStarted: true, cause: this.#cause });
  }

  #ask(): Question {
    const gone = new AbortController();
    let settle = () => {};
    const ended = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const answered = (answer: TokenAnswer, cause?: unknown) => {
      // What comes too late is nobody's.
      if (this.#question === question) this.#answered(answer, cause);
      question.end();
    };
    const late = () => answered({ kind: "failed", reason: "the token provider did not answer in time" });
    const timer = setTimeout(late, this.#timeoutMs);
    const question: Question = {
      ended,
      end: () => {
        clearTimeout(timer);
        if (this.#question === question) this.#question = undefined;
        gone.abort();
        settle();
      },
    };
    this.#question = question;
    Promise.resolve(gone.signal).then(this.#provider).then(
      (token) => answered(givenBy(token)),
      (error: unknown) => answered(failedWith(error), error),
    );
    return question;
  }

  #answered(answer: TokenAnswer, cause: unknown): void {
    this.#cause = cause;
    this.#tell(this.#machine.answered(answer, now(), Math.random()));
  }

  #tell(outcome: TokenOutcome | undefined): void {
    if (outcome?.kind === "refreshed") this.#log?.tokenRefreshed(outcome.validForMs);
    else if (outcome !== undefined) this.#log?.tokenFailed(outcome.reason, outcome.restMs);
  }
}

/** Refusals of tokens that a client can have another one for. */
const replaceable = new WeakSet<HitoError>();

/** Whether a server refused a token of the provider: under another one the same may go well. */
export function isReplaceable(error: HitoError): boolean {
  return replaceable.has(error);
}

/** The token of one call, for each of its attempts: the caller's own, or the provider's. */
export class CallToken {
  /** Undefined where the call has a token of its own, or the client has no provider. */
  readonly #tokens: Tokens | undefined;
  readonly #own: string | undefined;
  /** Of the last attempt. */
  #text = "";
  #refusal: HitoError | undefined;

  constructor(tokens: Tokens | undefined, own: string | undefined) {
    this.#tokens = own === undefined ? tokens : undefined;
    this.#own = own;
  }

  /** For the next attempt; `wasStarted`: whether the server perhaps began one before. */
  async next(scope: Scope, wasStarted: boolean): Promise<string | undefined> {
    if (this.#tokens === undefined) return this.#own;
    try {
      return this.#text = await this.#tokens.get(scope);
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error;
      if (this.#refusal !== undefined) {
        this.#refusal.cause ??= error.cause;
        throw this.#refusal;
      }
      if (wasStarted) error.perhapsStarted();
      throw error;
    }
  }

  /** The server answered under it. */
  answered(): void {
    this.#tokens?.taken(this.#text);
  }

  /** An attempt failed; whether it is the first that was refused, which may be repeated under another token. */
  failed(error: unknown): boolean {
    if (this.#tokens === undefined || !(error instanceof HitoError) || !error.fromServer) return false;
    if (!(error instanceof Unauthenticated)) {
      this.#tokens.taken(this.#text);
      return false;
    }
    this.#tokens.refused(this.#text);
    replaceable.add(error);
    const isFirst = this.#refusal === undefined;
    this.#refusal = error;
    return isFirst;
  }
}

/** Without its text: that is the provider's own, and may say what nobody should read. */
function failedWith(error: unknown): TokenAnswer {
  return { kind: "failed", reason: `the token provider failed with ${nameOfKind(error)}` };
}

function givenBy(token: unknown): TokenAnswer {
  if (typeof token !== "object" || token === null) return { kind: "given", text: token, validForMs: undefined };
  const { text, validForMs } = token as { text?: unknown; validForMs?: unknown };
  return { kind: "given", text, validForMs };
}
