#include "include/guard.h"

#include <string.h>

#include "utf8.h"

/* What protobuf-c 1.4 allocates, so that the guard can count it beforehand. While unpacking a
 * message, protobuf-c notes each field that it meets in slabs of 32-byte entries: 16 on the
 * stack, then 32, 64, ... from the allocator. */
enum {
  SCANNED_MEMBER_SIZE = 32,
  SCANNED_MEMBERS_ON_STACK = 16,
  FIELD_BITMAP_BITS_ON_STACK = 128,
  TAG_BYTES_MAX = 5,
  LENGTH_BYTES_MAX = 5,
  VARINT_BYTES_MAX = 10,
};

#define MESSAGE_BYTES_MAX ((size_t)0x7fffffff)

typedef struct {
  size_t memory_max;
  hito_decode_report report;
} guard;

/* One message that is being read. */
typedef struct {
  const ProtobufCMessageDescriptor *type;
  const uint8_t *start;
  const uint8_t *at;
  const uint8_t *end;
  const ProtobufCFieldDescriptor *last_field;
  size_t member_count;
  size_t slab_end;
  uint32_t field_number;
  /* One bit for each field that was met. */
  uint64_t seen[HITO_DECODE_FIELDS_MAX / 64];
} scope;

static hito_decode_status check_message(
    guard *g, const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length,
    size_t depth);

static hito_decode_status charge(guard *g, size_t size) {
  size_t rounded = size == 0
      ? HITO_ARENA_ALIGNMENT
      : (size + HITO_ARENA_ALIGNMENT - 1) & ~(size_t)(HITO_ARENA_ALIGNMENT - 1);
  /* `memory` never exceeds `memory_max`, and no size here comes near the limits of size_t. */
  if (rounded > g->memory_max - g->report.memory) return HITO_DECODE_TOO_LARGE;
  g->report.memory += rounded;
  return HITO_DECODE_OK;
}

/* Reads a number of at most `bytes_max` bytes. Longer forms than needed are legal: some encoders
 * reserve room for a length and fill it in later. */
static hito_decode_status read_varint(scope *s, size_t bytes_max, uint64_t *value) {
  uint64_t result = 0;
  for (size_t i = 0; i < bytes_max; i++) {
    if (s->at == s->end) return HITO_DECODE_TRUNCATED;
    uint8_t byte = *s->at++;
    if (i == VARINT_BYTES_MAX - 1 && byte > 1) return HITO_DECODE_BAD_VARINT;
    result |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = result;
      return HITO_DECODE_OK;
    }
  }
  return HITO_DECODE_BAD_VARINT;
}

static hito_decode_status read_length(scope *s, size_t *length) {
  uint64_t value;
  hito_decode_status status = read_varint(s, LENGTH_BYTES_MAX, &value);
  if (status != HITO_DECODE_OK) return status;
  if (value > (uint64_t)(s->end - s->at)) return HITO_DECODE_TRUNCATED;
  *length = (size_t)value;
  return HITO_DECODE_OK;
}

static hito_decode_status skip(scope *s, size_t count) {
  if ((size_t)(s->end - s->at) < count) return HITO_DECODE_TRUNCATED;
  s->at += count;
  return HITO_DECODE_OK;
}

static ProtobufCWireType wire_type_of(ProtobufCType type) {
  switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
      return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
      return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
      return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
      return PROTOBUF_C_WIRE_TYPE_VARINT;
  }
}

/* Size of one element in the array that protobuf-c makes for a repeated field. */
static size_t element_size(ProtobufCType type) {
  switch (type) {
    case PROTOBUF_C_TYPE_BYTES:
      return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
      return sizeof(void *);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
      return 8;
    default:
      return 4;
  }
}

static hito_decode_status count_packed(
    ProtobufCType type, const uint8_t *bytes, size_t length, size_t *count) {
  ProtobufCWireType wire_type = wire_type_of(type);
  if (wire_type != PROTOBUF_C_WIRE_TYPE_VARINT) {
    size_t size = wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
    *count = length / size;
    return length % size == 0 ? HITO_DECODE_OK : HITO_DECODE_BAD_PACKED;
  }
  /* protobuf-c takes the number of bool elements from the number of bytes. */
  size_t counted = 0, width = 0;
  for (size_t i = 0; i < length; i++) {
    width++;
    if (width == VARINT_BYTES_MAX && bytes[i] > 1) return HITO_DECODE_BAD_VARINT;
    if (bytes[i] < 0x80) {
      counted++;
      width = 0;
    }
  }
  *count = type == PROTOBUF_C_TYPE_BOOL ? length : counted;
  return width == 0 ? HITO_DECODE_OK : HITO_DECODE_BAD_PACKED;
}

