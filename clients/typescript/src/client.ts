/** The client: connections to a server and one typed property for each service. */

import type { Init } from "./codec/wire.js";
import { Consumer, type ConsumerOptions } from "./consume.js";
import * as v1 from "./gen/hito/v1/index.js";
import type { CallOptions, Channel, Hedging, Interceptor, KeyedOptions } from "./rpc/method.js";
import {
  type ResumingOptions, ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch,
} from "./resume.js";
import { HitoChannel, type TokenSource } from "./transport/channel.js";
import { DEFLATE } from "./transport/compression.js";
import { parseAddress, type TLSOptions } from "./transport/dial.js";
import { defaultHello, encodeHello, MESSAGE_MAX_MIN, MINOR_VERSION } from "./transport/frames.js";
import type { Log } from "./transport/log.js";
import { Pool } from "./transport/pool.js";
import type { RetryBudget } from "./transport/retry.js";

export const VERSION = "0.1.0";

/** What a client is like; every option may be left out. Times are milliseconds. */
export interface ClientOptions {
  /**
   * Who calls. A function is asked before each attempt of each call, and may refresh the token; the calls carry what it
   * gives. A string is said once for each connection.
   */
  readonly token?: string | TokenSource;
  /** What is trusted, and who we are: authorities, a client certificate, another name of the server. */
  readonly tls?: TLSOptions;
  /** For how long a unary call may take, retries included, unless the call says otherwise: 30,000. */
  readonly timeoutMs?: number;
  /** For how long `connect` tries: 10,000. */
  readonly connectTimeoutMs?: number;
  /**
   * Whether calls wait for a server within their time while none can be reached, which they do unless said; otherwise
   * they fail at once with `Unavailable`.
   */
  readonly waitForReady?: boolean;
  /** The same for `connect`: no, unless said. */
  readonly waitForConnect?: boolean;
  /** Whether calls go to the first address that answers (`pick_first`, unless said), or to all in turn. */
  readonly balancing?: "pick_first" | "round_robin";
  /** Another one is opened when the calls on those that there are reach what the server allows: 4. */
  readonly connectionsPerAddress?: number;
  /** Whether servers are asked how they are, so that one that does not serve gets no new calls while others do. */
  readonly healthCheck?: boolean;
  /**
   * After such a silence a connection on which calls wait is asked for a sign of life, but no more often than the server
   * wants to be: 10,000.
   */
  readonly keepaliveMs?: number;
  /** Unary calls that read are made again beside the first where no reply comes: not unless said. */
  readonly hedging?: Hedging;
  /** How many repeats and copies all calls have together: 100 at once, then 200 a second. */
  readonly retryBudget?: RetryBudget;
  /** Bytes of a message that is accepted, 16 KiB at least: 4 MiB. */
  readonly messageMax?: number;
  /**
   * Whether messages of 4 KiB and more go compressed, both ways, where the server reads that. It costs both sides
   * processor time, and pays where the network is slow.
   */
  readonly compression?: boolean;
  /** Around each call, the first outermost. */
  readonly interceptors?: readonly Interceptor[];
  /** Hears what becomes of connections and calls. */
  readonly log?: Log;
  /** How the client is called in the server's logs. */
  readonly agent?: string;
  /** Gives `connect` up. */
  readonly signal?: AbortSignal;
}

/** Live progress; `watchResuming` is what programs want. */
export class ProgressClient extends v1.ProgressServiceClient {
  /** Watches for ever: reconnects and continues after the last response by itself. */
  watchResuming(request: Init<v1.WatchRequest>, options: CallOptions & ResumingOptions = {}): ResumingWatch {
    const each = eachAttempt(options);
    return new ResumingWatch((current) => this.watch(current, each), request, restOf(this.channel), options);
  }
}

/** The event log; `consumeResuming` is what consumers of groups want. */
export class EventClient extends v1.EventServiceClient {
  /** Consumes events of a group for ever: reconnects by itself. */
  consumeResuming(group: string, options: CallOptions & ConsumerOptions = {}): Consumer {
    const each = eachAttempt(options);
    return new Consumer((requests) => this.consume(requests, each), group, restOf(this.channel), options);
  }
}

/** Learners' code; the methods that end in `Resuming` are what programs want. */
export class CodeValidationClient extends v1.CodeValidationServiceClient {
  /** Validates code once, and follows it to its end: reconnects and continues by itself. */
  validateResuming(
    request: Init<v1.ValidateCodeRequest>, options: KeyedOptions & ResumingOptions = {},
  ): ResumingValidation {
    const each = keyed(options);
    return new ResumingValidation(
      () => this.validateCode(request, each), (current) => this.watchValidation(current, eachAttempt(options)),
      restOf(this.channel), options,
    );
  }

  /** Validates a batch once, and follows it to its end: reconnects and continues by itself. */
  validateBatchResuming(
    request: Init<v1.ValidateBatchRequest>, options: KeyedOptions & ResumingOptions = {},
  ): ResumingBatch {
    const each = keyed(options);
    const begin = (current: Init<v1.ValidateBatchRequest>) => this.validateBatch(current, each);
    return new ResumingBatch(begin, request, restOf(this.channel), options);
  }

