#include "guard.h"

#include <string.h>

#include "utf8.h"

/* What protobuf-c 1.4 allocates: while it unpacks a message it notes each field that it meets in slabs of 32-byte
 * entries, 16 on the stack, then 32, 64, ... from the allocator. */
enum {
  DEPTH_MAX = 32,
  FIELDS_MAX = 256,
  NOTE_SIZE = 32,
  NOTES_ON_STACK = 16,
  BITMAP_BITS_ON_STACK = 128,
  /* What malloc adds to an allocation, at least. */
  OVERHEAD = 16,
  TAG_BYTES_MAX = 5,
  LENGTH_BYTES_MAX = 5,
  VARINT_BYTES_MAX = 10,
};

/* One message that is being read. */
struct scope {
  const ProtobufCMessageDescriptor *type;
  const uint8_t *at, *end;
  const ProtobufCFieldDescriptor *last_field;
  size_t notes, notes_room;
  /* One bit for each field that was met. */
  uint64_t seen[FIELDS_MAX / 64];
};

static enum hi_verdict check_message(
    size_t *memory, const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, unsigned depth);

/* Takes an allocation out of what memory is left. */
static enum hi_verdict charge(size_t *memory, size_t size) {
  if (size > *memory || *memory - size < OVERHEAD) return HI_TOO_LARGE;
  *memory -= size + OVERHEAD;
  return HI_GOOD;
}

/* Longer forms than needed are legal: some encoders reserve room for a length and fill it in later. */
static enum hi_verdict read_varint(struct scope *s, unsigned bytes_max, uint64_t *value) {
  uint64_t result = 0;
  for (unsigned i = 0; i < bytes_max && s->at < s->end; i++) {
    uint8_t byte = *s->at++;
    if (i == VARINT_BYTES_MAX - 1 && byte > 1) return HI_MALFORMED;
    result |= (uint64_t)(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      *value = result;
      return HI_GOOD;
    }
  }
  return HI_MALFORMED;
}

static enum hi_verdict read_length(struct scope *s, size_t *length) {
  uint64_t value;
  enum hi_verdict verdict = read_varint(s, LENGTH_BYTES_MAX, &value);
  if (verdict != HI_GOOD) return verdict;
  if (value > (uint64_t)(s->end - s->at)) return HI_MALFORMED;
  *length = (size_t)value;
  return HI_GOOD;
}

static enum hi_verdict skip(struct scope *s, size_t count) {
  if ((size_t)(s->end - s->at) < count) return HI_MALFORMED;
  s->at += count;
  return HI_GOOD;
}

static ProtobufCWireType wire_type_of(ProtobufCType type) {
  switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32: case PROTOBUF_C_TYPE_FIXED32: case PROTOBUF_C_TYPE_FLOAT:
      return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64: case PROTOBUF_C_TYPE_FIXED64: case PROTOBUF_C_TYPE_DOUBLE:
      return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING: case PROTOBUF_C_TYPE_BYTES: case PROTOBUF_C_TYPE_MESSAGE:
      return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default: return PROTOBUF_C_WIRE_TYPE_VARINT;
  }
}

/* Size of one element in the array that protobuf-c makes for a repeated field, at most. */
static size_t element_size(ProtobufCType type) {
  return type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData) : 8;
}

static enum hi_verdict count_packed(ProtobufCType type, const uint8_t *bytes, size_t size, size_t *count) {
  ProtobufCWireType wire_type = wire_type_of(type);
  if (wire_type != PROTOBUF_C_WIRE_TYPE_VARINT) {
    size_t width = wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
    *count = size / width;
    return size % width == 0 ? HI_GOOD : HI_MALFORMED;
  }
  size_t width = 0;
  for (size_t i = 0; i < size; i++) {
    width++;
    if (width > VARINT_BYTES_MAX || (width == VARINT_BYTES_MAX && bytes[i] > 1)) return HI_MALFORMED;
    if (bytes[i] < 0x80) width = 0;
  }
  /* Never less than there are. */
  *count = size;
  return width == 0 ? HI_GOOD : HI_MALFORMED;
}

/* Notes that a field was met; returns whether it had been met before. */
static bool mark_seen(struct scope *s, const ProtobufCFieldDescriptor *field) {
  size_t index = (size_t)(field - s->type->fields);
  uint64_t bit = UINT64_C(1) << (index % 64);
  bool was_seen = (s->seen[index / 64] & bit) != 0;
  s->seen[index / 64] |= bit;
  return was_seen;
}

/* A value with a length before it, in a field that the contract knows. */
static enum hi_verdict check_prefixed(
    size_t *memory, struct scope *s, const ProtobufCFieldDescriptor *field, size_t size, unsigned depth) {
  if (field->type == PROTOBUF_C_TYPE_STRING)
    return hi_is_text(s->at, size) ? charge(memory, size + 1) : HI_MALFORMED;
  if (field->type == PROTOBUF_C_TYPE_BYTES) return charge(memory, size);
  return depth == 0 ? HI_TOO_LARGE : check_message(memory, field->descriptor, s->at, size, depth - 1);
}

