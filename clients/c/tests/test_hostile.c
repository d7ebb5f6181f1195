/* A server that sends anything: frames that are almost right, in any order, to a connection with calls. Whatever comes,
 * nothing is kept beyond what was granted; the sanitizers look for the rest. */
#include "check.h"
#include "internal.h"

enum { ROUNDS = 1500, FRAMES = 60, EXCHANGES = 6 };

static void changed(void *owner) { ++*(int *)owner; }

static void nothing(void *owner) { (void)owner; }

static struct hi_connection *greeted(hito_client *client) {
  struct hi_connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) exit(2);
  connection->client = client;
  connection->fd = -1;
  connection->next_stream = 1;
  connection->state = HI_GREETING;
  connection->number = 1;
  connection->keepalive = 10000000;
  connection->window = hi_receive_window(client->own.connection_credit);
  connection->timer = (struct hi_timer){.fire = nothing, .owner = connection};
  client->pool.connections = connection;
  static const uint8_t minor_one[] = {0, 5, 1, 0, 2, 0, 1};
  hi_put_header(&connection->in, HI_HELLO, 0, 0, sizeof minor_one);
  hi_buffer_append(&connection->in, minor_one, sizeof minor_one);
  hi_connection_received(connection);
  CHECK(connection->state == HI_OPEN && connection->minor == 1);
  while (hi_pool_settle(client)) continue;
  CHECK(connection->is_known);
  return connection;
}

static int below(int limit) { return rand() % limit; }

/* A payload that is often right for its kind. */
static size_t fill(uint8_t kind, uint8_t *payload) {
  size_t size = (size_t)below(below(8) == 0 ? 3000 : 40);
  for (size_t i = 0; i < size; i++) payload[i] = (uint8_t)below(256);
  if (kind == HI_PING || kind == HI_PONG) return 8;
  if (kind == HI_CREDIT) {
    payload[0] = (uint8_t)below(below(4) == 0 ? 256 : 1);
    return 4;
  }
  if (kind != HI_END && kind != HI_HEAD) return size;
  /* A block of a few fields, whose lengths are right most of the time. */
  size_t at = 2;
  for (int fields = below(4); fields > 0; fields--) {
    static const uint8_t tags[] = {1, 2, 3, 4, 6, 6, 7, 8, 99};
    uint8_t tag = tags[below(sizeof tags)];
    size_t length = tag == 1 ? 2 : tag == 7 ? 8 : tag == 8 ? 0 : (size_t)below(30);
    payload[at] = tag;
    payload[at + 1] = 0;
    payload[at + 2] = (uint8_t)length;
    if (tag == 1) payload[at + 3] = 0;
    if (tag == 1) payload[at + 4] = (uint8_t)below(18);
    if (tag == 6 && length > 0) payload[at + 3] = (uint8_t)below((int)length);
    at += 3 + length;
  }
  payload[0] = (uint8_t)((at - 2) >> 8);
  payload[1] = (uint8_t)(at - 2 + (size_t)(below(20) == 0));
  return at + (size_t)(below(2) * below(50));
}

static void send_something(struct hi_connection *connection) {
  static const uint8_t kinds[] = {HI_MESSAGE, HI_MESSAGE, HI_MESSAGE, HI_END, HI_HEAD, HI_CREDIT, HI_PING, HI_PONG, HI_GOAWAY};
  static const uint8_t flags[] = {0, 0, 0, HI_FLAG_MORE, HI_FLAG_HAS_MESSAGE, HI_FLAG_COMPRESSED};
  static uint8_t payload[4096];
  uint8_t kind = kinds[below(below(10) == 0 ? sizeof kinds : sizeof kinds - 1)];
  bool is_on_call = kind == HI_MESSAGE || kind == HI_END || kind == HI_HEAD || (kind == HI_CREDIT && below(2));
  uint32_t stream = is_on_call ? (uint32_t)(1 + 2 * below(EXCHANGES + (below(20) == 0))) : 0;
  uint8_t flag = flags[below(sizeof flags)];
  if (kind == HI_MESSAGE) flag &= (uint8_t)(HI_FLAG_MORE | HI_FLAG_COMPRESSED);
  if (kind == HI_END) flag &= HI_FLAG_HAS_MESSAGE;
  if (kind != HI_MESSAGE && kind != HI_END && below(30) != 0) flag = 0;
  size_t size = fill(kind, payload);
  hi_put_header(&connection->in, kind, flag, stream, size);
  hi_buffer_append(&connection->in, payload, size);
  hi_connection_received(connection);
  hi_buffer_consume(&connection->out, hi_buffer_size(&connection->out));
}

static size_t kept(const struct hi_exchange *exchange) {
  size_t size = hi_buffer_size(&exchange->partial);
  for (const struct hi_message *message = exchange->first; message != NULL; message = message->next) size += message->owed;
  return size;
}

static void do_something(struct hi_exchange *exchange) {
  switch (below(12)) {
    case 0: hi_exchange_cancel(exchange, hi_error(HITO_CANCELLED, false, "enough")); break;
    case 1: hi_exchange_half_close(exchange); break;
    case 2: (void)hi_exchange_pump(exchange); break;
    case 3: case 4: case 5: hi_message_free(hi_exchange_take(exchange)); break;
    default: break;
  }
  CHECK(kept(exchange) <= (size_t)HI_STREAM_CREDIT + 65536);
}

static void play(hito_client *client) {
  int told = 0;
  struct hi_connection *connection = greeted(client);
  struct hi_exchange *exchanges[EXCHANGES];
  static const uint8_t request[5000];
  struct hi_opening opening = {.head = {.path = "a.B/C"}, .message = request, .size = sizeof request};
  for (int i = 0; i < EXCHANGES; i++) {
    hito_error *error = NULL;
    exchanges[i] = hi_exchange_open(connection, &opening, changed, &told, &error);
    CHECK(exchanges[i] != NULL);
  }
  for (int i = 0; i < FRAMES && connection->state == HI_OPEN; i++) {
    send_something(connection);
    do_something(exchanges[below(EXCHANGES)]);
  }
  size_t open = 0;
  for (int i = 0; i < EXCHANGES; i++) open += !exchanges[i]->is_done;
  CHECK(open == connection->call_count);
  while (hi_pool_settle(client)) continue;
  hi_connection_lost(connection, "the end");
  for (int i = 0; i < EXCHANGES; i++) {
    CHECK(exchanges[i]->is_done);
    hi_exchange_free(exchanges[i]);
  }
  while (hi_pool_settle(client)) continue;
  hi_pool_reap(client);
  CHECK(client->pool.connections == NULL);
}

int main(void) {
  srand(4);
  for (int round = 0; round < ROUNDS; round++) {
    hito_client *client = hito_client_new(
        &(hito_client_options){.addresses = "127.0.0.1:1", .ca_file = NULL, .compresses = true, .message_max = 65536}, NULL);
    if (client == NULL) return 2;
    for (int i = 0; i < 20; i++, round++) play(client);
    hito_client_free(client);
  }
  return check_end("hostile");
}
