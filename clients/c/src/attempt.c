/* The attempts of a call, one after the other and beside each other (C2), and how it ends. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "guard.h"

static void set_timer(hito_call *call, struct hi_timer *timer, int64_t at) {
  if (!hi_timer_set(&call->client->timers, timer, at))
    hi_call_end(call, hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory"));
}

static void changed(void *owner) { hi_call_touch(owner); }

static void begin_copy(hito_call *call, struct hi_connection *connection) {
  struct hi_opening opening = {.half_closes = hi_has_one_request(call)};
  hi_call_head_of(call, &opening.head);
  opening.head.token = hi_call_token(call);
  if (call->deadline != HI_NEVER) {
    int64_t left = call->deadline - call->client->now;
    opening.head.has_timeout = true;
    opening.head.timeout_us = left > 0 ? (uint64_t)left : 0;
  }
  if (hi_has_one_request(call)) {
    opening.message = call->request;
    opening.size = call->request_size;
  }
  struct hi_copy *copy = &call->copies[call->copy_count];
  *copy = (struct hi_copy){0};
  call->used[call->copy_count++] = connection->number;
  call->live_count++;
  copy->exchange = hi_exchange_open(connection, &opening, changed, call, &copy->error);
  if (copy->exchange == NULL) hi_call_touch(call);
}

static void given(void *owner, struct hi_connection *connection) {
  hito_call *call = owner;
  call->state = HI_RUNNING;
  call->copy_count = call->live_count = 0;
  call->was_started = call->is_started;
  call->is_started = true;
  begin_copy(call, connection);
  if (!hi_has_one_request(call)) {
    if (call->wants_half_close && call->copies[0].exchange != NULL)
      hi_exchange_half_close(call->copies[0].exchange);
    hi_call_ready(call);
  }
  if (call->hedge_delay == 0) return;
  call->next_copy_at = call->client->now + call->hedge_delay;
  set_timer(call, &call->wait_timer, call->next_copy_at);
}

static void failed(void *owner, hito_error *error) { hi_call_end(owner, error); }

void hi_call_attempt(hito_call *call) {
  call->state = HI_ASKING;
  if (!hi_call_takes_token(call)) return;
  call->state = HI_PLACING;
  call->waiter = (struct hi_waiter){.want = {.waits = call->waits}, .given = given, .failed = failed, .owner = call};
  hi_pool_ask(call->client, &call->waiter);
}

static void drop(struct hi_copy *copy) {
  hi_exchange_free(copy->exchange);
  hito_error_free(copy->error);
  *copy = (struct hi_copy){0};
}

/* Beside the first, where there is a connection with room and a repeat is left. */
static void make_copy(hito_call *call) {
  call->next_copy_at = call->client->now + call->hedge_delay;
  struct hi_connection *connection = hi_pool_beside(call->client, call->used, call->copy_count);
  if (connection != NULL) {
    if (hi_pacer_take_now(&call->client->pacer, call->client->now)) {
      begin_copy(call, connection);
      hi_log_call_hedged(call);
    } else {
      hi_pool_call_ended(connection);
    }
  }
  if (call->copy_count < call->copies_max) set_timer(call, &call->wait_timer, call->next_copy_at);
}

void hi_call_wait_over(void *owner) {
  hito_call *call = owner;
  if (call->state == HI_RESTING)
    hi_call_attempt(call);
  else if (call->state == HI_RUNNING && call->client->now < call->next_copy_at)
    set_timer(call, &call->wait_timer, call->next_copy_at);
  else if (call->state == HI_RUNNING)
    make_copy(call);
}

void hi_call_too_late(void *owner) {
  hito_call *call = owner;
  bool is_asking = call->state == HI_ASKING;
  const char *failure = call->last_failure != NULL ? call->last_failure->message
                        : is_asking                ? NULL
                                                   : call->client->pool.failure;
  bool has_failure = failure != NULL && call->state != HI_RUNNING;
  hi_call_end(call, hi_error(HITO_DEADLINE_EXCEEDED, !call->is_started, "no %s in time%s%s%s", is_asking ? "token" : "answer",
                             has_failure ? " (last failure: " : "", has_failure ? failure : "", has_failure ? ")" : ""));
}

/* What the exchange that decided said beside its messages. */
static void take_metadata(hito_call *call) {
  for (unsigned i = 0; i < call->copy_count; i++) {
    struct hi_exchange *exchange = call->copies[i].exchange;
    if (exchange == NULL) continue;
    hi_metadata_free(&call->metadata);
    hi_metadata_free(&call->trailers);
    call->metadata = exchange->metadata;
    call->trailers = exchange->trailers;
    exchange->metadata = exchange->trailers = (struct hi_metadata){0};
    return;
  }
}

