/* A call as its caller sees it: attempts, copies, deadlines. Its states:
 *
 *   ASKING (waits for a token) -> PLACING (waits for a connection) -> RUNNING (copies run) -> ENDED
 *     ^ ^                                                             |  |
 *     | +---------------------- RESTING <-----------------------------+  |   the server was unavailable: it may be repeated
 *     +------------------------------------------------------------------+   its token was refused, once */
#pragma once

#include "internal.h"

enum hi_call_state { HI_ASKING, HI_PLACING, HI_RUNNING, HI_RESTING, HI_ENDED };

/* The texts of options, copied. */
struct hi_said {
  char *key, *token, *traceparent;
  hito_metadata_entry *metadata;
  size_t metadata_count;
};

/* One attempt of a call: its exchange, or why it could not begin. */
struct hi_copy {
  struct hi_exchange *exchange;
  hito_error *error;
};

struct hito_call {
  hito_client *client;
  const hito_method *method;
  enum hi_call_state state;
  hito_call *previous, *next, *next_touched, *next_ready;
  bool is_touched, is_ready;
  hito_call_options options;
  struct hi_said said;
  uint8_t *request;
  size_t request_size;
  void **interceptor_states;
  size_t intercepted_count;
  /* When it must have ended; HI_NEVER. Until when it is repeated. */
  int64_t deadline, repeat_end;
  bool waits;
  struct hi_timer deadline_timer, wait_timer;
  struct hi_waiter waiter;
  struct hi_copy copies[HI_COPIES_MAX];
  int used[HI_COPIES_MAX];
  unsigned copy_count, live_count, copies_max;
  int64_t hedge_delay, next_copy_at;
  unsigned failures;
  /* Whether the server perhaps began it, and whether it did before this attempt. */
  bool is_started, was_started;
  /* A response has come: it is not repeated. */
  bool is_begun;
  bool wants_half_close;
  /* The provider's, of this attempt; the question that it waits for, or 0; the first refusal, after which it was repeated. */
  char token[HI_TOKEN_SIZE];
  uint64_t question;
  hito_error *refusal;
  /* Of the log: 0 where its end was told, or its beginning was not. */
  int64_t number, began_at;
  unsigned attempts;
  hito_error *error, *last_failure;
  ProtobufCMessage *response;
  bool is_response_taken;
  struct hi_metadata metadata, trailers;
};

static inline bool hi_has_one_response(const hito_call *call) {
  return call->method->kind == HITO_UNARY || call->method->kind == HITO_CLIENT_STREAM;
}

static inline bool hi_has_one_request(const hito_call *call) {
  return call->method->kind == HITO_UNARY || call->method->kind == HITO_SERVER_STREAM;
}

/* attempt.c */
/* Begins an attempt: with its token, then its connection. */
void hi_call_attempt(hito_call *call);
void hi_call_wait_over(void *owner);
void hi_call_too_late(void *owner);
/* It has ended; takes the error. */
void hi_call_end(hito_call *call, hito_error *error);
/* Reads a response; NULL with an error where it is none. */
ProtobufCMessage *hi_call_decode(hito_call *call, struct hi_message *message, hito_error **error);
void hi_call_ready(hito_call *call);

/* call_options.c: an error where they make no sense. */
hito_error *hi_call_take_options(hito_call *call, const hito_call_options *options);
bool hi_said_copy(struct hi_said *said, const hito_call_options *options);
void hi_said_free(struct hi_said *said);
/* NULL without memory or chance. */
char *hi_random_key(void);
void hi_call_head_of(const hito_call *call, struct hi_call_head *head);
hito_error *hi_call_intercept(hito_call *call, hito_call_options *options);
void hi_call_intercepted(hito_call *call, const hito_error *error);

/* tokens.c */
/* Whether the attempt may begin; otherwise the call waits for a token, or has ended for want of one. */
bool hi_call_takes_token(hito_call *call);
/* What the CALL of this attempt says; NULL where HELLO has said it. */
const char *hi_call_token(const hito_call *call);
/* A response has come (NULL), or an error: what it says of the token is noted. Whether the call is to be repeated, at once and
 * under another token (C5.8). */
bool hi_call_answered(hito_call *call, const hito_error *error);
/* Whether it ended because the provider's token was refused. */
bool hi_call_lost_token(const hito_call *call);

/* log.c */
void hi_log_call_started(hito_call *call);
void hi_log_call_repeated(hito_call *call, const hito_error *error, int64_t wait);
void hi_log_call_hedged(const hito_call *call);
/* Once. `is_left`: its caller does not want its end any more. */
void hi_log_call_ended(hito_call *call, bool is_left);

/* resume.c */
/* Whether the same request can succeed later (C3.1). */
bool hi_passes(const hito_error *error);
/* When a stream that broke so is taken up again. */
int64_t hi_resume_at(hito_client *client, const hito_error *error, unsigned failures);
