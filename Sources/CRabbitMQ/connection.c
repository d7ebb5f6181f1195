#define _GNU_SOURCE
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

static struct timeval time_of(int milliseconds) {
  return (struct timeval){milliseconds / 1000, (milliseconds % 1000) * 1000};
}

static amqp_socket_t *make_socket(
    amqp_connection_state_t state, const hito_amqp_target *target, hito_amqp_error *error) {
  amqp_socket_t *socket = target->uses_tls ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state);
  if (socket == NULL) {
    hito_amqp_fail(error, HITO_AMQP_UNREACHABLE, 0, "no memory for a socket");
    return NULL;
  }
  if (!target->uses_tls) return socket;
  amqp_ssl_socket_set_verify_peer(socket, 1);
  amqp_ssl_socket_set_verify_hostname(socket, 1);
  int status = amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST);
  if (status == AMQP_STATUS_OK && target->authority_file != NULL) {
    status = amqp_ssl_socket_set_cacert(socket, target->authority_file);
  } else if (status == AMQP_STATUS_OK) {
    SSL_CTX *context = amqp_ssl_socket_get_context(socket);
    if (SSL_CTX_set_default_verify_paths(context) != 1) status = AMQP_STATUS_SSL_ERROR;
  }
  if (status == AMQP_STATUS_OK) return socket;
  hito_amqp_fail(error, HITO_AMQP_UNTRUSTED, 0, "the file of authorities cannot be read");
  return NULL;
}

static int log_in(
    amqp_connection_state_t state, const hito_amqp_target *target, hito_amqp_error *error) {
  amqp_table_entry_t able[] = {
      {amqp_cstring_bytes("connection.blocked"), {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
      {amqp_cstring_bytes("basic.nack"), {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
      {amqp_cstring_bytes("publisher_confirms"), {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
      {amqp_cstring_bytes("consumer_cancel_notify"), {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
      {amqp_cstring_bytes("authentication_failure_close"), {AMQP_FIELD_KIND_BOOLEAN, {.boolean = 1}}},
  };
  amqp_table_entry_t entries[] = {
      {amqp_cstring_bytes("capabilities"),
       {AMQP_FIELD_KIND_TABLE, {.table = {sizeof able / sizeof able[0], able}}}},
      {amqp_cstring_bytes("connection_name"),
       {AMQP_FIELD_KIND_UTF8, {.bytes = amqp_cstring_bytes(target->name)}}},
  };
  amqp_table_t properties = {sizeof entries / sizeof entries[0], entries};
  amqp_rpc_reply_t reply = amqp_login_with_properties(
      state, target->virtual_host, hito_channel, hito_frame_max, target->heartbeat_s, &properties,
      AMQP_SASL_METHOD_PLAIN, target->user, target->password);
  if (hito_amqp_check(reply, "logging in", error) < 0) return -1;
  amqp_channel_open(state, hito_channel);
  return hito_amqp_check(amqp_get_rpc_reply(state), "opening a channel", error);
}

hito_amqp *hito_amqp_take(const hito_amqp_target *target, hito_amqp_error *error) {
  hito_amqp *made = calloc(1, sizeof *made);
  amqp_connection_state_t state = made == NULL ? NULL : amqp_new_connection();
  if (state == NULL) {
    free(made);
    hito_amqp_fail(error, HITO_AMQP_UNREACHABLE, 0, "no memory for a connection");
    return NULL;
  }
  made->state = state;
  made->descriptor = -1;
  struct timeval limit = time_of(target->timeout_ms);
  amqp_set_handshake_timeout(state, &limit);
  amqp_set_rpc_timeout(state, &limit);
  amqp_socket_t *socket = make_socket(state, target, error);
  if (socket == NULL) goto failed;
  int status = amqp_socket_open_noblock(socket, target->host, target->port, &limit);
  if (status != AMQP_STATUS_OK) {
    hito_amqp_fail_status(error, status, "connecting");
    if (error->outcome == HITO_AMQP_LOST) error->outcome = HITO_AMQP_UNREACHABLE;
    goto failed;
  }
  made->descriptor = amqp_socket_get_sockfd(socket);
  // A peer that is gone without a word holds up no write for longer than a silent one.
  unsigned int silence_ms = (unsigned int)target->heartbeat_s * 2000;
  setsockopt(made->descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
  if (log_in(state, target, error) == 0) return made;
failed:
  hito_amqp_free(made);
  return NULL;
}

void hito_amqp_say_goodbye(hito_amqp *connection) {
  amqp_connection_close(connection->state, AMQP_REPLY_SUCCESS);
}

void hito_amqp_free(hito_amqp *connection) {
  amqp_destroy_connection(connection->state);
  free(connection->body);
  free(connection);
}

int hito_amqp_descriptor(const hito_amqp *connection) { return connection->descriptor; }

void hito_amqp_interrupt(int descriptor) { shutdown(descriptor, SHUT_RDWR); }

int hito_amqp_wait(hito_amqp *connection, int wake, int timeout_ms) {
  int is_buffered =
      amqp_frames_enqueued(connection->state) || amqp_data_in_buffer(connection->state);
  struct pollfd fds[] = {{connection->descriptor, POLLIN, 0}, {wake, POLLIN, 0}};
  return poll(fds, 2, is_buffered ? 0 : timeout_ms) > 0 && (fds[1].revents & POLLIN) != 0;
}

int hito_amqp_is_writable(const hito_amqp *connection) {
  struct pollfd fd = {connection->descriptor, POLLOUT, 0};
  return poll(&fd, 1, 0) > 0;
}

void hito_amqp_hold(const hito_amqp *connection, int is_held) {
  setsockopt(connection->descriptor, IPPROTO_TCP, TCP_CORK, &is_held, sizeof is_held);
}

int hito_amqp_wake_take(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

void hito_amqp_wake_ring(int descriptor) {
  uint64_t one = 1;
  (void)!write(descriptor, &one, sizeof one);
}

void hito_amqp_wake_clear(int descriptor) {
  uint64_t count;
  (void)!read(descriptor, &count, sizeof count);
}

void hito_amqp_wake_wait(int descriptor, int timeout_ms) {
  struct pollfd fd = {descriptor, POLLIN, 0};
  poll(&fd, 1, timeout_ms);
}

void hito_amqp_wake_free(int descriptor) { close(descriptor); }
