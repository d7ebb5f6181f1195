/* Against a real server: run by end_to_end.py, which sets HITO_ADDRESS, HITO_CA and HITO_TOKEN. Without them it has
 * nothing to do. */
#include <netdb.h>
#include <sys/socket.h>

#include "check.h"
#include "hito/hito.h"

static const char *address, *ca_file, *token;

static hito_client *connected(hito_client_options options) {
  hito_error *error = NULL;
  if (options.addresses == NULL) options.addresses = address;
  if (options.ca_file == NULL) options.ca_file = ca_file;
  if (options.token == NULL && options.token_provider == NULL) options.token = token;
  hito_client *client = hito_client_new(&options, &error);
  if (client != NULL) return client;
  fprintf(stderr, "%s\n", error->message);
  exit(2);
}

/* Ends with this status; says what it was where it did not. */
static void expect(hito_status expected, hito_status status, hito_error **error) {
  if (status != expected)
    fprintf(stderr, "expected %s, got %s: %s\n", hito_status_name(expected), hito_status_name(status),
            *error == NULL ? "" : (*error)->message);
  CHECK(status == expected);
  hito_error_free(*error);
  *error = NULL;
}

static Hito__V1__CreateGoalResponse *create(hito_client *client, char *title, const hito_call_options *options) {
  Hito__V1__NewTask first = HITO__V1__NEW_TASK__INIT, second = HITO__V1__NEW_TASK__INIT;
  Hito__V1__NewTask *tasks[] = {&first, &second};
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  Hito__V1__CreateGoalResponse *response;
  hito_error *error = NULL;
  first.title = "one";
  second.title = "two";
  request.title = title;
  request.tasks = tasks;
  request.n_tasks = 2;
  hito_status status = hito_goals_create_goal(client, &request, options, &response, &error);
  expect(HITO_OK, status, &error);
  if (response == NULL) exit(1);
  return response;
}

static void check_journey(hito_client *client) {
  Hito__V1__CreateGoalResponse *made = create(client, "Aprender C", NULL);
  Hito__V1__CompleteTaskRequest complete = HITO__V1__COMPLETE_TASK_REQUEST__INIT;
  Hito__V1__CompleteTaskResponse *done;
  hito_error *error = NULL;
  complete.task_id = made->tasks[0]->id;
  expect(HITO_OK, hito_tasks_complete_task(client, &complete, NULL, &done, &error), &error);
  CHECK(done != NULL && done->goal->progress_percentage > 49.9 && done->goal->progress_percentage < 50.1);
  Hito__V1__GetGoalRequest get = HITO__V1__GET_GOAL_REQUEST__INIT;
  Hito__V1__GetGoalResponse *got;
  get.goal_id = made->goal->id;
  get.min_cursor = done->receipt->cursor;
  error = NULL;
  expect(HITO_OK, hito_goals_get_goal(client, &get, NULL, &got, &error), &error);
  CHECK(got != NULL && strcmp(got->goal->title, "Aprender C") == 0 && got->n_tasks == 2);
  hito__v1__get_goal_response__free_unpacked(got, NULL);
  hito__v1__complete_task_response__free_unpacked(done, NULL);
  hito__v1__create_goal_response__free_unpacked(made, NULL);
}

static void check_errors(hito_client *client) {
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  Hito__V1__CreateGoalResponse *response;
  hito_error *error = NULL;
  CHECK(hito_goals_create_goal(client, &request, NULL, &response, &error) == HITO_INVALID_ARGUMENT && response == NULL);
  CHECK(error->from_server && hito_error_reason(error) == HITO__V1__ERROR_REASON__ERROR_REASON_INVALID_FIELD);
  CHECK(error->details->n_field_violations == 1 && strcmp(error->details->field_violations[0]->field, "title") == 0);
  hito_error_free(error);
  Hito__V1__GetGoalRequest get = HITO__V1__GET_GOAL_REQUEST__INIT;
  Hito__V1__GetGoalResponse *got;
  get.goal_id = "7b0c6a54-6d2a-4f0e-9c53-2f1e0b6a9d11";
  error = NULL;
  expect(HITO_NOT_FOUND, hito_goals_get_goal(client, &get, NULL, &got, &error), &error);
  hito_client *stranger = connected((hito_client_options){.token = "hito_nobody"});
  error = NULL;
  expect(HITO_UNAUTHENTICATED, hito_goals_get_goal(stranger, &get, NULL, &got, &error), &error);
  hito_client_free(stranger);
}

static void check_repeats(hito_client *client) {
  hito_call_options options = {.idempotency_key = "c-client-key-1"};
  Hito__V1__CreateGoalResponse *first = create(client, "Una vez", &options);
  Hito__V1__CreateGoalResponse *second = create(client, "Una vez", &options);
  CHECK(strcmp(first->goal->id, second->goal->id) == 0);
  CHECK(!first->receipt->replayed && second->receipt->replayed);
  hito__v1__create_goal_response__free_unpacked(first, NULL);
  hito__v1__create_goal_response__free_unpacked(second, NULL);
}

