#include "consume.h"

#include <stdlib.h>

#include "hito/v1/events_client.h"

static void ready(hito_call *call, void *user);

static void tell(hito_consumer *consumer) {
  consumer->client->has_moved = true;
  if (consumer->on_ready != NULL) consumer->on_ready(NULL, consumer->user);
}

static void drop_settlements(hito_consumer *consumer) {
  while (consumer->first != NULL) {
    struct hi_settlement *settlement = consumer->first;
    consumer->first = settlement->next;
    free(settlement->event_id);
    free(settlement->reason);
    free(settlement);
  }
  consumer->last = NULL;
}

/* Opens the stream and says who joins. */
static void join(hito_consumer *consumer) {
  consumer->has_joined = false;
  consumer->call = hito_events_consume(consumer->client, &consumer->options, &consumer->error);
}

static void again(void *owner) {
  hito_consumer *consumer = owner;
  if (consumer->error == NULL) join(consumer);
  if (consumer->error != NULL) tell(consumer);
}

static bool send_join(hito_consumer *consumer) {
  Hito__V1__ConsumeRequest request = HITO__V1__CONSUME_REQUEST__INIT;
  Hito__V1__JoinGroup group = HITO__V1__JOIN_GROUP__INIT;
  group.group = consumer->group;
  group.consumer = consumer->name;
  group.instance = consumer->instance;
  group.buffer_size = consumer->buffer_size;
  request.step_case = HITO__V1__CONSUME_REQUEST__STEP_JOIN;
  request.join = &group;
  return hito_events_consume_try_send(consumer->call, &request, NULL);
}

static bool send_first(hito_consumer *consumer) {
  struct hi_settlement *settlement = consumer->first;
  Hito__V1__ConsumeRequest request = HITO__V1__CONSUME_REQUEST__INIT;
  Hito__V1__Settle settle = HITO__V1__SETTLE__INIT;
  settle.event_ids = &settlement->event_id;
  settle.n_event_ids = 1;
  settle.action = settlement->action;
  settle.retry_after_us = settlement->retry_after_us;
  if (settlement->reason != NULL) settle.reason = settlement->reason;
  request.step_case = HITO__V1__CONSUME_REQUEST__STEP_SETTLE;
  request.settle = &settle;
  return hito_events_consume_try_send(consumer->call, &request, NULL);
}

void hi_consumer_send(hito_consumer *consumer) {
  if (consumer->call == NULL) return;
  if (!consumer->has_joined) consumer->has_joined = send_join(consumer);
  while (consumer->has_joined && consumer->first != NULL && send_first(consumer)) {
    struct hi_settlement *settlement = consumer->first;
    consumer->first = settlement->next;
    if (consumer->first == NULL) consumer->last = NULL;
    free(settlement->event_id);
    free(settlement->reason);
    free(settlement);
  }
  if (consumer->is_closing && consumer->has_joined && consumer->first == NULL) hito_call_half_close(consumer->call);
}

bool hi_consumer_say(
    hito_consumer *consumer, const char *event_id, Hito__V1__SettleAction action, const char *reason,
    int64_t retry_after_us) {
  struct hi_settlement *settlement = calloc(1, sizeof *settlement);
  if (settlement == NULL) return false;
  *settlement = (struct hi_settlement){
      .action = action, .retry_after_us = retry_after_us, .event_id = hi_copy_text(event_id),
      .reason = hi_copy_text(reason)};
  if (settlement->event_id == NULL || (reason != NULL && settlement->reason == NULL)) {
    free(settlement->event_id);
    free(settlement->reason);
    free(settlement);
    return false;
  }
  if (consumer->last == NULL)
    consumer->first = settlement;
  else
    consumer->last->next = settlement;
  consumer->last = settlement;
  return true;
}

/* Takes the response; false without memory. */
static bool received(hito_consumer *consumer, Hito__V1__ConsumeResponse *response) {
  consumer->failures = 0;
  consumer->is_renewed = false;
  if (response->joined != NULL) {
    /* After a broken connection it comes again under the name that it had. */
    char *name = hi_copy_text(response->joined->consumer);
    if (name != NULL) {
      free(consumer->name);
      consumer->name = name;
    }
    consumer->ack_timeout_us = response->joined->ack_timeout_us;
  }
  if (response->settled != NULL) hi_deliveries_heard(consumer, response->settled);
  if (response->event != NULL && hi_delivery_add(consumer, response)) return true;
  bool is_lost = response->event != NULL;
  hito__v1__consume_response__free_unpacked(response, NULL);
  return !is_lost;
}

/* The name is still that of this consumer's last connection. */
static bool may_join_later(const hito_consumer *consumer, const hito_error *error) {
  return error->code == HITO_ALREADY_EXISTS && consumer->interruptions > 0 &&
         hito_error_reason(error) == HITO__V1__ERROR_REASON__ERROR_REASON_CONSUMER_NAME_TAKEN;
}

/* The token was refused: it comes again under another one, once before a response. */
static bool may_renew_token(hito_consumer *consumer) {
  bool was_renewed = consumer->is_renewed;
  consumer->is_renewed = hi_call_lost_token(consumer->call);
  return consumer->is_renewed && !was_renewed;
}

