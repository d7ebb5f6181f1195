/* The connections of a client: gives each call one, makes them as they are needed, and has calls wait for room. The
 * machine decides; this dials, wakes and keeps time. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { ADDRESSES_MAX = 64 };

static void woken(void *owner) {
  hito_client *client = owner;
  client->pool.is_changed = true;
}

/* `host:port` or `[2001:db8::1]:port`; takes the text apart. */
static bool parse_address(char *text, struct hi_address *address) {
  while (*text == ' ') text++;
  char *colon = strrchr(text, ':');
  if (colon == NULL || colon == text) return false;
  *colon = 0;
  char *host = text, *end = colon - 1;
  if (*host == '[' && *end == ']') {
    host++;
    *end = 0;
  } else if (strchr(host, ':') != NULL) {
    return false;
  }
  char *port_end;
  long port = strtol(colon + 1, &port_end, 10);
  while (*port_end == ' ') port_end++;
  if (*host == 0 || *port_end != 0 || port < 1 || port > 65535) return false;
  *port_end = 0;
  *address = (struct hi_address){.host = hi_copy_text(host), .port = hi_copy_text(colon + 1)};
  return address->host != NULL && address->port != NULL;
}

static size_t parse_addresses(struct hi_pool *pool, const char *addresses) {
  size_t count = 0;
  char *copy = hi_copy_text(addresses == NULL ? "" : addresses), *at = copy;
  while (at != NULL && count < ADDRESSES_MAX) {
    char *comma = strchr(at, ',');
    if (comma != NULL) *comma = 0;
    if (!parse_address(at, &pool->addresses[count])) {
      count = 0;
      break;
    }
    count++;
    at = comma == NULL ? NULL : comma + 1;
  }
  free(copy);
  return count;
}

