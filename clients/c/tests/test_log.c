/* What a client tells of itself: run by refreshing.py, which plays the server and says which case. Without a case it has
 * nothing to do. */
#include "check.h"
#include "records.h"

static struct records records;

static hito_client *made(const char *address, const char *token) {
  hito_client_options options = {
      .addresses = address, .ca_file = getenv("HITO_CA"), .token = token, .log = records_keep, .log_user = &records};
  options.wait_for_ready = HITO_WAIT_NO;
  hito_client *client = hito_client_new(&options, NULL);
  if (client == NULL) exit(2);
  return client;
}

static hito_status get(hito_client *client, const hito_call_options *options) {
  Hito__V1__GetGoalRequest request = HITO__V1__GET_GOAL_REQUEST__INIT;
  Hito__V1__GetGoalResponse *response;
  request.goal_id = "h1dden";
  hito_status status = hito_goals_get_goal(client, &request, options, &response, NULL);
  if (response != NULL) hito__v1__get_goal_response__free_unpacked(response, NULL);
  return status;
}

static void expect_events(const char *expected) {
  char *shown = records_shown(&records);
  CHECK(strcmp(shown, expected) == 0);
  if (strcmp(shown, expected) != 0) fprintf(stderr, "%s\n", shown);
  free(shown);
}

/* From beginning to end, with a repeat. */
static void told(void) {
  hito_client *client = made(getenv("HITO_ADDRESS"), "s3cret");
  const hito_metadata_entry entry = {"k", "pr1vate", 7};
  hito_call_options options = {.idempotency_key = "k3y", .metadata = &entry, .metadata_count = 1};
  CHECK(get(client, &options) == HITO_OK);
  hito_client_free(client);
  expect_events("d:call_started d:connecting i:connected i:call_repeated d:call_ended i:disconnected");
  CHECK(records_has(&records, "connected", 0, "address", getenv("HITO_ADDRESS")));
  CHECK(records_has(&records, "connected", 0, "server_id", "s1"));
  CHECK(records_number(&records, "connected", 0, "duration_ms") >= 0);
  CHECK(records_number(&records, "call_started", 0, "call") == 1);
  CHECK(records_number(&records, "call_repeated", 0, "attempt") == 2);
  CHECK(records_number(&records, "call_repeated", 0, "delay_ms") > 0);
  CHECK(records_has(&records, "call_repeated", 0, "status", "UNAVAILABLE"));
  CHECK(records_number(&records, "call_ended", 0, "call") == 1 && records_number(&records, "call_ended", 0, "attempts") == 2);
  CHECK(records_has(&records, "call_ended", 0, "method", "hito.v1.GoalService/GetGoal"));
  CHECK(records_has(&records, "call_ended", 0, "status", "OK"));
  const char *const secrets[] = {"s3cret", "h1dden", "pr1vate", "k3y", "\n", "\x1b"};
  for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) CHECK(!records_say(&records, secrets[i]));
  CHECK(records_say(&records, "busy\xef\xbf\xbd"));
}

/* A call that fails, a stream that breaks with its server and is resumed, and one that is left. */
static void lost(void) {
  hito_client *client = made(getenv("HITO_ADDRESS"), NULL);
  Hito__V1__WatchRequest request = HITO__V1__WATCH_REQUEST__INIT;
  Hito__V1__WatchResponse *response;
  CHECK(get(client, NULL) == HITO_NOT_FOUND);
  hito_resumed *watch = hito_watch_begin(client, &request, NULL, NULL);
  for (int i = 0; i < 2; i++) {
    CHECK(hito_watch_next(watch, &response, NULL) == HITO_STEP_MESSAGE);
    hito__v1__watch_response__free_unpacked(response, NULL);
  }
  hito_resumed_free(watch);
  hito_client_free(client);
  const char *const ends[] = {"NOT_FOUND", "UNAVAILABLE", "CANCELLED"};
  for (size_t i = 0; i < 3; i++) {
    CHECK(records_number(&records, "call_ended", i, "call") == (int64_t)i + 1);
    CHECK(records_has(&records, "call_ended", i, "status", ends[i]));
  }
  CHECK(records_level(&records, "call_ended", 1) == HITO_LOG_INFO && records_level(&records, "call_ended", 2) == HITO_LOG_DEBUG);
  CHECK(records_count(&records, "watch_resumed") == 1);
  CHECK(records_has(&records, "watch_resumed", 0, "method", "hito.v1.ProgressService/Watch"));
  CHECK(records_level(&records, "disconnected", 0) == HITO_LOG_WARNING);
  CHECK(records_level(&records, "disconnected", 1) == HITO_LOG_INFO && records_count(&records, "disconnected") == 2);
}

/* A server that drains, and one that breaks the protocol. */
static void drained(void) {
  hito_client *client = made(getenv("HITO_ADDRESS"), NULL);
  CHECK(get(client, NULL) == HITO_OK && get(client, NULL) == HITO_INTERNAL);
  hito_client_free(client);
  CHECK(records_has(&records, "disconnected", 0, "reason", "the server is going away"));
  CHECK(records_level(&records, "disconnected", 0) == HITO_LOG_INFO);
  CHECK(records_level(&records, "disconnected", 1) == HITO_LOG_WARNING && records_count(&records, "disconnected") == 2);
}

static void nobody(void) {
  hito_client *client = made("127.0.0.1:1", NULL);
  CHECK(get(client, NULL) == HITO_UNAVAILABLE);
  /* A stream that is never taken from, and outlives its client. */
  Hito__V1__WatchRequest request = HITO__V1__WATCH_REQUEST__INIT;
  hito_call *stream = hito_progress_watch(client, &request, NULL, NULL);
  hito_client_free(client);
  hito_call_free(stream);
  expect_events("d:call_started d:connecting w:connect_failed i:call_ended d:call_started d:call_ended");
  CHECK(records_has(&records, "connect_failed", 0, "address", "127.0.0.1:1"));
  CHECK(records_say(&records, "cannot connect"));
  CHECK(records_has(&records, "call_ended", 1, "status", "CANCELLED"));
}

int main(int count, char **arguments) {
  if (count != 2) return check_end("log (none here)");
  if (strcmp(arguments[1], "told") == 0) told();
  if (strcmp(arguments[1], "lost") == 0) lost();
  if (strcmp(arguments[1], "drained") == 0) drained();
  if (strcmp(arguments[1], "nobody") == 0) nobody();
  CHECK(records.count > 0);
  records_free(&records);
  return check_end(arguments[1]);
}
