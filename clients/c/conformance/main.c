/* The C client as a program under test of Tests/Conformance/runner.py: see docs/conformance.md for the lines. It is also
 * an example of the client in a loop of others: one poll(2) over standard input and all clients. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hito/hito.h"
#include "job.h"
#include "json.h"

enum { FDS_MAX = 4096, READ_SIZE = 65536 };

static struct program program;

static void reply_empty(const struct json *request) {
  printf("{\"id\": %lld}\n", (long long)json_number(request, "id", 0));
  fflush(stdout);
}

struct tested *find_client(const char *name) {
  struct tested *tested = program.clients;
  while (tested != NULL && strcmp(tested->name, name) != 0) tested = tested->next;
  return tested;
}

static char *joined_addresses(const struct json *list) {
  size_t size = 1;
  for (const struct json *one = list->members; one != NULL; one = one->next) size += one->size + 1;
  char *text = calloc(1, size);
  if (text == NULL) abort();
  for (const struct json *one = list->members; one != NULL; one = one->next) {
    if (text[0] != 0) strcat(text, ",");
    strcat(text, one->text);
  }
  return text;
}

static void open_client(const struct json *request) {
  char *addresses = joined_addresses(json_get(request, "addresses"));
  const char *balancing = json_text(request, "balancing");
  hito_client_options options = {
      .addresses = addresses,
      .ca_file = json_text(request, "ca_file"),
      .token = json_text(request, "token"),
      .wait_for_ready = json_bool(request, "wait_for_ready", true) ? HITO_WAIT_YES : HITO_WAIT_NO,
      .balancing = balancing != NULL && strcmp(balancing, "round_robin") == 0 ? HITO_ROUND_ROBIN : HITO_PICK_FIRST,
      .connections_per_address = (unsigned)json_number(request, "connections", 0),
      .keepalive_ms = json_number(request, "keepalive_ms", 0),
      .message_max = (uint32_t)json_number(request, "message_max", 0),
      .checks_health = json_bool(request, "health", false),
      .compresses = json_bool(request, "compression", false),
      .log = getenv("HITO_LOG") == NULL ? NULL : hito_log_to_file,
      .log_user = stderr,
  };
  hito_error *error = NULL;
  struct tested *tested = calloc(1, sizeof *tested);
  if (tested == NULL) abort();
  tested->client = hito_client_new(&options, &error);
  free(addresses);
  if (tested->client == NULL) {
    reply_error(json_number(request, "id", 0), error);
    free(tested);
    return;
  }
  tested->name = strdup(json_text(request, "client"));
  tested->next = program.clients;
  program.clients = tested;
  printf("{\"id\": %lld, \"status\": 0}\n", (long long)json_number(request, "id", 0));
  fflush(stdout);
}

/* Answered when the last words are said. */
static void close_client(const struct json *request) {
  struct tested *tested = find_client(json_text(request, "client"));
  if (tested == NULL || tested->closing_id != 0) {
    reply_empty(request);
    return;
  }
  hito_client_close(tested->client);
  tested->closing_id = json_number(request, "id", 0);
}

static void take_line(const char *line) {
  struct json *request = json_parse(line);
  const char *op = request == NULL ? NULL : json_text(request, "op");
  if (op == NULL) {
    fprintf(stderr, "not a request: %s\n", line);
  } else if (strcmp(op, "open") == 0) {
    open_client(request);
  } else if (strcmp(op, "close") == 0) {
    close_client(request);
  } else if (strcmp(op, "call") == 0) {
    job_begin(&program, request);
    return;
  } else {
    struct job *job = job_find(&program, json_number(request, "call", 0));
    if (job != NULL && strcmp(op, "cancel") == 0) job_cancel(job);
    if (job != NULL && strcmp(op, "resume") == 0) job_resume(job);
    reply_empty(request);
  }
  json_free(request);
}

/* Takes whole lines; false at the end of the input. */
static bool read_input(void) {
  static char *buffer;
  static size_t size, capacity;
  if (capacity - size < READ_SIZE) {
    capacity = capacity * 2 + READ_SIZE;
    buffer = realloc(buffer, capacity + 1);
    if (buffer == NULL) abort();
  }
  ssize_t got = read(STDIN_FILENO, buffer + size, READ_SIZE);
  if (got <= 0) {
    free(buffer);
    return got < 0 && errno == EINTR;
  }
  char *scan = buffer + size;
  size += (size_t)got;
  buffer[size] = 0;
  char *line = buffer, *end;
  while ((end = memchr(scan, '\n', (size_t)(buffer + size - scan))) != NULL) {
    *end = 0;
    take_line(line);
    line = scan = end + 1;
  }
  size -= (size_t)(line - buffer);
  memmove(buffer, line, size);
  return true;
}

/* Waits for the input or a client. */
static bool wait_for_something(void) {
  static struct pollfd fds[FDS_MAX];
  size_t count = 1;
  int timeout = -1;
  fds[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
  for (struct tested *tested = program.clients; tested != NULL; tested = tested->next) {
    if (tested->is_asleep) continue;
    size_t own = hito_client_fds(tested->client, fds + count, FDS_MAX - count);
    count += own < FDS_MAX - count ? own : FDS_MAX - count;
    int wait = hito_client_timeout(tested->client);
    if (wait >= 0 && (timeout < 0 || wait < timeout)) timeout = wait;
  }
  return poll(fds, (nfds_t)count, timeout) > 0 && fds[0].revents != 0;
}

static void run_clients(void) {
  for (struct tested *tested = program.clients; tested != NULL; tested = tested->next) {
    if (tested->is_asleep) continue;
    hito_client_poll(tested->client, 0);
    if (tested->closing_id == 0 || !hito_client_is_closed(tested->client)) continue;
    if (!tested->is_closed) {
      printf("{\"id\": %lld}\n", (long long)tested->closing_id);
      fflush(stdout);
    }
    tested->is_closed = true;
    tested->is_asleep = hito_client_fds(tested->client, NULL, 0) == 0;
  }
}

int main(void) {
  bool is_open = true;
  while (is_open) {
    if (wait_for_something()) is_open = read_input();
    run_clients();
  }
  while (program.jobs != NULL) job_free(program.jobs);
  while (program.clients != NULL) {
    struct tested *tested = program.clients;
    program.clients = tested->next;
    hito_client_free(tested->client);
    free(tested->name);
    free(tested);
  }
  return 0;
}
