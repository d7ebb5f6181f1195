/* One connection: frames in and out, its calls, credit, keepalive, drain.
 *
 *   DIALLING -> HANDSHAKE -> GREETING -> OPEN -> CLOSING -> LINGERING -> DEAD
 *
 * CLOSING writes the last words, LINGERING gives the server time to read them. DEAD may follow on each. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

enum {
  CONNECT_TIME = 10000000,
  CLOSE_TIME = 2000000,
};

static void tick(void *owner);

static void arm(struct hi_connection *connection, int64_t at) {
  if (!hi_timer_set(&connection->client->timers, &connection->timer, at)) hi_connection_lost(connection, "no memory");
}

struct hi_connection *hi_connection_new(hito_client *client, size_t place) {
  struct hi_connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) return NULL;
  connection->client = client;
  connection->place = place;
  connection->fd = -1;
  connection->next_stream = 1;
  connection->window = hi_receive_window(client->own.connection_credit);
  connection->keepalive = client->options.keepalive_ms * 1000;
  connection->began_at = connection->received_at = client->now;
  connection->timer = (struct hi_timer){.fire = tick, .owner = connection};
  hi_log_connecting(connection);
  char *why = NULL;
  connection->dial = hi_dial_begin(client, &client->pool.addresses[place], &why);
  if (connection->dial == NULL) hi_connection_lost(connection, why == NULL ? "no memory" : why);
  free(why);
  return connection;
}

void hi_connection_free(struct hi_connection *connection) {
  while (connection->attached != NULL) {
    struct hi_exchange *exchange = connection->attached;
    connection->attached = exchange->next_attached;
    exchange->connection = NULL;
  }
  hi_timer_clear(&connection->client->timers, &connection->timer);
  hi_dial_free(connection->dial);
  SSL_free(connection->ssl);
  if (connection->fd >= 0) close(connection->fd);
  hi_buffer_free(&connection->in);
  hi_buffer_free(&connection->out);
  hi_buffer_free(&connection->network);
  free(connection->why_failed);
  free(connection);
}

void hi_write(
    struct hi_connection *connection, enum hi_kind kind, unsigned flags, uint32_t stream, const void *payload,
    size_t size) {
  if (connection->state != HI_OPEN && connection->state != HI_GREETING) return;
  hi_put_header(&connection->out, (uint8_t)kind, (uint8_t)flags, stream, size);
  hi_buffer_append(&connection->out, payload, size);
}

bool hi_connection_takes_calls(const struct hi_connection *connection) {
  return connection->state == HI_OPEN && !connection->is_draining && !connection->has_failed &&
         connection->next_stream <= HI_STREAM_ID_MAX;
}

void hi_connection_consumed(struct hi_connection *connection, uint32_t amount) {
  uint32_t granted = hi_consumed(&connection->window, amount);
  if (granted == 0) return;
  uint8_t bytes[4] = {(uint8_t)(granted >> 24), (uint8_t)(granted >> 16), (uint8_t)(granted >> 8), (uint8_t)granted};
  hi_write(connection, HI_CREDIT, 0, 0, bytes, sizeof bytes);
}

/* The end */

void hi_connection_retire(struct hi_connection *connection) {
  if (connection->is_retired) return;
  connection->is_retired = true;
  hi_pool_retired(connection);
}

void hi_connection_fail(struct hi_connection *connection, hito_status code, const char *why) {
  connection->has_failed = true;
  hi_log_disconnected(connection, false, why);
  hi_connection_retire(connection);
  for (size_t i = 0; i < HI_BUCKETS; i++)
    while (connection->buckets[i] != NULL) hi_exchange_fail(connection->buckets[i], hi_error(code, false, "%s", why));
}

/* It was never established. */
static void cannot(struct hi_connection *connection, const char *why) {
  const struct hi_address *address = &connection->client->pool.addresses[connection->place];
  hito_error *error = hi_error(HITO_UNAVAILABLE, true, "cannot connect to %s:%s: %s", address->host, address->port, why);
  free(connection->why_failed);
  connection->why_failed = hi_copy_text(error->message);
  hi_log_connect_failed(connection, error->message);
  hito_error_free(error);
  connection->client->pool.has_news = true;
}

