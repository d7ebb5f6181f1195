/* One call on one connection: how it begins, what it sends, and how it ends here. */
#include <stdlib.h>
#include <string.h>

#include "deflate.h"
#include "internal.h"

static size_t bucket(const struct hi_exchange *exchange) { return (exchange->stream >> 1) % HI_BUCKETS; }

static void write_fragment(struct hi_exchange *exchange, enum hi_kind kind, const struct hi_buffer *block, size_t size) {
  struct hi_connection *connection = exchange->connection;
  /* COMPRESSED is of the first fragment of a message alone. */
  unsigned flags = exchange->message_flags | (kind == HI_CALL ? HI_FLAG_HAS_MESSAGE : 0u);
  exchange->message_flags = 0;
  exchange->send_credit -= (uint32_t)size;
  connection->send_credit -= (uint32_t)size;
  exchange->is_sending = size < exchange->unsent_size;
  if (exchange->is_sending)
    flags |= HI_FLAG_MORE;
  else if (exchange->half_closes)
    flags |= HI_FLAG_END;
  size_t block_size = block == NULL ? 0 : hi_buffer_size(block);
  hi_put_header(&connection->out, (uint8_t)kind, (uint8_t)flags, exchange->stream, block_size + size);
  if (block != NULL) hi_buffer_append(&connection->out, hi_buffer_bytes(block), block_size);
  hi_buffer_append(&connection->out, exchange->unsent, size);
  exchange->unsent += size;
  exchange->unsent_size -= size;
  if (exchange->is_sending) return;
  free(exchange->owned);
  exchange->owned = NULL;
}

/* What a fragment may carry now; 0 where that is too little for one (W9.2). */
static size_t room(const struct hi_exchange *exchange, size_t frame_room) {
  const struct hi_connection *connection = exchange->connection;
  size_t result = exchange->unsent_size < frame_room ? exchange->unsent_size : frame_room;
  if (exchange->send_credit < result) result = exchange->send_credit;
  if (connection->send_credit < result) result = connection->send_credit;
  size_t least = exchange->unsent_size < HI_FRAGMENT_MIN ? exchange->unsent_size : HI_FRAGMENT_MIN;
  return result < least ? 0 : result;
}

bool hi_exchange_pump(struct hi_exchange *exchange) {
  size_t size = room(exchange, HI_FRAME_PAYLOAD_MIN);
  if (!exchange->is_sending || (size == 0 && exchange->unsent_size > 0)) return false;
  write_fragment(exchange, HI_MESSAGE, NULL, size);
  if (!exchange->is_sending) exchange->changed(exchange->owner);
  return true;
}

static void become_sender(struct hi_exchange *exchange) {
  struct hi_connection *connection = exchange->connection;
  if (exchange->is_sender) return;
  exchange->is_sender = true;
  exchange->next_sender = NULL;
  if (connection->last_sender == NULL)
    connection->first_sender = exchange;
  else
    connection->last_sender->next_sender = exchange;
  connection->last_sender = exchange;
}

static void put(struct hi_exchange *exchange, const uint8_t *message, size_t size) {
  exchange->unsent = message;
  exchange->unsent_size = size;
  exchange->is_sending = true;
  if (!exchange->connection->compresses) return;
  size_t packed_size;
  uint8_t *packed = hi_pack(message, size, &packed_size);
  if (packed == NULL) return;
  free(exchange->owned);
  exchange->owned = packed;
  exchange->unsent = packed;
  exchange->unsent_size = packed_size;
  exchange->message_flags = HI_FLAG_COMPRESSED;
}

/* Writes the CALL with as much of the first message as fits. */
static void begin(struct hi_exchange *exchange, const struct hi_opening *opening) {
  struct hi_connection *connection = exchange->connection;
  struct hi_buffer block = {0};
  hi_call_encode(&block, &opening->head);
  if (block.has_failed) connection->out.has_failed = true;
  exchange->half_closes = opening->half_closes;
  if (opening->message != NULL) put(exchange, opening->message, opening->size);
  size_t size = room(exchange, HI_FRAME_PAYLOAD_MIN - hi_buffer_size(&block));
  if (opening->message == NULL || (size == 0 && exchange->unsent_size > 0))
    hi_write(connection, HI_CALL, 0, exchange->stream, hi_buffer_bytes(&block), hi_buffer_size(&block));
  else
    write_fragment(exchange, HI_CALL, &block, size);
  if (exchange->is_sending) become_sender(exchange);
  hi_buffer_free(&block);
}

static hito_error *too_large(const struct hi_connection *connection, size_t size) {
  return hi_error(
      HITO_RESOURCE_EXHAUSTED, true, "the request has %zu bytes, the server accepts %u", size,
      (unsigned)connection->peer.message_max);
}

static hito_error *refusal(const struct hi_connection *connection, const struct hi_opening *opening) {
  /* Between the choice of the connection and now. */
  if (!hi_connection_takes_calls(connection))
    return hi_error(HITO_UNAVAILABLE, true, "the connection takes no more calls");
  if (connection->minor < 1 && hi_has_binary_metadata(&opening->head))
    return hi_error(HITO_UNIMPLEMENTED, true, "the server is too old for metadata that is bytes");
  if (opening->size > connection->peer.message_max) return too_large(connection, opening->size);
  return NULL;
}

