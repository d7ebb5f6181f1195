#include <stdlib.h>
#include <string.h>

#include "consume.h"

static void extend(void *owner);

/* Three times in the time that there is to settle it. */
static void arm(hito_delivery *delivery) {
  hito_consumer *consumer = delivery->consumer;
  if (consumer->lets_go || consumer->ack_timeout_us <= 0) return;
  (void)hi_timer_set(
      &consumer->client->timers, &delivery->timer, consumer->client->now + consumer->ack_timeout_us / 3);
}

static void extend(void *owner) {
  hito_delivery *delivery = owner;
  if (!delivery->is_held || delivery->is_settling) return;
  if (hi_consumer_say(delivery->consumer, delivery->response->event->id,
                      HITO__V1__SETTLE_ACTION__SETTLE_ACTION_EXTEND, NULL, 0))
    delivery->extending++;
  hi_consumer_send(delivery->consumer);
  arm(delivery);
}

bool hi_delivery_add(hito_consumer *consumer, Hito__V1__ConsumeResponse *response) {
  hito_delivery *delivery = calloc(1, sizeof *delivery);
  if (delivery == NULL) return false;
  *delivery = (hito_delivery){.consumer = consumer, .response = response, .is_held = true};
  delivery->timer = (struct hi_timer){.fire = extend, .owner = delivery};
  delivery->next = consumer->deliveries;
  if (delivery->next != NULL) delivery->next->previous = delivery;
  consumer->deliveries = delivery;
  if (consumer->last_arrived == NULL)
    consumer->first_arrived = delivery;
  else
    consumer->last_arrived->next_arrived = delivery;
  consumer->last_arrived = delivery;
  arm(delivery);
  return true;
}

static hito_delivery *find(hito_consumer *consumer, const char *event_id) {
  hito_delivery *delivery = consumer->deliveries;
  while (delivery != NULL && !(delivery->is_held && strcmp(delivery->response->event->id, event_id) == 0))
    delivery = delivery->next;
  return delivery;
}

static void let_go(hito_delivery *delivery, hito_outcome outcome) {
  delivery->is_held = false;
  delivery->outcome = outcome;
  hi_timer_clear(&delivery->consumer->client->timers, &delivery->timer);
}

static void heard(hito_consumer *consumer, const char *event_id, bool is_settled) {
  hito_delivery *delivery = find(consumer, event_id);
  if (delivery == NULL) return;
  bool is_final = delivery->extending == 0;
  if (!is_final) delivery->extending--;
  /* Where it was settled meanwhile, the answer to that decides. */
  if (!is_final && delivery->is_settling) return;
  if (!is_settled)
    let_go(delivery, HITO_OUTCOME_LOST);
  else if (is_final)
    let_go(delivery, HITO_OUTCOME_SETTLED);
}

void hi_deliveries_heard(hito_consumer *consumer, const Hito__V1__Settled *settled) {
  for (size_t i = 0; i < settled->n_event_ids; i++) heard(consumer, settled->event_ids[i], true);
  for (size_t i = 0; i < settled->n_not_held; i++) heard(consumer, settled->not_held[i], false);
}

void hi_deliveries_lost(hito_consumer *consumer) {
  for (hito_delivery *delivery = consumer->deliveries; delivery != NULL; delivery = delivery->next)
    if (delivery->is_held) let_go(delivery, HITO_OUTCOME_LOST);
}

void hi_deliveries_drop(hito_consumer *consumer) {
  while (consumer->first_arrived != NULL) {
    hito_delivery *delivery = consumer->first_arrived;
    consumer->first_arrived = delivery->next_arrived;
    hito_delivery_free(delivery);
  }
  consumer->last_arrived = NULL;
}

const Hito__V1__Event *hito_delivery_event(const hito_delivery *delivery) { return delivery->response->event; }

int hito_delivery_attempt(const hito_delivery *delivery) { return delivery->response->attempt; }

bool hito_delivery_is_held(const hito_delivery *delivery) { return delivery->is_held; }

hito_outcome hito_delivery_outcome(const hito_delivery *delivery) { return delivery->outcome; }

bool hito_delivery_settle(
    hito_delivery *delivery, Hito__V1__SettleAction action, const char *reason, int64_t retry_after_us) {
  if (!delivery->is_held || delivery->is_settling) return false;
  hito_consumer *consumer = delivery->consumer;
  if (!hi_consumer_say(consumer, delivery->response->event->id, action, reason, retry_after_us)) return false;
  if (action == HITO__V1__SETTLE_ACTION__SETTLE_ACTION_EXTEND) {
    delivery->extending++;
  } else {
    delivery->is_settling = true;
    hi_timer_clear(&consumer->client->timers, &delivery->timer);
  }
  hi_consumer_send(consumer);
  return true;
}

bool hito_delivery_ack(hito_delivery *delivery) {
  if (!hito_delivery_settle(delivery, HITO__V1__SETTLE_ACTION__SETTLE_ACTION_ACK, NULL, 0)) return false;
  while (delivery->outcome == HITO_OUTCOME_OPEN && !delivery->consumer->client->is_polling)
    if (hito_client_poll(delivery->consumer->client, -1) < 0) break;
  return delivery->outcome == HITO_OUTCOME_SETTLED;
}

void hito_delivery_free(hito_delivery *delivery) {
  if (delivery == NULL) return;
  hito_consumer *consumer = delivery->consumer;
  if (consumer != NULL) {
    hi_timer_clear(&consumer->client->timers, &delivery->timer);
    if (delivery->previous == NULL)
      consumer->deliveries = delivery->next;
    else
      delivery->previous->next = delivery->next;
    if (delivery->next != NULL) delivery->next->previous = delivery->previous;
  }
  hito__v1__consume_response__free_unpacked(delivery->response, NULL);
  free(delivery);
}
