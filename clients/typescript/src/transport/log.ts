/** What a client tells of itself (clients/BEHAVIOUR.md, C5.9); never a token, metadata, a message or a key. */

import { HitoError, StatusCode } from "../rpc/errors.js";
import { now } from "./scope.js";

const TEXT_MAX = 256;

export type LogLevel = "debug" | "info" | "warning";

/** What can happen, and what is said of it. The names are the same in all languages; times are milliseconds. */
export interface LogFields {
  connecting: { readonly address: string };
  connected: { readonly address: string; readonly server_id: string; readonly duration_ms: number };
  connect_failed: { readonly address: string; readonly reason: string };
  disconnected: { readonly address: string; readonly reason: string };
  /** `call`: a number of the client's calls, from 1. */
  call_started: { readonly call: number; readonly method: string };
  /** `attempt`: 2 is the first repeat. `status`: how the attempt before failed. */
  call_repeated: {
    readonly call: number; readonly method: string; readonly attempt: number; readonly status: string;
    readonly delay_ms: number;
  };
  /** `copy`: 2 is the first beside the call. */
  call_hedged: { readonly call: number; readonly method: string; readonly copy: number };
  call_ended: {
    readonly call: number; readonly method: string; readonly status: string; readonly duration_ms: number;
    readonly attempts: number;
  };
  watch_resumed: { readonly method: string; readonly status: string; readonly delay_ms: number };
  /** `valid_ms`: -1 where the provider does not say. */
  token_refreshed: { readonly valid_ms: number };
  token_failed: { readonly reason: string; readonly rest_ms: number };
}

export type LogEvent = keyof LogFields;

/** Something that happened to a client. */
export type LogRecord = {
  [Event in LogEvent]: {
    readonly level: LogLevel;
    readonly event: Event;
    /** A sentence for people. */
    readonly text: string;
    readonly fields: LogFields[Event];
  };
}[LogEvent];

/** Must be quick; what it throws is dropped. */
export type LogFunction = (record: LogRecord) => void;

/** `console`, and what others call like it. */
export interface Logger {
  debug(text: string, fields: object): void;
  info(text: string, fields: object): void;
  warn(text: string, fields: object): void;
}

/**
 * A log function over a logger such as `console`, which gets the sentence, and beside it the event and its fields as
 * one object. `least`: what is less is not told, "info" where not said.
 */
export function logTo(logger: Logger, least: LogLevel = "info"): LogFunction {
  const levels: readonly LogLevel[] = ["debug", "info", "warning"];
  return ({ level, event, text, fields }) => {
    if (levels.indexOf(level) < levels.indexOf(least)) return;
    logger[level === "warning" ? "warn" : level](text, { event, ...fields });
  };
}

/** Makes the records of a client. There is none where nobody listens: nothing is counted or written then. */
export class ClientLog {
  readonly #listener: LogFunction;
  #calls = 0;

  constructor(listener: LogFunction) {
    this.#listener = listener;
  }

  tell<Event extends LogEvent>(level: LogLevel, event: Event, text: string, fields: LogFields[Event]): void {
    const entries = Object.entries(fields).map(([name, value]) => [name, shown(value)]);
    const record = { level, event, text: shown(text), fields: Object.fromEntries(entries) } as LogRecord;
    try {
      const result: unknown = this.#listener(record);
      // One that is async fails later: a promise that nobody hears ends the process.
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // Nothing that a listener does changes what happens.
    }
  }

  // Connections

  connecting(address: string): void {
    this.tell("debug", "connecting", `connecting to ${address}`, { address });
  }

  connected(address: string, serverId: string, since: number): void {
    const duration_ms = millisecondsSince(since);
    const fields = { address, server_id: serverId, duration_ms };
    this.tell("info", "connected", `connected to ${address} in ${duration_ms} ms`, fields);
  }

  connectFailed(address: string, reason: string): void {
    this.tell("warning", "connect_failed", `no connection to ${address}: ${reason}`, { address, reason });
  }

