/* The parts of a client and how they hang together.
 *
 * Everything happens in hito_client_poll, in this order: what the sockets bring, timers, then `hi_settle` until nothing
 * changes any more, then the callbacks of callers. Sockets and timers only note what happened (a call is `touched`, the
 * pool is `changed`); decisions are made in hi_settle, so that nothing is entered again while it is at work. */
#pragma once

#include <openssl/ssl.h>

#include "buffer.h"
#include "credit.h"
#include "hito/client.h"
#include "pool_machine.h"
#include "retry.h"
#include "timer.h"
#include "token_machine.h"
#include "wire.h"

enum {
  HI_COPIES_MAX = 5,
  HI_BUCKETS = 128,
  HI_STREAM_CREDIT = 256 << 10,
  HI_CONNECTION_CREDIT = 1 << 20,
  HI_EMPTY_MESSAGES_MAX = 1024,
};

struct hi_connection;
struct hi_dial;

/* A whole message that waits for its reader, with the credit that is owed for it. */
struct hi_message {
  struct hi_message *next;
  uint8_t *bytes;
  size_t size;
  uint32_t owed;
};

/* One call on one connection: an attempt of a call, or a question about health. */
struct hi_exchange {
  struct hi_connection *connection;
  uint32_t stream;
  struct hi_exchange *next_in_bucket, *next_attached, *next_sender;
  /* Told when there is a message, room to send, or the end. */
  void (*changed)(void *owner);
  void *owner;
  bool is_done, is_sender;
  /* How it ended; NULL where the status is 0. */
  hito_error *error;
  struct hi_metadata metadata, trailers;
  /* Sending. */
  uint32_t send_credit;
  const uint8_t *unsent;
  size_t unsent_size;
  uint8_t *owned;
  uint8_t message_flags;
  bool is_sending, half_closes;
  /* Receiving. */
  struct hi_receive_window window;
  struct hi_message *first, *last;
  size_t message_count, empty_count;
  struct hi_buffer partial;
  bool has_head, has_message, is_compressed, is_partial;
};

/* What an exchange begins with. */
struct hi_opening {
  struct hi_call_head head;
  /* NULL: no message yet. It must last as long as the exchange. */
  const uint8_t *message;
  size_t size;
  bool half_closes;
};

enum hi_connection_state {
  HI_DIALLING, HI_HANDSHAKE, HI_GREETING, HI_OPEN, HI_CLOSING, HI_LINGERING, HI_DEAD,
};

struct hi_connection {
  hito_client *client;
  struct hi_connection *next;
  int number;
  size_t place;
  enum hi_connection_state state;
  /* Established, and the pool has heard of it. */
  bool is_known, is_retired, is_draining, has_served, is_untrusted, is_read_closed, is_write_broken;
  /* HELLO has come, and its end was not told. */
  bool is_told;
  /* It failed after HELLO: nothing that comes counts any more. */
  bool has_failed;
  char *why_failed;
  struct hi_dial *dial;
  int fd;
  SSL *ssl;
  BIO *from_network, *to_network;
  /* Frames that came and that go, and what waits for the socket. */
  struct hi_buffer in, out, network;
  struct hi_hello peer;
  unsigned minor;
  bool compresses;
  uint32_t send_credit;
  struct hi_receive_window window;
  struct hi_exchange *buckets[HI_BUCKETS];
  struct hi_exchange *attached, *first_sender, *last_sender;
  size_t call_count;
  uint32_t next_stream;
  int64_t keepalive, began_at, received_at, pinged_at;
  struct hi_timer timer;
};

/* A call that waits for its connection. */
struct hi_waiter {
  struct hi_waiter *next;
  bool is_queued;
  struct hi_want want;
  void (*given)(void *owner, struct hi_connection *connection);
  void (*failed)(void *owner, hito_error *error);
  void *owner;
};