/* The stream broke; it is taken up again, or it was the end. Takes the error; NULL where the server ended it. */
static void broke(hito_consumer *consumer, hito_error *error) {
  bool is_renewed = may_renew_token(consumer);
  hito_call_free(consumer->call);
  consumer->call = NULL;
  hi_deliveries_lost(consumer);
  drop_settlements(consumer);
  if (consumer->is_closing && error == NULL) {
    consumer->is_over = true;
    return;
  }
  if (error == NULL) error = hi_error(HITO_UNAVAILABLE, false, "the server ended the stream");
  if (consumer->is_closing || !(hi_passes(error) || is_renewed || may_join_later(consumer, error))) {
    consumer->error = error;
    return;
  }
  consumer->interruptions++;
  if (consumer->told != NULL) consumer->told(consumer->told_user, error);
  int64_t at = hi_resume_at(consumer->client, error, consumer->failures++);
  hi_log_resumed(consumer->client, &hito_events_consume_method, error, at);
  hito_error_free(error);
  if (!hi_timer_set(&consumer->client->timers, &consumer->timer, at))
    consumer->error = hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory");
}

/* Reads what is there, also while nobody asks for the next event: answers have to be heard. */
static void go_on(hito_consumer *consumer) {
  hi_consumer_send(consumer);
  while (consumer->call != NULL) {
    Hito__V1__ConsumeResponse *response;
    hito_error *error = NULL;
    hito_step step = hito_events_consume_take(consumer->call, &response, &error);
    if (step == HITO_STEP_WAIT) return;
    if (step != HITO_STEP_MESSAGE)
      broke(consumer, error);
    else if (!received(consumer, response))
      broke(consumer, hi_error(HITO_RESOURCE_EXHAUSTED, false, "no memory"));
  }
}

static void ready(hito_call *call, void *user) {
  (void)call;
  go_on(user);
  tell(user);
}

static bool build(hito_consumer *consumer, const hito_consumer_options *said, const hito_call_options *options) {
  consumer->group = hi_copy_text(said->group == NULL ? "" : said->group);
  consumer->name = hi_copy_text(said->consumer == NULL ? "" : said->consumer);
  consumer->instance = hi_random_key();
  consumer->buffer_size = said->buffer_size;
  consumer->lets_go = said->lets_go;
  bool is_copied = hi_said_copy(&consumer->said, options);
  consumer->options = (hito_call_options){
      .token = consumer->said.token, .traceparent = consumer->said.traceparent, .metadata = consumer->said.metadata,
      .metadata_count = consumer->said.metadata_count, .wait_for_ready = options->wait_for_ready, .on_ready = ready,
      .user = consumer};
  consumer->on_ready = options->on_ready;
  consumer->user = options->user;
  return is_copied && consumer->group != NULL && consumer->name != NULL && consumer->instance != NULL;
}

hito_consumer *hito_consumer_begin(
    hito_client *client, const hito_consumer_options *said, const hito_call_options *options, hito_error **error) {
  const hito_call_options none = {0};
  hito_consumer *consumer = calloc(1, sizeof *consumer);
  if (consumer == NULL) {
    hi_give(error, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
    return NULL;
  }
  consumer->client = client;
  consumer->timer = (struct hi_timer){.fire = again, .owner = consumer};
  if (!build(consumer, said, options == NULL ? &none : options))
    consumer->error = hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory");
  else
    join(consumer);
  if (consumer->call != NULL) return consumer;
  hi_give(error, consumer->error);
  consumer->error = NULL;
  hito_consumer_free(consumer);
  return NULL;
}

void hito_consumer_on_interruption(
    hito_consumer *consumer, void (*told)(void *user, const hito_error *error), void *user) {
  consumer->told = told;
  consumer->told_user = user;
}

hito_step hito_consumer_take(hito_consumer *consumer, hito_delivery **delivery, hito_error **error) {
  *delivery = NULL;
  while (consumer->first_arrived != NULL) {
    hito_delivery *arrived = consumer->first_arrived;
    consumer->first_arrived = arrived->next_arrived;
    if (consumer->first_arrived == NULL) consumer->last_arrived = NULL;
    if (arrived->is_held && !consumer->is_closing) {
      *delivery = arrived;
      return HITO_STEP_MESSAGE;
    }
    hito_delivery_free(arrived);
  }
  if (consumer->is_over) return HITO_STEP_END;
  if (consumer->error == NULL && consumer->client->is_closed)
    consumer->error = hi_error(HITO_CANCELLED, true, "the client was closed");
  if (consumer->error == NULL) return HITO_STEP_WAIT;
  hi_give(error, hi_error_copy(consumer->error));
  return HITO_STEP_ERROR;
}

hito_step hito_consumer_next(hito_consumer *consumer, hito_delivery **delivery, hito_error **error) {
  for (;;) {
    hito_step step = hito_consumer_take(consumer, delivery, error);
    if (step != HITO_STEP_WAIT) return step;
    if (consumer->client->is_polling) {
      hi_give(error, hi_error(HITO_FAILED_PRECONDITION, true, "on_ready must not wait"));
      return HITO_STEP_ERROR;
    }
    hito_client_poll(consumer->client, -1);
  }
}

const char *hito_consumer_name(const hito_consumer *consumer) { return consumer->name; }

void hito_consumer_close(hito_consumer *consumer) {
  consumer->is_closing = true;
  hi_consumer_send(consumer);
  if (consumer->call != NULL) return;
  /* It rests: there is nothing to give back. */
  hi_timer_clear(&consumer->client->timers, &consumer->timer);
  consumer->is_over = true;
}

void hito_consumer_free(hito_consumer *consumer) {
  if (consumer == NULL) return;
  hi_timer_clear(&consumer->client->timers, &consumer->timer);
  hito_call_free(consumer->call);
  hi_deliveries_lost(consumer);
  hi_deliveries_drop(consumer);
  drop_settlements(consumer);
  for (hito_delivery *delivery = consumer->deliveries; delivery != NULL; delivery = delivery->next)
    delivery->consumer = NULL;
  hito_error_free(consumer->error);
  hi_said_free(&consumer->said);
  free(consumer->group);
  free(consumer->name);
  free(consumer->instance);
  free(consumer);
}