void hi_connection_lost(struct hi_connection *connection, const char *why) {
  if (connection->state == HI_DEAD) return;
  bool is_new = connection->state < HI_OPEN;
  bool was_open = connection->state == HI_OPEN;
  connection->state = HI_DEAD;
  hi_timer_clear(&connection->client->timers, &connection->timer);
  if (is_new && connection->why_failed == NULL) cannot(connection, why == NULL ? "TLS failed" : why);
  if (was_open) {
    hito_error *error = hi_error(HITO_UNAVAILABLE, false, "connection lost: %s", why == NULL ? "TLS failed" : why);
    hi_connection_fail(connection, HITO_UNAVAILABLE, error->message);
    hito_error_free(error);
  }
  hi_connection_retire(connection);
  connection->client->pool.has_news = true;
}

void hi_connection_goodbye(struct hi_connection *connection, enum hi_reason reason, const char *text) {
  if (connection->state != HI_OPEN && connection->state != HI_GREETING) return;
  hi_log_disconnected(connection, true, connection->is_draining ? "the server is going away" : "closed");
  uint8_t payload[6 + 128] = {0};
  size_t size = strlen(text) < 128 ? strlen(text) : 128;
  payload[5] = (uint8_t)reason;
  memcpy(payload + 6, text, size);
  hi_write(connection, HI_GOAWAY, 0, 0, payload, 6 + size);
  connection->state = HI_CLOSING;
  connection->is_draining = true;
  hi_connection_retire(connection);
  arm(connection, connection->client->now + CLOSE_TIME);
}

void hi_connection_close(struct hi_connection *connection) {
  if (connection->state < HI_GREETING) {
    connection->state = HI_DEAD;
    hi_timer_clear(&connection->client->timers, &connection->timer);
  }
  hi_connection_goodbye(connection, HI_NO_ERROR, "");
}

static void broke_protocol(struct hi_connection *connection, const struct hi_fault *fault) {
  char why[256] = "the server broke the protocol: ";
  strncat(why, fault->text, sizeof why - strlen(why) - 1);
  if (connection->state == HI_GREETING)
    cannot(connection, why);
  else
    hi_connection_fail(connection, HITO_INTERNAL, why);
  hi_connection_goodbye(connection, fault->reason, fault->text);
}

/* Frames */

void hi_connection_greet(struct hi_connection *connection) {
  hito_client *client = connection->client;
  connection->state = HI_GREETING;
  struct hi_buffer payload = {0};
  hi_hello_encode(&payload, &client->own);
  hi_write(connection, HI_HELLO, 0, 0, hi_buffer_bytes(&payload), hi_buffer_size(&payload));
  if (payload.has_failed) connection->out.has_failed = true;
  hi_buffer_free(&payload);
}

static bool take_first(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  if (frame->kind == HI_GOAWAY) {
    struct hi_goaway goaway;
    if (!hi_goaway_decode(&goaway, frame->payload, frame->size, fault)) return false;
    hi_connection_lost(connection, goaway.text[0] == 0 ? "refused" : goaway.text);
    return true;
  }
  if (frame->kind != HI_HELLO) {
    *fault = (struct hi_fault){HI_PROTOCOL_ERROR, "the first frame is not HELLO"};
    return false;
  }
  if (!hi_hello_decode(&connection->peer, frame->payload, frame->size, fault)) return false;
  const struct hi_hello *peer = &connection->peer;
  connection->minor = peer->minor_version < HI_MINOR_VERSION ? peer->minor_version : HI_MINOR_VERSION;
  connection->compresses = connection->minor >= 1 && peer->reads_deflate && connection->client->options.compresses;
  connection->send_credit = peer->connection_credit;
  /* Above the server's least interval: sooner counts as abuse (W10.2). */
  int64_t least = (int64_t)peer->ping_interval_ms * 1100;
  if (connection->keepalive < least) connection->keepalive = least;
  connection->state = HI_OPEN;
  hi_log_connected(connection);
  connection->client->pool.has_news = true;
  hi_timer_clear(&connection->client->timers, &connection->timer);
  return true;
}

