/** Makes calls: deadlines, retries, idempotency keys. What the generated stubs stand on. */

import { DecodeError, type Init, type MessageType } from "../codec/wire.js";
import type { TokenSource } from "../options.js";
import { CancelledCall, DeadlineExceeded, HitoError, InternalError, Unauthenticated, Unavailable } from "../rpc/errors.js";
import {
  type CallOptions, type Channel, type Hedging, intercepted, type Interceptor, type KeyedOptions, type Method,
  type ResponseStream, type UnaryOptions,
} from "../rpc/method.js";
import { type Call, oneReply } from "./call.js";
import type { Connection } from "./connection.js";
import type { CallHeader } from "./frames.js";
import { copiesOf, type Copy, hedged } from "./hedging.js";
import type { Log } from "./log.js";
import type { Pool } from "./pool.js";
import { Repeats, RetryPacer, type RetryBudget } from "./retry.js";
import { now, onAbort, Scope } from "./scope.js";
import { Sender, Stream } from "./stream.js";

export interface ChannelSettings {
  readonly timeoutMs: number;
  readonly interceptors: readonly Interceptor[];
  readonly hedging: Hedging | undefined;
  readonly budget: RetryBudget;
  readonly waitsForReady: boolean;
  readonly tokenSource: TokenSource | undefined;
  readonly log: Log;
}

/** What the attempts of a unary call have in common. */
interface Unary {
  readonly path: string;
  readonly options: UnaryOptions;
  readonly message: Uint8Array;
  readonly key: string;
  readonly scope: Scope;
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
      return decode(method.output, await this.#unary(method.path, message, key, options, hedging));
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
    return await intercepted(this.settings.interceptors, method, options, async (options) => {
      const deadline = options.timeoutMs === undefined ? undefined : now() + options.timeoutMs;
      const scope = new Scope(options.signal, deadline);
      let isStarted = false;
      try {
        const token = await this.tokenOf(options, scope);
        const connection = await this.placed(options, scope);
        isStarted = true;
        const call = connection.open(headerOf(method.path, options, scope, token), undefined, false);
        const sender = new Sender(call, requests, method.input);
        return decode(method.output, await this.#reply(call, scope, options, sender));
      } catch (error) {
        throw this.#explained(error, scope, isStarted, undefined);
      } finally {
        scope.dispose();
      }
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

  async rest(milliseconds: number, signal?: AbortSignal): Promise<void> {
    const wait = milliseconds + this.pacer.delayMs(now());
    await this.pool.rest(wait, (end) => signal === undefined ? () => {} : onAbort(signal, end));
  }

  /** Waits before the next attempt of a call that has not ended by then. */
  async restWithin(scope: Scope, milliseconds: number): Promise<void> {
    await this.pool.rest(milliseconds, (end) => scope.onEnd(end));
    if (scope.error !== undefined) throw scope.error;
  }

  close(): Promise<void> {
    return this.pool.close();
  }

  /** The token that a call says, where it is not HELLO's. */
  async tokenOf(options: CallOptions, scope: Scope): Promise<string | undefined> {
    const source = this.settings.tokenSource;
    if (options.token !== undefined || source === undefined) return options.token;
    try {
      return await scope.run(Promise.resolve().then(source));
    } catch (error) {
      if (error === scope.error) throw error;
      throw new Unauthenticated("there is no token for the call", { notStarted: true, cause: error });
    }
  }

  /** A connection with a place for a call that has not ended yet. */
  async placed(options: CallOptions, scope: Scope): Promise<Connection> {
    const connection = await this.pool.connection(options.waitForReady, scope);
    if (scope.error === undefined) return connection;
    this.pool.release(connection);
    throw scope.error;
  }

  // Unary calls

  async #unary(
    path: string, message: Uint8Array, key: string, options: UnaryOptions, hedging: Hedging | undefined,
  ): Promise<Uint8Array> {
    const timeoutMs = options.timeoutMs ?? this.settings.timeoutMs;
    const scope = new Scope(options.signal, now() + timeoutMs);
    const call: Unary = { path, options, message, key, scope };
    const repeats = new Repeats(this.pacer, scope.deadline);
    let failure: HitoError | undefined;
    let isStarted = false;
    // Of an attempt that has ended.
    let wasStarted = false;
    try {
      for (;;) {
        const token = await this.tokenOf(options, scope);
        const connection = await this.placed(options, scope);
        isStarted = true;
        try {
          if (hedging === undefined) return await this.#attempt(call, connection, token, false).result;
          return await this.#hedged(call, connection, token, hedging);
        } catch (error) {
          if (!(error instanceof Unavailable)) throw error;
          failure = error;
          isStarted = wasStarted = wasStarted || !error.notStarted;
          const delayMs = repeats.delayMs(error, true, now());
          this.settings.log({ kind: "repeated", method: path, error, delayMs });
          await this.restWithin(scope, delayMs);
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
      this.settings.log({ kind: "hedged", method: call.path });
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
