/* What is fuzzed: whatever the guard accepts, protobuf-c must unpack within the memory that the
 * guard counted, and the guard must accept it again after packing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CFuzzGuard.h"
#include "CProtobufC.h"
#include "fixture/v1/everything.pb-c.h"

static const ProtobufCMessageDescriptor *const types[] = {
    &fixture__v1__scalars__descriptor, &fixture__v1__lists__descriptor,
    &fixture__v1__maps__descriptor,    &fixture__v1__choices__descriptor,
    &fixture__v1__tree__descriptor,    &fixture__v1__names__descriptor,
    &fixture__v1__nothing__descriptor,
};

static const hito_decode_limits limits = {.depth_max = 32, .memory_max = 1 << 20};

static void fail(const char *what) {
  fprintf(stderr, "%s\n", what);
  abort();
}

static void check_again(const ProtobufCMessage *message) {
  size_t size = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(size + 1);
  if (protobuf_c_message_pack(message, bytes) != size) fail("packed size differs");
  /* Packing may use longer numbers than the sender did, so the room is larger. */
  hito_decode_limits room = {.depth_max = 32, .memory_max = 1 << 22};
  hito_decode_report report = hito_guard_check(message->descriptor, bytes, size, room);
  if (report.status != HITO_DECODE_OK) fail("our own bytes are refused");
  free(bytes);
}

void hito_fuzz_guard(const uint8_t *data, size_t size) {
  if (size == 0) return;
  const ProtobufCMessageDescriptor *type = types[data[0] % (sizeof types / sizeof types[0])];
  size_t length = size - 1;
  /* An exact copy, so that a read beyond the end is seen. */
  uint8_t *bytes = malloc(length > 0 ? length : 1);
  memcpy(bytes, data + 1, length);

  hito_arena arena;
  hito_decode_report report;
  hito_arena_begin(&arena, limits.memory_max);
  ProtobufCMessage *message = hito_unpack(type, bytes, length, limits, &arena, &report);
  if (message != NULL) {
    if (arena.used > report.memory) fail("unpacking took more memory than was counted");
    check_again(message);
  } else if (report.status == HITO_DECODE_OK || report.status == HITO_DECODE_OUT_OF_MEMORY) {
    fail("accepted, but not unpacked");
  } else {
    char path[40];
    hito_decode_path(&report, path, sizeof path);
  }
  hito_arena_end(&arena);
  free(bytes);
}