static struct hi_exchange *find(struct hi_connection *connection, uint32_t stream) {
  struct hi_exchange *exchange = connection->buckets[(stream >> 1) % HI_BUCKETS];
  while (exchange != NULL && exchange->stream != stream) exchange = exchange->next_in_bucket;
  return exchange;
}

static void served(struct hi_connection *connection) {
  if (connection->has_served) return;
  connection->has_served = true;
  hi_pool_served(connection);
}

static bool was_opened(const struct hi_connection *connection, uint32_t stream, struct hi_fault *fault) {
  if (stream < connection->next_stream) return true;
  *fault = (struct hi_fault){HI_PROTOCOL_ERROR, "a frame on a stream that was never opened"};
  return false;
}

static bool receive_bytes(struct hi_connection *connection, size_t size, struct hi_fault *fault) {
  if (hi_received(&connection->window, (uint32_t)size)) return true;
  *fault = (struct hi_fault){HI_FLOW_CONTROL, "more bytes than were granted"};
  return false;
}

static bool take_message(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  if (!receive_bytes(connection, frame->size, fault)) return false;
  struct hi_exchange *exchange = find(connection, frame->stream);
  if (exchange == NULL) {
    if (!was_opened(connection, frame->stream, fault)) return false;
    /* Crossed with our CANCEL: only the connection's credit is owed (W9.6). */
    hi_connection_consumed(connection, frame->size);
    return true;
  }
  served(connection);
  return hi_exchange_message(exchange, frame->payload, frame->size, frame->flags, fault);
}

static bool take_end(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  struct hi_end end;
  if (!hi_end_decode(&end, frame->payload, frame->size, connection->minor, fault)) return false;
  bool is_good = (frame->flags & HI_FLAG_HAS_MESSAGE) != 0 || end.rest_size == 0;
  if (!is_good) *fault = (struct hi_fault){HI_PROTOCOL_ERROR, "bytes after the block of END"};
  is_good = is_good && receive_bytes(connection, end.rest_size, fault);
  struct hi_exchange *exchange = is_good ? find(connection, frame->stream) : NULL;
  if (is_good && exchange == NULL) {
    is_good = was_opened(connection, frame->stream, fault);
    if (is_good) hi_connection_consumed(connection, (uint32_t)end.rest_size);
  } else if (is_good) {
    served(connection);
    is_good = hi_exchange_end(exchange, &end, frame->flags, fault);
  }
  hi_end_free(&end);
  return is_good;
}

static bool take_head(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  struct hi_metadata metadata = {0};
  bool is_good = hi_head_decode(&metadata, frame->payload, frame->size, fault);
  struct hi_exchange *exchange = is_good ? find(connection, frame->stream) : NULL;
  if (is_good && exchange == NULL) is_good = was_opened(connection, frame->stream, fault);
  if (is_good && exchange != NULL) is_good = hi_exchange_head(exchange, &metadata, fault);
  hi_metadata_free(&metadata);
  return is_good;
}

static bool take_credit(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  uint32_t amount = hi_get_u32(frame->payload);
  uint32_t *window = &connection->send_credit;
  if (frame->stream != 0) {
    struct hi_exchange *exchange = find(connection, frame->stream);
    /* Where it has ended anything goes, also nothing (W5.9). */
    if (exchange == NULL) return was_opened(connection, frame->stream, fault);
    window = &exchange->send_credit;
  }
  if (amount == 0) {
    *fault = (struct hi_fault){HI_PROTOCOL_ERROR, "CREDIT of nothing"};
    return false;
  }
  if (hi_grant(window, amount)) return true;
  *fault = (struct hi_fault){HI_FLOW_CONTROL, "credit above its maximum"};
  return false;
}

static void refuse_above(struct hi_connection *connection, uint32_t last_stream, const char *why) {
  for (size_t i = 0; i < HI_BUCKETS; i++) {
    struct hi_exchange *exchange = connection->buckets[i];
    while (exchange != NULL) {
      struct hi_exchange *next = exchange->next_in_bucket;
      if (exchange->stream > last_stream)
        hi_exchange_fail(exchange, hi_error(HITO_UNAVAILABLE, true, "the server is going away: %s", why));
      exchange = next;
    }
  }
}