struct hi_exchange *hi_exchange_open(
    struct hi_connection *connection, const struct hi_opening *opening, void (*changed)(void *), void *owner,
    hito_error **error) {
  hito_error *refused = refusal(connection, opening);
  struct hi_exchange *exchange = refused == NULL ? calloc(1, sizeof *exchange) : NULL;
  if (exchange == NULL) {
    *error = refused != NULL ? refused : hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory");
    hi_pool_call_ended(connection);
    return NULL;
  }
  *exchange = (struct hi_exchange){
      .connection = connection, .stream = connection->next_stream, .changed = changed, .owner = owner,
      .send_credit = connection->peer.stream_credit,
      .window = hi_receive_window(connection->client->own.stream_credit)};
  exchange->next_in_bucket = connection->buckets[bucket(exchange)];
  connection->buckets[bucket(exchange)] = exchange;
  exchange->next_attached = connection->attached;
  connection->attached = exchange;
  connection->call_count++;
  connection->next_stream += 2;
  if (connection->next_stream > HI_STREAM_ID_MAX) hi_connection_retire(connection);
  hi_connection_busy(connection);
  begin(exchange, opening);
  return exchange;
}

bool hi_exchange_send(struct hi_exchange *exchange, const uint8_t *message, size_t size, hito_error **error) {
  if (size > exchange->connection->peer.message_max) {
    *error = too_large(exchange->connection, size);
    return false;
  }
  uint8_t *copy = hi_copy_bytes(message, size);
  if (copy == NULL) {
    *error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
    return false;
  }
  exchange->owned = NULL;
  put(exchange, copy, size);
  if (exchange->owned == NULL)
    exchange->owned = copy;
  else
    free(copy);
  become_sender(exchange);
  return true;
}

void hi_exchange_half_close(struct hi_exchange *exchange) {
  if (exchange->is_done || exchange->half_closes) return;
  exchange->half_closes = true;
  if (!exchange->is_sending) hi_write(exchange->connection, HI_END, 0, exchange->stream, NULL, 0);
}

static void unlink_exchange(struct hi_exchange *exchange) {
  struct hi_exchange **place = &exchange->connection->buckets[bucket(exchange)];
  while (*place != NULL && *place != exchange) place = &(*place)->next_in_bucket;
  if (*place != NULL) *place = exchange->next_in_bucket;
}

void hi_exchange_finish(struct hi_exchange *exchange) {
  struct hi_connection *connection = exchange->connection;
  exchange->is_done = true;
  exchange->is_sending = false;
  unlink_exchange(exchange);
  connection->call_count--;
  hi_pool_call_ended(connection);
  if (connection->is_draining && connection->call_count == 0 && !connection->has_failed)
    hi_connection_goodbye(connection, HI_NO_ERROR, "");
  exchange->changed(exchange->owner);
}

void hi_exchange_fail(struct hi_exchange *exchange, hito_error *error) {
  if (exchange->is_done) {
    hito_error_free(error);
    return;
  }
  exchange->error = error;
  hi_exchange_finish(exchange);
}

void hi_message_free(struct hi_message *message) {
  if (message == NULL) return;
  free(message->bytes);
  free(message);
}

static void return_credit(struct hi_exchange *exchange, uint32_t amount) {
  struct hi_connection *connection = exchange->connection;
  if (connection == NULL) return;
  hi_connection_consumed(connection, amount);
  uint32_t granted = exchange->is_done ? 0 : hi_consumed(&exchange->window, amount);
  if (granted == 0) return;
  uint8_t bytes[4] = {(uint8_t)(granted >> 24), (uint8_t)(granted >> 16), (uint8_t)(granted >> 8), (uint8_t)granted};
  hi_write(connection, HI_CREDIT, 0, exchange->stream, bytes, sizeof bytes);
}

struct hi_message *hi_exchange_take(struct hi_exchange *exchange) {
  struct hi_message *message = exchange->first;
  if (message == NULL) return NULL;
  exchange->first = message->next;
  if (exchange->first == NULL) exchange->last = NULL;
  exchange->message_count--;
  if (message->size == 0) exchange->empty_count--;
  return_credit(exchange, message->owed);
  return message;
}

void hi_exchange_cancel(struct hi_exchange *exchange, hito_error *error) {
  if (exchange->is_done) {
    hito_error_free(error);
  } else {
    exchange->error = error;
    hi_write(exchange->connection, HI_CANCEL, 0, exchange->stream, NULL, 0);
    hi_exchange_finish(exchange);
  }
  while (exchange->first != NULL) hi_message_free(hi_exchange_take(exchange));
}

/* Forgets it in a list of the connection. */
static void detach(struct hi_exchange *exchange) {
  struct hi_connection *connection = exchange->connection;
  struct hi_exchange **place = &connection->attached;
  while (*place != NULL && *place != exchange) place = &(*place)->next_attached;
  if (*place != NULL) *place = exchange->next_attached;
  if (!exchange->is_sender) return;
  struct hi_exchange *before = NULL;
  for (place = &connection->first_sender; *place != NULL && *place != exchange; place = &(*place)->next_sender)
    before = *place;
  if (*place != NULL) *place = exchange->next_sender;
  if (connection->last_sender == exchange) connection->last_sender = before;
}

void hi_exchange_free(struct hi_exchange *exchange) {
  if (exchange == NULL) return;
  hi_exchange_cancel(exchange, NULL);
  if (exchange->connection != NULL) detach(exchange);
  hito_error_free(exchange->error);
  hi_metadata_free(&exchange->metadata);
  hi_metadata_free(&exchange->trailers);
  hi_buffer_free(&exchange->partial);
  free(exchange->owned);
  free(exchange);
}
