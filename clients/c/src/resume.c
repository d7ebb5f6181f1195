#include "resume.h"

#include <stdlib.h>

static ProtobufCMessage *copy_message(const ProtobufCMessage *message) {
  size_t size = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = malloc(size + 1);
  if (bytes == NULL) return NULL;
  protobuf_c_message_pack(message, bytes);
  ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, size, bytes);
  free(bytes);
  return copy;
}

bool hi_set_text(char **field, const char *text) {
  char *copy = hi_copy_text(text);
  if (copy == NULL) return false;
  if (*field != protobuf_c_empty_string) free(*field);
  *field = copy;
  return true;
}

void hi_resumed_stand_at(hito_resumed *resumed, const char *cursor) {
  char *copy = cursor[0] == 0 ? NULL : hi_copy_text(cursor);
  if (copy == NULL) return;
  free(resumed->cursor);
  resumed->cursor = copy;
}

static void open_call(hito_resumed *resumed) {
  resumed->call = hito_call_begin(
      resumed->client, resumed->method, resumed->request, &resumed->options, &resumed->error);
}

static void again(void *owner) {
  hito_resumed *resumed = owner;
  if (resumed->error == NULL) open_call(resumed);
  resumed->client->has_moved = true;
  if (resumed->error != NULL && resumed->options.on_ready != NULL)
    resumed->options.on_ready(NULL, resumed->options.user);
}

void hi_resumed_wake(hito_client *client) {
  for (hito_resumed *one = client->resumed; one != NULL; one = one->next)
    if (one->call == NULL) (void)hi_timer_set(&client->timers, &one->timer, client->now);
}

static void enlist(hito_resumed *resumed) {
  resumed->next = resumed->client->resumed;
  if (resumed->next != NULL) resumed->next->previous = resumed;
  resumed->client->resumed = resumed;
}

static void delist(hito_resumed *resumed) {
  if (resumed->previous != NULL)
    resumed->previous->next = resumed->next;
  else if (resumed->client->resumed == resumed)
    resumed->client->resumed = resumed->next;
  if (resumed->next != NULL) resumed->next->previous = resumed->previous;
}

/* Everything that can fail for want of memory; the texts of the options become its own. */
static bool build(hito_resumed *resumed, const ProtobufCMessage *request, const hito_call_options *options) {
  resumed->request = copy_message(request);
  if (resumed->request == NULL || !hi_said_copy(&resumed->said, options)) return false;
  /* The same for each attempt to begin: a lost reply begins no second one. */
  bool needs_key = !resumed->method->is_read_only && resumed->said.key == NULL;
  if (needs_key) resumed->said.key = hi_random_key();
  if (needs_key && resumed->said.key == NULL) return false;
  resumed->options = *options;
  resumed->options.timeout_ms = 0;
  resumed->options.idempotency_key = resumed->said.key;
  resumed->options.token = resumed->said.token;
  resumed->options.traceparent = resumed->said.traceparent;
  resumed->options.metadata = resumed->said.metadata;
  return true;
}

