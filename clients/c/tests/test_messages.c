/* Messages against the golden ones of Tests/Vectors/messages/vectors.json, and against what would hurt protobuf-c. */
#include "check.h"
#include "fixture/v1/everything.pb-c.h"
#include "guard.h"
#include "json.h"

enum { MEMORY = 1 << 20 };

static const ProtobufCMessageDescriptor *const types[] = {
    &fixture__v1__choices__descriptor, &fixture__v1__scalars__descriptor, &fixture__v1__lists__descriptor,
    &fixture__v1__maps__descriptor, &fixture__v1__tree__descriptor, &fixture__v1__leaf__descriptor,
    &fixture__v1__names__descriptor};

static const ProtobufCMessageDescriptor *type_of(const char *name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (strcmp(types[i]->name, name) == 0) return types[i];
  fprintf(stderr, "no type %s\n", name);
  exit(2);
}

/* What protobuf-c writes of a message that it has read, without the fields that it does not know. */
static bool writes(ProtobufCMessage *message, const char *hex) {
  size_t size, expected_size;
  uint8_t *expected = json_unhex(hex, &expected_size);
  size = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(size + 1);
  protobuf_c_message_pack(message, bytes);
  bool is_equal = size == expected_size && memcmp(bytes, expected, size) == 0;
  free(bytes);
  free(expected);
  return is_equal;
}

static void check_vector(const struct json *vector) {
  size_t size;
  uint8_t *bytes = json_unhex(json_text(vector, "bytes"), &size);
  const ProtobufCMessageDescriptor *type = type_of(json_text(vector, "type"));
  ProtobufCMessage *message = NULL;
  bool is_refused = json_get(vector, "reason") != NULL;
  enum hi_verdict verdict = hi_guard_unpack(type, bytes, size, MEMORY, &message);
  if ((verdict == HI_GOOD) == is_refused) fprintf(stderr, "%s:\n", json_text(vector, "name"));
  CHECK((verdict == HI_GOOD) == !is_refused);
  /* What is lossy, maps, and fields that are not known protobuf-c writes in its own way. */
  const char *again = json_text(vector, "reencoded");
  bool is_plain = json_get(vector, "lossy") == NULL && strstr(json_text(vector, "name"), "unknown") == NULL &&
                  (again == NULL || type != &fixture__v1__maps__descriptor);
  if (verdict == HI_GOOD && is_plain) {
    bool is_same = writes(message, again == NULL ? json_text(vector, "bytes") : again);
    if (!is_same) fprintf(stderr, "%s:\n", json_text(vector, "name"));
    CHECK(is_same);
  }
  if (message != NULL) protobuf_c_message_free_unpacked(message, NULL);
  free(bytes);
}

/* Memory that a small message would need. */
static void check_amplification(void) {
  /* 32 KiB of empty sub-messages: two bytes each, and a structure for each of them. */
  static uint8_t bytes[32768];
  const ProtobufCFieldDescriptor *field = NULL;
  for (unsigned i = 0; i < fixture__v1__tree__descriptor.n_fields; i++) {
    const ProtobufCFieldDescriptor *one = &fixture__v1__tree__descriptor.fields[i];
    if (one->label == PROTOBUF_C_LABEL_REPEATED && one->type == PROTOBUF_C_TYPE_MESSAGE) field = one;
  }
  if (field == NULL) return;
  for (size_t i = 0; i < sizeof bytes; i += 2) bytes[i] = (uint8_t)(field->id << 3 | 2);
  ProtobufCMessage *message = NULL;
  CHECK(hi_guard_unpack(&fixture__v1__tree__descriptor, bytes, sizeof bytes, 4 * sizeof bytes, &message) == HI_TOO_LARGE);
  CHECK(hi_guard_unpack(&fixture__v1__tree__descriptor, bytes, sizeof bytes, 128 * sizeof bytes, &message) == HI_GOOD);
  protobuf_c_message_free_unpacked(message, NULL);
}

/* Whatever is made of good bytes, the guard lets through only what protobuf-c reads; the sanitizers look. */
static void check_mutations(const struct json *list) {
  srand(2);
  for (const struct json *vector = list; vector != NULL; vector = vector->next) {
    const ProtobufCMessageDescriptor *type = type_of(json_text(vector, "type"));
    for (int round = 0; round < 60; round++) {
      size_t size;
      uint8_t *bytes = json_unhex(json_text(vector, "bytes"), &size);
      for (int i = 0; size > 0 && i < 1 + round % 3; i++) bytes[(size_t)rand() % size] = (uint8_t)rand();
      ProtobufCMessage *message = NULL;
      enum hi_verdict verdict = hi_guard_unpack(type, bytes, size, MEMORY, &message);
      CHECK(verdict != HI_NO_MEMORY);
      if (message != NULL) protobuf_c_message_free_unpacked(message, NULL);
      free(bytes);
    }
  }
}

int main(void) {
  char path[512];
  snprintf(path, sizeof path, "%s/messages/vectors.json", vectors());
  char *text = read_file(path);
  struct json *file = json_parse(text);
  CHECK(file != NULL);
  if (file == NULL) return check_end("messages");
  const struct json *list = json_get(file, "vectors")->members;
  for (const struct json *vector = list; vector != NULL; vector = vector->next) check_vector(vector);
  check_amplification();
  check_mutations(list);
  json_free(file);
  free(text);
  return check_end("messages");
}
