/** Streams of answers, as the caller reads them, and of requests, as they are sent. */

import type { Init, MessageType } from "../codec/wire.js";
import { CancelledCall, DeadlineExceeded, HitoError, Unavailable } from "../rpc/errors.js";
import { intercepted, type KeyedOptions, type Metadata, type Method, type ResponseStream } from "../rpc/method.js";
import type { Call } from "./call.js";
import { decode, headerOf, type HitoChannel, tell } from "./channel.js";
import type { Connection } from "./connection.js";
import { type CallHeader, noMetadata } from "./frames.js";
import type { CallLog } from "./log.js";
import { Repeats } from "./retry.js";
import { now, Scope } from "./scope.js";
import { CallToken } from "./tokens.js";

interface Opened {
  readonly call: Call;
  /** Of a call whose requests are a stream. */
  readonly sender: Sender | undefined;
}

/** What a stream has beside itself. */
interface Held {
  opened?: Opened;
  log?: CallLog | undefined;
}

/** Calls of streams that nobody reads any more: the server must hear of it. */
const dropped = new FinalizationRegistry<Held>(({ opened, log }) => {
  opened?.call.cancel();
  opened?.sender?.stop();
  log?.ended(new CancelledCall("the stream was dropped"));
});

type OpenCall = (connection: Connection, header: CallHeader) => Opened;

