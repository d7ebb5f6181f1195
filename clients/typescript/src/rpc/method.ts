/** What generated stubs stand on. Knows no transport: over which wire a call goes is the channel's. */

import type { Init, MessageType } from "../codec/wire.js";
import type { HitoError } from "./errors.js";

export type MethodKind = "unary" | "server_stream" | "client_stream" | "bidi";

/** A method of the contract. */
export interface Method<Request extends object, Response extends object> {
  /** For example `hito.v1.GoalService/CreateGoal`. */
  readonly path: string;
  readonly kind: MethodKind;
  /** It changes nothing, so a client may repeat it at will. */
  readonly readOnly: boolean;
  readonly input: MessageType<Request>;
  readonly output: MessageType<Response>;
}

export function method<Request extends object, Response extends object>(
  path: string,
  kind: MethodKind,
  readOnly: boolean,
  input: MessageType<Request>,
  output: MessageType<Response>,
): Method<Request, Response> {
  return { path, kind, readOnly, input, output };
}

/** Keys that end with `-bin` have bytes, all others text. */
export type Metadata = { readonly [key: string]: string | Uint8Array };

/** What a caller may say about a call beside its request. */
export interface CallOptions {
  /** For how long it may take, retries included; of unary calls the client's where it is not said. */
  readonly timeoutMs?: number;
  readonly metadata?: Metadata;
  /** Instead of the client's. */
  readonly token?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  /** Whether the call waits for a server within its time while none can be reached; as the client says where not said. */
  readonly waitForReady?: boolean;
  /** Cancels the call, which ends with `CancelledCall`. */
  readonly signal?: AbortSignal;
  /** Gets what the server said before its first response, when the call has ended or that response is there. */
  readonly onMetadata?: (metadata: Metadata) => void;
  /** Gets what the server said with the end of the call, also of one that failed. */
  readonly onTrailers?: (trailers: Metadata) => void;
}

/** Of calls that write: they may be repeated under a key. */
export interface KeyedOptions extends CallOptions {
  /** Lets the caller repeat the call (W14); unary calls that write have one of their own where none is given. */
  readonly idempotencyKey?: string;
}

/** When a call is made again beside itself: the first response counts, the other copies are cancelled. */
export interface Hedging {
  /** Between one copy and the next; 1 or more. */
  readonly delayMs: number;
  /** In all, 1 (not hedged) to 5; 2 where not said. */
  readonly copies?: number;
}

/** Of calls with one request and one reply. */
export interface UnaryOptions extends KeyedOptions {
  /**
   * Makes the call again beside the first where no reply comes; as the client says for calls that read where not
   * said. A call that writes needs an `idempotencyKey` for it.
   */
  readonly hedging?: Hedging;
}

/**
 * The responses of one call. Leaving the loop over them cancels the call; so does `cancel`.
 */
export interface ResponseStream<Response> extends AsyncIterableIterator<Response> {
  /** What the server said before its first response; empty until that is there. */
  readonly metadata: Metadata;
  /** What the server said with the end of the call; empty until then. */
  readonly trailers: Metadata;
  /** Ends the stream: who waits for a response hears that there is none. */
  cancel(): void;
}

/** Where the generated clients send their calls. */
export interface Channel {
  unary<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    request: Init<Request>,
    options: UnaryOptions,
  ): Promise<Response>;
  serverStream<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    request: Init<Request>,
    options: KeyedOptions,
  ): ResponseStream<Response>;
  clientStream<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    requests: AsyncIterable<Init<Request>>,
    options: KeyedOptions,
  ): Promise<Response>;
  bidiStream<Request extends object, Response extends object>(
    method: Method<Request, Response>,
    requests: AsyncIterable<Init<Request>>,
    options: CallOptions,
  ): ResponseStream<Response>;
  /**
   * Waits before a stream of a method is taken up again, which failed so: within the bound for the repeats of all calls,
   * and no longer than `signal` allows.
   */
  rest(path: string, error: HitoError, milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** What interceptors see of a method, whatever its messages. */
export type AnyMethod = Pick<Method<object, object>, "path" | "kind" | "readOnly">;

/**
 * Around every call of a client: one shape for unary calls and streams. It makes the call by awaiting `proceed`,
 * with these options or others, and returns what that does: the reply of a call that has one, and the open stream
 * where responses are a stream. It sees how the call failed as what `proceed` throws.
 */
export type Interceptor = <Result>(
  method: AnyMethod,
  options: UnaryOptions,
  proceed: (options: UnaryOptions) => Promise<Result>,
) => Promise<Result>;

/** The first is the outermost. */
export function intercepted<Result>(
  interceptors: readonly Interceptor[],
  method: AnyMethod,
  options: UnaryOptions,
  last: (options: UnaryOptions) => Promise<Result>,
): Promise<Result> {
  const [first, ...others] = interceptors;
  if (first === undefined) return last(options);
  return first(method, options, (options) => intercepted(others, method, options, last));
}
