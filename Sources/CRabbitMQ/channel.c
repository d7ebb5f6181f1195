#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// MARK: Asking

static int answered(hito_amqp *connection, const char *doing, hito_amqp_error *error) {
  int result = hito_amqp_check(amqp_get_rpc_reply(connection->state), doing, error);
  amqp_maybe_release_buffers(connection->state);
  return result;
}

static amqp_table_entry_t text_entry(const char *key, const char *value) {
  return (amqp_table_entry_t){
      amqp_cstring_bytes(key), {AMQP_FIELD_KIND_UTF8, {.bytes = amqp_cstring_bytes(value)}}};
}

int hito_amqp_declare_exchange(
    hito_amqp *connection, const char *name, const char *type, const char *alternate,
    hito_amqp_error *error) {
  amqp_table_entry_t entry = text_entry("alternate-exchange", alternate == NULL ? "" : alternate);
  amqp_table_t arguments = {alternate == NULL ? 0 : 1, &entry};
  amqp_exchange_declare(
      connection->state, hito_channel, amqp_cstring_bytes(name), amqp_cstring_bytes(type), 0, 1, 0,
      0, arguments);
  return answered(connection, "declaring an exchange", error);
}

int hito_amqp_declare_queue(
    hito_amqp *connection, const hito_amqp_queue *queue, hito_amqp_error *error) {
  amqp_table_entry_t entries[] = {
      text_entry("x-queue-type", "quorum"),
      {amqp_cstring_bytes("x-max-length"), {AMQP_FIELD_KIND_I64, {.i64 = queue->length_max}}},
      {amqp_cstring_bytes("x-single-active-consumer"),
       {AMQP_FIELD_KIND_BOOLEAN, {.boolean = queue->is_for_one != 0}}},
  };
  amqp_table_t arguments = {sizeof entries / sizeof entries[0], entries};
  amqp_queue_declare(
      connection->state, hito_channel, amqp_cstring_bytes(queue->name), 0, 1, 0, 0, arguments);
  return answered(connection, "declaring a queue", error);
}

int hito_amqp_bind(
    hito_amqp *connection, const char *queue, const char *exchange, const char *key,
    hito_amqp_error *error) {
  amqp_queue_bind(
      connection->state, hito_channel, amqp_cstring_bytes(queue), amqp_cstring_bytes(exchange),
      amqp_cstring_bytes(key), amqp_empty_table);
  return answered(connection, "binding a queue", error);
}

int hito_amqp_confirm(hito_amqp *connection, hito_amqp_error *error) {
  amqp_confirm_select(connection->state, hito_channel);
  return answered(connection, "asking for confirms", error);
}

int hito_amqp_consume(
    hito_amqp *connection, const char *queue, uint16_t prefetch, hito_amqp_error *error) {
  amqp_basic_qos(connection->state, hito_channel, 0, prefetch, 0);
  if (answered(connection, "asking for a prefetch", error) < 0) return -1;
  amqp_basic_consume(
      connection->state, hito_channel, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, 0, 0,
      amqp_empty_table);
  return hito_amqp_check(amqp_get_rpc_reply(connection->state), "consuming", error);
}

// MARK: Sending

int hito_amqp_publish(
    hito_amqp *connection, const hito_amqp_message *message, hito_amqp_error *error) {
  amqp_basic_properties_t properties;
  memset(&properties, 0, sizeof properties);
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG |
                      AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG |
                      AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_APP_ID_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.message_id = amqp_cstring_bytes(message->message_id);
  properties.type = amqp_cstring_bytes(message->type);
  properties.timestamp = message->timestamp;
  properties.app_id = amqp_cstring_bytes("hito");
  amqp_bytes_t body = {message->body_size, (void *)message->body};
  int status = amqp_basic_publish(
      connection->state, hito_channel, amqp_cstring_bytes(message->exchange),
      amqp_cstring_bytes(message->routing_key), 1, 0, &properties, body);
  return status == AMQP_STATUS_OK ? 0 : hito_amqp_fail_status(error, status, "publishing");
}

int hito_amqp_acknowledge(
    hito_amqp *connection, uint64_t tag, int is_multiple, hito_amqp_error *error) {
  int status = amqp_basic_ack(connection->state, hito_channel, tag, is_multiple);
  return status == AMQP_STATUS_OK ? 0 : hito_amqp_fail_status(error, status, "acknowledging");
}

int hito_amqp_reject(hito_amqp *connection, uint64_t tag, hito_amqp_error *error) {
  int status = amqp_basic_reject(connection->state, hito_channel, tag, 0);
  return status == AMQP_STATUS_OK ? 0 : hito_amqp_fail_status(error, status, "rejecting");
}

// MARK: Receiving

static void copy_text(char *to, size_t size, amqp_bytes_t from) {
  snprintf(to, size, "%.*s", (int)(from.len < size ? from.len : size - 1), (const char *)from.bytes);
}

