#include "wire.h"

#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int broken(struct hi_fault *fault, const char *text) {
  *fault = (struct hi_fault){HI_PROTOCOL_ERROR, text};
  return -1;
}

static bool is_on_connection(uint8_t kind) {
  return kind == HI_HELLO || kind == HI_PING || kind == HI_PONG || kind == HI_GOAWAY;
}

/* The flags that a server may set on a kind (W2.4); -1 for a kind that it may not send. */
static int allowed_flags(uint8_t kind, unsigned minor) {
  int compressed = minor >= 1 ? HI_FLAG_COMPRESSED : 0;
  switch (kind) {
    case HI_HELLO: case HI_CREDIT: case HI_PING: case HI_PONG: case HI_GOAWAY: return 0;
    case HI_MESSAGE: return HI_FLAG_MORE | compressed;
    case HI_END: return HI_FLAG_HAS_MESSAGE | compressed;
    case HI_HEAD: return minor >= 1 ? 0 : -1;
    default: return -1;
  }
}

static bool check_header(const struct hi_frame *frame, uint32_t payload_max, unsigned minor, struct hi_fault *fault) {
  if (frame->size > (frame->kind == HI_HELLO ? HI_HELLO_PAYLOAD_MAX : payload_max)) {
    *fault = (struct hi_fault){HI_FRAME_TOO_LARGE, "a frame that is too large"};
    return false;
  }
  int allowed = allowed_flags(frame->kind, minor);
  bool is_bare = frame->kind == HI_END && frame->flags == HI_FLAG_COMPRESSED;
  if (allowed < 0 || (frame->flags & ~allowed) != 0 || is_bare)
    return broken(fault, "a kind of frame or a flag that is not allowed"), false;
  bool on_connection = frame->stream == 0 && (is_on_connection(frame->kind) || frame->kind == HI_CREDIT);
  bool on_call = frame->stream % 2 == 1 && frame->stream <= HI_STREAM_ID_MAX && !is_on_connection(frame->kind);
  if (!on_connection && !on_call) return broken(fault, "a frame on a stream where it may not be"), false;
  bool is_ping = frame->kind == HI_PING || frame->kind == HI_PONG;
  bool is_empty_fragment = frame->kind == HI_MESSAGE && (frame->flags & HI_FLAG_MORE) != 0 && frame->size == 0;
  if ((is_ping && frame->size != 8) || (frame->kind == HI_CREDIT && frame->size != 4) || is_empty_fragment)
    return broken(fault, "a frame of a size that is not allowed"), false;
  return true;
}

int hi_frame_next(
    const uint8_t *bytes, size_t size, uint32_t payload_max, unsigned minor, struct hi_frame *frame,
    struct hi_fault *fault) {
  if (size < HI_HEADER_SIZE) return 0;
  *frame = (struct hi_frame){
      .size = hi_get_u32(bytes), .kind = bytes[4], .flags = bytes[5], .stream = hi_get_u32(bytes + 6),
      .payload = bytes + HI_HEADER_SIZE};
  if (!check_header(frame, payload_max, minor, fault)) return -1;
  return size - HI_HEADER_SIZE < frame->size ? 0 : 1;
}

void hi_put_header(struct hi_buffer *out, uint8_t kind, uint8_t flags, uint32_t stream, size_t payload_size) {
  hi_put_u32(out, (uint32_t)payload_size);
  hi_put_u8(out, kind);
  hi_put_u8(out, flags);
  hi_put_u32(out, stream);
}

bool hi_block_open(struct hi_block *block, const uint8_t *payload, size_t size, struct hi_fault *fault) {
  if (size < 2) return broken(fault, "a block without its length"), false;
  size_t length = hi_get_u16(payload);
  if (length > size - 2) return broken(fault, "a block that runs past its frame"), false;
  *block = (struct hi_block){
      .at = payload + 2, .end = payload + 2 + length, .rest = payload + 2 + length, .rest_size = size - 2 - length};
  return true;
}