static void check_metadata(hito_client *client) {
  const hito_metadata_entry sent[] = {{"hito-echo-a", "x", 1}, {"hito-echo-trailer-b-bin", "\0\xff", 2}};
  hito_response_info info = {0};
  hito_call_options options = {.metadata = sent, .metadata_count = 2, .info = &info};
  Hito__V1__HealthCheckRequest request = HITO__V1__HEALTH_CHECK_REQUEST__INIT;
  Hito__V1__HealthCheckResponse *response;
  hito_error *error = NULL;
  expect(HITO_OK, hito_health_check(client, &request, &options, &response, &error), &error);
  const char *value = hito_metadata_get(&info.metadata, "hito-echo-a");
  CHECK(value != NULL && strcmp(value, "x") == 0);
  CHECK(info.trailers.count == 1 && info.trailers.entries[0].size == 2);
  hito__v1__health_check_response__free_unpacked(response, NULL);
  hito_response_info_clear(&info);
}

/* A stream that is left, one that ends at its deadline, and one that is cancelled. */
static void check_streams(hito_client *client) {
  Hito__V1__HealthWatchRequest request = HITO__V1__HEALTH_WATCH_REQUEST__INIT;
  Hito__V1__HealthCheckResponse *response;
  hito_error *error = NULL;
  hito_call_options options = {.timeout_ms = 2000};
  hito_call *call = hito_health_watch(client, &request, &options, NULL);
  CHECK(hito_health_watch_next(call, &response, &error) == HITO_STEP_MESSAGE);
  CHECK(response->status == HITO__V1__HEALTH_STATUS__HEALTH_STATUS_SERVING);
  hito__v1__health_check_response__free_unpacked(response, NULL);
  CHECK(hito_health_watch_next(call, &response, &error) == HITO_STEP_ERROR);
  expect(HITO_DEADLINE_EXCEEDED, error->code, &error);
  hito_call_free(call);
  call = hito_health_watch(client, &request, NULL, NULL);
  hito_call_cancel(call);
  error = NULL;
  CHECK(hito_health_watch_next(call, &response, &error) == HITO_STEP_ERROR);
  expect(HITO_CANCELLED, error->code, &error);
  hito_call_free(call);
}

/* Request streams: what the server makes of ones that say nothing useful is enough to see them work both ways. */
static void check_request_streams(hito_client *client) {
  hito_error *error = NULL;
  hito_call *call = hito_courses_ingest_documents(client, NULL, NULL);
  Hito__V1__IngestDocumentsRequest part = HITO__V1__INGEST_DOCUMENTS_REQUEST__INIT;
  Hito__V1__IngestDocumentsResponse *response;
  (void)hito_courses_ingest_documents_send(call, &part, NULL);
  hito_status status = hito_courses_ingest_documents_finish(call, &response, &error);
  CHECK(status != HITO_OK && error->from_server && error->code == status);
  hito_error_free(error);
  hito_call_free(call);
  call = hito_events_consume(client, NULL, NULL);
  Hito__V1__ConsumeRequest request = HITO__V1__CONSUME_REQUEST__INIT;
  Hito__V1__JoinGroup join = HITO__V1__JOIN_GROUP__INIT;
  Hito__V1__ConsumeResponse *step;
  join.group = "no-such-group";
  request.step_case = HITO__V1__CONSUME_REQUEST__STEP_JOIN;
  request.join = &join;
  error = NULL;
  CHECK(hito_events_consume_send(call, &request, NULL));
  CHECK(hito_events_consume_next(call, &step, &error) == HITO_STEP_ERROR && error->from_server);
  hito_error_free(error);
  hito_call_free(call);
}

static void cannot(hito_client_options options, const char *part) {
  options.wait_for_ready = HITO_WAIT_YES;
  hito_client *client = connected(options);
  hito_error *error = NULL;
  CHECK(!hito_client_connect(client, 20000, &error) && error->code == HITO_UNAVAILABLE);
  bool is_said = error != NULL && strstr(error->message, part) != NULL;
  if (!is_said) fprintf(stderr, "%s\n", error == NULL ? "" : error->message);
  CHECK(is_said);
  hito_error_free(error);
  hito_client_free(client);
}

static void check_certificates(void) {
  cannot((hito_client_options){.server_name = "other.example"}, "certificate refused");
  const char *other = getenv("HITO_OTHER_CA");
  if (other != NULL) cannot((hito_client_options){.ca_file = other}, "certificate refused");
}

/* Of two addresses the first says nothing, or cannot be reached. */
static int resolve(void *user, const char *host, const char *port, struct addrinfo **result) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
  int failed = getaddrinfo("192.0.2.1", port, &hints, result);
  CHECK(strcmp(host, "hito.test") == 0);
  ++*(int *)user;
  return failed != 0 ? failed : getaddrinfo("127.0.0.1", port, &hints, &(*result)->ai_next);
}

