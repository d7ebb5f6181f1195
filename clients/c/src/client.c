#include "hito/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "utf8.h"

#define VERSION "0.1.0"

enum { CLOSE_TIME = 2000000, LINGER_TIME = 200000 };

const char *hito_version(void) { return VERSION; }

/* The texts become the client's own; an interceptor is what it is. */
static bool copy_texts(hito_client_options *options) {
  const char **texts[] = {&options->addresses, &options->ca_file, &options->certificate_file, &options->key_file,
                          &options->server_name, &options->token, &options->agent};
  bool is_copied = true;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    const char *text = *texts[i];
    *texts[i] = hi_copy_text(text);
    is_copied = is_copied && (text == NULL || *texts[i] != NULL);
  }
  const hito_interceptor *interceptors = options->interceptors;
  options->interceptors = NULL;
  if (options->interceptor_count == 0) return is_copied;
  hito_interceptor *copy = calloc(options->interceptor_count, sizeof *copy);
  if (copy == NULL) return false;
  memcpy(copy, interceptors, options->interceptor_count * sizeof *copy);
  options->interceptors = copy;
  return is_copied;
}

static void free_texts(hito_client_options *options) {
  const char *texts[] = {options->addresses, options->ca_file, options->certificate_file, options->key_file,
                         options->server_name, options->token, options->agent};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free((void *)(uintptr_t)texts[i]);
  free((void *)(uintptr_t)options->interceptors);
}

static void fill_defaults(hito_client_options *options) {
  if (options->timeout_ms <= 0) options->timeout_ms = 30000;
  if (options->token_timeout_ms <= 0) options->token_timeout_ms = 10000;
  if (options->keepalive_ms <= 0) options->keepalive_ms = 10000;
  if (options->connections_per_address == 0) options->connections_per_address = 4;
  if (options->repeat_burst == 0) options->repeat_burst = 100;
  if (options->repeats_per_second == 0) options->repeats_per_second = 200;
  if (options->message_max == 0) options->message_max = 4 << 20;
  if (options->message_max < HI_MESSAGE_MAX_MIN) options->message_max = HI_MESSAGE_MAX_MIN;
  if (options->memory_max == 0) options->memory_max = (size_t)options->message_max * 8;
  if (options->agent == NULL) options->agent = "hito-c/" VERSION;
}

static hito_error *refusal(const hito_client_options *options) {
  const char *token = options->token;
  if (token != NULL && (strlen(token) < 1 || strlen(token) > 256 || !hi_is_utf8((const uint8_t *)token, strlen(token))))
    return hi_error(HITO_INVALID_ARGUMENT, true, "token: 1 to 256 bytes of UTF-8");
  if (token != NULL && options->token_provider != NULL)
    return hi_error(HITO_INVALID_ARGUMENT, true, "token, token_provider: not both");
  if (strlen(options->agent) > 128 || !hi_is_utf8((const uint8_t *)options->agent, strlen(options->agent)))
    return hi_error(HITO_INVALID_ARGUMENT, true, "agent: at most 128 bytes of UTF-8");
  return NULL;
}

static bool build(hito_client *client, hito_error **error) {
  fill_defaults(&client->options);
  hito_error *refused = refusal(&client->options);
  if (!copy_texts(&client->options) && refused == NULL) refused = hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory");
  if (refused != NULL) {
    hi_give(error, refused);
    return false;
  }
  client->own = (struct hi_hello){
      .minor_version = HI_MINOR_VERSION, .agent = client->options.agent, .token = client->options.token,
      .frame_payload_max = HI_FRAME_PAYLOAD_MIN, .message_max = client->options.message_max,
      .stream_credit = HI_STREAM_CREDIT, .connection_credit = HI_CONNECTION_CREDIT,
      .reads_deflate = client->options.compresses};
  client->pacer = hi_pacer(client->options.repeat_burst, client->options.repeats_per_second);
  client->tls = hi_tls_context(&client->options, error);
  return client->tls != NULL && hi_pool_init(client, error);
}

static void destroy(hito_client *client) {
  hi_pool_free(client);
  hi_timers_free(&client->timers);
  SSL_CTX_free(client->tls);
  free_texts(&client->options);
  free(client->fds);
  free(client);
}

