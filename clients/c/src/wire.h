/* Frames and blocks of hito/1 as bytes: no sockets, no clocks. The clause numbers (W2.1) are those of
 * Protos/PROTOCOL.md. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"
#include "hito/call.h"

enum hi_kind {
  HI_HELLO = 1, HI_CALL, HI_MESSAGE, HI_END, HI_CANCEL, HI_CREDIT, HI_PING, HI_PONG, HI_GOAWAY, HI_HEAD,
};

enum { HI_FLAG_END = 1, HI_FLAG_MORE = 2, HI_FLAG_HAS_MESSAGE = 4, HI_FLAG_COMPRESSED = 8 };

/* Reasons of GOAWAY (W11.2). */
enum hi_reason {
  HI_NO_ERROR, HI_PROTOCOL_ERROR, HI_FRAME_TOO_LARGE, HI_FLOW_CONTROL, HI_HELLO_TIMEOUT, HI_ABUSE,
  HI_KEEPALIVE_TIMEOUT, HI_REASON_INTERNAL, HI_IDLE, HI_MAX_AGE,
};

enum {
  HI_MINOR_VERSION = 1,
  HI_HEADER_SIZE = 10,
  HI_HELLO_PAYLOAD_MAX = 8192,
  HI_FRAME_PAYLOAD_MIN = 16384,
  HI_FRAME_PAYLOAD_MAX = 1 << 20,
  HI_MESSAGE_MAX_MIN = 16384,
  HI_FRAGMENT_MIN = 1024,
  HI_CREDIT_MAX = 0x7fffffff,
  HI_STREAM_ID_MAX = 0x7fffffff,
  HI_METADATA_ENTRIES_MAX = 64,
  HI_METADATA_BYTES_MAX = 8192,
  HI_DEFLATE = 1,
};

/* The peer broke the protocol: the connection ends with GOAWAY, this reason and this text. */
struct hi_fault {
  enum hi_reason reason;
  const char *text;
};

struct hi_frame {
  uint32_t size;
  uint8_t kind, flags;
  uint32_t stream;
  const uint8_t *payload;
};

/* The first frame of what arrived, as a server may send it: 1 when it is whole, 0 when bytes are missing, -1 with a
 * fault. A frame that is too long is one before its payload has come. */
int hi_frame_next(
    const uint8_t *bytes, size_t size, uint32_t payload_max, unsigned minor, struct hi_frame *frame,
    struct hi_fault *fault);

/* A header; the payload is appended by the caller. */
void hi_put_header(struct hi_buffer *out, uint8_t kind, uint8_t flags, uint32_t stream, size_t payload_size);

/* The fields of a block (W3.1), and what follows it. */
struct hi_block {
  const uint8_t *at, *end, *rest;
  size_t rest_size;
};

bool hi_block_open(struct hi_block *block, const uint8_t *payload, size_t size, struct hi_fault *fault);

struct hi_field {
  uint8_t tag;
  uint16_t size;
  const uint8_t *value;
};

/* 1 for a field, 0 at the end, -1 with a fault. */
int hi_block_next(struct hi_block *block, struct hi_field *field, struct hi_fault *fault);

/* What a side says of itself (W4.2). */
struct hi_hello {
  uint16_t minor_version;
  uint32_t frame_payload_max, message_max, streams_max, stream_credit, connection_credit, ping_interval_ms;
  bool reads_deflate;
  const char *agent, *token;
  /* Of a server that was heard. */
  char server_id[129];
};

struct hi_hello hi_hello_defaults(void);
void hi_hello_encode(struct hi_buffer *out, const struct hi_hello *hello);
bool hi_hello_decode(struct hi_hello *hello, const uint8_t *payload, size_t size, struct hi_fault *fault);

/* What a CALL says besides its message (W5.2). */
struct hi_call_head {
  const char *path, *key, *traceparent, *token;
  bool has_timeout;
  uint64_t timeout_us;
  const hito_metadata_entry *metadata;
  size_t metadata_count;
};

/* Why a CALL may not be sent; NULL where it may. */
const char *hi_call_refusal(const struct hi_call_head *head);
bool hi_has_binary_metadata(const struct hi_call_head *head);
void hi_call_encode(struct hi_buffer *out, const struct hi_call_head *head);

/* Metadata that was received; starts as zeros. */
struct hi_metadata {
  hito_metadata_entry *entries;
  size_t count;
};

void hi_metadata_free(struct hi_metadata *metadata);
bool hi_metadata_add(struct hi_metadata *metadata, const struct hi_field *field, unsigned minor, struct hi_fault *fault);

/* What a server's END says besides its message (W7.2). Texts and metadata are the receiver's to free. */
struct hi_end {
  uint16_t status;
  char *message, *resume_cursor;
  const uint8_t *details;
  size_t details_size;
  bool is_not_started;
  struct hi_metadata trailers;
  const uint8_t *rest;
  size_t rest_size;
};

bool hi_end_decode(
    struct hi_end *end, const uint8_t *payload, size_t size, unsigned minor, struct hi_fault *fault);
void hi_end_free(struct hi_end *end);

bool hi_head_decode(struct hi_metadata *metadata, const uint8_t *payload, size_t size, struct hi_fault *fault);

struct hi_goaway {
  uint32_t last_stream;
  enum hi_reason reason;
  char text[512 * 3 + 1];
};

bool hi_goaway_decode(struct hi_goaway *goaway, const uint8_t *payload, size_t size, struct hi_fault *fault);
bool hi_is_drain(enum hi_reason reason);
