/* A watch that is taken up again where it broke (C3). */
#include "hito/resume.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "hito/v1/progress_client.h"

struct hito_watch {
  hito_client *client;
  hito_watch *previous, *next;
  Hito__V1__WatchRequest *request;
  hito_call_options options;
  struct hi_said said;
  void (*told)(void *user, const hito_error *error);
  void *told_user;
  /* NULL while it rests, and after its end. */
  hito_call *call;
  struct hi_timer timer;
  unsigned failures, interruptions;
  hito_error *error;
};

static Hito__V1__WatchRequest *copy_request(const Hito__V1__WatchRequest *request) {
  size_t size = hito__v1__watch_request__get_packed_size(request);
  uint8_t *bytes = malloc(size + 1);
  if (bytes == NULL) return NULL;
  hito__v1__watch_request__pack(request, bytes);
  Hito__V1__WatchRequest *copy = hito__v1__watch_request__unpack(NULL, size, bytes);
  free(bytes);
  return copy;
}

static void stand_at(hito_watch *watch, const char *cursor) {
  char *copy = cursor[0] == 0 ? NULL : hi_copy_text(cursor);
  if (copy == NULL) return;
  Hito__V1__WatchRequest *request = watch->request;
  bool had_own = request->start_case == HITO__V1__WATCH_REQUEST__START_AFTER_CURSOR;
  if (had_own && request->after_cursor != protobuf_c_empty_string) free(request->after_cursor);
  request->start_case = HITO__V1__WATCH_REQUEST__START_AFTER_CURSOR;
  request->after_cursor = copy;
}

static void open_call(hito_watch *watch) {
  hito_error *error = NULL;
  watch->call = hito_progress_watch(watch->client, watch->request, &watch->options, &error);
  if (watch->call == NULL) watch->error = error;
}

static void again(void *owner) {
  hito_watch *watch = owner;
  open_call(watch);
  watch->client->has_moved = true;
  if (watch->error != NULL && watch->options.on_ready != NULL) watch->options.on_ready(NULL, watch->options.user);
}

void hi_watches_wake(hito_client *client) {
  for (hito_watch *watch = client->watches; watch != NULL; watch = watch->next)
    if (watch->call == NULL) (void)hi_timer_set(&client->timers, &watch->timer, client->now);
}

static void enlist(hito_watch *watch) {
  watch->next = watch->client->watches;
  if (watch->next != NULL) watch->next->previous = watch;
  watch->client->watches = watch;
}

static void delist(hito_watch *watch) {
  if (watch->previous != NULL)
    watch->previous->next = watch->next;
  else
    watch->client->watches = watch->next;
  if (watch->next != NULL) watch->next->previous = watch->previous;
}