hito_client *hito_client_new(const hito_client_options *options, hito_error **error) {
  hito_client *client = calloc(1, sizeof *client);
  if (client == NULL) {
    hi_give(error, hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory"));
    return NULL;
  }
  client->options = *options;
  client->now = hi_now();
  hi_tokens_init(client);
  if (build(client, error)) return client;
  destroy(client);
  return NULL;
}

void hi_settle(hito_client *client) {
  bool is_more = true;
  while (is_more) {
    is_more = false;
    hito_call *call = client->first_touched;
    while (call != NULL) {
      client->first_touched = call->next_touched;
      if (client->first_touched == NULL) client->last_touched = NULL;
      call->is_touched = false;
      hi_call_step(call);
      call = client->first_touched;
    }
    if (!client->is_closed) is_more = hi_tokens_settle(client) || hi_pool_settle(client);
    if (client->first_touched != NULL) is_more = true;
    if (is_more) continue;
    for (struct hi_connection *c = client->pool.connections; c != NULL; c = c->next) hi_connection_flush(c);
    is_more = client->first_touched != NULL || (!client->is_closed && hi_pool_settle(client));
  }
}

static size_t collect(hito_client *client, struct pollfd *fds, size_t capacity) {
  size_t count = 0;
  for (const struct hi_connection *c = client->pool.connections; c != NULL; c = c->next)
    count += hi_connection_fds(c, fds == NULL ? NULL : fds + (count < capacity ? count : capacity),
                               count < capacity ? capacity - count : 0);
  return count;
}

static int milliseconds(hito_client *client, int most) {
  int64_t next = hi_timers_next(&client->timers);
  if (client->first_ready != NULL || client->has_moved) return 0;
  if (next == HI_NEVER) return most;
  int64_t left = (next - client->now + 999) / 1000;
  if (left < 0) left = 0;
  return most >= 0 && left > most ? most : left > 3600000 ? 3600000 : (int)left;
}

/* Waits, and has connections do what they can. */
static int wait_for_sockets(hito_client *client, int timeout_ms) {
  size_t count = collect(client, NULL, 0);
  if (count > client->fds_capacity) {
    struct pollfd *fds = realloc(client->fds, count * 2 * sizeof *fds);
    if (fds == NULL) return -1;
    client->fds = fds;
    client->fds_capacity = count * 2;
  }
  collect(client, client->fds, count);
  int ready = poll(client->fds, (nfds_t)count, milliseconds(client, timeout_ms));
  client->now = hi_now();
  if (ready <= 0) return ready < 0 && errno != EINTR ? -1 : 0;
  size_t at = 0;
  for (struct hi_connection *c = client->pool.connections; c != NULL && at < count; c = c->next) {
    size_t own = hi_connection_fds(c, NULL, 0);
    bool is_ready = false;
    for (size_t i = 0; i < own && at + i < count; i++) is_ready |= client->fds[at + i].revents != 0;
    at += own;
    if (is_ready) hi_connection_io(c);
  }
  return 0;
}

int hito_client_poll(hito_client *client, int timeout_ms) {
  if (client->is_polling) return 0;
  client->is_polling = true;
  client->now = hi_now();
  hi_settle(client);
  int result = wait_for_sockets(client, timeout_ms);
  client->has_moved = false;
  (void)hi_timers_fire(&client->timers, client->now);
  hi_settle(client);
  if (result == 0) result = hi_call_notify(client);
  /* What the callbacks began goes out now. */
  hi_settle(client);
  hi_pool_reap(client);
  client->is_polling = false;
  return result;
}

size_t hito_client_fds(hito_client *client, struct pollfd *fds, size_t capacity) {
  client->now = hi_now();
  hi_settle(client);
  return collect(client, fds, capacity);
}

int hito_client_timeout(hito_client *client) {
  client->now = hi_now();
  return milliseconds(client, -1);
}

/* A wait for the first connection. */
struct connecting {
  bool is_over;
  struct hi_connection *connection;
  hito_error *error;
};

static void connected(void *owner, struct hi_connection *connection) {
  struct connecting *connecting = owner;
  connecting->is_over = true;
  connecting->connection = connection;
}

static void not_connected(void *owner, hito_error *error) {
  struct connecting *connecting = owner;
  connecting->is_over = true;
  connecting->error = error;
}

bool hito_client_connect(hito_client *client, int64_t timeout_ms, hito_error **error) {
  struct connecting connecting = {0};
  struct hi_waiter waiter = {
      .want = {.waits = client->options.wait_for_ready == HITO_WAIT_YES}, .given = connected,
      .failed = not_connected, .owner = &connecting};
  if (client->is_closed || client->is_polling) {
    hi_give(error, hi_error(HITO_CANCELLED, true, "the client is closed or at work"));
    return false;
  }
  client->now = hi_now();
  int64_t end = client->now + timeout_ms * 1000;
  hi_pool_ask(client, &waiter);
  while (!connecting.is_over && client->now < end)
    if (hito_client_poll(client, (int)((end - client->now + 999) / 1000)) < 0) break;
  hi_pool_forget(client, &waiter);
  if (connecting.connection != NULL) {
    hi_pool_call_ended(connecting.connection);
    return true;
  }
  if (connecting.error == NULL)
    connecting.error = hi_error(
        HITO_UNAVAILABLE, true, "%s", client->pool.failure == NULL ? "no server answered in time" : client->pool.failure);
  hi_give(error, connecting.error);
  return false;
}

void hito_client_close(hito_client *client) {
  if (client->is_closed) return;
  client->now = hi_now();
  client->is_closed = true;
  hi_tokens_close(client);
  hi_calls_close(client);
  hi_resumed_wake(client);
  hi_pool_close(client);
}

/* Whether a connection has words left, or would lose them by an end now. */
static bool is_in_state(const hito_client *client, bool also_lingering) {
  for (const struct hi_connection *c = client->pool.connections; c != NULL; c = c->next)
    if (c->state == HI_CLOSING || (also_lingering && c->state == HI_LINGERING)) return true;
  return false;
}

bool hito_client_is_closed(const hito_client *client) { return client->is_closed && !is_in_state(client, false); }

void hito_client_free(hito_client *client) {
  if (client == NULL) return;
  hito_client_close(client);
  int64_t end = hi_now() + CLOSE_TIME;
  hito_client_poll(client, 0);
  while (is_in_state(client, false) && hi_now() < end)
    if (hito_client_poll(client, 10) < 0) break;
  end = hi_now() + LINGER_TIME;
  while (is_in_state(client, true) && hi_now() < end)
    if (hito_client_poll(client, 10) < 0) break;
  while (client->calls != NULL) hi_call_detach(client->calls);
  destroy(client);
}