int hi_block_next(struct hi_block *block, struct hi_field *field, struct hi_fault *fault) {
  size_t left = (size_t)(block->end - block->at);
  if (left == 0) return 0;
  if (left < 3) return broken(fault, "a field that runs past its block");
  *field = (struct hi_field){.tag = block->at[0], .size = hi_get_u16(block->at + 1), .value = block->at + 3};
  if (field->size > left - 3) return broken(fault, "a field that runs past its block");
  block->at += 3 + field->size;
  return 1;
}

/* Notes that a tag below 32 was met, which may be once. */
static bool first_time(uint32_t *seen, uint8_t tag, struct hi_fault *fault) {
  uint32_t bit = UINT32_C(1) << tag;
  if ((*seen & bit) != 0) return broken(fault, "a field that occurs twice"), false;
  *seen |= bit;
  return true;
}

static bool number(const struct hi_field *field, size_t width, struct hi_fault *fault) {
  if (field->size != width) return broken(fault, "a number of a wrong width"), false;
  return true;
}

struct hi_hello hi_hello_defaults(void) {
  return (struct hi_hello){
      .frame_payload_max = HI_FRAME_PAYLOAD_MIN, .message_max = 4 << 20, .streams_max = 100,
      .stream_credit = 256 << 10, .connection_credit = 1 << 20, .ping_interval_ms = 10000};
}

static void put_field(struct hi_buffer *out, uint8_t tag, const void *value, size_t size) {
  hi_put_u8(out, tag);
  hi_put_u16(out, (uint16_t)size);
  hi_buffer_append(out, value, size);
}

static void put_number(struct hi_buffer *out, uint8_t tag, uint32_t value) {
  hi_put_u8(out, tag);
  hi_put_u16(out, 4);
  hi_put_u32(out, value);
}

static void put_block(struct hi_buffer *out, struct hi_buffer *fields) {
  hi_put_u16(out, (uint16_t)hi_buffer_size(fields));
  hi_buffer_append(out, hi_buffer_bytes(fields), hi_buffer_size(fields));
  if (fields->has_failed) out->has_failed = true;
  hi_buffer_free(fields);
}

void hi_hello_encode(struct hi_buffer *out, const struct hi_hello *hello) {
  struct hi_buffer fields = {0};
  hi_put_u8(&fields, 1);
  hi_put_u16(&fields, 2);
  hi_put_u16(&fields, hello->minor_version);
  if (hello->agent != NULL) put_field(&fields, 2, hello->agent, strlen(hello->agent));
  put_number(&fields, 3, hello->frame_payload_max);
  put_number(&fields, 4, hello->message_max);
  put_number(&fields, 6, hello->stream_credit);
  put_number(&fields, 7, hello->connection_credit);
  if (hello->reads_deflate) put_field(&fields, 11, "\1", 1);
  if (hello->token != NULL) put_field(&fields, 8, hello->token, strlen(hello->token));
  put_block(out, &fields);
}

/* One field of a server's HELLO. */
static bool take_hello_field(struct hi_hello *hello, const struct hi_field *field, struct hi_fault *fault) {
  uint32_t *numbers[] = {
      [3] = &hello->frame_payload_max, [4] = &hello->message_max, [5] = &hello->streams_max,
      [6] = &hello->stream_credit, [7] = &hello->connection_credit, [9] = &hello->ping_interval_ms};
  switch (field->tag) {
    case 1:
      if (!number(field, 2, fault)) return false;
      hello->minor_version = hi_get_u16(field->value);
      return true;
    case 3: case 4: case 5: case 6: case 7: case 9:
      if (!number(field, 4, fault)) return false;
      *numbers[field->tag] = hi_get_u32(field->value);
      return true;
    case 2: case 8: case 10:
      if (field->size > (field->tag == 8 ? 256 : 128) || !hi_is_text(field->value, field->size))
        return broken(fault, "text in HELLO that is not allowed"), false;
      if (field->tag == 10) memcpy(hello->server_id, field->value, field->size);
      return true;
    default:
      if (field->size > 16) return broken(fault, "HELLO lists too many encodings"), false;
      hello->reads_deflate = memchr(field->value, HI_DEFLATE, field->size) != NULL;
      return true;
  }
}