hito_watch *hito_watch_begin(
    hito_client *client, const Hito__V1__WatchRequest *request, const hito_call_options *options, hito_error **error) {
  hito_watch *watch = calloc(1, sizeof *watch);
  Hito__V1__WatchRequest *copy = watch == NULL ? NULL : copy_request(request);
  const hito_call_options none = {0};
  if (options == NULL) options = &none;
  if (copy == NULL || !hi_said_copy(&watch->said, options)) {
    hi_give(error, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
    if (copy != NULL) hito__v1__watch_request__free_unpacked(copy, NULL);
    if (watch != NULL) hi_said_free(&watch->said);
    free(watch);
    return NULL;
  }
  watch->client = client;
  watch->request = copy;
  watch->options = *options;
  watch->options.timeout_ms = 0;
  watch->options.idempotency_key = NULL;
  watch->options.token = watch->said.token;
  watch->options.traceparent = watch->said.traceparent;
  watch->options.metadata = watch->said.metadata;
  watch->timer = (struct hi_timer){.fire = again, .owner = watch};
  enlist(watch);
  open_call(watch);
  if (watch->call != NULL) return watch;
  hi_give(error, watch->error);
  watch->error = NULL;
  hito_watch_free(watch);
  return NULL;
}

void hito_watch_on_interruption(hito_watch *watch, void (*told)(void *user, const hito_error *error), void *user) {
  watch->told = told;
  watch->told_user = user;
}

/* Whether the same request can succeed later. */
static bool passes(const hito_error *error) {
  if (error->code == HITO_UNAVAILABLE) return !hito_error_is_lasting(error);
  return error->from_server && (error->code == HITO_RESOURCE_EXHAUSTED || error->code == HITO_CANCELLED ||
                                error->code == HITO_DEADLINE_EXCEEDED || error->code == HITO_ABORTED);
}

/* The stream broke; it is taken up again, or it was the end. Takes the error. */
static void broke(hito_watch *watch, hito_error *error) {
  hito_call_free(watch->call);
  watch->call = NULL;
  /* Behind what a filter passed over since the last response, or before what was lost. */
  stand_at(watch, error->resume_cursor);
  if (!passes(error)) {
    watch->error = error;
    return;
  }
  watch->interruptions++;
  if (watch->told != NULL) watch->told(watch->told_user, error);
  int64_t now = watch->client->now;
  int64_t pushback = hito_error_retry_delay_us(error);
  int64_t wait = hi_backoff(watch->failures++, hi_chance());
  if (pushback > HI_PUSHBACK_MAX) pushback = HI_PUSHBACK_MAX;
  if (wait < pushback) wait = pushback;
  wait += hi_pacer_delay(&watch->client->pacer, now);
  hito_error_free(error);
  if (!hi_timer_set(&watch->client->timers, &watch->timer, now + wait))
    watch->error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
}

hito_step hito_watch_take(hito_watch *watch, Hito__V1__WatchResponse **response, hito_error **error) {
  *response = NULL;
  hito_error *failure = NULL;
  if (watch->call != NULL) {
    hito_step step = hito_progress_watch_take(watch->call, response, &failure);
    if (step == HITO_STEP_WAIT) return step;
    if (step == HITO_STEP_MESSAGE) {
      watch->failures = 0;
      stand_at(watch, (*response)->cursor);
      return step;
    }
    /* A server has no reason to end it; one that does is asked again. */
    broke(watch, failure != NULL ? failure : hi_error(HITO_UNAVAILABLE, false, "the server ended the stream"));
  }
  if (watch->error == NULL && watch->client->is_closed)
    watch->error = hi_error(HITO_CANCELLED, true, "the client was closed");
  if (watch->error == NULL) return HITO_STEP_WAIT;
  hi_give(error, hi_error_copy(watch->error));
  return HITO_STEP_ERROR;
}

hito_step hito_watch_next(hito_watch *watch, Hito__V1__WatchResponse **response, hito_error **error) {
  for (;;) {
    hito_step step = hito_watch_take(watch, response, error);
    if (step != HITO_STEP_WAIT) return step;
    if (watch->client->is_polling) {
      hi_give(error, hi_error(HITO_FAILED_PRECONDITION, true, "on_ready must not wait"));
      return HITO_STEP_ERROR;
    }
    hito_client_poll(watch->client, -1);
  }
}

const char *hito_watch_cursor(const hito_watch *watch) {
  bool is_there = watch->request->start_case == HITO__V1__WATCH_REQUEST__START_AFTER_CURSOR;
  return is_there ? watch->request->after_cursor : "";
}

unsigned hito_watch_interruptions(const hito_watch *watch) { return watch->interruptions; }

void hito_watch_free(hito_watch *watch) {
  if (watch == NULL) return;
  delist(watch);
  hi_timer_clear(&watch->client->timers, &watch->timer);
  hito_call_free(watch->call);
  hito_error_free(watch->error);
  hi_said_free(&watch->said);
  hito__v1__watch_request__free_unpacked(watch->request, NULL);
  free(watch);
}