  /** Validates again once, and follows it to its end: reconnects and continues by itself. */
  revalidateResuming(
    request: Init<v1.RevalidateRequest>, options: KeyedOptions & ResumingOptions = {},
  ): ResumingRevalidation {
    const each = keyed(options);
    const begin = (current: Init<v1.RevalidateRequest>) => this.revalidate(current, each);
    return new ResumingRevalidation(begin, request, restOf(this.channel), options);
  }
}

/**
 * A client of one Hito deployment. It keeps connections open and shares them between calls; one client for each program
 * is enough.
 */
export class Client {
  readonly users: v1.UserServiceClient;
  readonly courses: v1.CourseServiceClient;
  readonly goals: v1.GoalServiceClient;
  readonly tasks: v1.TaskServiceClient;
  readonly progress: ProgressClient;
  readonly events: EventClient;
  readonly analytics: v1.AnalyticsServiceClient;
  readonly codeValidation: CodeValidationClient;
  readonly retrieval: v1.RetrievalServiceClient;
  readonly health: v1.HealthServiceClient;
  readonly reflection: v1.ReflectionServiceClient;
  readonly server: v1.ServerServiceClient;
  readonly privacy: v1.PrivacyServiceClient;
  readonly #channel: HitoChannel;

  private constructor(channel: HitoChannel) {
    this.#channel = channel;
    this.users = new v1.UserServiceClient(channel);
    this.courses = new v1.CourseServiceClient(channel);
    this.goals = new v1.GoalServiceClient(channel);
    this.tasks = new v1.TaskServiceClient(channel);
    this.progress = new ProgressClient(channel);
    this.events = new EventClient(channel);
    this.analytics = new v1.AnalyticsServiceClient(channel);
    this.codeValidation = new CodeValidationClient(channel);
    this.retrieval = new v1.RetrievalServiceClient(channel);
    this.health = new v1.HealthServiceClient(channel);
    this.reflection = new v1.ReflectionServiceClient(channel);
    this.server = new v1.ServerServiceClient(channel);
    this.privacy = new v1.PrivacyServiceClient(channel);
  }

  /**
   * Connects to `host:port`, or to any of several. Fails with `Unavailable` when no server answers, and with `TypeError`
   * where an option cannot be.
   */
  static async connect(address: string | readonly string[], options: ClientOptions = {}): Promise<Client> {
    const addresses = (typeof address === "string" ? address.split(",") : address).map(parseAddress);
    const client = new Client(channelTo(new Pool(addresses, poolSettings(options)), options));
    try {
      const { connectTimeoutMs = 10_000, waitForConnect = false, signal } = options;
      await client.#channel.connect(connectTimeoutMs, waitForConnect, signal);
    } catch (error) {
      await client.close();
      throw error;
    }
    return client;
  }

  /** Cancels the calls under way and closes the connections. */
  close(): Promise<void> {
    return this.#channel.close();
  }
}

function poolSettings(options: ClientOptions) {
  const own = {
    ...defaultHello,
    minorVersion: MINOR_VERSION,
    agent: options.agent ?? `hito-typescript/${VERSION}`,
    token: typeof options.token === "string" ? options.token : "",
    messageMax: Math.max(MESSAGE_MAX_MIN, options.messageMax ?? defaultHello.messageMax),
    encodings: new Uint8Array(options.compression ? [DEFLATE] : []),
  };
  // A token that cannot be sent is the caller's mistake.
  encodeHello(own);
  return {
    tls: options.tls ?? {},
    own,
    keepaliveMs: Math.max(10, options.keepaliveMs ?? 10_000),
    connectionsMax: Math.max(1, options.connectionsPerAddress ?? 4),
    inTurn: options.balancing === "round_robin",
    checksHealth: options.healthCheck ?? false,
    waitsForReady: options.waitForReady ?? true,
    log: options.log ?? (() => {}),
  };
}

function channelTo(pool: Pool, options: ClientOptions): HitoChannel {
  return new HitoChannel(pool, {
    timeoutMs: options.timeoutMs ?? 30_000,
    interceptors: options.interceptors ?? [],
    hedging: options.hedging,
    budget: options.retryBudget ?? {},
    waitsForReady: options.waitForReady ?? true,
    tokenSource: typeof options.token === "function" ? options.token : undefined,
    log: options.log ?? (() => {}),
  });
}

/** The signal of a stream that is taken up again ends it, and not an attempt of it with an error. */
function eachAttempt(options: CallOptions): CallOptions {
  const { metadata, token, traceparent, waitForReady, onMetadata, onTrailers } = options;
  return { metadata, token, traceparent, waitForReady, onMetadata, onTrailers };
}

/** The same key for each attempt to begin: a lost reply begins nothing a second time. */
function keyed(options: KeyedOptions): KeyedOptions {
  return { ...eachAttempt(options), idempotencyKey: options.idempotencyKey ?? crypto.randomUUID() };
}

function restOf(channel: Channel) {
  return (milliseconds: number, signal: AbortSignal) => channel.rest(milliseconds, signal);
}
