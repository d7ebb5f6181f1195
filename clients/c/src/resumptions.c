/* How each kind of what is resumed continues. */
#include <stdlib.h>

#include "hito/v1/progress_client.h"
#include "hito/v1/validation_client.h"
#include "resume.h"

/* Where a cursor cannot be kept for want of memory the next attempt would give things twice: it ends with an error. */
static void no_memory(hito_resumed *resumed) {
  hito_error_free(resumed->error);
  resumed->error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
}

/* A watch */

static void watch_from(hito_resumed *resumed, const char *cursor) {
  if (cursor[0] == 0) return;
  Hito__V1__WatchRequest *request = (Hito__V1__WatchRequest *)resumed->request;
  if (request->start_case != HITO__V1__WATCH_REQUEST__START_AFTER_CURSOR) {
    request->start_case = HITO__V1__WATCH_REQUEST__START_AFTER_CURSOR;
    request->after_cursor = (char *)(uintptr_t)protobuf_c_empty_string;
  }
  if (!hi_set_text(&request->after_cursor, cursor)) no_memory(resumed);
  hi_resumed_stand_at(resumed, cursor);
}

static bool watch_received(hito_resumed *resumed, const ProtobufCMessage *response) {
  watch_from(resumed, ((const Hito__V1__WatchResponse *)response)->cursor);
  return false;
}

/* Behind what a filter passed over since the last response, or before what was lost. */
static void watch_refused(hito_resumed *resumed, const hito_error *error) { watch_from(resumed, error->resume_cursor); }

static const struct hi_resumption watch = {&hito_progress_watch_method, watch_received, watch_refused};

/* A validation: begun once, then watched. */

static void watch_on(hito_resumed *resumed, const char *run_id) {
  Hito__V1__WatchValidationRequest *request = calloc(1, sizeof *request);
  if (request == NULL) {
    no_memory(resumed);
    return;
  }
  hito__v1__watch_validation_request__init(request);
  if (!hi_set_text(&request->run_id, run_id)) no_memory(resumed);
  protobuf_c_message_free_unpacked(resumed->request, NULL);
  resumed->request = &request->base;
  resumed->method = &hito_code_validation_watch_validation_method;
  resumed->options.idempotency_key = NULL;
}

static bool validation_received(hito_resumed *resumed, const ProtobufCMessage *message) {
  const Hito__V1__ValidateCodeResponse *response = (const Hito__V1__ValidateCodeResponse *)message;
  bool is_watching = resumed->method == &hito_code_validation_watch_validation_method;
  if (!is_watching && response->run_id[0] != 0) {
    watch_on(resumed, response->run_id);
    is_watching = resumed->method == &hito_code_validation_watch_validation_method;
  }
  if (is_watching && response->cursor[0] != 0) {
    Hito__V1__WatchValidationRequest *request = (Hito__V1__WatchValidationRequest *)resumed->request;
    if (!hi_set_text(&request->cursor, response->cursor)) no_memory(resumed);
  }
  hi_resumed_stand_at(resumed, response->cursor);
  return response->step_case == HITO__V1__VALIDATE_CODE_RESPONSE__STEP_RESULT;
}

static const struct hi_resumption validation = {&hito_code_validation_validate_code_method, validation_received, NULL};

/* A batch, and what is validated again: the same request with the cursor of what was given. */

static bool batch_received(hito_resumed *resumed, const ProtobufCMessage *message) {
  const Hito__V1__ValidateBatchResponse *response = (const Hito__V1__ValidateBatchResponse *)message;
  Hito__V1__ValidateBatchRequest *request = (Hito__V1__ValidateBatchRequest *)resumed->request;
  if (response->cursor[0] != 0 && !hi_set_text(&request->cursor, response->cursor)) no_memory(resumed);
  hi_resumed_stand_at(resumed, response->cursor);
  bool is_one_less = response->step_case == HITO__V1__VALIDATE_BATCH_RESPONSE__STEP_FINISHED ||
                     response->step_case == HITO__V1__VALIDATE_BATCH_RESPONSE__STEP_REFUSED;
  resumed->ended += is_one_less;
  return resumed->ended >= request->n_submissions;
}

static const struct hi_resumption batch = {&hito_code_validation_validate_batch_method, batch_received, NULL};

static bool revalidation_received(hito_resumed *resumed, const ProtobufCMessage *message) {
  const Hito__V1__RevalidateResponse *response = (const Hito__V1__RevalidateResponse *)message;
  Hito__V1__RevalidateRequest *request = (Hito__V1__RevalidateRequest *)resumed->request;
  if (response->cursor[0] != 0 && !hi_set_text(&request->cursor, response->cursor)) no_memory(resumed);
  hi_resumed_stand_at(resumed, response->cursor);
  return response->step_case == HITO__V1__REVALIDATE_RESPONSE__STEP_SUMMARY;
}

static const struct hi_resumption revalidation = {&hito_code_validation_revalidate_method, revalidation_received, NULL};

/* The typed functions. */

#define TYPED(name, Request, Response)                                                                              \
  hito_resumed *hito_##name##_begin(                                                                                \
      hito_client *client, const Request *request, const hito_call_options *options, hito_error **error) {          \
    return hi_resumed_begin(client, &name, &request->base, options, error);                                         \
  }                                                                                                                 \
  hito_step hito_##name##_take(hito_resumed *resumed, Response **response, hito_error **error) {                    \
    ProtobufCMessage *message;                                                                                      \
    hito_step step = hi_resumed_take(resumed, &name, &message, error);                                              \
    *response = (Response *)message;                                                                                \
    return step;                                                                                                    \
  }                                                                                                                 \
  hito_step hito_##name##_next(hito_resumed *resumed, Response **response, hito_error **error) {                    \
    ProtobufCMessage *message;                                                                                      \
    hito_step step = hi_resumed_next(resumed, &name, &message, error);                                              \
    *response = (Response *)message;                                                                                \
    return step;                                                                                                    \
  }

TYPED(watch, Hito__V1__WatchRequest, Hito__V1__WatchResponse)
TYPED(validation, Hito__V1__ValidateCodeRequest, Hito__V1__ValidateCodeResponse)
TYPED(batch, Hito__V1__ValidateBatchRequest, Hito__V1__ValidateBatchResponse)
TYPED(revalidation, Hito__V1__RevalidateRequest, Hito__V1__RevalidateResponse)
