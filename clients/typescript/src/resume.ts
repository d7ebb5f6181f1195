/** Subscriptions and validations that outlive connections and servers. */

import type { Init } from "./codec/wire.js";
import type { WatchRequest, WatchResponse } from "./gen/hito/v1/progress.js";
import type {
  RevalidateRequest, RevalidateResponse, ValidateBatchRequest, ValidateBatchResponse, ValidateCodeResponse,
  WatchValidationRequest,
} from "./gen/hito/v1/validation.js";
import {
  Aborted, CancelledCall, DeadlineExceeded, HitoError, ResourceExhausted, Unavailable,
} from "./rpc/errors.js";
import type { ResponseStream } from "./rpc/method.js";
import { Backoff } from "./transport/retry.js";
import { onAbort } from "./transport/scope.js";
import { isReplaceable } from "./transport/tokens.js";

/** Waits before a stream is taken up again, which failed so. */
export type Rest = (error: HitoError, milliseconds: number, signal: AbortSignal) => Promise<void>;

export interface ResumingOptions {
  /** Hears of each failure after which the stream is taken up again. */
  readonly onInterruption?: (error: HitoError) => void;
  /** Ends it; the loop over it then ends without an error. */
  readonly signal?: AbortSignal;
}

/** Opens its stream again when it breaks. Where to continue is the subclass's to know. */
abstract class Resuming<Response> implements AsyncIterableIterator<Response> {
  /** How often the stream broke and was taken up again. */
  interruptions = 0;
  readonly #rest: Rest;
  readonly #options: ResumingOptions;
  readonly #backoff = new Backoff();
  readonly #ended = new AbortController();
  #forgetSignal: () => void = () => {};
  #stream: ResponseStream<Response> | undefined;
  /** Whether the stream has given a response. */
  #hasGiven = false;

