#include "utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* Length of the well-formed sequence at `bytes`, which does not start with ASCII; 0 if there is
 * none. The first byte decides the length and the range of the second (Unicode, table 3-7). */
static size_t sequence_length(const uint8_t *bytes, size_t available) {
  uint8_t first = bytes[0];
  uint8_t low = 0x80, high = 0xbf;
  size_t length;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (available < length || bytes[1] < low || bytes[1] > high) return 0;
  for (size_t i = 2; i < length; i++)
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  return length;
}

int hito_is_utf8(const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (length - at >= sizeof(uint64_t)) {
      uint64_t word;
      memcpy(&word, bytes + at, sizeof word);
      if ((word & HIGH_BITS) == 0) {
        at += sizeof word;
        continue;
      }
    }
    if (bytes[at] < 0x80) {
      at++;
      continue;
    }
    size_t sequence = sequence_length(bytes + at, length - at);
    if (sequence == 0) return 0;
    at += sequence;
  }
  return 1;
}
