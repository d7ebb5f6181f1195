/* What a connection waits for, and what it does when that is there. */
#include <stdlib.h>
#include <sys/socket.h>

#include "internal.h"

enum {
  CONNECT_TIME = 10000000,
  LINGER_TIME = 2000000,
  /* No more fragments are made while so much waits for the socket. */
  OUT_ENOUGH = 256 << 10,
};

size_t hi_connection_fds(const struct hi_connection *connection, struct pollfd *fds, size_t capacity) {
  if (connection->state == HI_DIALLING) return hi_dial_fds(connection->dial, fds, capacity);
  if (connection->state == HI_DEAD || connection->fd < 0) return 0;
  bool is_waiting = hi_buffer_size(&connection->network) > 0;
  if (capacity > 0)
    fds[0] = (struct pollfd){.fd = connection->fd, .events = (short)(POLLIN | (is_waiting ? POLLOUT : 0))};
  return 1;
}

/* When a connection that is not established looks again. */
static void arm(struct hi_connection *connection) {
  int64_t at = connection->received_at + CONNECT_TIME;
  if (connection->state == HI_DIALLING && hi_dial_next(connection->dial) < at) at = hi_dial_next(connection->dial);
  if (!hi_timer_set(&connection->client->timers, &connection->timer, at)) hi_connection_lost(connection, "no memory");
}

static void dial(struct hi_connection *connection) {
  char *why = NULL;
  int fd = hi_dial_step(connection->dial, connection->client->now, &why);
  if (fd >= 0) {
    hi_dial_free(connection->dial);
    connection->dial = NULL;
    connection->fd = fd;
    connection->state = HI_HANDSHAKE;
    arm(connection);
    if (!hi_tls_begin(connection, connection->client->pool.addresses[connection->place].host))
      hi_connection_lost(connection, "TLS cannot begin");
  } else if (fd == -1) {
    arm(connection);
  } else {
    hi_connection_lost(connection, why == NULL ? "no memory" : why);
  }
  free(why);
}

void hi_connection_io(struct hi_connection *connection) {
  if (connection->state == HI_DIALLING)
    dial(connection);
  else if (connection->state != HI_DEAD)
    hi_tls_read(connection);
}

/* Has each sender send a fragment. Those that got nothing are before those that did at the next turn (W9.10). */
static bool pump(struct hi_connection *connection) {
  struct hi_exchange *list = connection->first_sender;
  struct hi_exchange *first[2] = {NULL, NULL}, *last[2] = {NULL, NULL};
  bool has_sent = false;
  connection->first_sender = connection->last_sender = NULL;
  while (list != NULL) {
    struct hi_exchange *exchange = list;
    list = exchange->next_sender;
    exchange->next_sender = NULL;
    int sent = !exchange->is_done && hi_exchange_pump(exchange);
    has_sent |= sent;
    if (exchange->is_done || !exchange->is_sending) {
      exchange->is_sender = false;
      continue;
    }
    if (last[sent] == NULL)
      first[sent] = exchange;
    else
      last[sent]->next_sender = exchange;
    last[sent] = exchange;
  }
  if (last[0] != NULL) last[0]->next_sender = first[1];
  connection->first_sender = first[0] != NULL ? first[0] : first[1];
  connection->last_sender = last[1] != NULL ? last[1] : last[0];
  return has_sent;
}

/* The last words are written: the server may read them in peace. */
static void linger(struct hi_connection *connection) {
  hi_tls_shutdown(connection);
  if (hi_buffer_size(&connection->network) > 0) return;
  shutdown(connection->fd, SHUT_WR);
  connection->state = HI_LINGERING;
  if (!hi_timer_set(&connection->client->timers, &connection->timer, connection->client->now + LINGER_TIME))
    hi_connection_lost(connection, "no memory");
}

void hi_connection_flush(struct hi_connection *connection) {
  if (connection->state == HI_DIALLING || connection->state == HI_DEAD) return;
  bool is_more = true;
  while (is_more && connection->state == HI_OPEN && hi_buffer_size(&connection->out) < OUT_ENOUGH) {
    is_more = pump(connection);
    hi_tls_flush(connection);
  }
  if (connection->state == HI_DEAD || connection->state == HI_LINGERING) return;
  hi_tls_flush(connection);
  bool is_written = hi_buffer_size(&connection->out) == 0 && hi_buffer_size(&connection->network) == 0;
  if (connection->state == HI_CLOSING && is_written) linger(connection);
}
