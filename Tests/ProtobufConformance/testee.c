/* What the official protobuf conformance runner talks to: the server's codec, the guard and protobuf-c
 * behind it with the limits of the server, for the proto3 test message, binary in and binary out.
 * Everything else that the runner asks for is skipped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CProtobufC.h"
#include "conformance/conformance.pb-c.h"
#include "conformance/messages/test_messages_proto3.pb-c.h"

static const hito_decode_limits limits = {.depth_max = 32, .memory_max = 8 << 20};
static const ProtobufCMessageDescriptor *const tested =
    &protobuf_test_messages__proto3__test_all_types_proto3__descriptor;

static int read_all(void *bytes, size_t size) {
  for (char *at = bytes; size > 0;) {
    ssize_t count = read(0, at, size);
    if (count <= 0) return 0;
    at += count;
    size -= (size_t)count;
  }
  return 1;
}

static void write_all(const void *bytes, size_t size) {
  for (const char *at = bytes; size > 0;) {
    ssize_t count = write(1, at, size);
    if (count <= 0) exit(1);
    at += count;
    size -= (size_t)count;
  }
}

/* The payload's message, written again: what `answer` points to lives as long as `arena`. */
static void convert(
    ProtobufCBinaryData payload, hito_arena *arena, Conformance__ConformanceResponse *answer) {
  static char why[128];
  hito_decode_report report;
  ProtobufCMessage *message =
      hito_unpack(tested, payload.data, payload.len, limits, arena, &report);
  if (message == NULL) {
    snprintf(why, sizeof why, "refused with status %d", (int)report.status);
    answer->result_case = CONFORMANCE__CONFORMANCE_RESPONSE__RESULT_PARSE_ERROR;
    answer->parse_error = why;
    return;
  }
  size_t size = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(size + 1);
  if (bytes == NULL) exit(1);
  protobuf_c_message_pack(message, bytes);
  answer->result_case = CONFORMANCE__CONFORMANCE_RESPONSE__RESULT_PROTOBUF_PAYLOAD;
  answer->protobuf_payload.data = bytes;
  answer->protobuf_payload.len = size;
}

static void serve(const Conformance__ConformanceRequest *request) {
  Conformance__ConformanceResponse answer = CONFORMANCE__CONFORMANCE_RESPONSE__INIT;
  hito_arena arena;
  hito_arena_begin(&arena, limits.memory_max);
  if (strcmp(request->message_type, tested->name) != 0 ||
      request->payload_case != CONFORMANCE__CONFORMANCE_REQUEST__PAYLOAD_PROTOBUF_PAYLOAD ||
      request->requested_output_format != CONFORMANCE__WIRE_FORMAT__PROTOBUF) {
    answer.result_case = CONFORMANCE__CONFORMANCE_RESPONSE__RESULT_SKIPPED;
    answer.skipped = "proto3 in binary only";
  } else {
    convert(request->protobuf_payload, &arena, &answer);
  }
  uint32_t size = (uint32_t)conformance__conformance_response__get_packed_size(&answer);
  uint8_t *bytes = malloc(size + sizeof size);
  if (bytes == NULL) exit(1);
  memcpy(bytes, &size, sizeof size);
  conformance__conformance_response__pack(&answer, bytes + sizeof size);
  write_all(bytes, size + sizeof size);
  free(bytes);
  if (answer.result_case == CONFORMANCE__CONFORMANCE_RESPONSE__RESULT_PROTOBUF_PAYLOAD) {
    free(answer.protobuf_payload.data);
  }
  hito_arena_end(&arena);
}

int main(void) {
  uint32_t size;
  while (read_all(&size, sizeof size)) {
    uint8_t *bytes = malloc(size + 1);
    if (bytes == NULL || !read_all(bytes, size)) return 1;
    Conformance__ConformanceRequest *request =
        conformance__conformance_request__unpack(NULL, size, bytes);
    if (request == NULL) return 1;
    serve(request);
    conformance__conformance_request__free_unpacked(request, NULL);
    free(bytes);
  }
  return 0;
}
