/* ours ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT: Hito's client for C. */
#include <hito/hito.h>

#include "measure.h"

static hito_client *client;
static struct measure measure;

static void ended(hito_call *call, void *user);

static void fail(hito_error *error) {
  fprintf(stderr, "%s: %s\n", hito_status_name(error->code), error->message);
  exit(1);
}

static void begin(void) {
  Hito__V1__HealthCheckRequest request = HITO__V1__HEALTH_CHECK_REQUEST__INIT;
  hito_call_options options = {.timeout_ms = 30000, .on_ready = ended};
  hito_error *error = NULL;
  if (hito_health_check_begin(client, &request, &options, &error) == NULL) fail(error);
}

static void ended(hito_call *call, void *user) {
  Hito__V1__HealthCheckResponse *response;
  hito_error *error = NULL;
  (void)user;
  hito_step step = hito_health_check_take(call, &response, &error);
  if (step == HITO_STEP_WAIT) return;
  if (step != HITO_STEP_MESSAGE) fail(error);
  hito__v1__health_check_response__free_unpacked(response, NULL);
  hito_call_free(call);
  measure.calls++;
  begin();
}

int main(int count, char **arguments) {
  if (count != 6) return 64;
  char token[4096];
  hito_error *error = NULL;
  read_line(arguments[3], token, sizeof token);
  hito_client_options options = {.addresses = arguments[1], .ca_file = arguments[2], .token = token};
  client = hito_client_new(&options, &error);
  if (client == NULL || !hito_client_connect(client, 10000, &error)) fail(error);
  for (int call = 0; call < atoi(arguments[5]); call++) begin();
  measure = measure_begin(atof(arguments[4]));
  while (!measure_is_over(&measure))
    if (hito_client_poll(client, 1000) < 0) return 1;
  return 0;
}