static enum hi_verdict check_known(
    size_t *memory, struct scope *s, const ProtobufCFieldDescriptor *field, unsigned wire_type, unsigned depth) {
  ProtobufCWireType expected = wire_type_of(field->type);
  bool is_repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
  bool was_seen = mark_seen(s, field);
  size_t size = 0, count = 1;
  uint64_t ignored;
  enum hi_verdict verdict;
  if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
    bool is_packed = is_repeated && expected != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (!is_packed && expected != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) return HI_MALFORMED;
    if (was_seen && !is_repeated && field->type == PROTOBUF_C_TYPE_MESSAGE) return HI_MALFORMED;
    verdict = read_length(s, &size);
    if (verdict != HI_GOOD) return verdict;
    verdict = is_packed ? count_packed(field->type, s->at, size, &count)
                        : check_prefixed(memory, s, field, size, depth);
    s->at += size;
  } else if (wire_type != (unsigned)expected) {
    return HI_MALFORMED;
  } else if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) {
    verdict = read_varint(s, VARINT_BYTES_MAX, &ignored);
  } else {
    verdict = skip(s, wire_type == PROTOBUF_C_WIRE_TYPE_64BIT ? 8 : 4);
  }
  if (verdict != HI_GOOD || !is_repeated) return verdict;
  /* A share of the one array that protobuf-c makes. */
  size_t share = count * element_size(field->type);
  if (share > *memory) return HI_TOO_LARGE;
  *memory -= share;
  return HI_GOOD;
}

/* protobuf-c keeps a copy of every field that it does not know. */
static enum hi_verdict check_unknown(size_t *memory, struct scope *s, unsigned wire_type) {
  const uint8_t *start = s->at;
  uint64_t ignored;
  size_t size;
  enum hi_verdict verdict = HI_MALFORMED;
  if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT) verdict = read_varint(s, VARINT_BYTES_MAX, &ignored);
  if (wire_type == PROTOBUF_C_WIRE_TYPE_64BIT) verdict = skip(s, 8);
  if (wire_type == PROTOBUF_C_WIRE_TYPE_32BIT) verdict = skip(s, 4);
  if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
    verdict = read_length(s, &size);
    if (verdict == HI_GOOD) s->at += size;
  }
  if (verdict != HI_GOOD) return verdict;
  return charge(memory, sizeof(ProtobufCMessageUnknownField) + (size_t)(s->at - start));
}

/* protobuf-c's own notes about one more field. */
static enum hi_verdict charge_note(size_t *memory, struct scope *s) {
  if (s->notes++ < s->notes_room) return HI_GOOD;
  size_t slab = s->notes_room + NOTES_ON_STACK;
  s->notes_room += slab;
  return charge(memory, slab * NOTE_SIZE);
}

static enum hi_verdict check_field(size_t *memory, struct scope *s, unsigned depth) {
  uint64_t tag;
  enum hi_verdict verdict = read_varint(s, TAG_BYTES_MAX, &tag);
  if (verdict != HI_GOOD) return verdict;
  if (tag > UINT32_MAX || tag >> 3 == 0) return HI_MALFORMED;
  verdict = charge_note(memory, s);
  if (verdict != HI_GOOD) return verdict;
  const ProtobufCFieldDescriptor *field = s->last_field;
  if (field == NULL || field->id != tag >> 3) {
    field = protobuf_c_message_descriptor_get_field(s->type, (unsigned)(tag >> 3));
    if (field != NULL) s->last_field = field;
  }
  unsigned wire_type = (unsigned)(tag & 7);
  return field == NULL ? check_unknown(memory, s, wire_type) : check_known(memory, s, field, wire_type, depth);
}

static enum hi_verdict check_message(
    size_t *memory, const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, unsigned depth) {
  if (type->n_fields > FIELDS_MAX) return HI_TOO_LARGE;
  struct scope s = {.type = type, .at = bytes, .end = bytes + size, .notes_room = NOTES_ON_STACK};
  enum hi_verdict verdict = charge(memory, type->sizeof_message);
  if (verdict == HI_GOOD && type->n_fields > BITMAP_BITS_ON_STACK) verdict = charge(memory, type->n_fields / 8 + 1);
  while (verdict == HI_GOOD && s.at < s.end) verdict = check_field(memory, &s, depth);
  return verdict;
}

enum hi_verdict hi_guard_check(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, size_t memory_max) {
  static const uint8_t nothing[1];
  if (size > INT32_MAX) return HI_TOO_LARGE;
  return check_message(&memory_max, type, size == 0 ? nothing : bytes, size, DEPTH_MAX);
}

enum hi_verdict hi_guard_unpack(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, size_t memory_max,
    ProtobufCMessage **message) {
  enum hi_verdict verdict = hi_guard_check(type, bytes, size, memory_max);
  if (verdict != HI_GOOD) return verdict;
  *message = protobuf_c_message_unpack(type, NULL, size, size == 0 ? (const uint8_t *)"" : bytes);
  return *message == NULL ? HI_NO_MEMORY : HI_GOOD;
}