export class Stream<Response extends object> implements ResponseStream<Response> {
  readonly #channel: HitoChannel;
  readonly #method: Pick<Method<object, Response>, "path" | "kind" | "readOnly" | "output">;
  readonly #openCall: OpenCall;
  /** Also where it perhaps began. */
  readonly #mayRepeat: boolean;
  #options: KeyedOptions;
  #deadline: number | undefined;
  #scope: Scope | undefined;
  #repeats: Repeats | undefined;
  #call: Call | undefined;
  #sender: Sender | undefined;
  /** Of the last attempt that there was. */
  #last: Call | undefined;
  readonly #held: Held = {};
  #token: CallToken | undefined;
  /** Whether the server perhaps began an attempt that has ended. */
  #wasStarted = false;
  #forgetCall: () => void = () => {};
  #isBegun = false;
  #isEnded = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    channel: HitoChannel, method: Pick<Method<object, Response>, "path" | "kind" | "readOnly" | "output">,
    options: KeyedOptions, mayRepeat: boolean, openCall: OpenCall,
  ) {
    this.#channel = channel;
    this.#method = method;
    this.#options = options;
    this.#mayRepeat = mayRepeat;
    this.#openCall = openCall;
    this.#deadline = deadlineOf(options);
    dropped.register(this, this.#held, this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  get metadata(): Metadata {
    return this.#last?.metadata ?? noMetadata;
  }

  get trailers(): Metadata {
    return this.#last?.trailers ?? noMetadata;
  }

  /** One after the other, also for who does not wait. */
  next(): Promise<IteratorResult<Response, undefined>> {
    const result = this.#turn.then(() => this.#nextResult());
    this.#turn = result.catch(() => {});
    return result;
  }

  return(): Promise<IteratorResult<Response, undefined>> {
    this.cancel();
    return Promise.resolve({ done: true, value: undefined });
  }

  cancel(): void {
    if (this.#isEnded) return;
    const closed = new CancelledCall("the stream was closed");
    this.#held.log?.ended(closed);
    this.#finish(closed);
  }

  async #nextResult(): Promise<IteratorResult<Response, undefined>> {
    if (this.#isEnded) return { done: true, value: undefined };
    try {
      if (this.#scope === undefined) await this.#intercepted();
      const message = await this.#message();
      if (message === undefined) {
        this.#held.log?.ended();
        this.#finish();
        return { done: true, value: undefined };
      }
      const value = decode(this.#method.output, message);
      if (!this.#isBegun) {
        this.#isBegun = true;
        this.#options.onMetadata?.(this.metadata);
      }
      return { done: false, value };
    } catch (error) {
      // Closed while it waited: there is no response, and nothing that failed.
      if (this.#isEnded) return { done: true, value: undefined };
      const explained = this.#explained(error);
      this.#held.log?.ended(explained);
      this.#finish();
      throw explained;
    }
  }

  /** Opens the call for the first time, with the client's interceptors around that. */
  async #intercepted(): Promise<void> {
    const { interceptors } = this.#channel.settings;
    await intercepted(interceptors, this.#method, this.#options, async (options): Promise<this> => {
      if (options !== this.#options) this.#deadline = deadlineOf(options);
      this.#options = options;
      const { timeoutMs, waitsForReady, tokens, log } = this.#channel.settings;
      const repeatTime = options.waitForReady ?? waitsForReady ? undefined : timeoutMs;
      this.#repeats = new Repeats(this.#channel.pacer, this.#deadline, repeatTime);
      this.#scope = new Scope(options.signal, this.#deadline);
      this.#token = new CallToken(tokens, options.token);
      this.#held.log ??= log?.call(this.#method.path);
      await this.#open(this.#scope);
      return this;
    });
  }

  async #open(scope: Scope): Promise<Call> {
    while (this.#call === undefined) {
      const token = await this.#token?.next(scope, this.#wasStarted);
      const connection = await this.#channel.placed(this.#options, scope);
      try {
        const opened = this.#openCall(connection, headerOf(this.#method.path, this.#options, scope, token));
        this.#call = this.#last = opened.call;
        this.#sender = opened.sender;
        const { call } = opened;
        this.#held.opened = opened;
        this.#forgetCall();
        this.#forgetCall = scope.onEnd((error) => call.cancel(error));
      } catch (error) {
        await this.#again(error, scope);
      }
    }
    return this.#call;
  }

  async #message(): Promise<Uint8Array | undefined> {
    const scope = this.#scope;
    if (scope === undefined) return undefined;
    for (;;) {
      const call = await this.#open(scope);
      try {
        if (this.#sender === undefined) await call.flush();
        const message = await call.receive();
        if (!this.#isBegun) this.#token?.answered();
        return message;
      } catch (error) {
        await this.#again(error, scope);
      }
      this.#call = undefined;
    }
  }

  /** Waits before another attempt; throws `error` where there should be none. */
  async #again(error: unknown, scope: Scope): Promise<void> {
    const isRefused = this.#token?.failed(error) ?? false;
    // Its requests are read once.
    const isRepeatable = !this.#isBegun && this.#sender === undefined;
    if (isRefused && isRepeatable) {
      // Under another token at once.
      this.#repeated(error as HitoError, 0);
      return;
    }
    if (!(error instanceof Unavailable) || this.#repeats === undefined) throw error;
    const mayRepeat = isRepeatable && (this.#mayRepeat || error.notStarted);
    const delayMs = this.#repeats.delayMs(error, mayRepeat, now());
    this.#repeated(error, delayMs);
    await this.#channel.restWithin(scope, delayMs);
  }

  #repeated(error: HitoError, delayMs: number): void {
    this.#wasStarted ||= !error.notStarted;
    this.#held.log?.repeated(error, delayMs);
  }

  #finish(error?: HitoError): void {
    this.#isEnded = true;
    dropped.unregister(this);
    if (error !== undefined) this.#scope?.end(error);
    this.#scope?.dispose();
    this.#call?.cancel(error);
    this.#sender?.stop();
    if (this.#last === undefined) return;
    if (this.#isBegun) this.#options.onTrailers?.(this.trailers);
    else tell(this.#options, this.#last);
  }

  #explained(error: unknown): unknown {
    if (error !== this.#scope?.error || !this.#scope?.hasTimedOut) {
      if (this.#wasStarted && error instanceof HitoError) error.perhapsStarted();
      return error;
    }
    return new DeadlineExceeded("the stream did not end in time", { notStarted: this.#last === undefined });
  }
}

function deadlineOf(options: KeyedOptions): number | undefined {
  return options.timeoutMs === undefined ? undefined : now() + options.timeoutMs;
}

/** Sends a stream of requests; a failure of its source ends the call. */
export class Sender {
  readonly #call: Call;
  #wake: (() => void) | undefined;
  #isStopped = false;

  constructor(call: Call, requests: AsyncIterable<unknown>, type: unknown);
  constructor(call: Call, requests: AsyncIterable<Init<object>>, type: MessageType<object>) {
    this.#call = call;
    call.onDone = () => this.#wake?.();
    void this.#send(requests, type);
  }

  /** Nobody wants the requests any more. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  async #send(source: AsyncIterable<Init<object>>, type: MessageType<object>): Promise<void> {
    let requests: AsyncIterator<Init<object>> | undefined;
    try {
      requests = source[Symbol.asyncIterator]();
      for (;;) {
        const next = await this.#next(requests);
        if (next === undefined) break;
        if (next.done) {
          this.#call.halfClose();
          return;
        }
        await this.#call.send(type.encode(next.value));
      }
    } catch (error) {
      const failed = `the request stream failed: ${String(error)}`;
      this.#call.cancel(error instanceof HitoError ? error : new CancelledCall(failed, { cause: error }));
    }
    // Not awaited: a source that waits for something hears of it when that is there.
    Promise.resolve().then(() => requests?.return?.()).catch(() => {});
  }

  /** The next request; undefined where the call has ended before. */
  #next(requests: AsyncIterator<Init<object>>): Promise<IteratorResult<Init<object>> | undefined> {
    if (this.#call.isDone || this.#isStopped) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      // One for each wait, and not a promise that lives as long as the call: that would remember all waits.
      this.#wake = () => resolve(undefined);
      requests.next().then(resolve, reject);
    });
  }
}
