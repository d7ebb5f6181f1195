/** The client: connections to a server and one typed property for each service. */

import type { Init } from "./codec/wire.js";
import { Consumer, type ConsumerOptions } from "./consume.js";
import * as v1 from "./gen/hito/v1/index.js";
import type { ClientOptions } from "./options.js";
import type { AnyMethod, CallOptions, Channel, KeyedOptions } from "./rpc/method.js";
import {
  type Rest, type ResumingOptions, ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch,
} from "./resume.js";
import { HitoChannel } from "./transport/channel.js";
import { DEFLATE } from "./transport/compression.js";
import { parseAddress } from "./transport/dial.js";
import { defaultHello, encodeHello, MESSAGE_MAX_MAX, MESSAGE_MAX_MIN, MINOR_VERSION } from "./transport/frames.js";
import { ClientLog } from "./transport/log.js";
import { Pool } from "./transport/pool.js";
import { Tokens } from "./transport/tokens.js";

export const VERSION = "0.1.0";

/** Live progress; `watchResuming` is what programs want. */
export class ProgressClient extends v1.ProgressServiceClient {
  /** Watches for ever: reconnects and continues after the last response by itself. */
  watchResuming(request: Init<v1.WatchRequest>, options: CallOptions & ResumingOptions = {}): ResumingWatch {
    const each = eachAttempt(options);
    const rest = restOf(this.channel, v1.ProgressServiceMethods.watch);
    return new ResumingWatch((current) => this.watch(current, each), request, rest, options);
  }
}

/** The event log; `consumeResuming` is what consumers of groups want. */
export class EventClient extends v1.EventServiceClient {
  /** Consumes events of a group for ever: reconnects by itself. */
  consumeResuming(group: string, options: CallOptions & ConsumerOptions = {}): Consumer {
    const each = eachAttempt(options);
    const rest = restOf(this.channel, v1.EventServiceMethods.consume);
    return new Consumer((requests) => this.consume(requests, each), group, rest, options);
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
      restOf(this.channel, v1.CodeValidationServiceMethods.watchValidation), options,
    );
  }

  /** Validates a batch once, and follows it to its end: reconnects and continues by itself. */
  validateBatchResuming(
    request: Init<v1.ValidateBatchRequest>, options: KeyedOptions & ResumingOptions = {},
  ): ResumingBatch {
    const each = keyed(options);
    const begin = (current: Init<v1.ValidateBatchRequest>) => this.validateBatch(current, each);
    const rest = restOf(this.channel, v1.CodeValidationServiceMethods.validateBatch);
    return new ResumingBatch(begin, request, rest, options);
  }

  /** Validates again once, and follows it to its end: reconnects and continues by itself. */
  revalidateResuming(
    request: Init<v1.RevalidateRequest>, options: KeyedOptions & ResumingOptions = {},
  ): ResumingRevalidation {
    const each = keyed(options);
    const begin = (current: Init<v1.RevalidateRequest>) => this.revalidate(current, each);
    const rest = restOf(this.channel, v1.CodeValidationServiceMethods.revalidate);
    return new ResumingRevalidation(begin, request, rest, options);
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
    const log = options.log === undefined ? undefined : new ClientLog(options.log);
    const client = new Client(channelTo(new Pool(addresses, poolSettings(options, log)), options, log));
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

function poolSettings(options: ClientOptions, log: ClientLog | undefined) {
  const own = {
    ...defaultHello,
    minorVersion: MINOR_VERSION,
    agent: options.agent ?? `hito-typescript/${VERSION}`,
    token: tokenOfHello(options),
    messageMax: Math.min(Math.max(MESSAGE_MAX_MIN, options.messageMax ?? defaultHello.messageMax), MESSAGE_MAX_MAX),
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
    log,
  };
}

/** None where the calls have those of a provider: it might be old by the time of a call. */
function tokenOfHello({ token, tokenProvider }: ClientOptions): string {
  if (token !== undefined && tokenProvider !== undefined) {
    throw new TypeError("a client has a token or a tokenProvider, not both");
  }
  if (token !== undefined && typeof token !== "string") {
    throw new TypeError("a token is a string; a function that makes tokens is a tokenProvider");
  }
  return token ?? "";
}

function channelTo(pool: Pool, options: ClientOptions, log: ClientLog | undefined): HitoChannel {
  const { tokenProvider, tokenTimeoutMs } = options;
  return new HitoChannel(pool, {
    timeoutMs: options.timeoutMs ?? 30_000,
    interceptors: options.interceptors ?? [],
    hedging: options.hedging,
    budget: options.retryBudget ?? {},
    waitsForReady: options.waitForReady ?? true,
    tokens: tokenProvider === undefined ? undefined : new Tokens(tokenProvider, tokenTimeoutMs, log),
    log,
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

function restOf(channel: Channel, { path }: AnyMethod): Rest {
  return (error, milliseconds, signal) => channel.rest(path, error, milliseconds, signal);
}
