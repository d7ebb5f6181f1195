#define ZLIB_CONST

#include "deflate.h"

#include <stdlib.h>
#include <zlib.h>

#include "buffer.h"
#include "wire.h"

enum {
  /* Below this a message is sent as it is: what is gained is a packet at most. */
  SIZE_MIN = 4096,
  HEAD_SIZE = 5,
  /* Fast rather than small: a caller waits. */
  LEVEL = 1,
};

static size_t expanded_max(size_t size) { return 65536 + 64 * size; }

uint8_t *hi_pack(const uint8_t *message, size_t size, size_t *packed_size) {
  if (size < SIZE_MIN || size > INT32_MAX) return NULL;
  uLongf room = compressBound((uLong)size);
  uint8_t *packed = malloc(HEAD_SIZE + room);
  if (packed == NULL) return NULL;
  int result = compress2(packed + HEAD_SIZE, &room, message, (uLong)size, LEVEL);
  if (result != Z_OK || room > size - size / 8 || size > expanded_max(room)) {
    free(packed);
    return NULL;
  }
  packed[0] = HI_DEFLATE;
  for (unsigned i = 0; i < 4; i++) packed[1 + i] = (uint8_t)(size >> (24 - 8 * i));
  *packed_size = HEAD_SIZE + room;
  return packed;
}

/* Whether the data expands to exactly so many bytes. */
static bool expand(const uint8_t *data, size_t size, uint8_t *message, size_t message_size) {
  z_stream stream = {.next_in = data, .avail_in = (uInt)size, .next_out = message, .avail_out = (uInt)message_size};
  if (inflateInit(&stream) != Z_OK) return false;
  int result = inflate(&stream, Z_FINISH);
  if (result == Z_BUF_ERROR && stream.avail_out == 0 && stream.avail_in > 0) {
    /* All bytes are there; the end of the data may still be to be read. One byte more would be too many. */
    uint8_t more[1];
    stream.next_out = more;
    stream.avail_out = sizeof more;
    result = inflate(&stream, Z_FINISH);
    if (stream.avail_out == 0) result = Z_DATA_ERROR;
  }
  bool is_exact = result == Z_STREAM_END && stream.avail_in == 0 && stream.total_out == message_size;
  inflateEnd(&stream);
  return is_exact;
}

const char *hi_unpack(const uint8_t *packed, size_t size, size_t size_max, uint8_t **message, size_t *message_size) {
  if (size <= HEAD_SIZE || size > INT32_MAX) return "the server sent a compressed message without data";
  size_t expanded = hi_get_u32(packed + 1);
  if (packed[0] != HI_DEFLATE || expanded == 0) return "the server sent a compressed message of no known encoding";
  if (expanded > size_max || expanded > expanded_max(size - HEAD_SIZE))
    return "the server sent a compressed message above its limit";
  uint8_t *bytes = malloc(expanded);
  if (bytes == NULL) return "no memory for a compressed message";
  if (!expand(packed + HEAD_SIZE, size - HEAD_SIZE, bytes, expanded)) {
    free(bytes);
    return "the server sent a compressed message that does not expand to its size";
  }
  *message = bytes;
  *message_size = expanded;
  return NULL;
}
