/** Makes calls: deadlines, retries, idempotency keys. What the generated stubs stand on. */

import { DecodeError, type Init, type MessageType } from "../codec/wire.js";
import { CancelledCall, DeadlineExceeded, HitoError, InternalError, Unavailable } from "../rpc/errors.js";
import {
  type CallOptions, type Channel, type Hedging, intercepted, type Interceptor, type KeyedOptions, type Method,
  type ResponseStream, type UnaryOptions,
} from "../rpc/method.js";
import { type Call, oneReply } from "./call.js";
import type { Connection } from "./connection.js";
import type { CallHeader } from "./frames.js";
import { copiesOf, type Copy, hedged } from "./hedging.js";
import type { CallLog, ClientLog } from "./log.js";
import type { Pool } from "./pool.js";
import { Repeats, RetryPacer, type RetryBudget } from "./retry.js";
import { now, onAbort, Scope } from "./scope.js";
import { Sender, Stream } from "./stream.js";
import { CallToken, type Tokens } from "./tokens.js";

export interface ChannelSettings {
  readonly timeoutMs: number;
  readonly interceptors: readonly Interceptor[];
  readonly hedging: Hedging | undefined;
  readonly budget: RetryBudget;
  readonly waitsForReady: boolean;
  /** Where the client has a provider of them. */
  readonly tokens: Tokens | undefined;
  readonly log: ClientLog | undefined;
}

/** What the attempts of a unary call have in common. */
interface Unary {
  readonly path: string;
  readonly options: UnaryOptions;
  readonly message: Uint8Array;
  readonly key: string;
  readonly scope: Scope;
  readonly hedging: Hedging | undefined;
  readonly log: CallLog | undefined;
}

export class HitoChannel implements Channel {
  readonly pool: Pool;
  readonly pacer: RetryPacer;
  readonly settings: ChannelSettings;

  constructor(pool: Pool, settings: ChannelSettings) {
    this.pool = pool;
    this.settings = settings;
    this.pacer = new RetryPacer(settings.budget);
  }