  constructor(rest: Rest, options: ResumingOptions) {
    this.#rest = rest;
    this.#options = options;
    if (options.signal !== undefined) this.#forgetSignal = onAbort(options.signal, () => this.cancel());
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Response, undefined>> {
    while (!this.isEnded) {
      this.#stream ??= this.open();
      try {
        const next = await this.#stream.next();
        if (!next.done) {
          this.#backoff.reset();
          this.#hasGiven = true;
          this.received(next.value);
          return next;
        }
        // A server has no reason to end it; one that does is asked again.
        await this.#interrupted(new Unavailable("the server ended the stream"));
      } catch (error) {
        if (error instanceof HitoError) this.refused(error);
        if (this.isEnded) break;
        if (!(error instanceof HitoError) || !(passes(error) || this.#isRenewable(error))) {
          this.cancel();
          throw error;
        }
        await this.#interrupted(error);
      }
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<Response, undefined>> {
    this.cancel();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends it. */
  cancel(): void {
    this.#forgetSignal();
    this.#ended.abort();
    this.#stream?.cancel();
  }

  protected get isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  protected abstract open(): ResponseStream<Response>;
  protected abstract received(response: Response): void;

  /** The stream broke with an error. */
  protected refused(_error: HitoError): void {}

  /** It goes on under another token. A stream that gave nothing was repeated under one already. */
  #isRenewable(error: HitoError): boolean {
    return this.#hasGiven && isReplaceable(error);
  }

  async #interrupted(error: HitoError): Promise<void> {
    this.#stream = undefined;
    this.#hasGiven = false;
    if (this.isEnded) return;
    this.interruptions += 1;
    this.#options.onInterruption?.(error);
    await this.#rest(error, this.#backoff.nextMs(error.retryDelayMs), this.#ended.signal);
  }
}

/**
 * Watches and continues after what it gave when the connection or the server is gone. Nothing is skipped or given
 * twice: each attempt starts after the cursor of the last response. It ends by the caller only, or by an error that
 * trying again would not mend (a revoked token, a bad filter, a log that lost events which were given: `OutOfRange`
 * with the reason `LOG_FORKED`, after which `cursor` is the last place that holds). A watch that starts live begins
 * with its first response, the CAUGHT_UP mark.
 */
export class ResumingWatch extends Resuming<WatchResponse> {
  readonly #watch: (request: Init<WatchRequest>) => ResponseStream<WatchResponse>;
  #request: Init<WatchRequest>;

  constructor(
    watch: (request: Init<WatchRequest>) => ResponseStream<WatchResponse>, request: Init<WatchRequest>, rest: Rest,
    options: ResumingOptions,
  ) {
    super(rest, options);
    this.#watch = watch;
    this.#request = request;
  }

  /** Where it stands; keep it to continue in another process (`start: { case: "afterCursor", … }`). */
  get cursor(): string {
    const { start } = this.#request;
    return start?.case === "afterCursor" ? start.value : "";
  }

  protected override open(): ResponseStream<WatchResponse> {
    return this.#watch(this.#request);
  }

  protected override received(response: WatchResponse): void {
    this.#continueAfter(response.cursor);
  }

  protected override refused(error: HitoError): void {
    // Behind what a filter passed over since the last response, or before what was lost.
    this.#continueAfter(error.resumeCursor);
  }

  #continueAfter(cursor: string): void {
    if (cursor !== "") this.#request = { ...this.#request, start: { case: "afterCursor", value: cursor } };
  }
}

/**
 * Begins a validation once and watches it on when the connection or the server is gone for a while. It ends after the
 * response with `result`. Where another server had to begin anew, `attempt` goes up, and what was given of the attempt
 * before is void.
 */
export class ResumingValidation extends Resuming<ValidateCodeResponse> {
  readonly #begin: () => ResponseStream<ValidateCodeResponse>;
  readonly #watch: (request: Init<WatchValidationRequest>) => ResponseStream<ValidateCodeResponse>;
  #runId = "";
  #cursor = "";

  constructor(
    begin: () => ResponseStream<ValidateCodeResponse>,
    watch: (request: Init<WatchValidationRequest>) => ResponseStream<ValidateCodeResponse>, rest: Rest,
    options: ResumingOptions,
  ) {
    super(rest, options);
    this.#begin = begin;
    this.#watch = watch;
  }

  /** UUID of the validation; empty before the first response. */
  get runId(): string {
    return this.#runId;
  }

  protected override open(): ResponseStream<ValidateCodeResponse> {
    return this.#runId === "" ? this.#begin() : this.#watch({ runId: this.#runId, cursor: this.#cursor });
  }

  protected override received(response: ValidateCodeResponse): void {
    this.#runId = response.runId || this.#runId;
    this.#cursor = response.cursor || this.#cursor;
    if (response.step?.case === "result") this.cancel();
  }
}

/**
 * Asks for a batch once and continues after what it gave when the connection or the server is gone for a while. It ends
 * when each submission was refused or has finished.
 */
export class ResumingBatch extends Resuming<ValidateBatchResponse> {
  readonly #begin: (request: Init<ValidateBatchRequest>) => ResponseStream<ValidateBatchResponse>;
  #request: Init<ValidateBatchRequest>;
  #left: number;

  constructor(
    begin: (request: Init<ValidateBatchRequest>) => ResponseStream<ValidateBatchResponse>,
    request: Init<ValidateBatchRequest>, rest: Rest, options: ResumingOptions,
  ) {
    super(rest, options);
    this.#begin = begin;
    this.#request = request;
    this.#left = request.submissions?.length ?? 0;
  }

  protected override open(): ResponseStream<ValidateBatchResponse> {
    return this.#begin(this.#request);
  }

  protected override received({ cursor, step }: ValidateBatchResponse): void {
    if (cursor !== "") this.#request = { ...this.#request, cursor };
    if (step?.case === "finished" || step?.case === "refused") this.#left -= 1;
    if (this.#left <= 0) this.cancel();
  }
}

/**
 * Asks for a revalidation once and continues after what it gave when the connection or the server is gone for a while.
 * It ends after the response with `summary`.
 */
export class ResumingRevalidation extends Resuming<RevalidateResponse> {
  readonly #begin: (request: Init<RevalidateRequest>) => ResponseStream<RevalidateResponse>;
  #request: Init<RevalidateRequest>;

  constructor(
    begin: (request: Init<RevalidateRequest>) => ResponseStream<RevalidateResponse>,
    request: Init<RevalidateRequest>, rest: Rest, options: ResumingOptions,
  ) {
    super(rest, options);
    this.#begin = begin;
    this.#request = request;
  }

  protected override open(): ResponseStream<RevalidateResponse> {
    return this.#begin(this.#request);
  }

  protected override received({ cursor, step }: RevalidateResponse): void {
    if (cursor !== "") this.#request = { ...this.#request, cursor };
    if (step?.case === "summary") this.cancel();
  }
}

/** Whether the same request can succeed later. */
export function passes(error: HitoError): boolean {
  if (error instanceof Unavailable) return !error.isLasting;
  return error.fromServer
    && [ResourceExhausted, CancelledCall, DeadlineExceeded, Aborted].some((kind) => error instanceof kind);
}
