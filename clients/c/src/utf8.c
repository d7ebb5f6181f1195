#include "utf8.h"

#include <string.h>

/* Length of the well-formed sequence at `bytes`; 0 if there is none. The first byte decides the length and the range of
 * the second (Unicode, table 3-7). */
static size_t sequence_size(const uint8_t *bytes, size_t available) {
  uint8_t first = bytes[0], low = 0x80, high = 0xbf;
  size_t size;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) {
    size = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    size = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    size = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (available < size || bytes[1] < low || bytes[1] > high) return 0;
  for (size_t i = 2; i < size; i++)
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  return size;
}

bool hi_is_utf8(const uint8_t *bytes, size_t size) {
  for (size_t at = 0; at < size;) {
    size_t sequence = sequence_size(bytes + at, size - at);
    if (sequence == 0) return false;
    at += sequence;
  }
  return true;
}

bool hi_is_text(const uint8_t *bytes, size_t size) {
  return size == 0 || (memchr(bytes, 0, size) == NULL && hi_is_utf8(bytes, size));
}

char *hi_lenient_text(const uint8_t *bytes, size_t size) {
  if (hi_is_text(bytes, size)) return hi_copy_bytes(bytes, size);
  struct hi_buffer text = {0};
  for (size_t at = 0; at < size;) {
    size_t sequence = bytes[at] == 0 ? 0 : sequence_size(bytes + at, size - at);
    if (sequence == 0) {
      hi_buffer_append(&text, "\xef\xbf\xbd", 3);
      at++;
    } else {
      hi_buffer_append(&text, bytes + at, sequence);
      at += sequence;
    }
  }
  hi_put_u8(&text, 0);
  if (!text.has_failed) return (char *)text.data;
  hi_buffer_free(&text);
  return NULL;
}

static uint32_t code_point(const uint8_t *bytes, size_t size) {
  static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
  uint32_t value = bytes[0] & masks[size];
  for (size_t i = 1; i < size; i++) value = value << 6 | (bytes[i] & 0x3fu);
  return value;
}

/* Controls, format characters, and separators of lines (Unicode's Cc, Cf, Zl, Zp). */
static bool is_shown(uint32_t value) {
  static const uint32_t ranges[][2] = {
      {0, 0x1f}, {0x7f, 0x9f}, {0xad, 0xad}, {0x600, 0x605}, {0x61c, 0x61c}, {0x6dd, 0x6dd}, {0x70f, 0x70f},
      {0x890, 0x891}, {0x8e2, 0x8e2}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
      {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
      {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0001, 0xe0001}, {0xe0020, 0xe007f}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (value >= ranges[i][0] && value <= ranges[i][1]) return false;
  return true;
}

const char *hi_shown(char *out, size_t size, const char *text, size_t characters_max) {
  const uint8_t *at = (const uint8_t *)text;
  size_t left = strlen(text), used = 0;
  for (size_t count = 0; count < characters_max && left > 0 && used + 5 <= size; count++) {
    size_t sequence = sequence_size(at, left), step = sequence == 0 ? 1 : sequence;
    bool is_kept = sequence != 0 && is_shown(code_point(at, sequence));
    size_t width = is_kept ? sequence : 3;
    memcpy(out + used, is_kept ? (const char *)at : "\xef\xbf\xbd", width);
    used += width;
    at += step;
    left -= step;
  }
  out[used] = 0;
  return out;
}
