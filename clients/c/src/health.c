/* What a server says of itself (C1.8). A server counts as one that serves until it says otherwise, and again when it says
 * no more. */
#include <stdlib.h>

#include "guard.h"
#include "hito/v1/server.pb-c.h"
#include "internal.h"

enum { MEMORY_MAX = 65536 };

static const char path[] = "hito.v1.HealthService/Watch";

static void says(struct hi_health *health, bool is_serving) {
  hi_machine_says(&health->client->pool.machine, health->place, is_serving);
  health->client->pool.is_changed = true;
}

static void changed(void *owner) {
  struct hi_health *health = owner;
  health->is_touched = true;
}

static void listen_again(void *owner) {
  struct hi_health *health = owner;
  static const struct hi_opening opening = {
      .head = {.path = path}, .message = (const uint8_t *)"", .half_closes = true};
  hito_error *error = NULL;
  if (health->connection == NULL) return;
  if (hi_machine_take(&health->client->pool.machine, health->connection->number))
    health->exchange = hi_exchange_open(health->connection, &opening, changed, health, &error);
  hito_error_free(error);
  if (health->exchange != NULL) return;
  int64_t at = health->client->now + hi_backoff(health->failures++, hi_chance());
  (void)hi_timer_set(&health->client->timers, &health->timer, at);
}

void hi_health_begin(hito_client *client, size_t place) {
  struct hi_health *health = &client->pool.healths[place];
  if (!client->options.checks_health || client->is_closed || health->connection != NULL) return;
  for (struct hi_connection *c = client->pool.connections; c != NULL; c = c->next) {
    if (c->place != place || !c->is_known || !hi_connection_takes_calls(c)) continue;
    *health = (struct hi_health){.client = client, .place = place, .connection = c};
    health->timer = (struct hi_timer){.fire = listen_again, .owner = health};
    listen_again(health);
    return;
  }
}

void hi_health_stop(struct hi_health *health) {
  if (health->client == NULL) return;
  hi_timer_clear(&health->client->timers, &health->timer);
  hi_exchange_free(health->exchange);
  health->exchange = NULL;
  health->connection = NULL;
  health->is_touched = false;
}

void hi_health_retired(struct hi_connection *connection) {
  struct hi_health *health = &connection->client->pool.healths[connection->place];
  if (health->connection != connection) return;
  /* A draining server waits for its calls to end; freed in hi_health_step, as the frame at work may be of this call. */
  health->connection = NULL;
  health->is_touched = true;
  if (health->exchange != NULL) hi_exchange_cancel(health->exchange, NULL);
}

/* Another connection to the same address is asked now. */
static void move_on(struct hi_health *health) {
  hito_client *client = health->client;
  size_t place = health->place;
  hi_health_stop(health);
  hi_health_begin(client, place);
}

static void take(struct hi_health *health, const struct hi_message *message) {
  ProtobufCMessage *decoded;
  if (hi_guard_unpack(&hito__v1__health_check_response__descriptor, message->bytes, message->size, MEMORY_MAX,
                      &decoded) != HI_GOOD)
    return;
  Hito__V1__HealthStatus status = ((Hito__V1__HealthCheckResponse *)decoded)->status;
  protobuf_c_message_free_unpacked(decoded, NULL);
  health->failures = 0;
  says(health, status != HITO__V1__HEALTH_STATUS__HEALTH_STATUS_NOT_SERVING &&
                   status != HITO__V1__HEALTH_STATUS__HEALTH_STATUS_DRAINING);
}

void hi_health_step(struct hi_health *health) {
  health->is_touched = false;
  if (health->connection == NULL) {
    move_on(health);
    return;
  }
  struct hi_exchange *exchange = health->exchange;
  struct hi_message *message;
  if (exchange == NULL) return;
  while ((message = hi_exchange_take(exchange)) != NULL) {
    take(health, message);
    hi_message_free(message);
  }
  if (!exchange->is_done) return;
  const hito_error *error = exchange->error;
  /* A server that does not have the method is not asked again. */
  bool is_asked_again =
      error == NULL || error->code == HITO_UNAVAILABLE || error->code == HITO_RESOURCE_EXHAUSTED;
  hi_exchange_free(exchange);
  health->exchange = NULL;
  says(health, true);
  if (!is_asked_again) return;
  int64_t at = health->client->now + hi_backoff(health->failures++, hi_chance());
  (void)hi_timer_set(&health->client->timers, &health->timer, at);
}
