/* limit PORT CERTIFICATE KEY MESSAGES
 *
 * The least that a server of `hito/1` can do for a call: epoll, OpenSSL, frames, the fields of a CALL, protobuf-c in and
 * out, END; one thread, no deadlines, credit, quotas, statistics or handlers. What a server takes beside it is what
 * those cost. Answers HealthService/Check with SERVING, and Watch with so many small messages. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "hito/v1/server.pb-c.h"

static int poll_fd, message_count;

static uint64_t microseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void greet(struct peer *p) {
  uint8_t block[16] = {0, 12, 1, 0, 2, 0, 1, 5, 0, 4};
  put32(block + 10, 10000);
  frame(&p->out, 14, HELLO, 0, 0);
  append(&p->out, block, 14);
}

static void stream(struct peer *p, uint32_t stream) {
  Hito__V1__HealthCheckResponse response = HITO__V1__HEALTH_CHECK_RESPONSE__INIT;
  response.status = HITO__V1__HEALTH_STATUS__HEALTH_STATUS_SERVING;
  response.message = "what a small message says";
  for (int number = 0; number < message_count; number++) {
    size_t size = hito__v1__health_check_response__get_packed_size(&response);
    frame(&p->out, size, MESSAGE, 0, stream);
    hito__v1__health_check_response__pack(&response, room(&p->out, size));
    p->out.end += size;
  }
  frame(&p->out, 2, END, 0, stream);
  append(&p->out, "\0", 2);
}

static bool answer(struct peer *p, const uint8_t *payload, uint32_t length, uint32_t stream_id) {
  uint64_t began = microseconds();
  const uint8_t *at = payload + 2, *end = at + get16(payload), *path = NULL;
  if (end > payload + length) return false;
  for (; at + 3 <= end; at += 3 + get16(at + 1)) {
    if (at[0] == 1) path = at + 3;
  }
  if (!path) return false;
  if (!memcmp(path, "hito.v1.HealthService/Watch", 27)) return stream(p, stream_id), true;
  Hito__V1__HealthCheckRequest *request =
      hito__v1__health_check_request__unpack(NULL, payload + length - end, end);
  if (!request) return false;
  Hito__V1__HealthCheckResponse response = HITO__V1__HEALTH_CHECK_RESPONSE__INIT;
  response.status = HITO__V1__HEALTH_STATUS__HEALTH_STATUS_SERVING;
  size_t size = hito__v1__health_check_response__get_packed_size(&response);
  frame(&p->out, 13 + size, END, FLAG_HAS_MESSAGE, stream_id);
  uint8_t *out = room(&p->out, 13 + size);
  uint64_t took = microseconds() - began;
  put16(out, 11), out[2] = 7, put16(out + 3, 8), put32(out + 5, took >> 32), put32(out + 9, took);
  hito__v1__health_check_response__pack(&response, out + 13);
  p->out.end += 13 + size;
  hito__v1__health_check_request__free_unpacked(request, NULL);
  return true;
}

static bool parse(struct peer *p) {
  while (p->in.end - p->in.start >= FRAME_HEADER) {
    const uint8_t *at = p->in.bytes + p->in.start;
    uint32_t length = get32(at);
    if (length > 1 << 20) return false;
    if (p->in.end - p->in.start < FRAME_HEADER + length) break;
    if (at[4] == HELLO) greet(p);
    if (at[4] == CALL && !answer(p, at + FRAME_HEADER, length, get32(at + 6))) return false;
    p->in.start += FRAME_HEADER + length;
  }
  return true;
}

static bool serve(struct peer *p) {
  if (!p->is_connected) {
    int state = SSL_accept(p->ssl);
    if (state != 1) return SSL_get_error(p->ssl, state) == SSL_ERROR_WANT_READ;
    p->is_connected = true;
  }
  if (!receive(p) || !parse(p) || !transmit(p)) return false;
  bool wants_write = p->out.start < p->out.end;
  if (wants_write != p->wants_write) {
    struct epoll_event event = {.events = wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = p};
    p->wants_write = wants_write;
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, p->fd, &event);
  }
  return true;
}

static void accept_all(int listener, SSL_CTX *context) {
  int yes = 1, fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    struct peer *p = calloc(1, sizeof *p);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = p};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    p->fd = fd, p->ssl = SSL_new(context);
    SSL_set_fd(p->ssl, fd);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

static int select_protocol(
    SSL *ssl, const unsigned char **out, unsigned char *length, const unsigned char *in, unsigned int size,
    void *context) {
  (void)ssl, (void)size, (void)context;
  *out = in + 1, *length = in[0];
  return SSL_TLSEXT_ERR_OK;
}

int main(int count, char **arguments) {
  if (count != 5) return fprintf(stderr, "limit PORT CERTIFICATE KEY MESSAGES\n"), 64;
  message_count = atoi(arguments[4]);
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
  if (SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, arguments[3], SSL_FILETYPE_PEM) != 1)
    return fprintf(stderr, "no certificate or key\n"), 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
    return perror("listen"), 1;
  poll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    struct epoll_event events[128];
    int ready = epoll_wait(poll_fd, events, 128, -1);
    for (int index = 0; index < ready; index++) {
      struct peer *p = events[index].data.ptr;
      if (!p) {
        accept_all(listener, context);
      } else if (!serve(p)) {
        SSL_free(p->ssl), close(p->fd), free(p->in.bytes), free(p->out.bytes), free(p);
      }
    }
  }
}
