/* Reads a message before protobuf-c does, because protobuf-c 1.4 has no limit of depth, takes bad UTF-8, ends text at
 * NUL, merges a repeated sub-message wrongly and in quadratic time, and needs up to 28 times the memory of the bytes.
 *
 * Bytes that the specification allows and this refuses; no encoder of Hito writes them: a singular sub-message twice,
 * groups, a known field with a foreign wire type, U+0000 in a string field. */
#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

enum hi_verdict {
  HI_GOOD,
  /* Not a message of its type, or one that protobuf-c would read wrongly. */
  HI_MALFORMED,
  /* It would take more memory than it may, or is nested too deeply. */
  HI_TOO_LARGE,
  HI_NO_MEMORY,
};

/* Checks the whole message without allocating, in time linear in its size; `memory_max` bounds what protobuf-c needs
 * for it. */
enum hi_verdict hi_guard_check(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, size_t memory_max);

/* Checks and unpacks with the system's allocator; free with protobuf_c_message_free_unpacked(message, NULL). */
enum hi_verdict hi_guard_unpack(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t size, size_t memory_max,
    ProtobufCMessage **message);
