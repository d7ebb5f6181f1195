/* load PROTOCOL check|watch PORT CONNECTIONS IN-FLIGHT SECONDS SERVER-PID [TOKEN]
 *
 * Calls as fast as the server answers, a number of them in flight on each of a number of connections: `hito`
 * (PROTOCOL.md) or `grpc` (HTTP/2, the little of it that gRPC needs). Each call has a deadline, a trace context, a
 * token and metadata. Of `watch` each message of its stream counts, not the call. Prints a line of JSON: what the server took of processor time per call, by the kernel's clock of
 * its process. The same program for all servers, so that none is measured with a slower client. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

struct connection {
  struct peer peer;
  uint32_t next_stream;
  bool has_called;
  /* Of a stream of gRPC's messages: what is there of a prefix, and what is left of its message. */
  uint8_t prefix[5];
  uint32_t prefix_count, left;
  /* By stream id, of the calls under way: whether a message has come. */
  bool has_message[8192];
};

static const char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
static const char *token = "";
static bool is_grpc, is_watch, is_over;
static uint64_t done, failed;
static int poll_fd;

static void die(const char *what) {
  perror(what);
  exit(2);
}

static double seconds(clockid_t clock) {
  struct timespec time;
  if (clock_gettime(clock, &time)) die("clock");
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* MARK: hito */

static void hito_hello(struct connection *c) {
  struct buffer block = {0};
  uint8_t number[4];
  put16(number, 1), field(&block, 1, number, 2);
  put32(number, 0x7fffffff), field(&block, 7, number, 4);
  if (*token) field(&block, 8, token, strlen(token));
  frame(&c->peer.out, block.end + 2, HELLO, 0, 0);
  put16(number, block.end), append(&c->peer.out, number, 2);
  append(&c->peer.out, block.bytes, block.end);
  free(block.bytes);
}

static void hito_call(struct connection *c, uint32_t stream) {
  static uint8_t block[512];
  static size_t count;
  if (!count) {
    struct buffer fields = {0};
    const char *path = is_watch ? "hito.v1.HealthService/Watch" : "hito.v1.HealthService/Check";
    uint8_t timeout[8] = {0, 0, 0, 0, 0x01, 0xc9, 0xc3, 0x80};
    field(&fields, 1, path, strlen(path));
    field(&fields, 2, timeout, 8);
    field(&fields, 4, trace, strlen(trace));
    field(&fields, 6, "\7x-benchvalue", 13);
    put16(block, fields.end), memcpy(block + 2, fields.bytes, fields.end);
    count = fields.end + 2;
    free(fields.bytes);
  }
  frame(&c->peer.out, count, CALL, FLAG_END | FLAG_HAS_MESSAGE, stream);
  append(&c->peer.out, block, count);
}

/* MARK: HTTP/2 */

static void h2_frame(struct buffer *b, uint32_t length, uint8_t type, uint8_t flags, uint32_t stream) {
  uint8_t header[9] = {length >> 16, length >> 8, length, type, flags};
  put32(header + 5, stream);
  append(b, header, sizeof header);
}

static void h2_hello(struct connection *c) {
  struct buffer *out = &c->peer.out;
  append(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  uint8_t settings[12] = {0, 4, 0, 0x40, 0, 0, 0, 2};
  h2_frame(out, 12, 4, 0, 0);
  append(out, settings, 12);
  uint8_t grant[4];
  put32(grant, 0x7fff0000 - 65535);
  h2_frame(out, 4, 8, 0, 0);
  append(out, grant, 4);
}

/* A header that is put into the table of both sides: by the number of its name, or with it. */
static void h2_header(struct buffer *b, int number, const char *name, const char *value) {
  uint8_t first = 0x40 | number;
  append(b, &first, 1);
  for (int part = number ? 1 : 0; part < 2; part++) {
    const char *text = part ? value : name;
    uint8_t length = strlen(text);
    append(b, &length, 1);
    append(b, text, length);
  }
}

static void grpc_call(struct connection *c, uint32_t stream) {
  struct buffer head = {0};
  append(&head, "\x83\x87", 2);
  if (!c->has_called) {
    char bearer[128];
    snprintf(bearer, sizeof bearer, "Bearer %.100s", *token ? token : "none");
    h2_header(&head, 4, "", is_watch ? "/bench.Health/Watch" : "/bench.Health/Check");
    h2_header(&head, 1, "", "localhost");
    h2_header(&head, 31, "", "application/grpc");
    h2_header(&head, 0, "te", "trailers");
    h2_header(&head, 0, "grpc-timeout", "30S");
    h2_header(&head, 0, "traceparent", trace);
    h2_header(&head, 23, "", bearer);
    h2_header(&head, 0, "x-bench", "value");
  } else {
    append(&head, "\xc5\xc4\xc3\xc2\xc1\xc0\xbf\xbe", 8);
  }
  h2_frame(&c->peer.out, head.end, 1, 4, stream);
  append(&c->peer.out, head.bytes, head.end);
  h2_frame(&c->peer.out, 5, 0, 1, stream);
  append(&c->peer.out, "\0\0\0\0\0", 5);
  free(head.bytes);
}

/* MARK: Calls */

static void call(struct connection *c) {
  uint32_t stream = c->next_stream;
  c->next_stream += 2;
  c->has_message[stream / 2 % 8192] = false;
  (is_grpc ? grpc_call : hito_call)(c, stream);
  c->has_called = true;
}

static void ended(struct connection *c, bool is_good) {
  done += !is_watch;
  failed += !is_good;
  if (!is_over) call(c);
}

static void hito_frame(struct connection *c, const uint8_t *p, uint32_t length) {
  const uint8_t *payload = p + FRAME_HEADER;
  switch (p[4]) {
    case MESSAGE: done++; break;
    case END: {
      size_t block = 2 + get16(payload);
      /* Of a stream: without the field of a status. */
      if (is_watch) return ended(c, length < 3 || payload[2] != 1);
      ended(c, p[5] & FLAG_HAS_MESSAGE && length == block + 2 && !memcmp(payload + block, "\x08\x01", 2));
      break;
    }
    case PING:
      frame(&c->peer.out, 8, PONG, 0, 0);
      append(&c->peer.out, payload, 8);
      break;
    case GOAWAY:
      fprintf(stderr, "GOAWAY: %.*s\n", (int)length - 6, payload + 6);
      exit(3);
    default: break;
  }
}

/* How many messages begin in these bytes of a stream, of which a connection has one at a time. */
static uint64_t messages(struct connection *c, const uint8_t *bytes, uint32_t length) {
  uint64_t count = 0;
  while (length) {
    if (c->left) {
      uint32_t taken = c->left < length ? c->left : length;
      c->left -= taken, bytes += taken, length -= taken;
      continue;
    }
    c->prefix[c->prefix_count++] = *bytes++, length--;
    if (c->prefix_count < 5) continue;
    c->prefix_count = 0, c->left = get32(c->prefix + 1), count++;
  }
  return count;
}

static void h2_received(struct connection *c, const uint8_t *p, uint32_t length) {
  uint8_t type = p[3], flags = p[4];
  uint32_t stream = get32(p + 5) & 0x7fffffff;
  bool *has_message = &c->has_message[stream / 2 % 8192];
  switch (type) {
    case 0:
      /* A frame may hold many messages. */
      if (is_watch) done += messages(c, p + 9, length), *has_message = true;
      if (length >= 7 && !memcmp(p + 9 + 5, "\x08\x01", 2)) *has_message = true;
      break;
    case 1:
      if (flags & 1) ended(c, *has_message);
      break;
    case 3: ended(c, false); break;
    case 4:
      if (!(flags & 1)) h2_frame(&c->peer.out, 0, 4, 1, 0);
      break;
    case 6:
      if (flags & 1) break;
      h2_frame(&c->peer.out, 8, 6, 1, 0);
      append(&c->peer.out, p + 9, 8);
      break;
    case 7:
      fprintf(stderr, "GOAWAY %u\n", get32(p + 13));
      exit(3);
    default: break;
  }
}

static void parse(struct connection *c) {
  struct buffer *in = &c->peer.in;
  size_t header = is_grpc ? 9 : FRAME_HEADER;
  while (in->end - in->start >= header) {
    const uint8_t *p = in->bytes + in->start;
    uint32_t length = is_grpc ? get32(p) >> 8 : get32(p);
    if (in->end - in->start < header + length) break;
    (is_grpc ? h2_received : hito_frame)(c, p, length);
    in->start += header + length;
  }
}

/* MARK: Connections */

static void poll_for(struct connection *c, int how, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poll_fd, how, c->peer.fd, &event)) die("epoll");
}