static hito_decode_status check_text(const uint8_t *bytes, size_t length) {
  if (memchr(bytes, 0, length) != NULL) return HITO_DECODE_NUL_IN_STRING;
  return hito_is_utf8(bytes, length) ? HITO_DECODE_OK : HITO_DECODE_BAD_UTF8;
}

/* Notes that a field was met; returns whether it had been met before. */
static int mark_seen(scope *s, const ProtobufCFieldDescriptor *field) {
  size_t index = (size_t)(field - s->type->fields);
  uint64_t bit = (uint64_t)1 << (index % 64);
  int was_seen = (s->seen[index / 64] & bit) != 0;
  s->seen[index / 64] |= bit;
  return was_seen;
}

/* A value with a length prefix, in a field that the contract knows. */
static hito_decode_status check_prefixed(
    guard *g, scope *s, const ProtobufCFieldDescriptor *field, size_t length, size_t depth) {
  switch (field->type) {
    case PROTOBUF_C_TYPE_STRING: {
      hito_decode_status status = check_text(s->at, length);
      return status == HITO_DECODE_OK ? charge(g, length + 1) : status;
    }
    case PROTOBUF_C_TYPE_BYTES:
      return length == 0 ? HITO_DECODE_OK : charge(g, length);
    default:
      if (depth == 0) return HITO_DECODE_TOO_DEEP;
      return check_message(g, field->descriptor, s->at, length, depth - 1);
  }
}

static hito_decode_status check_known(
    guard *g, scope *s, const ProtobufCFieldDescriptor *field, uint8_t wire_type, size_t depth) {
  ProtobufCWireType expected = wire_type_of(field->type);
  int is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
  int was_seen = mark_seen(s, field);
  size_t length = 0, count = 1;
  hito_decode_status status = HITO_DECODE_OK;

  if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
    int is_packed = is_repeated && expected != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (!is_packed && expected != wire_type) return HITO_DECODE_WIRE_TYPE_MISMATCH;
    if (was_seen && !is_repeated && field->type == PROTOBUF_C_TYPE_MESSAGE)
      return HITO_DECODE_DUPLICATE_MESSAGE;
    status = read_length(s, &length);
    if (status != HITO_DECODE_OK) return status;
    status = is_packed ? count_packed(field->type, s->at, length, &count)
                       : check_prefixed(g, s, field, length, depth);
    s->at += length;
  } else if (wire_type != expected) {
    return HITO_DECODE_WIRE_TYPE_MISMATCH;
  } else if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
    uint64_t ignored;
    status = read_varint(s, VARINT_BYTES_MAX, &ignored);
  } else {
    status = skip(s, wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4);
  }
  if (status != HITO_DECODE_OK || !is_repeated) return status;
  /* The array is rounded up once; `charge` rounds each part, which is never less. */
  return count == 0 ? HITO_DECODE_OK : charge(g, count * element_size(field->type));
}

/* protobuf-c keeps a copy of every field that it does not know. */
static hito_decode_status check_unknown(guard *g, scope *s, uint8_t wire_type) {
  const uint8_t *start = s->at;
  uint64_t ignored;
  size_t length;
  hito_decode_status status;
  switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
      status = read_varint(s, VARINT_BYTES_MAX, &ignored);
      break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
      status = skip(s, 8);
      break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
      status = read_length(s, &length);
      if (status == HITO_DECODE_OK) s->at += length;
      break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
      status = skip(s, 4);
      break;
    default:
      return HITO_DECODE_BAD_WIRE_TYPE;
  }
  if (status != HITO_DECODE_OK) return status;
  status = charge(g, sizeof(ProtobufCMessageUnknownField));
  return status == HITO_DECODE_OK ? charge(g, (size_t)(s->at - start)) : status;
}

/* Counts protobuf-c's own notes about one more field. */
static hito_decode_status charge_member(guard *g, scope *s) {
  if (s->member_count++ < s->slab_end) return HITO_DECODE_OK;
  size_t slab = s->slab_end + SCANNED_MEMBERS_ON_STACK;
  s->slab_end += slab;
  return charge(g, slab * SCANNED_MEMBER_SIZE);
}

