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
