/* The handle of a call: begin, take, send, wait, free. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

void hi_call_touch(hito_call *call) {
  hito_client *client = call->client;
  if (call->is_touched || client == NULL) return;
  call->is_touched = true;
  call->next_touched = NULL;
  if (client->last_touched == NULL)
    client->first_touched = call;
  else
    client->last_touched->next_touched = call;
  client->last_touched = call;
}

void hi_call_ready(hito_call *call) {
  hito_client *client = call->client;
  client->has_moved = true;
  if (call->is_ready || call->options.on_ready == NULL) return;
  call->is_ready = true;
  call->next_ready = NULL;
  if (client->last_ready == NULL)
    client->first_ready = call;
  else
    client->last_ready->next_ready = call;
  client->last_ready = call;
}

static void forget_touched(hito_client *client, hito_call *call) {
  if (!call->is_touched) return;
  hito_call *before = NULL, **place = &client->first_touched;
  for (; *place != call; place = &before->next_touched) before = *place;
  *place = call->next_touched;
  if (client->last_touched == call) client->last_touched = before;
  call->is_touched = false;
}

static void forget_ready(hito_client *client, hito_call *call) {
  if (!call->is_ready) return;
  hito_call *before = NULL, **place = &client->first_ready;
  for (; *place != call; place = &before->next_ready) before = *place;
  *place = call->next_ready;
  if (client->last_ready == call) client->last_ready = before;
  call->is_ready = false;
}

static void enlist(hito_call *call) {
  hito_client *client = call->client;
  call->next = client->calls;
  if (call->next != NULL) call->next->previous = call;
  client->calls = call;
}

static void free_call(hito_call *call) {
  for (unsigned i = 0; i < call->copy_count; i++) {
    hi_exchange_free(call->copies[i].exchange);
    hito_error_free(call->copies[i].error);
  }
  if (call->response != NULL) protobuf_c_message_free_unpacked(call->response, NULL);
  hito_error_free(call->error);
  hito_error_free(call->last_failure);
  hito_error_free(call->refusal);
  hi_metadata_free(&call->metadata);
  hi_metadata_free(&call->trailers);
  hi_said_free(&call->said);
  free(call->interceptor_states);
  free(call->request);
  free(call);
}

static uint8_t *packed(const ProtobufCMessage *message, size_t *size) {
  *size = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(*size + 1);
  if (bytes != NULL) protobuf_c_message_pack(message, bytes);
  return bytes;
}

static hito_error *prepare(hito_call *call, const ProtobufCMessage *request, hito_call_options *options) {
  if (call->client->is_closed) return hi_error(HITO_CANCELLED, true, "the client is closed");
  hito_error *refused = hi_call_intercept(call, options);
  if (refused == NULL) refused = hi_call_take_options(call, options);
  if (refused != NULL) return refused;
  if (!hi_has_one_request(call)) return NULL;
  if (request == NULL || request->descriptor != call->method->input)
    return hi_error(HITO_INVALID_ARGUMENT, true, "the request is no %s", call->method->input->name);
  call->request = packed(request, &call->request_size);
  return call->request == NULL ? hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory") : NULL;
}

hito_call *hito_call_begin(
    hito_client *client, const hito_method *method, const ProtobufCMessage *request,
    const hito_call_options *options, hito_error **error) {
  hito_call_options said = {0};
  if (options != NULL) said = *options;
  hito_call *call = calloc(1, sizeof *call);
  if (call == NULL) {
    hi_give(error, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
    return NULL;
  }
  if (!client->is_polling) client->now = hi_now();
  call->client = client;
  call->method = method;
  hito_error *refused = prepare(call, request, &said);
  if (refused != NULL) {
    hi_call_intercepted(call, refused);
    hi_give(error, refused);
    free_call(call);
    return NULL;
  }
  enlist(call);
  call->deadline_timer = (struct hi_timer){.fire = hi_call_too_late, .owner = call};
  call->wait_timer = (struct hi_timer){.fire = hi_call_wait_over, .owner = call};
  hi_log_call_started(call);
  if (!hi_timer_set(&client->timers, &call->deadline_timer, call->deadline))
    hi_call_end(call, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
  else
    hi_call_attempt(call);
  return call;
}

/* The next message of a stream, if it is there. */
static hito_step take_message(hito_call *call, ProtobufCMessage **message, hito_error **error) {
  struct hi_exchange *exchange = call->copies[0].exchange;
  struct hi_message *taken = exchange == NULL ? NULL : hi_exchange_take(exchange);
  if (taken == NULL) return HITO_STEP_WAIT;
  hito_error *failure = NULL;
  *message = hi_call_decode(call, taken, &failure);
  hi_message_free(taken);
  call->is_begun = true;
  if (*message != NULL) return HITO_STEP_MESSAGE;
  hi_exchange_cancel(exchange, NULL);
  if (call->state == HI_ENDED) {
    hito_error_free(call->error);
    call->error = failure;
  } else {
    hi_call_end(call, failure);
  }
  hi_give(error, hi_error_copy(call->error));
  return HITO_STEP_ERROR;
}

