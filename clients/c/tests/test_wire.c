/* Frames and blocks against hand-made bytes: Tests/Vectors/wire/frames.txt, and what may not be. */
#include "check.h"
#include "json.h"
#include "wire.h"

static char *golden;

/* The bytes of a golden frame. */
static uint8_t *frame_of(const char *name, size_t *size) {
  char pattern[64];
  snprintf(pattern, sizeof pattern, "\n%s ", name);
  const char *line = strstr(golden, pattern);
  if (line == NULL) {
    fprintf(stderr, "no golden frame %s\n", name);
    exit(2);
  }
  const char *hex = strchr(line + strlen(pattern), ' ') + 1;
  char *copy = calloc(1, strcspn(hex, "\n") + 1);
  memcpy(copy, hex, strcspn(hex, "\n"));
  uint8_t *bytes = json_unhex(copy, size);
  free(copy);
  return bytes;
}

static void equals(const char *name, struct hi_buffer *made) {
  size_t size;
  uint8_t *bytes = frame_of(name, &size);
  bool is_equal = hi_buffer_size(made) == size && memcmp(hi_buffer_bytes(made), bytes, size) == 0;
  if (!is_equal) fprintf(stderr, "%s:\n", name);
  CHECK(is_equal);
  hi_buffer_free(made);
  free(bytes);
}

static void put_frame(
    struct hi_buffer *out, uint8_t kind, uint8_t flags, uint32_t stream, struct hi_buffer *block, const char *message) {
  size_t size = block == NULL ? 0 : hi_buffer_size(block);
  hi_put_header(out, kind, flags, stream, size + strlen(message));
  if (block != NULL) hi_buffer_append(out, hi_buffer_bytes(block), size);
  hi_buffer_append(out, message, strlen(message));
  if (block != NULL) hi_buffer_free(block);
}

static void check_hello(void) {
  struct hi_buffer block = {0}, out = {0};
  struct hi_hello hello = hi_hello_defaults();
  hello.agent = "test";
  hello.token = "secret";
  hi_hello_encode(&block, &hello);
  put_frame(&out, HI_HELLO, 0, 0, &block, "");
  equals("hello-client", &out);

  size_t size;
  uint8_t *bytes = frame_of("hello-server", &size);
  struct hi_frame frame;
  struct hi_fault fault;
  CHECK(hi_frame_next(bytes, size, HI_FRAME_PAYLOAD_MIN, 0, &frame, &fault) == 1);
  struct hi_hello peer;
  CHECK(hi_hello_decode(&peer, frame.payload, frame.size, &fault));
  CHECK(peer.minor_version == 0 && peer.streams_max == 100 && peer.ping_interval_ms == 10000);
  CHECK(peer.frame_payload_max == 16384 && peer.message_max == 4194304 && !peer.reads_deflate);
  for (size_t cut = 0; cut < size; cut++)
    CHECK(hi_frame_next(bytes, cut, HI_FRAME_PAYLOAD_MIN, 0, &frame, &fault) == 0);
  free(bytes);
}

static void check_call(const char *name, uint8_t flags, uint32_t stream, struct hi_call_head head, const char *message) {
  struct hi_buffer block = {0}, out = {0};
  head.path = "hito.v1.GoalService/CreateGoal";
  CHECK(hi_call_refusal(&head) == NULL);
  hi_call_encode(&block, &head);
  put_frame(&out, HI_CALL, flags, stream, &block, message);
  equals(name, &out);
}

static void check_calls(void) {
  const hito_metadata_entry entries[] = {{"a", "1", 1}, {"b", "\xc3\xb1", 2}};
  check_call("call-unary", 5, 1, (struct hi_call_head){.has_timeout = true, .timeout_us = 30000000, .key = "key-1"}, "\n\3abc");
  check_call(
      "call-all-fields", 4, 3,
      (struct hi_call_head){
          .has_timeout = true, .timeout_us = 1, .key = "k",
          .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", .token = "token",
          .metadata = entries, .metadata_count = 2},
      "x");
  check_call("call-no-message", 0, 5, (struct hi_call_head){0}, "");
  check_call("call-first-fragment", 6, 7, (struct hi_call_head){0}, "abc");
}

