/* What a server sends on one call. */
#include <stdlib.h>
#include <string.h>

#include "deflate.h"
#include "internal.h"

static bool broken(struct hi_fault *fault, const char *text) {
  *fault = (struct hi_fault){HI_PROTOCOL_ERROR, text};
  return false;
}

bool hi_exchange_head(struct hi_exchange *exchange, struct hi_metadata *metadata, struct hi_fault *fault) {
  if (exchange->has_head || exchange->has_message) return broken(fault, "HEAD that is not before the first message");
  exchange->has_head = true;
  exchange->metadata = *metadata;
  *metadata = (struct hi_metadata){0};
  return true;
}

static bool count(struct hi_exchange *exchange, uint32_t size, struct hi_fault *fault) {
  if (hi_received(&exchange->window, size)) return true;
  *fault = (struct hi_fault){HI_FLOW_CONTROL, "more bytes than were granted"};
  return false;
}

/* Puts a whole message where its reader finds it; an error where it is not what it says. */
static hito_error *deliver(struct hi_exchange *exchange, const uint8_t *bytes, size_t size, uint32_t owed) {
  struct hi_message *message = calloc(1, sizeof *message);
  const char *why = "no memory";
  hito_status code = HITO_RESOURCE_EXHAUSTED;
  if (message != NULL && exchange->is_compressed) {
    why = hi_unpack(bytes, size, exchange->connection->client->own.message_max, &message->bytes, &message->size);
    code = HITO_INTERNAL;
  } else if (message != NULL) {
    message->bytes = hi_copy_bytes(bytes, size);
    message->size = size;
    if (message->bytes != NULL) why = NULL;
  }
  if (why != NULL) {
    hi_message_free(message);
    hi_connection_consumed(exchange->connection, owed);
    return hi_error(code, false, "%s", why);
  }
  message->owed = owed;
  if (exchange->last == NULL)
    exchange->first = message;
  else
    exchange->last->next = message;
  exchange->last = message;
  exchange->message_count++;
  if (message->size == 0) exchange->empty_count++;
  return NULL;
}

/* A fragment behind which more follows. */
static bool keep(struct hi_exchange *exchange, const uint8_t *payload, uint32_t size) {
  exchange->is_partial = true;
  hi_buffer_append(&exchange->partial, payload, size);
  if (exchange->partial.has_failed) {
    hi_exchange_cancel(exchange, hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory"));
    return true;
  }
  /* On arrival: a message larger than the window must not stall (W9.5). */
  hi_connection_consumed(exchange->connection, size);
  uint32_t granted = hi_consumed(&exchange->window, size);
  if (granted == 0) return true;
  uint8_t bytes[4] = {(uint8_t)(granted >> 24), (uint8_t)(granted >> 16), (uint8_t)(granted >> 8), (uint8_t)granted};
  hi_write(exchange->connection, HI_CREDIT, 0, exchange->stream, bytes, sizeof bytes);
  return true;
}

static hito_error *deliver_whole(struct hi_exchange *exchange, const uint8_t *payload, uint32_t size) {
  if (!exchange->is_partial) return deliver(exchange, payload, size, size);
  hi_buffer_append(&exchange->partial, payload, size);
  hito_error *failure = exchange->partial.has_failed
      ? hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory")
      : deliver(exchange, hi_buffer_bytes(&exchange->partial), hi_buffer_size(&exchange->partial), size);
  hi_buffer_consume(&exchange->partial, hi_buffer_size(&exchange->partial));
  exchange->is_partial = false;
  return failure;
}

bool hi_exchange_message(
    struct hi_exchange *exchange, const uint8_t *payload, uint32_t size, unsigned flags, struct hi_fault *fault) {
  if (!count(exchange, size, fault)) return false;
  bool is_compressed = (flags & HI_FLAG_COMPRESSED) != 0;
  if (is_compressed && exchange->is_partial) return broken(fault, "COMPRESSED inside a message");
  if (!exchange->is_partial) exchange->is_compressed = is_compressed;
  exchange->has_message = true;
  if (hi_buffer_size(&exchange->partial) + size > exchange->connection->client->own.message_max) {
    hi_connection_consumed(exchange->connection, size);
    hi_exchange_cancel(
        exchange, hi_error(HITO_RESOURCE_EXHAUSTED, false, "the server sent a message above our limit"));
    return true;
  }
  if ((flags & HI_FLAG_MORE) != 0) return keep(exchange, payload, size);
  hito_error *failure = deliver_whole(exchange, payload, size);
  if (failure == NULL && exchange->empty_count > HI_EMPTY_MESSAGES_MAX)
    failure = hi_error(HITO_RESOURCE_EXHAUSTED, false, "the server floods the call with empty messages");
  if (failure != NULL)
    hi_exchange_cancel(exchange, failure);
  else
    exchange->changed(exchange->owner);
  return true;
}

bool hi_exchange_end(
    struct hi_exchange *exchange, struct hi_end *end, unsigned flags, struct hi_fault *fault) {
  if ((flags & HI_FLAG_HAS_MESSAGE) != 0) {
    if (!count(exchange, (uint32_t)end->rest_size, fault)) return false;
    if (end->status != 0 || exchange->is_partial) return broken(fault, "END with a message that it may not have");
    exchange->is_compressed = (flags & HI_FLAG_COMPRESSED) != 0;
    hito_error *failure = deliver(exchange, end->rest, end->rest_size, (uint32_t)end->rest_size);
    if (failure != NULL) {
      hi_exchange_fail(exchange, failure);
      return true;
    }
  } else if (end->status == 0 && exchange->is_partial) {
    return broken(fault, "END inside a message");
  }
  exchange->trailers = end->trailers;
  end->trailers = (struct hi_metadata){0};
  if (end->status != 0) exchange->error = hi_error_of(end);
  hi_exchange_finish(exchange);
  return true;
}