/* Listens to what the server of one connection says of itself. */
struct hi_health {
  hito_client *client;
  size_t place;
  struct hi_connection *connection;
  struct hi_exchange *exchange;
  struct hi_timer timer;
  unsigned failures;
  bool is_touched, is_given_up;
};

struct hi_address {
  char *host, *port;
};

struct hi_pool {
  struct hi_machine machine;
  struct hi_address *addresses;
  struct hi_health *healths;
  struct hi_connection *connections;
  struct hi_waiter *first_waiter, *last_waiter;
  /* Something has changed; there is more room and nothing else has changed. */
  bool is_changed, has_room;
  /* A connection was established, or failed to be. */
  bool has_news;
  int last_number;
  struct hi_timer timer;
  char *failure;
};

/* Of a client that has a provider. */
struct hi_tokens {
  struct hi_token_machine machine;
  /* The number of the question, or of the last one; whether the provider is still to hear it. */
  uint64_t question;
  bool is_to_ask;
  struct hi_timer timer;
};

struct hito_client {
  hito_client_options options;
  SSL_CTX *tls;
  struct hi_hello own;
  struct hi_pacer pacer;
  struct hi_pool pool;
  struct hi_timers timers;
  struct hi_tokens tokens;
  int64_t now;
  /* Calls that were told of, where anybody listens. */
  int64_t call_count;
  bool is_closed, is_polling, has_moved;
  hito_call *calls, *first_touched, *last_touched, *first_ready, *last_ready;
  struct hito_resumed *resumed;
  struct pollfd *fds;
  size_t fds_capacity;
};

