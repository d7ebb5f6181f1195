#pragma once
#include <amqp.h>
#include <amqp_framing.h>
#include <sys/time.h>

#include "CRabbitMQ.h"

enum { hito_channel = 1, hito_frame_max = 131072, hito_body_max = 256 << 20 };

/// A message whose parts are still coming.
typedef struct {
  /// RETURNED or DELIVERED; NOTHING where none is.
  hito_amqp_kind kind;
  uint64_t tag;
  char id[256];
  int has_header;
  size_t size;
} hito_amqp_content;

struct hito_amqp {
  amqp_connection_state_t state;
  int descriptor;
  hito_amqp_content content;
  char *body;
  size_t body_count;
  size_t body_capacity;
};

/// Fills the error and returns -1.
int hito_amqp_fail(hito_amqp_error *error, hito_amqp_outcome outcome, int code, const char *text);
int hito_amqp_fail_status(hito_amqp_error *error, int status, const char *doing);
/// 0 where the reply is what was asked for.
int hito_amqp_check(amqp_rpc_reply_t reply, const char *doing, hito_amqp_error *error);
/// What the broker gave as the reason of closing, as an error.
int hito_amqp_fail_closed(const amqp_method_t *method, hito_amqp_error *error);