static hito_step take(hito_call *call, ProtobufCMessage **message, hito_error **error) {
  if (!hi_has_one_response(call)) {
    hito_step step = take_message(call, message, error);
    if (step != HITO_STEP_WAIT) return step;
  } else if (call->response != NULL) {
    *message = call->response;
    call->response = NULL;
    return HITO_STEP_MESSAGE;
  }
  if (call->state != HI_ENDED) return HITO_STEP_WAIT;
  if (call->error == NULL) return HITO_STEP_END;
  hi_give(error, hi_error_copy(call->error));
  return HITO_STEP_ERROR;
}

hito_step hito_call_take(hito_call *call, ProtobufCMessage **message, hito_error **error) {
  *message = NULL;
  hito_step step = take(call, message, error);
  bool is_end = step == HITO_STEP_END || step == HITO_STEP_ERROR;
  if (is_end || (step == HITO_STEP_MESSAGE && hi_has_one_response(call))) hi_log_call_ended(call, false);
  return step;
}

/* A callback that waits would have the client enter itself. */
static bool may_wait(const hito_call *call, hito_error **error) {
  if (call->client == NULL || !call->client->is_polling) return true;
  hi_give(error, hi_error(HITO_FAILED_PRECONDITION, true, "on_ready must not wait"));
  return false;
}

hito_step hito_call_next(hito_call *call, ProtobufCMessage **message, hito_error **error) {
  hito_step step = hito_call_take(call, message, error);
  if (step != HITO_STEP_WAIT || may_wait(call, error)) {
    while (step == HITO_STEP_WAIT) {
      hito_client_poll(call->client, -1);
      step = hito_call_take(call, message, error);
    }
    return step;
  }
  return HITO_STEP_ERROR;
}

bool hito_call_try_send(hito_call *call, const ProtobufCMessage *message, hito_error **error) {
  struct hi_exchange *exchange = call->copies[0].exchange;
  if (hi_has_one_request(call) || message->descriptor != call->method->input || call->wants_half_close) {
    hi_give(error, hi_error(HITO_INVALID_ARGUMENT, false, "the call does not take this message"));
    return false;
  }
  if (call->state == HI_ENDED || (exchange != NULL && exchange->is_done)) {
    hi_give(error, call->error != NULL ? hi_error_copy(call->error)
                                       : hi_error(HITO_CANCELLED, false, "the server has ended the call"));
    if (call->state == HI_ENDED) hi_log_call_ended(call, false);
    return false;
  }
  if (exchange == NULL || exchange->is_sending) return false;
  size_t size;
  uint8_t *bytes = packed(message, &size);
  hito_error *refused = NULL;
  bool is_taken = bytes != NULL && hi_exchange_send(exchange, bytes, size, &refused);
  free(bytes);
  if (is_taken) return true;
  if (refused == NULL) refused = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
  hi_call_end(call, hi_error_copy(refused));
  hi_give(error, refused);
  return false;
}