  /** One request, one answer; repeated while the server is unavailable, within its time. */
  async unary<Request extends object, Response extends object>(
    method: Method<Request, Response>, request: Init<Request>, options: UnaryOptions,
  ): Promise<Response> {
    const message = encode(method.input, request);
    return await intercepted(this.settings.interceptors, method, options, async (options) => {
      const hedging = this.#hedgingOf(method.readOnly, options);
      // A key on every write: only that makes repeating it harmless (W14.2).
      const key = options.idempotencyKey ?? (method.readOnly ? "" : crypto.randomUUID());
      return await this.#logged(method.path, async (log) => {
        const scope = new Scope(options.signal, now() + (options.timeoutMs ?? this.settings.timeoutMs));
        const call: Unary = { path: method.path, options, message, key, scope, hedging, log };
        return decode(method.output, await this.#unary(call));
      });
    });
  }

  /**
   * One request, many answers. The call begins when the first is asked for. One that writes is not repeated by itself;
   * its key lets the caller do so (W14.1).
   */
  serverStream<Request extends object, Response extends object>(
    method: Method<Request, Response>, request: Init<Request>, options: KeyedOptions,
  ): ResponseStream<Response> {
    const message = encode(method.input, request);
    return new Stream(this, method, options, method.readOnly, (connection, header) => {
      return { call: connection.open(header, message, true), sender: undefined };
    });
  }

  /** Many requests, one answer. Not repeated: the requests are read once. A key lets the caller repeat it (W14.1). */
  async clientStream<Request extends object, Response extends object>(
    method: Method<Request, Response>, requests: AsyncIterable<Init<Request>>, options: KeyedOptions,
  ): Promise<Response> {
    return await intercepted(this.settings.interceptors, method, options, (options) => {
      return this.#logged(method.path, async () => {
        const sent = (call: Call) => new Sender(call, requests, method.input);
        return decode(method.output, await this.#clientStream(method.path, options, sent));
      });
    });
  }

  /** Requests and answers, each at their own pace. The call begins when the first answer is asked for. */
  bidiStream<Request extends object, Response extends object>(
    method: Method<Request, Response>, requests: AsyncIterable<Init<Request>>, options: CallOptions,
  ): ResponseStream<Response> {
    return new Stream(this, method, options, false, (connection, header) => {
      const call = connection.open(header, undefined, false);
      return { call, sender: new Sender(call, requests, method.input) };
    });
  }

  /** Opens the first connection, so that mistakes show at once. */
  async connect(timeoutMs: number, waitForReady: boolean, signal: AbortSignal | undefined): Promise<void> {
    const scope = new Scope(signal, now() + timeoutMs);
    try {
      this.pool.release(await this.pool.connection(waitForReady, scope));
    } catch (error) {
      if (!scope.hasTimedOut) throw error;
      const text = this.pool.failure?.text ?? `no server answered within ${timeoutMs} ms`;
      throw new Unavailable(text, { notStarted: true });
    } finally {
      scope.dispose();
    }
  }

  async rest(path: string, error: HitoError, milliseconds: number, signal?: AbortSignal): Promise<void> {
    const wait = milliseconds + this.pacer.delayMs(now());
    this.settings.log?.watchResumed(path, error, wait);
    await this.pool.rest(wait, (end) => signal === undefined ? () => {} : onAbort(signal, end));
  }

  /** Waits before the next attempt of a call that has not ended by then. */
  async restWithin(scope: Scope, milliseconds: number): Promise<void> {
    await this.pool.rest(milliseconds, (end) => scope.onEnd(end));
    if (scope.error !== undefined) throw scope.error;
  }

  close(): Promise<void> {
    this.settings.tokens?.close();
    return this.pool.close();
  }

  /** A connection with a place for a call that has not ended yet. */
  async placed(options: CallOptions, scope: Scope): Promise<Connection> {
    const connection = await this.pool.connection(options.waitForReady, scope);
    if (scope.error === undefined) return connection;
    this.pool.release(connection);
    throw scope.error;
  }

  // Unary calls

  async #unary(call: Unary): Promise<Uint8Array> {
    const { options, scope, log } = call;
    const repeats = new Repeats(this.pacer, scope.deadline);
    const token = new CallToken(this.settings.tokens, options.token);
    let failure: HitoError | undefined;
    let isStarted = false;
    // Of an attempt that has ended.
    let wasStarted = false;
    try {
      for (;;) {
        const text = await token.next(scope, wasStarted);
        const connection = await this.placed(options, scope);
        isStarted = true;
        try {
          const reply = await this.#tried(call, connection, text);
          token.answered();
          return reply;
        } catch (error) {
          const isRefused = token.failed(error);
          if (!(error instanceof HitoError) || !(isRefused || error instanceof Unavailable)) throw error;
          failure = error;
          isStarted = wasStarted = wasStarted || !error.notStarted;
          // Under another token at once.
          const delayMs = error instanceof Unavailable ? repeats.delayMs(error, true, now()) : 0;
          log?.repeated(error, delayMs);
          if (!isRefused) await this.restWithin(scope, delayMs);
        }
      }
    } catch (error) {
      // The last attempt may know of itself only.
      if (wasStarted && error instanceof HitoError) error.perhapsStarted();
      throw this.#explained(error, scope, isStarted, failure);
    } finally {
      scope.dispose();
    }
  }

  #tried(call: Unary, connection: Connection, token: string | undefined): Promise<Uint8Array> {
    const { hedging } = call;
    if (hedging === undefined) return this.#attempt(call, connection, token, false).result;
    return this.#hedged(call, connection, token, hedging);
  }

  #hedged(
    call: Unary, connection: Connection, token: string | undefined, hedging: Hedging,
  ): Promise<Uint8Array> {
    const used: number[] = [];
    const copy = (connection: Connection): Copy<Uint8Array> => {
      used.push(connection.number);
      return this.#attempt(call, connection, token, true);
    };
    return hedged(hedging, copy(connection), () => {
      const another = this.pool.connectionBeside(used);
      if (another === undefined) return undefined;
      if (!this.pacer.takeNow(now())) {
        this.pool.release(another);
        return undefined;
      }
      call.log?.hedged(used.length + 1);
      return copy(another);
    });
  }

  #attempt(
    { path, options, message, key, scope }: Unary, connection: Connection, token: string | undefined,
    isCopy: boolean,
  ): Copy<Uint8Array> {
    let call: Call;
    try {
      const header = headerOf(path, { ...options, idempotencyKey: key }, scope, token);
      call = connection.open(header, message, true);
    } catch (error) {
      return { result: Promise.reject(error), cancel: () => {} };
    }
    const cancel = () => call.cancel(new CancelledCall("another copy of the call was faster"));
    return { result: this.#reply(call, scope, options, undefined, isCopy), cancel };
  }

  /** Its requests are read once: a refusal is the caller's, and the next call has another token. */
  async #clientStream(path: string, options: KeyedOptions, sent: (call: Call) => Sender): Promise<Uint8Array> {
    const deadline = options.timeoutMs === undefined ? undefined : now() + options.timeoutMs;
    const scope = new Scope(options.signal, deadline);
    const token = new CallToken(this.settings.tokens, options.token);
    let isStarted = false;
    try {
      const text = await token.next(scope, false);
      const connection = await this.placed(options, scope);
      isStarted = true;
      const call = connection.open(headerOf(path, options, scope, text), undefined, false);
      const reply = await this.#reply(call, scope, options, sent(call));
      token.answered();
      return reply;
    } catch (error) {
      token.failed(error);
      throw this.#explained(error, scope, isStarted, undefined);
    } finally {
      scope.dispose();
    }
  }

  /** Tells the log of a call from its beginning to its end. */
  async #logged<Result>(path: string, call: (log: CallLog | undefined) => Promise<Result>): Promise<Result> {
    const log = this.settings.log?.call(path);
    try {
      const result = await call(log);
      log?.ended();
      return result;
    } catch (error) {
      log?.ended(error);
      throw error;
    }
  }

  /** The reply to a call that is open. */
  async #reply(
    call: Call, scope: Scope, options: CallOptions, sender: Sender | undefined, isCopy = false,
  ): Promise<Uint8Array> {
    const forget = scope.onEnd((error) => call.cancel(error));
    try {
      if (sender === undefined) await call.flush();
      return await oneReply(call);
    } finally {
      forget();
      // Of a copy that another was faster than nothing is told.
      if (!isCopy || call.hasEnded) tell(options, call);
      call.cancel();
      sender?.stop();
    }
  }

  #hedgingOf(isReadOnly: boolean, options: UnaryOptions): Hedging | undefined {
    const hedging = options.hedging ?? (isReadOnly ? this.settings.hedging : undefined);
    if (hedging === undefined || copiesOf(hedging) <= 1) return undefined;
    if (!isReadOnly && !options.idempotencyKey) {
      throw new TypeError("a call that writes is hedged only under an idempotencyKey of its own");
    }
    return hedging;
  }

  /** The error of a call that its own scope ended says what was known by then. */
  #explained(error: unknown, scope: Scope, isStarted: boolean, failure: HitoError | undefined): unknown {
    if (error !== scope.error) return error;
    const cause = failure ?? this.pool.failure;
    const notStarted = !isStarted;
    if (!scope.hasTimedOut) return new CancelledCall("the caller cancelled", { notStarted, cause: scope.error?.cause });
    const why = cause === undefined ? "" : ` (last failure: ${cause.text})`;
    return new DeadlineExceeded(`no answer in time${why}`, { notStarted, cause });
  }
}

export function headerOf(
  path: string, options: KeyedOptions, scope: Scope, token: string | undefined,
): CallHeader {
  const { idempotencyKey, traceparent, metadata } = options;
  const timeoutUs = scope.deadline === undefined ? undefined : (scope.deadline - now()) * 1000;
  return { path, timeoutUs, idempotencyKey, traceparent, token, metadata };
}

/** What the server said beside its messages. */
export function tell(options: CallOptions, call: Call): void {
  options.onMetadata?.(call.metadata);
  options.onTrailers?.(call.trailers);
}

function encode<T extends object>(type: MessageType<T>, message: Init<T>): Uint8Array {
  return type.encode(message);
}

export function decode<T extends object>(type: MessageType<T>, encoded: Uint8Array): T {
  try {
    return type.decode(encoded);
  } catch (error) {
    if (!(error instanceof DecodeError || error instanceof RangeError)) throw error;
    throw new InternalError(`the server's answer is not a valid ${type.typeName}`, { cause: error });
  }
}
