/* Prints events as they happen, for ever: in a loop of its own, which also waits for standard input, as an editor or an
 * agent would. It ends with its input.
 *
 *   follow ADDRESS CA_FILE [CURSOR]     with HITO_TOKEN in the environment; from the beginning without CURSOR */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <hito/hito.h>

enum { FDS_MAX = 64 };

static void told(void *user, const hito_error *error) {
  (void)user;
  fprintf(stderr, "interrupted: %s: %s\n", hito_status_name(error->code), error->message);
}

/* Prints what is there; whether it goes on. */
static bool print_events(hito_resumed *watch) {
  for (;;) {
    Hito__V1__WatchResponse *response;
    hito_error *error = NULL;
    hito_step step = hito_watch_take(watch, &response, &error);
    if (step == HITO_STEP_WAIT) return true;
    if (step != HITO_STEP_MESSAGE) {
      fprintf(stderr, "%s: %s\n", hito_status_name(error->code), error->message);
      hito_error_free(error);
      return false;
    }
    if (response->step_case == HITO__V1__WATCH_RESPONSE__STEP_EVENT)
      printf("%s %s %s\n", response->cursor, response->event->type, response->event->id);
    fflush(stdout);
    hito__v1__watch_response__free_unpacked(response, NULL);
  }
}

static bool has_input(const struct pollfd *input) {
  char byte;
  return input->revents == 0 || read(input->fd, &byte, 1) > 0;
}

static void follow(hito_client *client, hito_resumed *watch) {
  struct pollfd fds[FDS_MAX + 1] = {{.fd = STDIN_FILENO, .events = POLLIN}};
  hito_resumed_on_interruption(watch, told, NULL);
  while (print_events(watch)) {
    size_t count = hito_client_fds(client, fds + 1, FDS_MAX);
    if (count > FDS_MAX) count = FDS_MAX;
    fds[0].revents = 0;
    if (poll(fds, (nfds_t)count + 1, hito_client_timeout(client)) < 0 || !has_input(&fds[0])) return;
    hito_client_poll(client, 0);
  }
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  hito_client *client = hito_client_new(
      &(hito_client_options){.addresses = arguments[1], .ca_file = arguments[2], .token = getenv("HITO_TOKEN")}, NULL);
  if (client == NULL) return 2;
  Hito__V1__WatchRequest request = HITO__V1__WATCH_REQUEST__INIT;
  request.start_case = HITO__V1__WATCH_REQUEST__START_FROM_BEGINNING;
  request.from_beginning = 1;
  if (count > 3) {
    request.start_case = HITO__V1__WATCH_REQUEST__START_AFTER_CURSOR;
    request.after_cursor = arguments[3];
  }
  hito_resumed *watch = hito_watch_begin(client, &request, NULL, NULL);
  if (watch != NULL) follow(client, watch);
  hito_resumed_free(watch);
  hito_client_free(client);
  return 0;
}
