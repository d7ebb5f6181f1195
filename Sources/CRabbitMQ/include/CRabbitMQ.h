#pragma once
// What Swift needs of librabbitmq: one connection with one channel, for one thread at a time. Nothing of
// the library's own types is in it. Ownership is in the names: `_take` returns what the caller must
// free, `_borrow` what is good until the next call.
#include <stddef.h>
#include <stdint.h>

typedef struct hito_amqp hito_amqp;

/// Where a broker is, and how to log in.
typedef struct {
  const char *host;
  int port;
  const char *virtual_host;
  const char *user;
  const char *password;
  /// Shown by the broker beside the connection.
  const char *name;
  int uses_tls;
  /// A PEM file of the only authorities to trust; NULL: the system's trust store.
  const char *authority_file;
  /// Seconds; after twice as long without a sign of life the connection is given up.
  int heartbeat_s;
  /// Milliseconds for the connection with TLS, and for each answer.
  int timeout_ms;
} hito_amqp_target;

typedef enum {
  HITO_AMQP_OK = 0,
  /// No connection: the name, the port, or the time for it.
  HITO_AMQP_UNREACHABLE = 1,
  /// TLS: a certificate that is not trusted or names another host, no common version.
  HITO_AMQP_UNTRUSTED = 2,
  /// The broker closed channel or connection, and said why: `code` and `text` are its own.
  HITO_AMQP_REFUSED = 3,
  /// The broker does not take the login.
  HITO_AMQP_LOGIN = 4,
  /// The connection ended, or nothing came in time.
  HITO_AMQP_LOST = 5,
  /// What came is not AMQP 0-9-1, or more than is allowed.
  HITO_AMQP_GARBLED = 6,
} hito_amqp_outcome;

typedef struct {
  hito_amqp_outcome outcome;
  /// Of AMQP where the broker refused, else 0.
  int code;
  char text[400];
} hito_amqp_error;

typedef enum {
  HITO_AMQP_NOTHING = 0,
  HITO_AMQP_CONFIRMED = 1,
  HITO_AMQP_REJECTED = 2,
  HITO_AMQP_RETURNED = 3,
  HITO_AMQP_DELIVERED = 4,
  HITO_AMQP_BLOCKED = 5,
  HITO_AMQP_UNBLOCKED = 6,
  /// The broker ended the consumer: its queue is gone, or its leader.
  HITO_AMQP_CANCELLED = 7,
} hito_amqp_kind;

/// What the broker said.
typedef struct {
  hito_amqp_kind kind;
  /// Of confirmed, rejected and delivered messages.
  uint64_t tag;
  /// Whether all tags up to it are meant.
  int is_multiple;
  /// The reason of a block; the id of a returned message.
  char text[256];
  /// The body of a delivery, good until the next call.
  const char *body_borrow;
  size_t body_size;
} hito_amqp_event;

typedef struct {
  const char *exchange;
  const char *routing_key;
  const char *message_id;
  const char *type;
  /// Seconds since 1970.
  uint64_t timestamp;
  const void *body;
  size_t body_size;
} hito_amqp_message;

/// What is asked of a queue beside being durable and replicated.
typedef struct {
  const char *name;
  /// Older messages leave beyond so many.
  int64_t length_max;
  /// Whether one of several consumers gets all messages.
  int is_for_one;
} hito_amqp_queue;

/// Connects, logs in and opens a channel; NULL on failure. Blocks for about three times the timeout at
/// most.
hito_amqp *hito_amqp_take(const hito_amqp_target *target, hito_amqp_error *error);
/// Closes at once.
void hito_amqp_free(hito_amqp *connection);
/// Tells the broker that this is the end, and waits for its answer at most for the timeout.
void hito_amqp_say_goodbye(hito_amqp *connection);
/// The socket's. Another thread may end all waiting by `hito_amqp_interrupt` as long as it is open.
int hito_amqp_descriptor(const hito_amqp *connection);
void hito_amqp_interrupt(int descriptor);

// 0, or -1 with the error. After an error the connection is good for nothing but `free`.

/// Declares a durable exchange; `alternate` may be NULL.
int hito_amqp_declare_exchange(
    hito_amqp *connection, const char *name, const char *type, const char *alternate,
    hito_amqp_error *error);
/// Declares a durable quorum queue.
int hito_amqp_declare_queue(
    hito_amqp *connection, const hito_amqp_queue *queue, hito_amqp_error *error);
int hito_amqp_bind(
    hito_amqp *connection, const char *queue, const char *exchange, const char *key,
    hito_amqp_error *error);
/// Has every message confirmed from now on: the first one has the tag 1.
int hito_amqp_confirm(hito_amqp *connection, hito_amqp_error *error);
/// Has the queue's messages delivered, at most `prefetch` of them unsettled.
int hito_amqp_consume(
    hito_amqp *connection, const char *queue, uint16_t prefetch, hito_amqp_error *error);

/// Sends a persistent, mandatory message. Blocks while the broker takes nothing, as long as it shows
/// signs of life.
int hito_amqp_publish(
    hito_amqp *connection, const hito_amqp_message *message, hito_amqp_error *error);
/// Acknowledges a delivery, and all before it where `is_multiple`.
int hito_amqp_acknowledge(
    hito_amqp *connection, uint64_t tag, int is_multiple, hito_amqp_error *error);
/// Refuses a delivery for good.
int hito_amqp_reject(hito_amqp *connection, uint64_t tag, hito_amqp_error *error);

/// What came next, without waiting; sends heartbeats that are due. 0 with an event (of kind NOTHING where
/// none is complete), or -1.
int hito_amqp_next(hito_amqp *connection, hito_amqp_event *event, hito_amqp_error *error);
/// Waits until something may have come, until `wake` is readable, or for so long. Returns whether
/// `wake` is readable.
int hito_amqp_wait(hito_amqp *connection, int wake, int timeout_ms);
/// Whether a small message would be taken without blocking.
int hito_amqp_is_writable(const hito_amqp *connection);
/// While it is held, what is sent leaves in full packets only; afterwards the rest leaves at once.
void hito_amqp_hold(const hito_amqp *connection, int is_held);

/// A descriptor that wakes who waits; -1 where the system has none left.
int hito_amqp_wake_take(void);
void hito_amqp_wake_ring(int descriptor);
void hito_amqp_wake_clear(int descriptor);
/// Waits for it alone.
void hito_amqp_wake_wait(int descriptor, int timeout_ms);
void hito_amqp_wake_free(int descriptor);
