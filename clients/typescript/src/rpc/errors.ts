/** The errors of calls: one class for each status code, with the server's typed details. */

import { ErrorDetails, ErrorReason, type WriteOutcome } from "../gen/hito/v1/errors.js";

/** The status codes of `hito/1`; the numbers are gRPC's. */
export const StatusCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type StatusCode = (typeof StatusCode)[keyof typeof StatusCode];

/** What is said of a failed call beside its text. */
export interface ErrorInfo {
  readonly details?: Uint8Array;
  readonly resumeCursor?: string;
  readonly fromServer?: boolean;
  readonly notStarted?: boolean;
  readonly cause?: unknown;
}

/** A call that failed. Ask `instanceof` of a subclass for one status code, of this one for all. */
export class HitoError extends Error {
  override readonly name: string = "HitoError";
  readonly code: StatusCode = StatusCode.UNKNOWN;
  /** What went wrong, for developers, without the code's name and the fields. */
  readonly text: string;
  /** Field violations, reason, resource, quota, retry delay; empty where nothing is said. */
  readonly details: ErrorDetails;
  /** Where a subscription that was ended continues, or a read of a lost place; empty where nothing is said. */
  readonly resumeCursor: string;
  /** Whether the server said it; false where this library found it. */
  readonly fromServer: boolean;
  /** Whether it is certain that the server did not begin the call. */
  get notStarted(): boolean {
    return this.#notStarted;
  }

  #notStarted: boolean;

  constructor(text: string, info: ErrorInfo = {}) {
    const details = detailsOf(info.details);
    const violations = details.fieldViolations.map((of) => `${of.field}: ${of.description}`);
    const cause = info.cause === undefined ? undefined : { cause: info.cause };
    super([text, ...violations].filter((part) => part !== "").join(" - "), cause);
    this.text = text;
    this.details = details;
    this.resumeCursor = info.resumeCursor ?? "";
    this.fromServer = info.fromServer ?? false;
    this.#notStarted = info.notStarted ?? false;
  }

  /** The stable name of the reason, one of `ErrorReason`. */
  get reason(): ErrorReason {
    return this.details.reason;
  }

  /** An earlier attempt of the call perhaps was. @internal */
  perhapsStarted(): void {
    this.#notStarted = false;
  }

  /** How long the server wants us to wait before another try; 0 where it does not say. */
  get retryDelayMs(): number {
    return Math.max(0, this.details.retryDelayUs) / 1000;
  }

  /**
   * Of a write that failed: whether the server says that it may have been committed all the same. Nothing was
   * done either where `notStarted` is true.
   */
  get writeOutcome(): WriteOutcome {
    return this.details.writeOutcome;
  }
}

/** The call was cancelled by its caller, by the server, or by closing the client. */
export class CancelledCall extends HitoError {
  override readonly name = "CancelledCall";
  override readonly code = StatusCode.CANCELLED;
}

/** The server failed in a way that it does not explain. */
export class UnknownError extends HitoError {
  override readonly name = "UnknownError";
  override readonly code = StatusCode.UNKNOWN;
}

/** The request breaks a rule: see `details.fieldViolations`. */
export class InvalidArgument extends HitoError {
  override readonly name = "InvalidArgument";
  override readonly code = StatusCode.INVALID_ARGUMENT;
}

/** The call did not end in time; a write may have happened. */
export class DeadlineExceeded extends HitoError {
  override readonly name = "DeadlineExceeded";
  override readonly code = StatusCode.DEADLINE_EXCEEDED;
}

/** There is no such thing, or it is not the caller's to see. */
export class NotFound extends HitoError {
  override readonly name = "NotFound";
  override readonly code = StatusCode.NOT_FOUND;
}

/** Something unique is taken, or an idempotency key was used for another request. */
export class AlreadyExists extends HitoError {
  override readonly name = "AlreadyExists";
  override readonly code = StatusCode.ALREADY_EXISTS;
}

/** The caller's role does not allow it. */
export class PermissionDenied extends HitoError {
  override readonly name = "PermissionDenied";
  override readonly code = StatusCode.PERMISSION_DENIED;
}

/** A limit is reached: see `details.quota` and `retryDelayMs`. */
export class ResourceExhausted extends HitoError {
  override readonly name = "ResourceExhausted";
  override readonly code = StatusCode.RESOURCE_EXHAUSTED;
}

/** The state does not allow it; the text says what to do first. */
export class FailedPrecondition extends HitoError {
  override readonly name = "FailedPrecondition";
  override readonly code = StatusCode.FAILED_PRECONDITION;
}

/** It has changed since it was read (stale version): read again and decide again. */
export class Aborted extends HitoError {
  override readonly name = "Aborted";
  override readonly code = StatusCode.ABORTED;
}

/**
 * A cursor that does not exist, or of events that the log has lost since. The latter has the reason
 * `LOG_FORKED`: what came after `resumeCursor` never happened, and reading continues there.
 */
export class OutOfRange extends HitoError {
  override readonly name = "OutOfRange";
  override readonly code = StatusCode.OUT_OF_RANGE;
}

/** This server does not have the method. */
export class Unimplemented extends HitoError {
  override readonly name = "Unimplemented";
  override readonly code = StatusCode.UNIMPLEMENTED;
}

/** The server, or what it sent, is broken. */
export class InternalError extends HitoError {
  override readonly name = "InternalError";
  override readonly code = StatusCode.INTERNAL;
}

/**
 * The server cannot be reached or cannot serve now; this library has tried again already. Unless `isLasting`: then
 * nobody has tried again, and it would not help.
 */
export class Unavailable extends HitoError {
  override readonly name = "Unavailable";
  override readonly code = StatusCode.UNAVAILABLE;

  /** Whether it stays so until the server is configured differently. */
  get isLasting(): boolean {
    return this.reason === ErrorReason.NO_MODEL;
  }
}

/** Stored data is damaged. */
export class DataLoss extends HitoError {
  override readonly name = "DataLoss";
  override readonly code = StatusCode.DATA_LOSS;
}

/** The token is missing, unknown, expired or revoked. */
export class Unauthenticated extends HitoError {
  override readonly name = "Unauthenticated";
  override readonly code = StatusCode.UNAUTHENTICATED;
}

// By status code; OK is no error, and a server that says so of a failure does not explain it.
const classes = [
  UnknownError, CancelledCall, UnknownError, InvalidArgument, DeadlineExceeded, NotFound, AlreadyExists,
  PermissionDenied, ResourceExhausted, FailedPrecondition, Aborted, OutOfRange, Unimplemented, InternalError,
  Unavailable, DataLoss, Unauthenticated,
];

/** The error that a server's END says. */
export function errorOf(status: number, text: string, info: ErrorInfo): HitoError {
  return new (classes[status] ?? UnknownError)(text, { ...info, fromServer: true });
}

function detailsOf(encoded: Uint8Array | undefined): ErrorDetails {
  if (encoded === undefined) return ErrorDetails.create();
  try {
    return ErrorDetails.decode(encoded);
  } catch {
    // The status is the answer; details that cannot be read must not hide it.
    return ErrorDetails.create();
  }
}
