/* Calls of any kind: options, handles, messages. The generated stubs (hito/v1) are typed functions over these. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hito/error.h"
#include "hito/export.h"

HITO_BEGIN_DECLS

typedef struct hito_client hito_client;

/** One call. Used by the thread that uses its client; freed with hito_call_free. */
typedef struct hito_call hito_call;

typedef enum hito_method_kind {
  HITO_UNARY,
  HITO_SERVER_STREAM,
  HITO_CLIENT_STREAM,
  HITO_BIDI,
} hito_method_kind;

/** A method of the contract, as the generated stubs describe it. */
typedef struct hito_method {
  /** For example `hito.v1.GoalService/CreateGoal`. */
  const char *path;
  hito_method_kind kind;
  /** It changes nothing, so a client may repeat it at will. */
  bool is_read_only;
  const ProtobufCMessageDescriptor *input;
  const ProtobufCMessageDescriptor *output;
} hito_method;

/** One entry of metadata. Keys that end with `-bin` have any bytes, all others text without NUL. What is received
 * has a NUL behind its value. */
typedef struct hito_metadata_entry {
  const char *key;
  const void *value;
  size_t size;
} hito_metadata_entry;

/** A list of metadata entries. */
typedef struct hito_metadata {
  const hito_metadata_entry *entries;
  size_t count;
} hito_metadata;

/** The value of the last entry with this key; NULL where there is none. */
HITO_API const char *hito_metadata_get(const hito_metadata *metadata, const char *key);

/** What a server says of a call beside its messages. Start with zeros; hito_response_info_clear frees what it has. */
typedef struct hito_response_info {
  /** Before the first response. */
  hito_metadata metadata;
  /** With the end of the call. */
  hito_metadata trailers;
} hito_response_info;

HITO_API void hito_response_info_clear(hito_response_info *info);

/** When a call is made again beside itself: the first response counts, the other copies are cancelled. */
typedef struct hito_hedging {
  /** Between one copy and the next; 0: not hedged. */
  int64_t delay_ms;
  /** In all, 5 at most; 0 means 2. */
  unsigned copies;
} hito_hedging;

typedef enum hito_wait {
  /** For a call: as its client says. For a client: yes. */
  HITO_WAIT_DEFAULT,
  /** A call waits for a server within its time while none can be reached. */
  HITO_WAIT_YES,
  /** A call fails when no server answers. */
  HITO_WAIT_NO,
} hito_wait;

/** What a caller may say about one call, beside its request. Zeros are the defaults; what pointers point to is
 * copied when the call is made. */
typedef struct hito_call_options {
  /** 0: for unary calls the client's, for others none. */
  int64_t timeout_ms;
  /** Lets the caller repeat the call. A unary call that writes gets a random one without. */
  const char *idempotency_key;
  const hito_metadata_entry *metadata;
  size_t metadata_count;
  /** Instead of the client's. */
  const char *token;
  /** W3C trace context. */
  const char *traceparent;
  hito_wait wait_for_ready;
  /** Of unary calls. A call that writes is hedged only under an idempotency_key of its caller. */
  hito_hedging hedging;
  /** Has afterwards what the server said beside its responses, also of a call that failed. Must outlive the call. */
  hito_response_info *info;
  /** Called by hito_client_poll when there is something to take, room to send, or the end: once, so that it takes until
   * HITO_STEP_WAIT. It may use and free the call, and begin others; it must not wait (hito_call_next and the like) nor
   * free the client. */
  void (*on_ready)(hito_call *call, void *user);
  void *user;
} hito_call_options;

/** What there is to take of a call. */
typedef enum hito_step {
  /** It failed; `error` says how. */
  HITO_STEP_ERROR = -1,
  /** It ended, and there are no more messages. */
  HITO_STEP_END = 0,
  /** A message. */
  HITO_STEP_MESSAGE = 1,
  /** Nothing yet. */
  HITO_STEP_WAIT = 2,
} hito_step;

/** Begins a call of any kind, without waiting for anything.
 *
 * - request: of calls with one request; NULL for request streams.
 * - options: NULL for none.
 *
 * Returns NULL where the call may not be made (a wrong argument, a closed client), and `error` says why. */
HITO_API hito_call *hito_call_begin(
    hito_client *client, const hito_method *method, const ProtobufCMessage *request,
    const hito_call_options *options, hito_error **error);

/** Takes the next response if it is there; never waits. The message is the caller's, who frees it with the
 * `…__free_unpacked(message, NULL)` of its type. After ERROR and END it says the same again. */
HITO_API hito_step hito_call_take(hito_call *call, ProtobufCMessage **message, hito_error **error);

/** The same, but waits (by polling the client) until there is something. */
HITO_API hito_step hito_call_next(hito_call *call, ProtobufCMessage **message, hito_error **error);

/** Sends a message of a request stream if there is room: true when it was taken. False where it must wait for
 * `on_ready`, or with an error where the call has ended or the message may not be sent. */
HITO_API bool hito_call_try_send(hito_call *call, const ProtobufCMessage *message, hito_error **error);

/** The same, but waits for room. False only with an error. */
HITO_API bool hito_call_send(hito_call *call, const ProtobufCMessage *message, hito_error **error);

/** Says that no more messages follow. */
HITO_API void hito_call_half_close(hito_call *call);

/** Half-closes and waits for the one response of a request stream. */
HITO_API hito_status hito_call_finish(hito_call *call, ProtobufCMessage **response, hito_error **error);

/** A unary call: begins it and waits for its response. */
HITO_API hito_status hito_call_unary(
    hito_client *client, const hito_method *method, const ProtobufCMessage *request,
    const hito_call_options *options, ProtobufCMessage **response, hito_error **error);

/** Gives the call up: it ends with CANCELLED, unless it has ended. */
HITO_API void hito_call_cancel(hito_call *call);

/** Cancels the call unless it has ended, and frees it. NULL is nothing to free. */
HITO_API void hito_call_free(hito_call *call);

HITO_API const hito_method *hito_call_method(const hito_call *call);

/** What the server said before its first response; empty until that is there. Valid until the call is polled, taken
 * from or freed. */
HITO_API hito_metadata hito_call_metadata(const hito_call *call);

/** What the server said with the end of the call. */
HITO_API hito_metadata hito_call_trailers(const hito_call *call);

/** Whether two calls are of one method; the generated stubs refuse a call of another. */
HITO_API bool hito_call_is_of(const hito_call *call, const hito_method *method, hito_error **error);

HITO_END_DECLS