static void fill_info(const hito_call *call) {
  hito_response_info *info = call->options.info;
  if (info == NULL) return;
  hito_response_info_clear(info);
  hito_metadata *places[] = {&info->metadata, &info->trailers};
  const struct hi_metadata *lists[] = {&call->metadata, &call->trailers};
  for (int i = 0; i < 2; i++) {
    size_t count = lists[i]->count;
    hito_metadata_entry *entries = count == 0 ? NULL : calloc(count, sizeof *entries);
    if (entries == NULL) continue;
    size_t copied = 0;
    for (; copied < count; copied++) {
      const hito_metadata_entry *from = &lists[i]->entries[copied];
      entries[copied] = (hito_metadata_entry){
          hi_copy_text(from->key), hi_copy_bytes(from->value, from->size), from->size};
    }
    *places[i] = (hito_metadata){entries, copied};
  }
}

void hi_call_end(hito_call *call, hito_error *error) {
  if (call->state == HI_ENDED) {
    hito_error_free(error);
    return;
  }
  call->state = HI_ENDED;
  /* The last attempt may know of itself only. */
  if (error != NULL && error->not_started && call->was_started) error->not_started = false;
  call->error = error;
  hi_timer_clear(&call->client->timers, &call->deadline_timer);
  hi_timer_clear(&call->client->timers, &call->wait_timer);
  hi_pool_forget(call->client, &call->waiter);
  /* A stream's messages that are there are still its reader's, where it ended by itself. */
  for (unsigned i = 0; i < call->copy_count; i++) {
    struct hi_exchange *exchange = call->copies[i].exchange;
    bool is_over = exchange == NULL || exchange->is_done;
    if (!is_over) hi_exchange_cancel(exchange, NULL);
  }
  take_metadata(call);
  fill_info(call);
  hi_call_intercepted(call, error);
  /* A stream's is told when its caller has it. */
  if (call->method->kind == HITO_UNARY) hi_log_call_ended(call, false);
  hi_call_ready(call);
}

ProtobufCMessage *hi_call_decode(hito_call *call, struct hi_message *message, hito_error **error) {
  ProtobufCMessage *decoded = NULL;
  const ProtobufCMessageDescriptor *type = call->method->output;
  size_t memory_max = call->client == NULL ? SIZE_MAX / 2 : call->client->options.memory_max;
  switch (hi_guard_unpack(type, message->bytes, message->size, memory_max, &decoded)) {
    case HI_GOOD: return decoded;
    case HI_MALFORMED:
      *error = hi_error(HITO_INTERNAL, false, "the server's answer is not a valid %s", type->name);
      return NULL;
    case HI_TOO_LARGE:
      *error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "the server's %s takes more memory than it may", type->name);
      return NULL;
    default:
      *error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
      return NULL;
  }
}

/* Whether the failure of an attempt is to be followed by another one, and when. */
static int64_t repeat_after(hito_call *call, const hito_error *error) {
  int64_t now = call->client->now;
  if (call->repeat_end == 0) call->repeat_end = call->waits ? HI_NEVER : now + call->client->options.timeout_ms * 1000;
  bool may_repeat = call->method->kind == HITO_UNARY ||
                    (call->method->kind == HITO_SERVER_STREAM && !call->is_begun &&
                     (call->method->is_read_only || error->not_started));
  /* With a cursor where it continues is the caller's to say. */
  if (!may_repeat || hito_error_is_lasting(error) || error->resume_cursor[0] != 0) return -1;
  int64_t pushback = hito_error_retry_delay_us(error);
  int64_t wait = hi_backoff(call->failures++, hi_chance());
  if (pushback > HI_PUSHBACK_MAX) pushback = HI_PUSHBACK_MAX;
  if (wait < pushback) wait = pushback;
  if (now + wait >= call->repeat_end) return -1;
  wait += hi_pacer_delay(&call->client->pacer, now);
  return now + wait >= call->repeat_end ? -1 : wait;
}

static void drop_copies(hito_call *call) {
  for (unsigned i = 0; i < call->copy_count; i++) drop(&call->copies[i]);
  call->copy_count = call->live_count = 0;
}

static void note_start(hito_call *call, const hito_error *error) {
  call->is_started = call->was_started = call->was_started || !error->not_started;
}

