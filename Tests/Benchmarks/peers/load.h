/* What the two programs in C share: a socket behind TLS 1.3 with its buffers, and the numbers of `hito/1`. */
#ifndef LOAD_H
#define LOAD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HELLO = 1, CALL, MESSAGE, END, CANCEL, CREDIT, PING, PONG, GOAWAY, HEAD };
enum { FLAG_END = 1, FLAG_MORE = 2, FLAG_HAS_MESSAGE = 4 };
enum { FRAME_HEADER = 10 };

struct buffer {
  uint8_t *bytes;
  size_t start, end, capacity;
};

struct peer {
  int fd;
  SSL *ssl;
  bool is_connected, wants_write;
  struct buffer in, out;
};

static inline void put16(uint8_t *p, uint32_t value) { p[0] = value >> 8, p[1] = value; }
static inline void put32(uint8_t *p, uint32_t value) { put16(p, value >> 16), put16(p + 2, value); }
static inline uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static inline uint32_t get32(const uint8_t *p) { return get16(p) << 16 | get16(p + 2); }

/* Room for so many bytes at the end of a buffer. */
static inline uint8_t *room(struct buffer *b, size_t count) {
  if (b->start == b->end) b->start = b->end = 0;
  if (b->capacity - b->end < count) {
    memmove(b->bytes, b->bytes + b->start, b->end - b->start);
    b->end -= b->start, b->start = 0;
    while (b->capacity - b->end < count) b->capacity = b->capacity ? b->capacity * 2 : 16384;
    b->bytes = realloc(b->bytes, b->capacity);
    if (!b->bytes) abort();
  }
  return b->bytes + b->end;
}

static inline void append(struct buffer *b, const void *bytes, size_t count) {
  memcpy(room(b, count), bytes, count);
  b->end += count;
}

/* A frame's header; its payload is to follow. */
static inline void frame(struct buffer *b, uint32_t length, uint8_t kind, uint8_t flags, uint32_t stream) {
  uint8_t header[FRAME_HEADER];
  put32(header, length), header[4] = kind, header[5] = flags, put32(header + 6, stream);
  append(b, header, sizeof header);
}

/* A field of a block. */
static inline void field(struct buffer *b, uint8_t tag, const void *value, size_t count) {
  uint8_t header[3] = {tag};
  put16(header + 1, count);
  append(b, header, sizeof header);
  append(b, value, count);
}

/* Reads what is there; false where the peer is gone. */
static inline bool receive(struct peer *p) {
  for (;;) {
    int count = SSL_read(p->ssl, room(&p->in, 16384), 16384);
    if (count <= 0) {
      int why = SSL_get_error(p->ssl, count);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
    }
    p->in.end += count;
    if (!SSL_has_pending(p->ssl)) return true;
  }
}

/* Writes what the socket takes; false where the peer is gone. Afterwards `out` may hold a rest. */
static inline bool transmit(struct peer *p) {
  while (p->out.start < p->out.end) {
    int count = SSL_write(p->ssl, p->out.bytes + p->out.start, p->out.end - p->out.start);
    if (count <= 0) {
      int why = SSL_get_error(p->ssl, count);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
    }
    p->out.start += count;
  }
  return true;
}

#endif
