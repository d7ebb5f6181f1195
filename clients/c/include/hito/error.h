/* The errors of calls: a status code, and what the server says beside it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hito/export.h"
#include "hito/v1/errors.pb-c.h"

HITO_BEGIN_DECLS

/** The status codes of hito/1; the numbers are gRPC's. What to do for each is written in errors.proto. */
typedef enum hito_status {
  HITO_OK = 0,
  /** The call was cancelled by its caller, by the server, or by closing the client. */
  HITO_CANCELLED = 1,
  /** The server failed in a way that it does not explain. */
  HITO_UNKNOWN = 2,
  /** The request breaks a rule: see `details->field_violations`. */
  HITO_INVALID_ARGUMENT = 3,
  /** The call did not end in time; a write may have happened. */
  HITO_DEADLINE_EXCEEDED = 4,
  /** There is no such thing, or it is not the caller's to see. */
  HITO_NOT_FOUND = 5,
  /** Something unique is taken, or an idempotency key was used for another request. */
  HITO_ALREADY_EXISTS = 6,
  /** The caller's role does not allow it. */
  HITO_PERMISSION_DENIED = 7,
  /** A limit is reached: see `details->quota` and hito_error_retry_delay_us. */
  HITO_RESOURCE_EXHAUSTED = 8,
  /** The state does not allow it; the text says what to do first. */
  HITO_FAILED_PRECONDITION = 9,
  /** It has changed since it was read: read again and decide again. */
  HITO_ABORTED = 10,
  /** A cursor that does not exist, or of events that the log has lost since (reason LOG_FORKED). */
  HITO_OUT_OF_RANGE = 11,
  /** This server does not have the method. */
  HITO_UNIMPLEMENTED = 12,
  /** The server, or what it sent, is broken. */
  HITO_INTERNAL = 13,
  /** The server cannot be reached or cannot serve now; this library has tried again already. */
  HITO_UNAVAILABLE = 14,
  /** Stored data is damaged. */
  HITO_DATA_LOSS = 15,
  /** The token is missing, unknown, expired or revoked; or the client's token_provider has none, and `from_server` is false. */
  HITO_UNAUTHENTICATED = 16,
} hito_status;

/** Why a call failed. Its receiver frees it (hito_error_free). Its parts are never to be changed. */
typedef struct hito_error {
  hito_status code;
  /** What went wrong, for developers; never NULL. */
  const char *message;
  /** Field violations, reason, resource, quota, retry delay; NULL where nothing is said. */
  const Hito__V1__ErrorDetails *details;
  /** The same as the server sent it. */
  const uint8_t *encoded_details;
  size_t encoded_details_size;
  /** Where a subscription that was ended continues, or a read of a lost place; empty where nothing is said. */
  const char *resume_cursor;
  /** Whether the server said it; false where this library found it. */
  bool from_server;
  /** Whether it is certain that the server did not begin the call. */
  bool not_started;
} hito_error;

/** Frees an error; NULL is nothing to free. */
HITO_API void hito_error_free(hito_error *error);

/** `NOT_FOUND` and so on; never NULL. */
HITO_API const char *hito_status_name(hito_status status);

/** The stable name of the reason; UNSPECIFIED where nothing is said. */
HITO_API Hito__V1__ErrorReason hito_error_reason(const hito_error *error);

/** How long the server wants the caller to wait before another try, in microseconds; 0 where it does not say. */
HITO_API int64_t hito_error_retry_delay_us(const hito_error *error);

/** Of a write that failed: whether the server says that it may have been committed all the same. Nothing was done
 * either where `not_started` is true. */
HITO_API Hito__V1__WriteOutcome hito_error_write_outcome(const hito_error *error);

/** Whether UNAVAILABLE stays so until the server is configured differently: it is not worth trying again. */
HITO_API bool hito_error_is_lasting(const hito_error *error);

HITO_END_DECLS