bool hi_hello_decode(struct hi_hello *hello, const uint8_t *payload, size_t size, struct hi_fault *fault) {
  *hello = hi_hello_defaults();
  struct hi_block block;
  struct hi_field field;
  uint32_t seen = 0;
  int more;
  if (!hi_block_open(&block, payload, size, fault)) return false;
  if (block.rest_size > 0) return broken(fault, "bytes after the block of HELLO"), false;
  while ((more = hi_block_next(&block, &field, fault)) == 1) {
    if (field.tag < 1 || field.tag > 11) continue;
    if (!first_time(&seen, field.tag, fault) || !take_hello_field(hello, &field, fault)) return false;
  }
  if (more < 0) return false;
  if (hello->frame_payload_max < HI_FRAME_PAYLOAD_MIN || hello->frame_payload_max > HI_FRAME_PAYLOAD_MAX ||
      hello->message_max < HI_MESSAGE_MAX_MIN || hello->stream_credit > HI_CREDIT_MAX ||
      hello->connection_credit > HI_CREDIT_MAX)
    return broken(fault, "a limit in HELLO that is out of its range"), false;
  return true;
}

static bool is_sendable(const char *text, size_t max) {
  if (text == NULL) return true;
  size_t size = strlen(text);
  return size >= 1 && size <= max && hi_is_utf8((const uint8_t *)text, size);
}

static bool is_binary(const char *key) {
  size_t size = strlen(key);
  return size >= 4 && strcmp(key + size - 4, "-bin") == 0;
}

