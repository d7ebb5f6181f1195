#pragma once
// What Swift needs of libcurl, without its variadic functions. A handle is libcurl's own; ownership is
// in the names: `_take` returns what the caller must free, `_borrow` what stays ours.
#include <stddef.h>

/// A transfer of one request.
typedef struct hito_http_transfer hito_http_transfer;
/// All transfers of one thread, and their connections.
typedef struct hito_http_loop hito_http_loop;

/// What a transfer tells, on the loop's thread, inside of `hito_http_loop_perform`. `context` is what
/// the transfer was made with.
typedef struct {
  /// One line of a head, with its line end. Anything but 0 ends the transfer.
  int (*header)(void *context, const char *bytes, size_t count);
  /// A piece of the body. 0: taken; 1: not now, until `hito_http_transfer_resume`; else the transfer
  /// ends.
  int (*body)(void *context, const char *bytes, size_t count);
} hito_http_callbacks;

typedef struct {
  const char *method;
  const char *url;
  const void *body;
  size_t body_size;
  /// Milliseconds for the name, the connection and TLS.
  long connect_timeout_ms;
  /// A PEM file of the only authorities to trust; NULL: the system's trust store.
  const char *authority_file;
  /// Whether no proxy is used, whatever the environment says.
  int is_direct;
} hito_http_request;

/// How a transfer ended.
typedef enum {
  HITO_HTTP_DONE = 0,
  /// No connection: the name, the port, or the time for it.
  HITO_HTTP_UNREACHABLE = 1,
  /// TLS: a certificate that is not trusted or names another host, no common version.
  HITO_HTTP_UNTRUSTED = 2,
  /// The connection broke, or the answer is not HTTP.
  HITO_HTTP_BROKEN = 3,
  /// A callback ended it.
  HITO_HTTP_ABORTED = 4,
  /// The URL is not one.
  HITO_HTTP_INVALID = 5,
} hito_http_outcome;

/// A loop without transfers, NULL when memory is short.
hito_http_loop *hito_http_loop_take(void);
/// Only once no transfer is in it.
void hito_http_loop_free(hito_http_loop *loop);
/// Moves all transfers on as far as it goes without waiting. 0 on failure.
int hito_http_loop_perform(hito_http_loop *loop);
/// Waits for the transfers' sockets and timers, for a wake-up, or for a minute. 0 on failure.
int hito_http_loop_wait(hito_http_loop *loop);
/// Ends a wait, this one or the next; from any thread.
void hito_http_loop_wake(hito_http_loop *loop);
/// Takes the next transfer out of the loop that has ended: its context, else NULL.
void *hito_http_loop_next_ended(hito_http_loop *loop, hito_http_outcome *outcome);

/// A transfer that is in no loop yet; `body` is copied. NULL when memory is short or libcurl
/// refuses a part of the request.
hito_http_transfer *hito_http_transfer_take(
    const hito_http_request *request, const hito_http_callbacks *callbacks, void *context);
/// One more header line, `Name: value`, before the transfer is in a loop. 0 when memory is short.
int hito_http_transfer_add_header(hito_http_transfer *transfer, const char *line);
/// On the loop's thread. 0 on failure.
int hito_http_loop_add(hito_http_loop *loop, hito_http_transfer *transfer);
/// On the loop's thread, outside of a callback: continues where `body` has said "not now".
void hito_http_transfer_resume(hito_http_transfer *transfer);
/// On the loop's thread, outside of a callback: takes it out of the loop, if it is in one, and closes
/// its connection, if it has not ended.
void hito_http_transfer_free(hito_http_loop *loop, hito_http_transfer *transfer);