/* error.c */
hito_error *hi_error(hito_status code, bool is_not_started, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
hito_error *hi_error_of(const struct hi_end *end);
hito_error *hi_error_copy(const hito_error *error);
/* Gives an error to a caller who may not want it. */
hito_status hi_give(hito_error **place, hito_error *error);

/* tls.c */
SSL_CTX *hi_tls_context(const hito_client_options *options, hito_error **error);
bool hi_tls_begin(struct hi_connection *connection, const char *host);
/* Moves bytes from and to the socket and through TLS. */
void hi_tls_read(struct hi_connection *connection);
void hi_tls_flush(struct hi_connection *connection);
void hi_tls_shutdown(struct hi_connection *connection);

/* dial.c */
struct hi_dial *hi_dial_begin(hito_client *client, const struct hi_address *address, char **why);
/* What to wait for; never more than `capacity`. */
size_t hi_dial_fds(const struct hi_dial *dial, struct pollfd *fds, size_t capacity);
int64_t hi_dial_next(const struct hi_dial *dial);
/* Goes on: a socket that is connected, -1 while there is none yet, -2 where there will be none and `why` says it. */
int hi_dial_step(struct hi_dial *dial, int64_t now, char **why);
void hi_dial_free(struct hi_dial *dial);

/* connection.c */
struct hi_connection *hi_connection_new(hito_client *client, size_t place);
void hi_connection_free(struct hi_connection *connection);
void hi_connection_received(struct hi_connection *connection);
void hi_connection_lost(struct hi_connection *connection, const char *why);
void hi_connection_greet(struct hi_connection *connection);
/* No more calls; those under way end with `code`. */
void hi_connection_fail(struct hi_connection *connection, hito_status code, const char *why);
void hi_connection_goodbye(struct hi_connection *connection, enum hi_reason reason, const char *text);
void hi_connection_close(struct hi_connection *connection);
void hi_connection_retire(struct hi_connection *connection);
void hi_connection_consumed(struct hi_connection *connection, uint32_t amount);
void hi_connection_busy(struct hi_connection *connection);
bool hi_connection_takes_calls(const struct hi_connection *connection);
void hi_write(
    struct hi_connection *connection, enum hi_kind kind, unsigned flags, uint32_t stream, const void *payload,
    size_t size);

/* connection_io.c */
size_t hi_connection_fds(const struct hi_connection *connection, struct pollfd *fds, size_t capacity);
void hi_connection_io(struct hi_connection *connection);
void hi_connection_flush(struct hi_connection *connection);

/* exchange.c */
struct hi_exchange *hi_exchange_open(
    struct hi_connection *connection, const struct hi_opening *opening, void (*changed)(void *), void *owner,
    hito_error **error);
/* Puts a message to be sent, which is copied; false with an error where it may not be sent. */
bool hi_exchange_send(struct hi_exchange *exchange, const uint8_t *message, size_t size, hito_error **error);
void hi_exchange_half_close(struct hi_exchange *exchange);
/* Sends one fragment if there is credit; whether it did. */
bool hi_exchange_pump(struct hi_exchange *exchange);
/* Gives it up, if it has not ended. Takes the error. */
void hi_exchange_cancel(struct hi_exchange *exchange, hito_error *error);
/* The connection's end, or this side's fault. Takes the error. */
void hi_exchange_fail(struct hi_exchange *exchange, hito_error *error);
void hi_exchange_free(struct hi_exchange *exchange);
/* The first message, whose credit goes back; the caller frees it. NULL where none is there. */
struct hi_message *hi_exchange_take(struct hi_exchange *exchange);
void hi_message_free(struct hi_message *message);

/* exchange_receive.c: what the server sends; false where it breaks the protocol. */
bool hi_exchange_head(struct hi_exchange *exchange, struct hi_metadata *metadata, struct hi_fault *fault);
bool hi_exchange_message(
    struct hi_exchange *exchange, const uint8_t *payload, uint32_t size, unsigned flags, struct hi_fault *fault);
bool hi_exchange_end(
    struct hi_exchange *exchange, struct hi_end *end, unsigned flags, struct hi_fault *fault);
void hi_exchange_finish(struct hi_exchange *exchange);

/* pool.c */
bool hi_pool_init(hito_client *client, hito_error **error);
void hi_pool_free(hito_client *client);
void hi_pool_close(hito_client *client);
/* Asks for a connection: given at once, or later. */
void hi_pool_ask(hito_client *client, struct hi_waiter *waiter);
void hi_pool_forget(hito_client *client, struct hi_waiter *waiter);
struct hi_connection *hi_pool_beside(hito_client *client, const int *used, size_t used_count);
void hi_pool_call_ended(struct hi_connection *connection);
void hi_pool_retired(struct hi_connection *connection);
void hi_pool_served(struct hi_connection *connection);
bool hi_pool_settle(hito_client *client);
void hi_pool_reap(hito_client *client);

/* health.c */
void hi_health_begin(hito_client *client, size_t place);
void hi_health_retired(struct hi_connection *connection);
void hi_health_step(struct hi_health *health);
void hi_health_stop(struct hi_health *health);

/* call.c */
void hi_call_touch(hito_call *call);
void hi_call_step(hito_call *call);
void hi_calls_close(hito_client *client);
void hi_call_detach(hito_call *call);
int hi_call_notify(hito_client *client);

/* resume.c: the client is closed. */
void hi_resumed_wake(hito_client *client);

/* tokens.c */
void hi_tokens_init(hito_client *client);
/* Asks the provider, if it is to be asked. */
bool hi_tokens_settle(hito_client *client);
void hi_tokens_close(hito_client *client);

/* log.c: what happens, told as C5.9 says; nothing is written where nobody listens. */
void hi_log_connecting(const struct hi_connection *connection);
void hi_log_connected(struct hi_connection *connection);
void hi_log_connect_failed(const struct hi_connection *connection, const char *why);
/* Once, and not of one that was never connected. */
void hi_log_disconnected(struct hi_connection *connection, bool is_in_order, const char *why);
void hi_log_resumed(const hito_client *client, const hito_method *method, const hito_error *error, int64_t at);
void hi_log_token(const hito_client *client, const struct hi_token_news *news);

/* client.c */
void hi_settle(hito_client *client);