static void release(void *user, struct addrinfo *result) {
  (void)user;
  freeaddrinfo(result->ai_next);
  result->ai_next = NULL;
  freeaddrinfo(result);
}

static void check_names(void) {
  char named[64];
  int asked_names = 0;
  const char *port = strrchr(address, ':');
  snprintf(named, sizeof named, "hito.test%s", port);
  hito_client *client = connected((hito_client_options){
      .addresses = named, .server_name = "127.0.0.1", .resolve = resolve, .release = release, .resolve_user = &asked_names});
  CHECK(hito_client_connect(client, 20000, NULL) && asked_names == 1);
  hito_client_free(client);
  /* The server does not listen on ::1. */
  snprintf(named, sizeof named, "localhost%s", port);
  client = connected((hito_client_options){.addresses = named, .server_name = "127.0.0.1"});
  CHECK(hito_client_connect(client, 20000, NULL));
  hito_client_free(client);
}

static int asked;

static void provide(void *user, hito_token_request request) {
  hito_token_give(request, asked++ == 0 ? "hito_old" : user, 60000);
}

/* The first token is refused: the call is made again under another. */
static void check_token(void) {
  hito_client *client =
      connected((hito_client_options){.token_provider = provide, .token_user = (void *)(uintptr_t)token});
  Hito__V1__CreateGoalResponse *made = create(client, "Con otra llave", NULL);
  CHECK(asked == 2);
  hito__v1__create_goal_response__free_unpacked(made, NULL);
  hito_client_free(client);
}

static void check_compression(void) {
  hito_client *client = connected((hito_client_options){.compresses = true});
  static char text[9001];
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  Hito__V1__CreateGoalResponse *response;
  hito_error *error = NULL;
  for (size_t i = 0; i < sizeof text - 1; i++) text[i] = "larga "[i % 6];
  request.title = "Larga";
  request.description = text;
  expect(HITO_OK, hito_goals_create_goal(client, &request, NULL, &response, &error), &error);
  CHECK(response != NULL && strcmp(response->goal->description, text) == 0);
  hito__v1__create_goal_response__free_unpacked(response, NULL);
  hito_client_free(client);
}

struct many {
  int ended, good, refused;
};

static void count_end(hito_call *call, void *user) {
  struct many *many = user;
  Hito__V1__ListGoalsResponse *response;
  hito_error *error = NULL;
  hito_step step = hito_goals_list_goals_take(call, &response, &error);
  if (step == HITO_STEP_WAIT) return;
  many->ended++;
  many->good += step == HITO_STEP_MESSAGE;
  many->refused += error != NULL && error->code == HITO_RESOURCE_EXHAUSTED;
  if (response != NULL) hito__v1__list_goals_response__free_unpacked(response, NULL);
  hito_error_free(error);
}

/* More calls at once than a connection takes, with callbacks; more than the server lets a user have, perhaps. */
static void check_many(hito_client *client) {
  enum { COUNT = 250 };
  static hito_call *calls[COUNT];
  struct many many = {0};
  Hito__V1__ListGoalsRequest request = HITO__V1__LIST_GOALS_REQUEST__INIT;
  hito_call_options options = {.on_ready = count_end, .user = &many};
  for (int i = 0; i < COUNT; i++) calls[i] = hito_goals_list_goals_begin(client, &request, &options, NULL);
  for (int i = 0; i < 20000 && many.ended < COUNT; i++) hito_client_poll(client, 1000);
  CHECK(many.good > 0 && many.good + many.refused == COUNT);
  for (int i = 0; i < COUNT; i++) hito_call_free(calls[i]);
}

int main(void) {
  address = getenv("HITO_ADDRESS");
  ca_file = getenv("HITO_CA");
  token = getenv("HITO_TOKEN");
  if (address == NULL) return check_end("server (none here)");
  if (getenv("HITO_CLIENT_CERTIFICATE") != NULL) {
    cannot((hito_client_options){
               .certificate_file = getenv("HITO_OTHER_CERTIFICATE"), .key_file = getenv("HITO_OTHER_KEY")}, "cannot connect");
    hito_client *known = connected((hito_client_options){
        .certificate_file = getenv("HITO_CLIENT_CERTIFICATE"), .key_file = getenv("HITO_CLIENT_KEY")});
    check_journey(known);
    hito_client_free(known);
    return check_end("mutual TLS");
  }
  hito_client *client = connected((hito_client_options){.balancing = HITO_ROUND_ROBIN});
  check_journey(client);
  check_errors(client);
  check_repeats(client);
  check_metadata(client);
  check_streams(client);
  check_request_streams(client);
  check_many(client);
  hito_client_free(client);
  check_names();
  check_certificates();
  check_token();
  check_compression();
  return check_end("server");
}