hito_resumed *hi_resumed_begin(
    hito_client *client, const struct hi_resumption *kind, const ProtobufCMessage *request,
    const hito_call_options *options, hito_error **error) {
  const hito_call_options none = {0};
  hito_resumed *resumed = calloc(1, sizeof *resumed);
  if (resumed == NULL) {
    hi_give(error, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
    return NULL;
  }
  *resumed = (hito_resumed){.client = client, .kind = kind, .method = kind->begins};
  resumed->timer = (struct hi_timer){.fire = again, .owner = resumed};
  enlist(resumed);
  if (!build(resumed, request, options == NULL ? &none : options))
    resumed->error = hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory");
  else
    open_call(resumed);
  if (resumed->call != NULL) return resumed;
  hi_give(error, resumed->error);
  resumed->error = NULL;
  hito_resumed_free(resumed);
  return NULL;
}

void hito_resumed_on_interruption(
    hito_resumed *resumed, void (*told)(void *user, const hito_error *error), void *user) {
  resumed->told = told;
  resumed->told_user = user;
}

/* Whether the same request can succeed later. */
bool hi_passes(const hito_error *error) {
  if (error->code == HITO_UNAVAILABLE) return !hito_error_is_lasting(error);
  return error->from_server && (error->code == HITO_RESOURCE_EXHAUSTED || error->code == HITO_CANCELLED ||
                                error->code == HITO_DEADLINE_EXCEEDED || error->code == HITO_ABORTED);
}

int64_t hi_resume_at(hito_client *client, const hito_error *error, unsigned failures) {
  int64_t pushback = hito_error_retry_delay_us(error);
  int64_t wait = hi_backoff(failures, hi_chance());
  if (pushback > HI_PUSHBACK_MAX) pushback = HI_PUSHBACK_MAX;
  if (wait < pushback) wait = pushback;
  return client->now + wait + hi_pacer_delay(&client->pacer, client->now);
}

/* The stream broke; it is taken up again, or it was the end. Takes the error. */
static void broke(hito_resumed *resumed, hito_error *error) {
  /* One that gave nothing was repeated by itself, under another token. */
  bool is_renewed = resumed->call->is_begun && hi_call_lost_token(resumed->call);
  hito_call_free(resumed->call);
  resumed->call = NULL;
  if (resumed->kind->refused != NULL) resumed->kind->refused(resumed, error);
  if (!hi_passes(error) && !is_renewed) {
    resumed->error = error;
    return;
  }
  resumed->interruptions++;
  if (resumed->told != NULL) resumed->told(resumed->told_user, error);
  int64_t at = hi_resume_at(resumed->client, error, resumed->failures++);
  hi_log_resumed(resumed->client, resumed->method, error, at);
  hito_error_free(error);
  if (!hi_timer_set(&resumed->client->timers, &resumed->timer, at))
    resumed->error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
}

static void received(hito_resumed *resumed, const ProtobufCMessage *response) {
  resumed->failures = 0;
  resumed->is_over = resumed->kind->received(resumed, response);
  if (!resumed->is_over) return;
  hito_call_free(resumed->call);
  resumed->call = NULL;
}

hito_step hi_resumed_take(
    hito_resumed *resumed, const struct hi_resumption *kind, ProtobufCMessage **response, hito_error **error) {
  *response = NULL;
  if (resumed->kind != kind) {
    hi_give(error, hi_error(HITO_INVALID_ARGUMENT, true, "it is of %s", resumed->kind->begins->path));
    return HITO_STEP_ERROR;
  }
  hito_error *failure = NULL;
  if (resumed->call != NULL) {
    hito_step step = hito_call_take(resumed->call, response, &failure);
    if (step == HITO_STEP_MESSAGE) received(resumed, *response);
    if (step == HITO_STEP_MESSAGE || step == HITO_STEP_WAIT) return step;
    /* A server has no reason to end it; one that does is asked again. */
    broke(resumed, failure != NULL ? failure : hi_error(HITO_UNAVAILABLE, false, "the server ended the stream"));
  }
  if (resumed->is_over) return HITO_STEP_END;
  if (resumed->error == NULL && resumed->client->is_closed)
    resumed->error = hi_error(HITO_CANCELLED, true, "the client was closed");
  if (resumed->error == NULL) return HITO_STEP_WAIT;
  hi_give(error, hi_error_copy(resumed->error));
  return HITO_STEP_ERROR;
}

hito_step hi_resumed_next(
    hito_resumed *resumed, const struct hi_resumption *kind, ProtobufCMessage **response, hito_error **error) {
  for (;;) {
    hito_step step = hi_resumed_take(resumed, kind, response, error);
    if (step != HITO_STEP_WAIT) return step;
    if (resumed->client->is_polling) {
      hi_give(error, hi_error(HITO_FAILED_PRECONDITION, true, "on_ready must not wait"));
      return HITO_STEP_ERROR;
    }
    hito_client_poll(resumed->client, -1);
  }
}

const char *hito_resumed_cursor(const hito_resumed *resumed) {
  return resumed->cursor == NULL ? "" : resumed->cursor;
}

unsigned hito_resumed_interruptions(const hito_resumed *resumed) { return resumed->interruptions; }

void hito_resumed_free(hito_resumed *resumed) {
  if (resumed == NULL) return;
  delist(resumed);
  hi_timer_clear(&resumed->client->timers, &resumed->timer);
  hito_call_free(resumed->call);
  hito_error_free(resumed->error);
  hi_said_free(&resumed->said);
  free(resumed->cursor);
  if (resumed->request != NULL) protobuf_c_message_free_unpacked(resumed->request, NULL);
  free(resumed);
}
