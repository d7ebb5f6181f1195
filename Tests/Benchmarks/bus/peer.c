// librabbitmq alone: publishes the bodies of a file as fast as the broker confirms them, with the same window,
// properties and flags as Hito. Prints how many a second.
//
// usage: peer PORT EXCHANGE FILE COUNT WINDOW; a line of FILE is `routing key<TAB>message id<TAB>body`.
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
  char *key, *id, *body;
  size_t size;
} message;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  fprintf(stderr, "%s failed\n", what);
  exit(1);
}

static void check_status(int status, const char *what) {
  if (status == AMQP_STATUS_OK) return;
  fprintf(stderr, "%s: %s\n", what, amqp_error_string2(status));
  exit(1);
}

static message *read_messages(const char *path, size_t *count) {
  FILE *file = fopen(path, "r");
  size_t capacity = 1024;
  message *all = malloc(capacity * sizeof *all);
  char *line = NULL;
  size_t size = 0;
  ssize_t length;
  *count = 0;
  if (file == NULL || all == NULL) exit(1);
  while ((length = getline(&line, &size, file)) > 0) {
    if (line[length - 1] == '\n') line[--length] = '\0';
    message *one = &all[(*count)++];
    one->key = strdup(strtok(line, "\t"));
    one->id = strdup(strtok(NULL, "\t"));
    one->body = strdup(strtok(NULL, "\t"));
    one->size = strlen(one->body);
    if (*count == capacity) all = realloc(all, (capacity *= 2) * sizeof *all);
  }
  fclose(file);
  return all;
}

static void publish(amqp_connection_state_t state, const char *exchange, const message *one) {
  amqp_basic_properties_t properties;
  memset(&properties, 0, sizeof properties);
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG |
                      AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TYPE_FLAG |
                      AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_APP_ID_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  properties.content_type = amqp_cstring_bytes("application/json");
  properties.message_id = amqp_cstring_bytes(one->id);
  properties.type = amqp_cstring_bytes(one->key);
  properties.timestamp = 1;
  properties.app_id = amqp_cstring_bytes("peer");
  check_status(
      amqp_basic_publish(
          state, 1, amqp_cstring_bytes(exchange), amqp_cstring_bytes(one->key), 1, 0, &properties,
          (amqp_bytes_t){one->size, one->body}),
      "publishing");
}

int main(int argc, char **argv) {
  if (argc != 6) return 64;
  size_t there, count = strtoul(argv[4], NULL, 10), window = strtoul(argv[5], NULL, 10);
  message *all = read_messages(argv[3], &there);
  amqp_connection_state_t state = amqp_new_connection();
  check_status(
      amqp_socket_open(amqp_tcp_socket_new(state), "127.0.0.1", atoi(argv[1])), "connecting");
  check(amqp_login(state, "/", 1, 131072, 10, AMQP_SASL_METHOD_PLAIN, "guest", "guest"), "login");
  amqp_channel_open(state, 1);
  check(amqp_get_rpc_reply(state), "opening a channel");
  amqp_confirm_select(state, 1);
  check(amqp_get_rpc_reply(state), "asking for confirms");
  // Confirms of single tags come in any order: counted, and those of many by the tag up to which.
  char *confirmed = calloc(count + 1, 1);
  size_t sent = 0, done = 0, first = 1;
  double began = now();
  while (done < count) {
    while (sent < count && sent - done < window) publish(state, argv[2], &all[sent++ % there]);
    amqp_frame_t frame;
    struct timeval limit = {20, 0};
    check_status(amqp_simple_wait_frame_noblock(state, &frame, &limit), "waiting");
    if (frame.frame_type != AMQP_FRAME_METHOD) continue;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
      fprintf(stderr, "unexpected: %s\n", amqp_method_name(frame.payload.method.id));
      return 1;
    }
    const amqp_basic_ack_t *ack = frame.payload.method.decoded;
    for (size_t tag = ack->multiple ? first : ack->delivery_tag; tag <= ack->delivery_tag; tag++) {
      done += !confirmed[tag];
      confirmed[tag] = 1;
    }
    while (first <= count && confirmed[first]) first++;
    amqp_maybe_release_buffers(state);
  }
  printf("%.1f\n", (double)count / (now() - began));
  amqp_connection_close(state, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(state);
  return 0;
}