static int took_method(
    hito_amqp *connection, const amqp_method_t *method, hito_amqp_event *event,
    hito_amqp_error *error) {
  switch (method->id) {
    case AMQP_BASIC_ACK_METHOD: {
      const amqp_basic_ack_t *ack = method->decoded;
      event->kind = HITO_AMQP_CONFIRMED;
      event->tag = ack->delivery_tag;
      event->is_multiple = ack->multiple;
      return 0;
    }
    case AMQP_BASIC_NACK_METHOD: {
      const amqp_basic_nack_t *nack = method->decoded;
      event->kind = HITO_AMQP_REJECTED;
      event->tag = nack->delivery_tag;
      event->is_multiple = nack->multiple;
      return 0;
    }
    case AMQP_BASIC_RETURN_METHOD:
      connection->content = (hito_amqp_content){.kind = HITO_AMQP_RETURNED};
      return 0;
    case AMQP_BASIC_DELIVER_METHOD: {
      const amqp_basic_deliver_t *delivery = method->decoded;
      connection->content =
          (hito_amqp_content){.kind = HITO_AMQP_DELIVERED, .tag = delivery->delivery_tag};
      return 0;
    }
    case AMQP_BASIC_CANCEL_METHOD: event->kind = HITO_AMQP_CANCELLED; return 0;
    case AMQP_CONNECTION_BLOCKED_METHOD: {
      const amqp_connection_blocked_t *blocked = method->decoded;
      event->kind = HITO_AMQP_BLOCKED;
      copy_text(event->text, sizeof event->text, blocked->reason);
      return 0;
    }
    case AMQP_CONNECTION_UNBLOCKED_METHOD: event->kind = HITO_AMQP_UNBLOCKED; return 0;
    default: return hito_amqp_fail_closed(method, error);
  }
}

static int took_header(hito_amqp *connection, const amqp_frame_t *frame, hito_amqp_error *error) {
  hito_amqp_content *content = &connection->content;
  if (content->kind == HITO_AMQP_NOTHING || content->has_header) {
    return hito_amqp_fail(error, HITO_AMQP_GARBLED, 0, "a header without a message");
  }
  uint64_t size = frame->payload.properties.body_size;
  if (size > hito_body_max) {
    return hito_amqp_fail(error, HITO_AMQP_GARBLED, 0, "a message larger than any of ours");
  }
  const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
  if (properties != NULL && (properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) {
    copy_text(content->id, sizeof content->id, properties->message_id);
  }
  content->has_header = 1;
  content->size = size;
  connection->body_count = 0;
  return 0;
}

static int took_body(hito_amqp *connection, amqp_bytes_t part, hito_amqp_error *error) {
  hito_amqp_content *content = &connection->content;
  if (!content->has_header || part.len > content->size - connection->body_count) {
    return hito_amqp_fail(error, HITO_AMQP_GARBLED, 0, "more of a message than it has");
  }
  size_t count = connection->body_count + part.len;
  if (count > connection->body_capacity) {
    // By what came, and not by what the header promises.
    size_t capacity = count * 2 < content->size ? count * 2 : content->size;
    char *grown = realloc(connection->body, capacity);
    if (grown == NULL) return hito_amqp_fail(error, HITO_AMQP_GARBLED, 0, "no memory for a message");
    connection->body = grown;
    connection->body_capacity = capacity;
  }
  memcpy(connection->body + connection->body_count, part.bytes, part.len);
  connection->body_count = count;
  return 0;
}

static void complete(hito_amqp *connection, hito_amqp_event *event) {
  hito_amqp_content *content = &connection->content;
  if (!content->has_header || connection->body_count < content->size) return;
  event->kind = content->kind;
  event->tag = content->tag;
  memcpy(event->text, content->id, sizeof event->text);
  event->body_borrow = connection->body;
  event->body_size = content->size;
  *content = (hito_amqp_content){.kind = HITO_AMQP_NOTHING};
}

int hito_amqp_next(hito_amqp *connection, hito_amqp_event *event, hito_amqp_error *error) {
  event->kind = HITO_AMQP_NOTHING;
  while (event->kind == HITO_AMQP_NOTHING) {
    amqp_frame_t frame;
    struct timeval now = {0, 0};
    int status = amqp_simple_wait_frame_noblock(connection->state, &frame, &now);
    if (status == AMQP_STATUS_TIMEOUT) return 0;
    if (status != AMQP_STATUS_OK) return hito_amqp_fail_status(error, status, "receiving");
    int result = 0;
    switch (frame.frame_type) {
      case AMQP_FRAME_METHOD:
        result = took_method(connection, &frame.payload.method, event, error);
        break;
      case AMQP_FRAME_HEADER: result = took_header(connection, &frame, error); break;
      case AMQP_FRAME_BODY:
        result = took_body(connection, frame.payload.body_fragment, error);
        break;
      default: break;
    }
    if (result < 0) return -1;
    complete(connection, event);
    amqp_maybe_release_buffers(connection->state);
  }
  return 0;
}
