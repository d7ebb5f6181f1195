/* Bytes that grow at one end and are consumed at the other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts as zeros. After an allocation that failed it stays as it is and says so: who fills it looks once. */
struct hi_buffer {
  uint8_t *data;
  size_t start, end, capacity;
  bool has_failed;
};

static inline size_t hi_buffer_size(const struct hi_buffer *buffer) { return buffer->end - buffer->start; }

static inline const uint8_t *hi_buffer_bytes(const struct hi_buffer *buffer) {
  return buffer->data == NULL ? NULL : buffer->data + buffer->start;
}

void hi_buffer_free(struct hi_buffer *buffer);

/* Room for so many more bytes; NULL where there is none. `hi_buffer_added` says how many were written there. */
uint8_t *hi_buffer_reserve(struct hi_buffer *buffer, size_t size);
void hi_buffer_added(struct hi_buffer *buffer, size_t size);

void hi_buffer_append(struct hi_buffer *buffer, const void *bytes, size_t size);
void hi_buffer_consume(struct hi_buffer *buffer, size_t size);

void hi_put_u8(struct hi_buffer *buffer, uint8_t value);
void hi_put_u16(struct hi_buffer *buffer, uint16_t value);
void hi_put_u32(struct hi_buffer *buffer, uint32_t value);
void hi_put_u64(struct hi_buffer *buffer, uint64_t value);

uint16_t hi_get_u16(const uint8_t *bytes);
uint32_t hi_get_u32(const uint8_t *bytes);

/* A copy of a string; of NULL it is NULL. */
char *hi_copy_text(const char *text);

/* A copy of bytes with a NUL behind. */
void *hi_copy_bytes(const void *bytes, size_t size);
