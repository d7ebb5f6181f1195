/* The client without a server: what is refused, what ends, what a loop of others sees. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "hito/hito.h"

/* An address where nobody listens. */
static char *nobody(void) {
  static char text[32];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr *)&address, size) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0) exit(2);
  close(fd);
  snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(address.sin_port));
  return text;
}

static void refused(hito_client_options options, const char *part) {
  hito_error *error = NULL;
  CHECK(hito_client_new(&options, &error) == NULL);
  CHECK(error != NULL && error->code == HITO_INVALID_ARGUMENT && strstr(error->message, part) != NULL);
  hito_error_free(error);
}

static void check_options(void) {
  refused((hito_client_options){.addresses = ""}, "addresses");
  refused((hito_client_options){.addresses = "localhost"}, "addresses");
  refused((hito_client_options){.addresses = "::1:7443"}, "addresses");
  refused((hito_client_options){.addresses = "a:1,b:0"}, "addresses");
  refused((hito_client_options){.addresses = "a:1", .ca_file = "/nowhere.pem"}, "/nowhere.pem");
  refused((hito_client_options){.addresses = "a:1", .certificate_file = "/none.pem"}, "/none.pem");
  refused((hito_client_options){.addresses = "a:1", .token = "\xff"}, "token");
  hito_client *client = hito_client_new(&(hito_client_options){.addresses = "[::1]:7443, a:1"}, NULL);
  CHECK(client != NULL);
  hito_client_free(client);
}

struct seen {
  int begun, ended;
  hito_status code;
};

static hito_error *begin(void *self, const hito_method *method, hito_call_options *options, void **state) {
  struct seen *seen = self;
  seen->begun++;
  *state = seen;
  CHECK(strcmp(method->path, "hito.v1.HealthService/Check") == 0);
  return options->traceparent == NULL ? NULL : hito_error_make(HITO_PERMISSION_DENIED, "no traces here");
}

static void end(void *self, const hito_method *method, const hito_error *error, void *state) {
  struct seen *seen = self;
  (void)method;
  CHECK(state == self);
  seen->ended++;
  seen->code = error == NULL ? HITO_OK : error->code;
}

static hito_status check_health(hito_client *client, const hito_call_options *options, hito_error **error) {
  Hito__V1__HealthCheckRequest request = HITO__V1__HEALTH_CHECK_REQUEST__INIT;
  Hito__V1__HealthCheckResponse *response;
  hito_status status = hito_health_check(client, &request, options, &response, error);
  CHECK(response == NULL);
  return status;
}

static void check_nobody(void) {
  struct seen seen[2] = {{0}, {0}};
  const hito_interceptor interceptors[] = {{begin, end, &seen[0]}, {begin, end, &seen[1]}};
  hito_client_options options = {
      .addresses = nobody(), .wait_for_ready = HITO_WAIT_NO, .interceptors = interceptors, .interceptor_count = 2};
  hito_client *client = hito_client_new(&options, NULL);
  hito_error *error = NULL;
  CHECK(!hito_client_connect(client, 2000, &error) && error->code == HITO_UNAVAILABLE && error->not_started);
  hito_error_free(error);
  CHECK(check_health(client, NULL, &error) == HITO_UNAVAILABLE && error->not_started && !error->from_server);
  CHECK(strstr(error->message, "cannot connect") != NULL);
  hito_error_free(error);
  CHECK(seen[0].begun == 1 && seen[1].ended == 1 && seen[0].code == HITO_UNAVAILABLE);
  CHECK(check_health(client, &(hito_call_options){.traceparent = "00"}, NULL) == HITO_PERMISSION_DENIED);
  CHECK(seen[0].begun == 2 && seen[1].begun == 1 && seen[1].ended == 1);
  hito_call_options waits = {.wait_for_ready = HITO_WAIT_YES, .timeout_ms = 120};
  CHECK(check_health(client, &waits, &error) == HITO_DEADLINE_EXCEEDED && error->not_started);
  hito_error_free(error);
  hito_client_free(client);
}

static void count_ready(hito_call *call, void *user) {
  (void)call;
  ++*(int *)user;
}

static void check_close(void) {
  int ready = 0;
  hito_client *client = hito_client_new(&(hito_client_options){.addresses = nobody()}, NULL);
  Hito__V1__HealthCheckRequest request = HITO__V1__HEALTH_CHECK_REQUEST__INIT;
  Hito__V1__HealthCheckResponse *response;
  hito_error *error = NULL;
  hito_call_options options = {.on_ready = count_ready, .user = &ready};
  hito_call *call = hito_health_check_begin(client, &request, &options, NULL);
  hito_call *other = hito_health_check_begin(client, &request, NULL, NULL);
  CHECK(hito_health_check_take(call, &response, &error) == HITO_STEP_WAIT);
  CHECK(hito_client_timeout(client) >= 0);
  hito_client_close(client);
  hito_client_poll(client, 0);
  CHECK(ready == 1 && hito_client_is_closed(client));
  CHECK(hito_health_check_take(call, &response, &error) == HITO_STEP_ERROR && error->code == HITO_CANCELLED);
  hito_error_free(error);
  hito_call_free(call);
  CHECK(hito_health_check_begin(client, &request, NULL, &error) == NULL && error->code == HITO_CANCELLED);
  hito_error_free(error);
  hito_client_free(client);
  /* A call may outlive its client. */
  CHECK(hito_health_check_take(other, &response, NULL) == HITO_STEP_ERROR);
  hito_call_free(other);
}

static void check_wrong_use(void) {
  hito_client *client = hito_client_new(&(hito_client_options){.addresses = nobody()}, NULL);
  Hito__V1__HealthCheckRequest request = HITO__V1__HEALTH_CHECK_REQUEST__INIT;
  Hito__V1__GetGoalResponse *response;
  hito_error *error = NULL;
  hito_call *call = hito_health_check_begin(client, &request, NULL, NULL);
  CHECK(hito_goals_get_goal_take(call, &response, &error) == HITO_STEP_ERROR && error->code == HITO_INVALID_ARGUMENT);
  hito_error_free(error);
  hito_call_cancel(call);
  hito_call_free(call);
  const hito_metadata_entry bad = {"Bad", "v", 1};
  CHECK(check_health(client, &(hito_call_options){.metadata = &bad, .metadata_count = 1}, NULL) == HITO_INVALID_ARGUMENT);
  Hito__V1__CreateGoalRequest goal = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  Hito__V1__CreateGoalResponse *made;
  hito_call_options hedged = {.hedging = {.delay_ms = 10}};
  CHECK(hito_goals_create_goal(client, &goal, &hedged, &made, NULL) == HITO_INVALID_ARGUMENT);
  hito_client_free(client);
}

int main(void) {
  check_options();
  check_nobody();
  check_close();
  check_wrong_use();
  return check_end("client");
}
