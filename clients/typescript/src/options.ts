/** What a client can be told. Names no part of Node.js, so that who uses the client needs no types of it. */

import type { Hedging, Interceptor } from "./rpc/method.js";
import type { LogFunction } from "./transport/log.js";
import type { RetryBudget } from "./transport/retry.js";

/** What a token provider answers with, where it knows for how long the token is valid. */
export interface Token {
  readonly text: string;
  /** From now. */
  readonly validForMs?: number;
}

/** Makes a token. `signal` is aborted when nobody waits for it any more. */
export type TokenProvider = (signal: AbortSignal) => string | Token | Promise<string | Token>;

/** What is trusted, and who we are; PEM everywhere. */
export interface TLSOptions {
  /** The authorities that may have signed the server's certificate; the platform's where not said. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Our own certificate with those between it and its authority, for servers that ask for one. */
  readonly cert?: string | Uint8Array;
  /** The key of `cert`. */
  readonly key?: string | Uint8Array;
  /** What `key` is encrypted with. */
  readonly passphrase?: string;
  /** The name in the server's certificate, where it is not the host. */
  readonly serverName?: string;
}

/** What a client is like; every option may be left out. Times are milliseconds. */
export interface ClientOptions {
  /** Who calls; said once for each connection. */
  readonly token?: string;
  /**
   * Instead of `token`: makes tokens for the calls, and is asked for another one when a token is about to expire or was
   * refused. One question at a time is for all calls.
   */
  readonly tokenProvider?: TokenProvider;
  /** For how long `tokenProvider` may take: 10,000. */
  readonly tokenTimeoutMs?: number;
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
  /** Is told what happens to connections, calls and tokens; `logTo` makes one of a logger. */
  readonly log?: LogFunction;
  /** How the client is called in the server's logs. */
  readonly agent?: string;
  /** Gives `connect` up. */
  readonly signal?: AbortSignal;
}