static void check_others(void) {
  static const struct { const char *name; uint8_t kind, flags; uint32_t stream; const char *message; } rows[] = {
      {"message-fragment", HI_MESSAGE, 2, 7, "def"}, {"message-last", HI_MESSAGE, 1, 7, "ghi"},
      {"half-close", HI_END, 0, 3, ""}, {"cancel", HI_CANCEL, 0, 5, ""},
      {"ping", HI_PING, 0, 0, "\1\2\3\4\5\6\7\10"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct hi_buffer out = {0};
    put_frame(&out, rows[i].kind, rows[i].flags, rows[i].stream, NULL, rows[i].message);
    equals(rows[i].name, &out);
  }
}

static void check_end_of_call(void) {
  size_t size;
  uint8_t *bytes = frame_of("end-error", &size);
  struct hi_frame frame;
  struct hi_fault fault;
  struct hi_end end;
  CHECK(hi_frame_next(bytes, size, HI_FRAME_PAYLOAD_MIN, 0, &frame, &fault) == 1);
  CHECK(hi_end_decode(&end, frame.payload, frame.size, 1, &fault));
  CHECK(end.status == 5 && strcmp(end.message, "no such goal") == 0 && strcmp(end.resume_cursor, "cursor-9") == 0);
  CHECK(end.details_size == 2 && end.trailers.count == 1 && !end.is_not_started);
  CHECK(strcmp(end.trailers.entries[0].key, "retry") == 0 && strcmp(end.trailers.entries[0].value, "no") == 0);
  hi_end_free(&end);
  free(bytes);
  bytes = frame_of("end-ok", &size);
  CHECK(hi_frame_next(bytes, size, HI_FRAME_PAYLOAD_MIN, 0, &frame, &fault) == 1);
  CHECK(hi_end_decode(&end, frame.payload, frame.size, 1, &fault));
  CHECK(end.status == 0 && end.rest_size == 5 && memcmp(end.rest, "\n\3abc", 5) == 0);
  hi_end_free(&end);
  free(bytes);
  bytes = frame_of("goaway-fault", &size);
  struct hi_goaway goaway;
  CHECK(hi_frame_next(bytes, size, HI_FRAME_PAYLOAD_MIN, 0, &frame, &fault) == 1);
  CHECK(hi_goaway_decode(&goaway, frame.payload, frame.size, &fault));
  CHECK(goaway.last_stream == 7 && goaway.reason == HI_FLOW_CONTROL && strstr(goaway.text, "credit") != NULL);
  free(bytes);
}

/* A header that is not allowed is refused before its payload. */
static void check_headers(void) {
  static const struct { uint32_t size; uint8_t kind, flags; uint32_t stream; enum hi_reason reason; } rows[] = {
      {16385, HI_MESSAGE, 0, 1, HI_FRAME_TOO_LARGE}, {8193, HI_HELLO, 0, 0, HI_FRAME_TOO_LARGE},
      {UINT32_MAX, HI_END, 0, 1, HI_FRAME_TOO_LARGE}, {0, 0, 0, 0, HI_PROTOCOL_ERROR},
      {0, HI_HEAD, 0, 1, HI_PROTOCOL_ERROR}, {2, HI_CALL, 0, 1, HI_PROTOCOL_ERROR},
      {2, HI_MESSAGE, 1, 1, HI_PROTOCOL_ERROR}, {8, HI_PING, 1, 0, HI_PROTOCOL_ERROR},
      {7, HI_PING, 0, 0, HI_PROTOCOL_ERROR}, {2, HI_MESSAGE, 0, 2, HI_PROTOCOL_ERROR},
      {2, HI_MESSAGE, 0, 0x80000001, HI_PROTOCOL_ERROR}, {0, HI_MESSAGE, 2, 1, HI_PROTOCOL_ERROR}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct hi_buffer out = {0};
    struct hi_frame frame;
    struct hi_fault fault;
    hi_put_header(&out, rows[i].kind, rows[i].flags, rows[i].stream, rows[i].size);
    CHECK(hi_frame_next(hi_buffer_bytes(&out), HI_HEADER_SIZE, HI_FRAME_PAYLOAD_MIN, 0, &frame, &fault) == -1);
    CHECK(fault.reason == rows[i].reason);
    hi_buffer_free(&out);
  }
}

static void check_refusals(void) {
  char long_key[66];
  memset(long_key, 'k', 65);
  long_key[65] = 0;
  const hito_metadata_entry rows[] = {
      {"", "v", 1}, {"Key", "v", 1}, {long_key, "v", 1}, {"k", "\0", 1}, {"k", "\xff", 1}, {"k", "v", 8193}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct hi_call_head head = {.path = "p", .metadata = &rows[i], .metadata_count = 1};
    char large[8193] = {0};
    hito_metadata_entry entry = rows[i];
    memset(large, 'v', sizeof large);
    if (entry.size == sizeof large) entry.value = large;
    head.metadata = &entry;
    CHECK(hi_call_refusal(&head) != NULL);
  }
  struct hi_call_head empty_key = {.path = "p", .key = ""};
  CHECK(hi_call_refusal(&empty_key) != NULL);
  const hito_metadata_entry bytes = {"k-bin", "\0\xff", 2};
  struct hi_call_head binary = {.path = "p", .metadata = &bytes, .metadata_count = 1};
  CHECK(hi_call_refusal(&binary) == NULL && hi_has_binary_metadata(&binary));
}

/* No bytes that a server may send lead out of their frame; the sanitizers look. */
static void check_mutations(void) {
  static const char *const names[] = {"end-error", "end-ok", "hello-server", "goaway-fault"};
  srand(1);
  for (int round = 0; round < 20000; round++) {
    size_t size;
    uint8_t *bytes = frame_of(names[round % 4], &size);
    for (int i = 0; i < 3; i++) bytes[HI_HEADER_SIZE + (size_t)rand() % (size - HI_HEADER_SIZE)] = (uint8_t)rand();
    size_t cut = HI_HEADER_SIZE + (size_t)rand() % (size - HI_HEADER_SIZE + 1);
    uint8_t *exact = malloc(cut - HI_HEADER_SIZE + 1);
    memcpy(exact, bytes + HI_HEADER_SIZE, cut - HI_HEADER_SIZE);
    struct hi_fault fault;
    struct hi_end end;
    struct hi_hello hello;
    struct hi_goaway goaway;
    struct hi_metadata head = {0};
    if (hi_end_decode(&end, exact, cut - HI_HEADER_SIZE, (unsigned)round % 2, &fault)) hi_end_free(&end);
    (void)hi_hello_decode(&hello, exact, cut - HI_HEADER_SIZE, &fault);
    (void)hi_goaway_decode(&goaway, exact, cut - HI_HEADER_SIZE, &fault);
    (void)hi_head_decode(&head, exact, cut - HI_HEADER_SIZE, &fault);
    hi_metadata_free(&head);
    free(exact);
    free(bytes);
  }
}

int main(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/wire/frames.txt", vectors());
  golden = read_file(path);
  check_hello();
  check_calls();
  check_others();
  check_end_of_call();
  check_headers();
  check_refusals();
  check_mutations();
  free(golden);
  return check_end("wire");
}
