#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

struct reader {
  const char *at;
  int depth;
};

static struct json *read_value(struct reader *reader);

static void skip_space(struct reader *reader) { reader->at += strspn(reader->at, " \t\r\n"); }

static bool take(struct reader *reader, const char *word) {
  skip_space(reader);
  size_t size = strlen(word);
  if (strncmp(reader->at, word, size) != 0) return false;
  reader->at += size;
  return true;
}

static void *checked(void *memory) {
  if (memory == NULL) abort();
  return memory;
}

static char *put_utf8(char *to, unsigned long code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | (code >> 6));
    *to++ = (char)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *to++ = (char)(0xe0 | (code >> 12));
    *to++ = (char)(0x80 | ((code >> 6) & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  } else {
    *to++ = (char)(0xf0 | (code >> 18));
    *to++ = (char)(0x80 | ((code >> 12) & 0x3f));
    *to++ = (char)(0x80 | ((code >> 6) & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  }
  return to;
}

static unsigned long read_four(struct reader *reader) {
  char digits[5] = {0};
  strncpy(digits, reader->at, 4);
  reader->at += strlen(digits);
  return strtoul(digits, NULL, 16);
}

static char *read_escape(struct reader *reader, char *to) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  char name = *reader->at++;
  if (name == 'u') {
    unsigned long code = read_four(reader);
    if (code >= 0xd800 && code < 0xdc00 && reader->at[0] == '\\' && reader->at[1] == 'u') {
      reader->at += 2;
      code = 0x10000 + ((code - 0xd800) << 10) + (read_four(reader) - 0xdc00);
    }
    return put_utf8(to, code);
  }
  const char *place = strchr(names, name);
  if (place != NULL) *to++ = values[place - names];
  return to;
}

/* The text of a string, behind its first quote; NULL where it does not end. */
static char *read_string(struct reader *reader, size_t *size) {
  const char *end = reader->at;
  while (*end != '"' && *end != 0) end += *end == '\\' && end[1] != 0 ? 2 : 1;
  if (*end == 0) return NULL;
  char *text = checked(malloc((size_t)(end - reader->at) + 1)), *to = text;
  while (reader->at < end) {
    if (*reader->at == '\\') {
      reader->at++;
      to = read_escape(reader, to);
    } else {
      *to++ = *reader->at++;
    }
  }
  reader->at = end + 1;
  *to = 0;
  *size = (size_t)(to - text);
  return text;
}

static bool read_members(struct reader *reader, struct json *parent, const char *end) {
  struct json **place = &parent->members;
  if (take(reader, end)) return true;
  do {
    char *key = NULL;
    size_t size;
    if (parent->kind == JSON_OBJECT) {
      if (!take(reader, "\"") || (key = read_string(reader, &size)) == NULL) return false;
      if (!take(reader, ":")) {
        free(key);
        return false;
      }
    }
    *place = read_value(reader);
    if (*place == NULL) {
      free(key);
      return false;
    }
    (*place)->key = key;
    place = &(*place)->next;
  } while (take(reader, ","));
  return take(reader, end);
}

static bool read_into(struct reader *reader, struct json *value) {
  if (take(reader, "\"")) {
    value->kind = JSON_STRING;
    value->text = read_string(reader, &value->size);
    return value->text != NULL;
  }
  if (take(reader, "{")) {
    value->kind = JSON_OBJECT;
    return read_members(reader, value, "}");
  }
  if (take(reader, "[")) {
    value->kind = JSON_LIST;
    return read_members(reader, value, "]");
  }
  if (take(reader, "null")) return true;
  value->kind = JSON_BOOL;
  value->is_true = take(reader, "true");
  if (value->is_true || take(reader, "false")) return true;
  value->kind = JSON_NUMBER;
  char *end;
  value->number = strtod(reader->at, &end);
  bool is_number = end != reader->at;
  reader->at = end;
  return is_number;
}

static struct json *read_value(struct reader *reader) {
  if (reader->depth == DEPTH_MAX) return NULL;
  reader->depth++;
  struct json *value = checked(calloc(1, sizeof *value));
  bool is_good = read_into(reader, value);
  reader->depth--;
  if (is_good) return value;
  json_free(value);
  return NULL;
}

struct json *json_parse(const char *text) {
  struct reader reader = {.at = text};
  return read_value(&reader);
}

void json_free(struct json *value) {
  while (value != NULL) {
    struct json *next = value->next;
    json_free(value->members);
    free(value->text);
    free(value->key);
    free(value);
    value = next;
  }
}

const struct json *json_get(const struct json *object, const char *key) {
  const struct json *member = object->members;
  while (member != NULL && strcmp(member->key, key) != 0) member = member->next;
  return member == NULL || member->kind == JSON_NULL ? NULL : member;
}

const char *json_text(const struct json *object, const char *key) {
  const struct json *value = json_get(object, key);
  return value == NULL ? NULL : value->text;
}

int64_t json_number(const struct json *object, const char *key, int64_t otherwise) {
  const struct json *value = json_get(object, key);
  return value == NULL || value->kind != JSON_NUMBER ? otherwise : (int64_t)value->number;
}

bool json_bool(const struct json *object, const char *key, bool otherwise) {
  const struct json *value = json_get(object, key);
  return value == NULL || value->kind != JSON_BOOL ? otherwise : value->is_true;
}

uint8_t *json_unhex(const char *text, size_t *size) {
  *size = strlen(text) / 2;
  uint8_t *bytes = checked(malloc(*size + 1));
  for (size_t i = 0; i < *size; i++) {
    char digits[3] = {text[2 * i], text[2 * i + 1], 0};
    bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  return bytes;
}

void json_put_string(const char *text) {
  putchar('"');
  for (; *text != 0; text++) {
    unsigned char letter = (unsigned char)*text;
    if (letter == '"' || letter == '\\')
      printf("\\%c", letter);
    else if (letter < 0x20)
      printf("\\u%04x", letter);
    else
      putchar(letter);
  }
  putchar('"');
}

void json_put_hex(const void *bytes, size_t size) {
  static const char digits[] = "0123456789abcdef";
  const uint8_t *at = bytes;
  putchar('"');
  for (size_t i = 0; i < size; i++) {
    putchar(digits[at[i] >> 4]);
    putchar(digits[at[i] & 15]);
  }
  putchar('"');
}
