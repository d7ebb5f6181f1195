#include "buffer.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 256, KEPT_MAX = 65536 };

void hi_buffer_free(struct hi_buffer *buffer) {
  free(buffer->data);
  *buffer = (struct hi_buffer){0};
}

static bool grow(struct hi_buffer *buffer, size_t needed) {
  size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
  while (capacity < needed) {
    if (capacity > SIZE_MAX / 2) return false;
    capacity *= 2;
  }
  uint8_t *data = malloc(capacity);
  if (data == NULL) return false;
  size_t size = hi_buffer_size(buffer);
  if (size > 0) memcpy(data, buffer->data + buffer->start, size);
  free(buffer->data);
  *buffer = (struct hi_buffer){.data = data, .end = size, .capacity = capacity};
  return true;
}

uint8_t *hi_buffer_reserve(struct hi_buffer *buffer, size_t size) {
  if (buffer->has_failed) return NULL;
  size_t used = hi_buffer_size(buffer);
  if (size > SIZE_MAX - used) {
    buffer->has_failed = true;
    return NULL;
  }
  if (buffer->data != NULL && buffer->capacity - buffer->end >= size) return buffer->data + buffer->end;
  if (buffer->data != NULL && used + size <= buffer->capacity && used <= buffer->start) {
    memmove(buffer->data, buffer->data + buffer->start, used);
    buffer->start = 0;
    buffer->end = used;
  } else if (!grow(buffer, used + size)) {
    buffer->has_failed = true;
    return NULL;
  }
  return buffer->data + buffer->end;
}

void hi_buffer_added(struct hi_buffer *buffer, size_t size) { buffer->end += size; }

void hi_buffer_append(struct hi_buffer *buffer, const void *bytes, size_t size) {
  if (size == 0) return;
  uint8_t *room = hi_buffer_reserve(buffer, size);
  if (room == NULL) return;
  memcpy(room, bytes, size);
  buffer->end += size;
}

void hi_buffer_consume(struct hi_buffer *buffer, size_t size) {
  buffer->start += size;
  if (buffer->start < buffer->end) return;
  buffer->start = buffer->end = 0;
  /* What one large message needed is not kept for ever. */
  if (buffer->capacity > KEPT_MAX) {
    free(buffer->data);
    buffer->data = NULL;
    buffer->capacity = 0;
  }
}

void hi_put_u8(struct hi_buffer *buffer, uint8_t value) { hi_buffer_append(buffer, &value, 1); }

void hi_put_u16(struct hi_buffer *buffer, uint16_t value) {
  uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
  hi_buffer_append(buffer, bytes, sizeof bytes);
}

void hi_put_u32(struct hi_buffer *buffer, uint32_t value) {
  hi_put_u16(buffer, (uint16_t)(value >> 16));
  hi_put_u16(buffer, (uint16_t)value);
}

void hi_put_u64(struct hi_buffer *buffer, uint64_t value) {
  hi_put_u32(buffer, (uint32_t)(value >> 32));
  hi_put_u32(buffer, (uint32_t)value);
}

uint16_t hi_get_u16(const uint8_t *bytes) { return (uint16_t)((bytes[0] << 8) | bytes[1]); }

uint32_t hi_get_u32(const uint8_t *bytes) {
  return ((uint32_t)hi_get_u16(bytes) << 16) | hi_get_u16(bytes + 2);
}

char *hi_copy_text(const char *text) { return text == NULL ? NULL : hi_copy_bytes(text, strlen(text)); }

void *hi_copy_bytes(const void *bytes, size_t size) {
  if (size == SIZE_MAX) return NULL;
  char *copy = malloc(size + 1);
  if (copy == NULL) return NULL;
  if (size > 0) memcpy(copy, bytes, size);
  copy[size] = 0;
  return copy;
}