/* The token was refused: once more, under another one (C5.8). Takes the error. */
static void attempt_refused(hito_call *call, hito_error *error) {
  note_start(call, error);
  hi_log_call_repeated(call, error, 0);
  hito_error_free(error);
  drop_copies(call);
  hi_timer_clear(&call->client->timers, &call->wait_timer);
  hi_call_attempt(call);
}

/* An attempt has failed with UNAVAILABLE, and nothing else of the call is running. Takes the error. */
static void attempt_failed(hito_call *call, hito_error *error) {
  note_start(call, error);
  int64_t wait = repeat_after(call, error);
  if (wait < 0) {
    hi_call_end(call, error);
    return;
  }
  hi_log_call_repeated(call, error, wait);
  hito_error_free(call->last_failure);
  call->last_failure = error;
  drop_copies(call);
  call->state = HI_RESTING;
  set_timer(call, &call->wait_timer, call->client->now + wait);
}

/* How one copy of a call with one response stands: true where it has ended, with a response or an error. */
static bool one_response(hito_call *call, struct hi_copy *copy, ProtobufCMessage **response, hito_error **error) {
  struct hi_exchange *exchange = copy->exchange;
  *response = NULL;
  if (exchange == NULL) {
    *error = copy->error;
    copy->error = NULL;
    return *error != NULL;
  }
  if (exchange->message_count > 1 || (exchange->is_done && exchange->error == NULL && exchange->message_count != 1)) {
    *error = hi_error(HITO_INTERNAL, false, "the server did not answer with exactly one message");
    return true;
  }
  if (!exchange->is_done) return false;
  *error = exchange->error;
  exchange->error = NULL;
  if (*error != NULL) return true;
  struct hi_message *message = hi_exchange_take(exchange);
  *response = hi_call_decode(call, message, error);
  hi_message_free(message);
  return true;
}

/* The other copies are cancelled; this one's metadata counts. */
static void decided(hito_call *call, unsigned winner, ProtobufCMessage *response, hito_error *error) {
  for (unsigned i = 0; i < call->copy_count; i++) {
    if (i == winner) continue;
    /* What decides may know of itself only. */
    if (call->copies[i].exchange != NULL) call->was_started = true;
    drop(&call->copies[i]);
  }
  call->response = response;
  hi_call_end(call, error);
}

static void step_one_response(hito_call *call) {
  for (unsigned i = 0; i < call->copy_count; i++) {
    struct hi_copy *copy = &call->copies[i];
    ProtobufCMessage *response;
    hito_error *error = NULL;
    if ((copy->exchange == NULL && copy->error == NULL) || !one_response(call, copy, &response, &error)) continue;
    if (hi_call_answered(call, error)) {
      attempt_refused(call, error);
      return;
    }
    if (response != NULL || error->code != HITO_UNAVAILABLE) {
      decided(call, i, response, error);
      return;
    }
    if (--call->live_count == 0) {
      attempt_failed(call, error);
      return;
    }
    /* A server that asks for time is not asked again before. */
    int64_t pushback = hito_error_retry_delay_us(error);
    int64_t at = call->client->now + (pushback > HI_PUSHBACK_MAX ? HI_PUSHBACK_MAX : pushback);
    if (at > call->next_copy_at) call->next_copy_at = at;
    if (!error->not_started) call->was_started = true;
    hito_error_free(error);
    drop(copy);
  }
}

static void step_stream(hito_call *call) {
  struct hi_copy *copy = &call->copies[0];
  struct hi_exchange *exchange = copy->exchange;
  hito_error *error = copy->error;
  if (exchange != NULL) {
    if (exchange->message_count > 0 && !call->is_begun) {
      call->is_begun = true;
      (void)hi_call_answered(call, NULL);
    }
    hi_call_ready(call);
    if (!exchange->is_done) return;
    error = exchange->error;
    exchange->error = NULL;
  }
  copy->error = NULL;
  if (hi_call_answered(call, error))
    attempt_refused(call, error);
  else if (error != NULL && error->code == HITO_UNAVAILABLE)
    attempt_failed(call, error);
  else
    hi_call_end(call, error);
}

static void look(hito_call *call) {
  if (hi_has_one_response(call)) {
    if (call->method->kind == HITO_CLIENT_STREAM) hi_call_ready(call);
    step_one_response(call);
  } else {
    step_stream(call);
  }
}

void hi_call_step(hito_call *call) {
  if (call->state == HI_ASKING)
    hi_call_attempt(call);
  else if (call->state == HI_RUNNING)
    look(call);
}