static hito_decode_status check_field(guard *g, scope *s, size_t depth) {
  uint64_t tag;
  s->field_number = 0;
  hito_decode_status status = read_varint(s, TAG_BYTES_MAX, &tag);
  if (status == HITO_DECODE_BAD_VARINT) return HITO_DECODE_BAD_TAG;
  if (status != HITO_DECODE_OK) return status;
  if (tag > UINT32_MAX || tag >> 3 == 0) return HITO_DECODE_BAD_TAG;
  s->field_number = (uint32_t)(tag >> 3);

  status = charge_member(g, s);
  if (status != HITO_DECODE_OK) return status;
  const ProtobufCFieldDescriptor *field = s->last_field;
  if (field == NULL || field->id != s->field_number) {
    field = protobuf_c_message_descriptor_get_field(s->type, s->field_number);
    if (field != NULL) s->last_field = field;
  }
  uint8_t wire_type = (uint8_t)(tag & 7);
  return field == NULL ? check_unknown(g, s, wire_type)
                       : check_known(g, s, field, wire_type, depth);
}

/* Called on the way out of a refused message, innermost first. */
static void note_path(guard *g, const scope *s) {
  const ProtobufCFieldDescriptor *field =
      s->field_number == 0 ? NULL
                           : protobuf_c_message_descriptor_get_field(s->type, s->field_number);
  if (field == NULL || g->report.path_count == HITO_DECODE_PATH_MAX) return;
  g->report.path[g->report.path_count++] = field;
}

static hito_decode_status check_message(
    guard *g, const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length,
    size_t depth) {
  if (type->n_fields > HITO_DECODE_FIELDS_MAX) return HITO_DECODE_UNSUPPORTED_TYPE;
  scope s = {
      .type = type, .start = bytes, .at = bytes, .end = bytes + length,
      .slab_end = SCANNED_MEMBERS_ON_STACK};
  hito_decode_status status = charge(g, type->sizeof_message);
  if (status == HITO_DECODE_OK && type->n_fields > FIELD_BITMAP_BITS_ON_STACK)
    status = charge(g, (type->n_fields + 7) / 8);

  const uint8_t *field_start = bytes;
  while (status == HITO_DECODE_OK && s.at < s.end) {
    field_start = s.at;
    status = check_field(g, &s, depth);
  }
  if (status == HITO_DECODE_OK) return status;
  int is_innermost = g->report.status == HITO_DECODE_OK;
  if (is_innermost) {
    g->report.status = status;
    g->report.field_number = s.field_number;
    g->report.offset = (size_t)(field_start - bytes);
  }
  note_path(g, &s);
  if (is_innermost) g->report.names_field = g->report.path_count > 0;
  return status;
}

hito_decode_report hito_guard_check(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length,
    hito_decode_limits limits) {
  guard g = {.memory_max = limits.memory_max};
  if (length > MESSAGE_BYTES_MAX) {
    g.report.status = HITO_DECODE_TOO_LARGE;
    return g.report;
  }
  size_t depth =
      limits.depth_max > HITO_DECODE_DEPTH_MAX ? HITO_DECODE_DEPTH_MAX : limits.depth_max;
  check_message(&g, type, bytes, length, depth);
  return g.report;
}

ProtobufCMessage *hito_unpack(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length,
    hito_decode_limits limits, hito_arena *arena, hito_decode_report *report) {
  *report = hito_guard_check(type, bytes, length, limits);
  if (report->status != HITO_DECODE_OK) return NULL;
  ProtobufCAllocator allocator = hito_arena_allocator(arena);
  ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, length, bytes);
  if (message == NULL) report->status = HITO_DECODE_OUT_OF_MEMORY;
  return message;
}

size_t hito_decode_path(const hito_decode_report *report, char *text, size_t capacity) {
  if (capacity == 0) return 0;
  size_t length = 0;
  for (size_t i = report->path_count; i > 0; i--) {
    if (length > 0 && length + 1 < capacity) text[length++] = '.';
    for (const char *c = report->path[i - 1]->name; *c != 0 && length + 1 < capacity; c++)
      text[length++] = *c;
  }
  text[length] = 0;
  return length;
}