  disconnected(address: string, { isInOrder, reason }: { isInOrder: boolean; reason: string }): void {
    const text = `the connection to ${address} has ended: ${reason}`;
    this.tell(isInOrder ? "info" : "warning", "disconnected", text, { address, reason });
  }

  // Tokens

  tokenRefreshed(validForMs: number | undefined): void {
    const valid_ms = Math.round(Math.min(validForMs ?? -1, Number.MAX_SAFE_INTEGER));
    this.tell("info", "token_refreshed", "there is a new token", { valid_ms });
  }

  tokenFailed(reason: string, restMs: number): void {
    this.tell("warning", "token_failed", `no new token: ${reason}`, { reason, rest_ms: Math.round(restMs) });
  }

  // Calls

  /** A stream is about to be taken up again. */
  watchResumed(method: string, error: HitoError, delayMs: number): void {
    const status = nameOfStatus(error);
    const delay_ms = Math.round(delayMs);
    const text = `${method} is taken up again in ${delay_ms} ms after ${status}: ${error.text}`;
    this.tell("info", "watch_resumed", text, { method, status, delay_ms });
  }

  /** A call begins. */
  call(method: string): CallLog {
    return new CallLog(this, ++this.#calls, method);
  }
}

/** The records of one call, from its first attempt to what its caller has of it. */
export class CallLog {
  readonly #log: ClientLog;
  readonly #call: number;
  readonly #method: string;
  readonly #since = now();
  #attempts = 1;
  #isEnded = false;

  constructor(log: ClientLog, call: number, method: string) {
    this.#log = log;
    this.#call = call;
    this.#method = method;
    log.tell("debug", "call_started", `${method} begins`, { call, method });
  }

  repeated(error: HitoError, delayMs: number): void {
    this.#attempts += 1;
    const status = nameOfStatus(error);
    const delay_ms = Math.round(delayMs);
    const text = `${this.#method} is repeated in ${delay_ms} ms after ${status}: ${error.text}`;
    this.#log.tell("info", "call_repeated", text, { ...this.#own, attempt: this.#attempts, status, delay_ms });
  }

  hedged(copy: number): void {
    this.#log.tell("debug", "call_hedged", `${this.#method} is asked again beside`, { ...this.#own, copy });
  }

  /** How it failed; undefined where it went well. Only the first end counts. */
  ended(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const status = error === undefined ? "OK" : nameOfStatus(error);
    const isOwn = status === "CANCELLED" && !(error as HitoError).fromServer;
    const duration_ms = millisecondsSince(this.#since);
    // The text of an error of another kind may say what nobody should read.
    const why = error === undefined ? "" : `: ${error instanceof HitoError ? error.text : nameOfKind(error)}`;
    this.#log.tell(
      error === undefined || isOwn ? "debug" : "info", "call_ended",
      `${this.#method} ended with ${status} after ${duration_ms} ms${why}`,
      { ...this.#own, status, duration_ms, attempts: this.#attempts },
    );
  }

  get #own(): { call: number; method: string } {
    return { call: this.#call, method: this.#method };
  }
}

const names = new Map<number, string>(Object.entries(StatusCode).map(([name, code]) => [code, name]));

function nameOfStatus(error: unknown): string {
  if (error instanceof HitoError) return names.get(error.code) ?? "UNKNOWN";
  // What may not be sent.
  return error instanceof TypeError || error instanceof RangeError ? "INVALID_ARGUMENT" : "UNKNOWN";
}

/** What kind of error that is, without what it says. */
export function nameOfKind(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error;
}

function millisecondsSince(began: number): number {
  return Math.round(now() - began);
}

/** What a peer says does not write lines or terminal commands into a log. */
function shown<Value>(value: Value): Value | string {
  if (typeof value !== "string") return value;
  // Characters are one unit or two.
  const text = value.length <= TEXT_MAX ? value : [...value.slice(0, TEXT_MAX * 2)].slice(0, TEXT_MAX).join("");
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "\ufffd");
}