static bool take_goaway(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  struct hi_goaway goaway;
  if (!hi_goaway_decode(&goaway, frame->payload, frame->size, fault)) return false;
  const char *why = goaway.text[0] == 0 ? "it ends the connection" : goaway.text;
  /* First: what ends here must not be given to a call that waits for room. */
  connection->is_draining = true;
  hi_connection_retire(connection);
  refuse_above(connection, goaway.last_stream, why);
  if (!hi_is_drain(goaway.reason)) {
    hito_error *error = hi_error(HITO_UNAVAILABLE, false, "the server ended the connection: %s", why);
    hi_connection_fail(connection, HITO_UNAVAILABLE, error->message);
    hito_error_free(error);
  }
  if (connection->call_count == 0) hi_connection_goodbye(connection, HI_NO_ERROR, "");
  return true;
}

static bool take_frame(struct hi_connection *connection, const struct hi_frame *frame, struct hi_fault *fault) {
  if (connection->state == HI_GREETING) return take_first(connection, frame, fault);
  switch (frame->kind) {
    case HI_MESSAGE: return take_message(connection, frame, fault);
    case HI_END: return take_end(connection, frame, fault);
    case HI_HEAD: return take_head(connection, frame, fault);
    case HI_CREDIT: return take_credit(connection, frame, fault);
    case HI_GOAWAY: return take_goaway(connection, frame, fault);
    case HI_PING:
      hi_write(connection, HI_PONG, 0, 0, frame->payload, frame->size);
      return true;
    case HI_HELLO:
      *fault = (struct hi_fault){HI_PROTOCOL_ERROR, "a second HELLO"};
      return false;
    default: return true;
  }
}

void hi_connection_received(struct hi_connection *connection) {
  connection->received_at = connection->client->now;
  connection->pinged_at = 0;
  struct hi_buffer *in = &connection->in;
  struct hi_frame frame;
  struct hi_fault fault;
  while (connection->state == HI_GREETING || connection->state == HI_OPEN) {
    int whole = hi_frame_next(
        hi_buffer_bytes(in), hi_buffer_size(in), connection->client->own.frame_payload_max, connection->minor, &frame,
        &fault);
    if (whole == 0) return;
    if (whole < 0 || !take_frame(connection, &frame, &fault)) {
      broke_protocol(connection, &fault);
      break;
    }
    hi_buffer_consume(in, HI_HEADER_SIZE + frame.size);
  }
  /* What comes after the end is not looked at. */
  hi_buffer_consume(in, hi_buffer_size(in));
}

/* Time */

/* Begins to watch over the server when a call waits (C4.1). */
void hi_connection_busy(struct hi_connection *connection) {
  if (connection->call_count != 1) return;
  connection->received_at = connection->client->now;
  connection->pinged_at = 0;
  arm(connection, connection->client->now + connection->keepalive);
}

static void watch_over(struct hi_connection *connection, int64_t now) {
  if (connection->call_count == 0) return;
  if (connection->pinged_at > 0) {
    hi_connection_lost(connection, "the server does not answer any more");
  } else if (now - connection->received_at >= connection->keepalive) {
    hi_write(connection, HI_PING, 0, 0, "hitoping", 8);
    connection->pinged_at = now;
    arm(connection, now + connection->keepalive);
  } else {
    arm(connection, connection->received_at + connection->keepalive);
  }
}

static void tick(void *owner) {
  struct hi_connection *connection = owner;
  int64_t now = connection->client->now;
  switch (connection->state) {
    case HI_DIALLING: case HI_HANDSHAKE: case HI_GREETING:
      if (now >= connection->received_at + CONNECT_TIME)
        hi_connection_lost(connection, "no answer in time");
      else
        hi_connection_io(connection);
      return;
    case HI_OPEN: watch_over(connection, now); return;
    default: hi_connection_lost(connection, "closed"); return;
  }
}