static void flush(struct connection *c) {
  if (!transmit(&c->peer)) die("write");
  bool wants_write = c->peer.out.start < c->peer.out.end;
  if (wants_write == c->peer.wants_write) return;
  c->peer.wants_write = wants_write;
  poll_for(c, EPOLL_CTL_MOD, wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static struct connection *connected(SSL_CTX *context, int port) {
  struct connection *c = calloc(1, sizeof *c);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int yes = 1;
  if (!c || (c->peer.fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) die("socket");
  if (connect(c->peer.fd, (struct sockaddr *)&address, sizeof address)) die("connect");
  setsockopt(c->peer.fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  c->peer.ssl = SSL_new(context);
  SSL_set_fd(c->peer.ssl, c->peer.fd);
  SSL_set_tlsext_host_name(c->peer.ssl, "localhost");
  if (SSL_connect(c->peer.ssl) != 1) {
    fprintf(stderr, "TLS failed\n");
    exit(2);
  }
  fcntl(c->peer.fd, F_SETFL, O_NONBLOCK);
  c->next_stream = 1;
  (is_grpc ? h2_hello : hito_hello)(c);
  poll_for(c, EPOLL_CTL_ADD, EPOLLIN);
  return c;
}

static void run(double duration) {
  double end = seconds(CLOCK_MONOTONIC) + duration;
  while (seconds(CLOCK_MONOTONIC) < end) {
    struct epoll_event events[256];
    int count = epoll_wait(poll_fd, events, 256, 100);
    for (int index = 0; index < count; index++) {
      struct connection *c = events[index].data.ptr;
      if (!receive(&c->peer)) die("read");
      parse(c);
      flush(c);
    }
  }
}

int main(int count, char **arguments) {
  if (count < 8) return fprintf(stderr, "load hito|grpc check|watch PORT CONNECTIONS IN-FLIGHT SECONDS PID [TOKEN]\n"), 64;
  is_grpc = !strcmp(arguments[1], "grpc");
  is_watch = !strcmp(arguments[2], "watch");
  int port = atoi(arguments[3]), connections = atoi(arguments[4]), in_flight = atoi(arguments[5]);
  double duration = atof(arguments[6]);
  clockid_t server;
  if (clock_getcpuclockid(atoi(arguments[7]), &server)) die("the server's clock");
  if (count > 8) token = arguments[8];

  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (is_grpc) {
    SSL_CTX_set_alpn_protos(context, (const uint8_t *)"\2h2", 3);
  } else {
    SSL_CTX_set_alpn_protos(context, (const uint8_t *)"\6hito/1", 7);
  }
  poll_fd = epoll_create1(0);
  for (int number = 0; number < connections; number++) {
    struct connection *c = connected(context, port);
    for (int started = 0; started < in_flight; started++) call(c);
    flush(c);
  }
  run(0.5);
  uint64_t before = done;
  double cpu = seconds(server), own = seconds(CLOCK_PROCESS_CPUTIME_ID), began = seconds(CLOCK_MONOTONIC);
  run(duration);
  double calls = done - before;
  printf(
      "{\"calls_per_second\": %.0f, \"server_cpu_us\": %.3f, \"client_cpu_us\": %.3f, \"calls\": %.0f, \"failed\": %llu}\n",
      calls / (seconds(CLOCK_MONOTONIC) - began), (seconds(server) - cpu) * 1e6 / calls,
      (seconds(CLOCK_PROCESS_CPUTIME_ID) - own) * 1e6 / calls, calls, (unsigned long long)failed);
  return failed || calls == 0;
}