bool hito_call_send(hito_call *call, const ProtobufCMessage *message, hito_error **error) {
  hito_error *failure = NULL;
  bool is_sent = hito_call_try_send(call, message, &failure);
  if (!is_sent && failure == NULL && !may_wait(call, error)) return false;
  while (!is_sent && failure == NULL) {
    hito_client_poll(call->client, -1);
    is_sent = hito_call_try_send(call, message, &failure);
  }
  if (failure != NULL) hi_give(error, failure);
  return is_sent;
}

void hito_call_half_close(hito_call *call) {
  if (hi_has_one_request(call) || call->wants_half_close) return;
  call->wants_half_close = true;
  if (call->copies[0].exchange != NULL) hi_exchange_half_close(call->copies[0].exchange);
}

hito_status hito_call_finish(hito_call *call, ProtobufCMessage **response, hito_error **error) {
  hito_call_half_close(call);
  hito_error *failure = NULL;
  hito_step step = hito_call_next(call, response, &failure);
  if (step == HITO_STEP_MESSAGE) return HITO_OK;
  if (failure == NULL) failure = hi_error(HITO_FAILED_PRECONDITION, false, "the response was taken before");
  return hi_give(error, failure);
}

hito_status hito_call_unary(
    hito_client *client, const hito_method *method, const ProtobufCMessage *request,
    const hito_call_options *options, ProtobufCMessage **response, hito_error **error) {
  hito_error *failure = NULL;
  *response = NULL;
  hito_call *call = hito_call_begin(client, method, request, options, &failure);
  if (call == NULL) return hi_give(error, failure);
  hito_status status = hito_call_finish(call, response, error);
  hito_call_free(call);
  return status;
}

void hito_call_cancel(hito_call *call) {
  if (call->client != NULL) hi_call_end(call, hi_error(HITO_CANCELLED, !call->is_started, "the call was cancelled"));
}

void hi_calls_close(hito_client *client) {
  for (hito_call *call = client->calls; call != NULL; call = call->next)
    hi_call_end(call, hi_error(HITO_CANCELLED, !call->is_started, "the client was closed"));
}

void hi_call_detach(hito_call *call) {
  hito_client *client = call->client;
  hi_log_call_ended(call, true);
  forget_touched(client, call);
  forget_ready(client, call);
  if (call->previous == NULL)
    client->calls = call->next;
  else
    call->previous->next = call->next;
  if (call->next != NULL) call->next->previous = call->previous;
  call->client = NULL;
}

void hito_call_free(hito_call *call) {
  if (call == NULL) return;
  if (call->client != NULL) {
    hito_client *client = call->client;
    call->options.on_ready = NULL;
    hito_call_cancel(call);
    /* While it still has its client: what ends with it is told. */
    for (unsigned i = 0; i < call->copy_count; i++) {
      hi_exchange_free(call->copies[i].exchange);
      call->copies[i].exchange = NULL;
    }
    hi_call_detach(call);
    client->has_moved = true;
  }
  free_call(call);
}

/* Those that are ready now; what becomes ready meanwhile has its turn at the next poll. */
int hi_call_notify(hito_client *client) {
  int most = 0, count = 0;
  for (const hito_call *call = client->first_ready; call != NULL; call = call->next_ready) most++;
  for (; count < most && client->first_ready != NULL; count++) {
    hito_call *call = client->first_ready;
    forget_ready(client, call);
    call->options.on_ready(call, call->options.user);
  }
  return count;
}

const hito_method *hito_call_method(const hito_call *call) { return call->method; }

static hito_metadata shown(const hito_call *call, const struct hi_metadata *ended, bool is_trailers) {
  const struct hi_exchange *exchange = call->copies[0].exchange;
  if (call->state != HI_ENDED && exchange != NULL) ended = is_trailers ? &exchange->trailers : &exchange->metadata;
  return (hito_metadata){ended->entries, ended->count};
}

hito_metadata hito_call_metadata(const hito_call *call) { return shown(call, &call->metadata, false); }

hito_metadata hito_call_trailers(const hito_call *call) { return shown(call, &call->trailers, true); }

bool hito_call_is_of(const hito_call *call, const hito_method *method, hito_error **error) {
  if (call->method == method) return true;
  hi_give(error, hi_error(HITO_INVALID_ARGUMENT, true, "the call is of %s, not of %s", call->method->path, method->path));
  return false;
}
