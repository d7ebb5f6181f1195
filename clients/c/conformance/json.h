/* As much of JSON as the lines of the conformance runner need. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_LIST, JSON_OBJECT };

/* A value; of a list or an object its members are linked by `next`, and those of an object have keys. */
struct json {
  enum json_kind kind;
  double number;
  bool is_true;
  /* With a NUL behind its `size` bytes. */
  char *text;
  size_t size;
  char *key;
  struct json *members, *next;
};

/* NULL where the text is no JSON. */
struct json *json_parse(const char *text);
void json_free(struct json *value);

const struct json *json_get(const struct json *object, const char *key);
const char *json_text(const struct json *object, const char *key);
int64_t json_number(const struct json *object, const char *key, int64_t otherwise);
bool json_bool(const struct json *object, const char *key, bool otherwise);

/* Bytes of hexadecimal text; the caller frees them. */
uint8_t *json_unhex(const char *text, size_t *size);

/* Writing: to standard output. */
void json_put_string(const char *text);
void json_put_hex(const void *bytes, size_t size);