bool hi_pool_init(hito_client *client, hito_error **error) {
  struct hi_pool *pool = &client->pool;
  const hito_client_options *options = &client->options;
  pool->timer = (struct hi_timer){.fire = woken, .owner = client};
  pool->addresses = calloc(ADDRESSES_MAX, sizeof *pool->addresses);
  pool->healths = calloc(ADDRESSES_MAX, sizeof *pool->healths);
  size_t count = pool->addresses == NULL ? 0 : parse_addresses(pool, options->addresses);
  if (count == 0) {
    hi_give(error, hi_error(HITO_INVALID_ARGUMENT, true, "addresses: say host:port or [IPv6]:port, up to 64 with commas"));
    return false;
  }
  if (pool->healths != NULL &&
      hi_machine_init(&pool->machine, count, options->balancing == HITO_ROUND_ROBIN, options->connections_per_address))
    return true;
  hi_give(error, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
  return false;
}

void hi_pool_free(hito_client *client) {
  struct hi_pool *pool = &client->pool;
  for (size_t i = 0; pool->healths != NULL && i < pool->machine.count; i++) hi_health_stop(&pool->healths[i]);
  while (pool->connections != NULL) {
    struct hi_connection *connection = pool->connections;
    pool->connections = connection->next;
    hi_connection_free(connection);
  }
  hi_timer_clear(&client->timers, &pool->timer);
  for (size_t i = 0; pool->addresses != NULL && i < ADDRESSES_MAX; i++) {
    free(pool->addresses[i].host);
    free(pool->addresses[i].port);
  }
  hi_machine_free(&pool->machine);
  free(pool->addresses);
  free(pool->healths);
  free(pool->failure);
}

static struct hi_connection *by_number(struct hi_pool *pool, int number) {
  struct hi_connection *connection = pool->connections;
  while (connection != NULL && connection->number != number) connection = connection->next;
  return connection;
}

static void dial(hito_client *client) {
  struct hi_pool *pool = &client->pool;
  for (size_t i = 0; i < pool->machine.count; i++) {
    if (!pool->machine.places[i].is_to_dial) continue;
    pool->machine.places[i].is_to_dial = false;
    struct hi_connection *connection = hi_connection_new(client, i);
    if (connection == NULL) {
      hi_machine_dial_failed(&pool->machine, i, false, client->now, hi_chance());
      continue;
    }
    connection->number = ++pool->last_number;
    connection->next = pool->connections;
    pool->connections = connection;
    hi_connection_io(connection);
  }
}

static hito_error *unreachable(const struct hi_pool *pool) {
  return hi_error(HITO_UNAVAILABLE, true, "%s", pool->failure == NULL ? "no server answers" : pool->failure);
}

/* Gives a waiter what there is; false where it waits on, until `until` or before. */
static bool give(hito_client *client, struct hi_waiter *waiter, int64_t *until) {
  struct hi_step step = hi_machine_place(&client->pool.machine, &waiter->want, client->now);
  if (step.kind == HI_WAIT) {
    if (step.until < *until) *until = step.until;
    return false;
  }
  if (step.kind == HI_FAIL)
    waiter->failed(waiter->owner, unreachable(&client->pool));
  else
    waiter->given(waiter->owner, by_number(&client->pool, step.number));
  return true;
}

static void arm(hito_client *client, int64_t until) {
  struct hi_timer *timer = &client->pool.timer;
  if (until == HI_NEVER || (timer->place != 0 && timer->at <= until)) return;
  /* Without memory nobody is woken by it, but by everything else. */
  (void)hi_timer_set(&client->timers, timer, until);
}

static void append(struct hi_pool *pool, struct hi_waiter *waiter) {
  waiter->next = NULL;
  waiter->is_queued = true;
  if (pool->last_waiter == NULL)
    pool->first_waiter = waiter;
  else
    pool->last_waiter->next = waiter;
  pool->last_waiter = waiter;
}

void hi_pool_ask(hito_client *client, struct hi_waiter *waiter) {
  int64_t until = HI_NEVER;
  waiter->want.turn = HI_NO_TURN;
  if (!give(client, waiter, &until)) append(&client->pool, waiter);
  dial(client);
  arm(client, until);
}

void hi_pool_forget(hito_client *client, struct hi_waiter *waiter) {
  struct hi_pool *pool = &client->pool;
  if (!waiter->is_queued) return;
  struct hi_waiter *before = NULL, **place = &pool->first_waiter;
  while (*place != waiter) {
    before = *place;
    place = &before->next;
  }
  *place = waiter->next;
  if (pool->last_waiter == waiter) pool->last_waiter = before;
  waiter->is_queued = false;
}

/* In the order in which they came each waiter gets what there is. Where there is more room and nothing else has changed,
 * the first that must wait on is the last that is asked. */
static void serve(hito_client *client) {
  struct hi_pool *pool = &client->pool;
  bool all = pool->is_changed, is_stuck = false;
  int64_t until = HI_NEVER;
  size_t count = 0;
  pool->is_changed = pool->has_room = false;
  for (const struct hi_waiter *waiter = pool->first_waiter; waiter != NULL; waiter = waiter->next) count++;
  /* Each leaves the row while it is asked, so that what its call does, and others, find a row that is whole. */
  for (; count > 0 && pool->first_waiter != NULL; count--) {
    struct hi_waiter *waiter = pool->first_waiter;
    hi_pool_forget(client, waiter);
    if ((is_stuck && !all) || !give(client, waiter, &until)) {
      append(pool, waiter);
      is_stuck = true;
    }
  }
  dial(client);
  arm(client, until);
}

struct hi_connection *hi_pool_beside(hito_client *client, const int *used, size_t used_count) {
  int number = hi_machine_place_beside(&client->pool.machine, used, used_count);
  return number < 0 ? NULL : by_number(&client->pool, number);
}

void hi_pool_call_ended(struct hi_connection *connection) {
  struct hi_pool *pool = &connection->client->pool;
  hi_machine_call_ended(&pool->machine, connection->number);
  pool->has_room = true;
}

void hi_pool_served(struct hi_connection *connection) {
  hi_machine_served(&connection->client->pool.machine, connection->number);
}

void hi_pool_retired(struct hi_connection *connection) {
  struct hi_pool *pool = &connection->client->pool;
  if (!connection->is_known) return;
  hi_machine_retired(&pool->machine, connection->number, connection->client->now, hi_chance());
  hi_health_retired(connection);
  pool->is_changed = true;
}

/* An attempt has ended, well or not: told to the machine once. */
static void hear(hito_client *client, struct hi_connection *connection) {
  struct hi_pool *pool = &client->pool;
  if (connection->is_known) return;
  if (connection->why_failed != NULL) {
    connection->is_known = true;
    free(pool->failure);
    pool->failure = hi_copy_text(connection->why_failed);
    hi_machine_dial_failed(&pool->machine, connection->place, connection->is_untrusted, client->now, hi_chance());
    pool->is_changed = true;
    return;
  }
  if (connection->peer.message_max == 0) return;
  connection->is_known = true;
  bool is_wanted = hi_machine_dialled(
      &pool->machine, connection->place, connection->number, connection->peer.streams_max, client->now);
  pool->is_changed = true;
  if (connection->is_retired) {
    /* It went between its HELLO and now. */
    hi_machine_retired(&pool->machine, connection->number, client->now, hi_chance());
  } else if (!is_wanted) {
    hi_connection_close(connection);
  } else {
    hi_health_begin(client, connection->place);
  }
}

bool hi_pool_settle(hito_client *client) {
  struct hi_pool *pool = &client->pool;
  if (pool->has_news) {
    pool->has_news = false;
    struct hi_connection *next;
    for (struct hi_connection *connection = pool->connections; connection != NULL; connection = next) {
      next = connection->next;
      hear(client, connection);
    }
    return true;
  }
  for (size_t i = 0; i < pool->machine.count; i++) {
    if (!pool->healths[i].is_touched) continue;
    hi_health_step(&pool->healths[i]);
    return true;
  }
  if (!pool->is_changed && !pool->has_room) return false;
  serve(client);
  return true;
}

void hi_pool_reap(hito_client *client) {
  struct hi_connection **place = &client->pool.connections;
  while (*place != NULL) {
    struct hi_connection *connection = *place;
    if (connection->state == HI_DEAD && (connection->is_known || client->is_closed)) {
      *place = connection->next;
      hi_connection_free(connection);
    } else {
      place = &connection->next;
    }
  }
}

void hi_pool_close(hito_client *client) {
  struct hi_pool *pool = &client->pool;
  hi_timer_clear(&client->timers, &pool->timer);
  for (size_t i = 0; i < pool->machine.count; i++) hi_health_stop(&pool->healths[i]);
  for (struct hi_connection *connection = pool->connections; connection != NULL; connection = connection->next)
    hi_connection_close(connection);
}