static const char *metadata_refusal(const struct hi_call_head *head) {
  size_t total = 0;
  if (head->metadata_count > HI_METADATA_ENTRIES_MAX) return "metadata: more than 64 entries";
  for (size_t i = 0; i < head->metadata_count; i++) {
    const hito_metadata_entry *entry = &head->metadata[i];
    size_t size = strlen(entry->key);
    if (size < 1 || size > 64 || strspn(entry->key, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != size)
      return "metadata: a key is 1 to 64 of a-z 0-9 _ . -";
    if (!is_binary(entry->key) && !hi_is_text(entry->value, entry->size))
      return "metadata: values are UTF-8 without NUL, or bytes under a key that ends with -bin";
    if (entry->size > HI_METADATA_BYTES_MAX) return "metadata: more than 8192 bytes";
    total += size + entry->size;
  }
  return total > HI_METADATA_BYTES_MAX ? "metadata: more than 8192 bytes" : NULL;
}

const char *hi_call_refusal(const struct hi_call_head *head) {
  if (!is_sendable(head->path, 256)) return "method path: 1 to 256 bytes of UTF-8";
  if (!is_sendable(head->key, 128)) return "idempotency key: 1 to 128 bytes of UTF-8";
  if (!is_sendable(head->traceparent, 128)) return "traceparent: 1 to 128 bytes of UTF-8";
  if (!is_sendable(head->token, 256)) return "token: 1 to 256 bytes of UTF-8";
  return metadata_refusal(head);
}

bool hi_has_binary_metadata(const struct hi_call_head *head) {
  for (size_t i = 0; i < head->metadata_count; i++)
    if (is_binary(head->metadata[i].key)) return true;
  return false;
}

static void put_text(struct hi_buffer *out, uint8_t tag, const char *text) {
  if (text != NULL) put_field(out, tag, text, strlen(text));
}

void hi_call_encode(struct hi_buffer *out, const struct hi_call_head *head) {
  struct hi_buffer fields = {0};
  put_text(&fields, 1, head->path);
  if (head->has_timeout) {
    hi_put_u8(&fields, 2);
    hi_put_u16(&fields, 8);
    hi_put_u64(&fields, head->timeout_us);
  }
  put_text(&fields, 3, head->key);
  put_text(&fields, 4, head->traceparent);
  put_text(&fields, 5, head->token);
  for (size_t i = 0; i < head->metadata_count; i++) {
    const hito_metadata_entry *entry = &head->metadata[i];
    size_t key_size = strlen(entry->key);
    hi_put_u8(&fields, 6);
    hi_put_u16(&fields, (uint16_t)(1 + key_size + entry->size));
    hi_put_u8(&fields, (uint8_t)key_size);
    hi_buffer_append(&fields, entry->key, key_size);
    hi_buffer_append(&fields, entry->value, entry->size);
  }
  put_block(out, &fields);
}

static bool take_end_field(
    struct hi_end *end, const struct hi_field *field, uint32_t *seen, unsigned minor, struct hi_fault *fault) {
  if (field->tag == 6) return hi_metadata_add(&end->trailers, field, minor, fault);
  if (field->tag < 1 || field->tag > 8 || field->tag == 5) return true;
  if (!first_time(seen, field->tag, fault)) return false;
  switch (field->tag) {
    case 1:
      if (!number(field, 2, fault)) return false;
      end->status = hi_get_u16(field->value);
      return true;
    case 2: end->message = hi_lenient_text(field->value, field->size); return true;
    case 3:
      end->details = field->value;
      end->details_size = field->size;
      return true;
    case 4: end->resume_cursor = hi_lenient_text(field->value, field->size); return true;
    case 7: return number(field, 8, fault);
    default:
      if (field->size > 0) return broken(fault, "END's field 8 carries bytes"), false;
      end->is_not_started = true;
      return true;
  }
}

bool hi_end_decode(
    struct hi_end *end, const uint8_t *payload, size_t size, unsigned minor, struct hi_fault *fault) {
  *end = (struct hi_end){0};
  struct hi_block block;
  struct hi_field field;
  uint32_t seen = 0;
  if (!hi_block_open(&block, payload, size, fault)) return false;
  end->rest = block.rest;
  end->rest_size = block.rest_size;
  int more;
  while ((more = hi_block_next(&block, &field, fault)) == 1 && take_end_field(end, &field, &seen, minor, fault)) {
  }
  if (more == 0) return true;
  hi_end_free(end);
  return false;
}

bool hi_head_decode(struct hi_metadata *metadata, const uint8_t *payload, size_t size, struct hi_fault *fault) {
  struct hi_block block;
  struct hi_field field;
  int more;
  if (!hi_block_open(&block, payload, size, fault)) return false;
  if (block.rest_size > 0) return broken(fault, "bytes after the block of HEAD"), false;
  while ((more = hi_block_next(&block, &field, fault)) == 1)
    if (field.tag == 6 && !hi_metadata_add(metadata, &field, 1, fault)) return false;
  return more == 0;
}

bool hi_goaway_decode(struct hi_goaway *goaway, const uint8_t *payload, size_t size, struct hi_fault *fault) {
  if (size < 6) return broken(fault, "a short GOAWAY"), false;
  uint16_t reason = hi_get_u16(payload + 4);
  *goaway = (struct hi_goaway){
      .last_stream = hi_get_u32(payload), .reason = reason > HI_MAX_AGE ? HI_REASON_INTERNAL : (enum hi_reason)reason};
  char *text = hi_lenient_text(payload + 6, size - 6 > 512 ? 512 : size - 6);
  if (text != NULL) memcpy(goaway->text, text, strlen(text));
  free(text);
  return true;
}

bool hi_is_drain(enum hi_reason reason) {
  return reason == HI_NO_ERROR || reason == HI_IDLE || reason == HI_MAX_AGE;
}
