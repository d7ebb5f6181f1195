/** What a client tells of itself, for logs; never a token, never a message. */

import type { HitoError } from "../rpc/errors.js";

export type LogEntry =
  /** A server has answered. */
  | { readonly kind: "connected"; readonly address: string }
  /** An address was tried in vain. */
  | { readonly kind: "connect_failed"; readonly address: string; readonly error: HitoError }
  /** A connection has ended. */
  | { readonly kind: "disconnected"; readonly address: string }
  /** A call is made again after a failure. */
  | { readonly kind: "repeated"; readonly method: string; readonly error: HitoError; readonly delayMs: number }
  /** A call is made again beside the first. */
  | { readonly kind: "hedged"; readonly method: string };

export type Log = (entry: LogEntry) => void;
