/* Tokens that are made anew, and what is told of it: run by refreshing.py, which plays the server and says which case.
 * Without a case it has nothing to do. */
#include <poll.h>
#include <time.h>

#include "check.h"
#include "internal.h"
#include "records.h"

/* Gives one text after the other, the last for ever; "-" is a failure. */
struct provider {
  const char *const *texts;
  int64_t valid_ms;
  /* It answers later, from the loop, so many milliseconds after it was asked; negative: never. */
  int delay_ms;
  bool blocks;
  int asked;
  hito_token_request request;
  int64_t asked_at;
};

static struct provider provider;
static struct records records;
static hito_client *client;

static int64_t now_ms(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void answer(void) {
  const char *text = *provider.texts;
  if (provider.texts[1] != NULL) provider.texts++;
  if (strcmp(text, "-") == 0)
    hito_token_fail(provider.request);
  else
    hito_token_give(provider.request, text, provider.valid_ms);
}

static void provide(void *user, hito_token_request request) {
  CHECK(user == &provider);
  provider.asked++;
  provider.request = request;
  provider.asked_at = now_ms();
  if (provider.blocks) (void)poll(NULL, 0, provider.delay_ms);
  if (provider.blocks || provider.delay_ms == 0) answer();
}

static hito_client *made(hito_client_options options) {
  options.addresses = getenv("HITO_ADDRESS");
  options.ca_file = getenv("HITO_CA");
  options.token_provider = provide;
  options.token_user = &provider;
  options.log = records_keep;
  options.log_user = &records;
  hito_client *result = hito_client_new(&options, NULL);
  if (result == NULL) exit(2);
  return result;
}

#define TEXTS(...) (const char *const[]){__VA_ARGS__, NULL}

/* Lets the client work, and answers what is due. */
static void turn(int milliseconds) {
  for (int64_t end = now_ms() + milliseconds; now_ms() < end;) {
    hito_client_poll(client, 5);
    bool is_due = provider.delay_ms > 0 && provider.asked_at > 0 && now_ms() >= provider.asked_at + provider.delay_ms;
    if (!is_due || provider.blocks) continue;
    provider.asked_at = 0;
    answer();
  }
}

static hito_call *get_begun(const hito_call_options *options) {
  Hito__V1__GetGoalRequest request = HITO__V1__GET_GOAL_REQUEST__INIT;
  return hito_goals_get_goal_begin(client, &request, options, NULL);
}

/* How a call ends; the caller frees the error. */
static hito_status ended(hito_call *call, hito_error **error) {
  Hito__V1__GetGoalResponse *response;
  hito_step step;
  *error = NULL;
  while ((step = hito_goals_get_goal_take(call, &response, error)) == HITO_STEP_WAIT) turn(1);
  if (response != NULL) hito__v1__get_goal_response__free_unpacked(response, NULL);
  hito_call_free(call);
  return step == HITO_STEP_MESSAGE ? HITO_OK : (*error)->code;
}

static hito_error *get(const hito_call_options *options) {
  hito_error *error;
  hito_call *call = get_begun(options);
  CHECK(call != NULL);
  (void)ended(call, &error);
  return error;
}

static void expect(hito_error *error, hito_status status, bool from_server, bool not_started, const char *part) {
  CHECK(error != NULL && error->code == status && error->from_server == from_server && error->not_started == not_started);
  CHECK(error != NULL && strstr(error->message, part) != NULL);
  if (error != NULL && strstr(error->message, part) == NULL) fprintf(stderr, "%s\n", error->message);
  hito_error_free(error);
}

static void many(int count) {
  hito_call *calls[20];
  hito_error *error;
  for (int i = 0; i < count; i++) calls[i] = get_begun(NULL);
  for (int i = 0; i < count; i++) CHECK(ended(calls[i], &error) == HITO_OK);
}

static void shared(void) {
  provider = (struct provider){.texts = TEXTS("a"), .delay_ms = 100};
  client = made((hito_client_options){0});
  CHECK(hito_client_connect(client, 5000, NULL) && provider.asked == 0);
  many(20);
  CHECK(get(NULL) == NULL && provider.asked == 1);
}

static void replaced(void) {
  provider = (struct provider){.texts = TEXTS("t0ken-old", "t0ken-new"), .valid_ms = 60000};
  client = made((hito_client_options){0});
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  Hito__V1__CreateGoalResponse *response;
  CHECK(hito_goals_create_goal(client, &request, NULL, &response, NULL) == HITO_OK);
  if (response != NULL) hito__v1__create_goal_response__free_unpacked(response, NULL);
  CHECK(get(NULL) == NULL && provider.asked == 2);
  CHECK(records_count(&records, "token_refreshed") == 2);
  CHECK(records_number(&records, "token_refreshed", 0, "valid_ms") == 60000);
  CHECK(records_has(&records, "call_repeated", 0, "status", "UNAUTHENTICATED"));
  CHECK(records_number(&records, "call_repeated", 0, "delay_ms") == 0);
  CHECK(records_number(&records, "call_ended", 0, "attempts") == 2);
  CHECK(!records_say(&records, "t0ken"));
}

static void together(void) {
  provider = (struct provider){.texts = TEXTS("old", "new"), .delay_ms = 50};
  client = made((hito_client_options){0});
  many(20);
  CHECK(provider.asked == 2);
}

static void twice(void) {
  provider = (struct provider){.texts = TEXTS("bad-0", "bad-1", "bad-2", "bad-3", "bad-4", "bad-5")};
  client = made((hito_client_options){0});
  expect(get(NULL), HITO_UNAUTHENTICATED, true, false, "no such token");
  CHECK(provider.asked == 2 && records_count(&records, "token_failed") == 1);
  for (int i = 0; i < 200; i++) hito_error_free(get(NULL));
  CHECK(provider.asked < 30);
}

static void same(void) {
  provider = (struct provider){.texts = TEXTS("bad")};
  client = made((hito_client_options){0});
  expect(get(NULL), HITO_UNAUTHENTICATED, true, false, "no such token");
  CHECK(provider.asked == 2);
}

static void fails(void) {
  const char *const bad[] = {"-", "", "\xff"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    provider = (struct provider){.texts = TEXTS(bad[i])};
    client = made((hito_client_options){0});
    expect(get(NULL), HITO_UNAUTHENTICATED, false, true, "the token provider");
    CHECK(provider.asked == 1 && records_number(&records, "token_failed", 0, "rest_ms") >= 25);
    for (int k = 0; k < 50; k++) expect(get(NULL), HITO_UNAUTHENTICATED, false, true, "the token provider");
    CHECK(provider.asked < 15);
    provider.texts = TEXTS("good");
    hito_error *error;
    for (int k = 0; k < 400 && (error = get(NULL)) != NULL; k++) {
      hito_error_free(error);
      turn(20);
    }
    CHECK(get(NULL) == NULL);
    if (i < 2) hito_client_free(client);
  }
}

static void behind(void) {
  provider = (struct provider){.texts = TEXTS("bad", "-")};
  client = made((hito_client_options){0});
  expect(get(NULL), HITO_UNAUTHENTICATED, true, false, "no such token");
}

static void late(void) {
  provider = (struct provider){.texts = TEXTS("late"), .delay_ms = -1};
  client = made((hito_client_options){.token_timeout_ms = 100});
  expect(get(NULL), HITO_UNAUTHENTICATED, false, true, "did not answer in time");
  answer();
  CHECK(records_count(&records, "token_refreshed") == 0);
  hito_client_free(client);
  provider = (struct provider){.texts = TEXTS("late"), .delay_ms = 150, .blocks = true};
  client = made((hito_client_options){.token_timeout_ms = 100});
  expect(get(NULL), HITO_UNAUTHENTICATED, false, true, "did not answer in time");
  hito_client_free(client);
  /* One that blocks, and a call that has less time. */
  provider = (struct provider){.texts = TEXTS("late"), .delay_ms = 150, .blocks = true};
  client = made((hito_client_options){0});
  expect(get(&(hito_call_options){.timeout_ms = 100}), HITO_DEADLINE_EXCEEDED, false, true, "no token in time");
  CHECK(get(NULL) == NULL && provider.asked == 1);
}

static void waits(void) {
  provider = (struct provider){.texts = TEXTS("a"), .delay_ms = -1};
  client = made((hito_client_options){0});
  expect(get(&(hito_call_options){.timeout_ms = 100}), HITO_DEADLINE_EXCEEDED, false, true, "no token in time");
  hito_call *left = get_begun(NULL), *cancelled = get_begun(NULL);
  hito_error *error;
  turn(10);
  hito_call_free(left);
  hito_call_cancel(cancelled);
  CHECK(ended(cancelled, &error) == HITO_CANCELLED && error->not_started);
  hito_error_free(error);
  provider.delay_ms = 1;
  CHECK(get(NULL) == NULL && provider.asked == 1);
}

static void own(void) {
  provider = (struct provider){.texts = TEXTS("good")};
  client = made((hito_client_options){0});
  expect(get(&(hito_call_options){.token = "mine"}), HITO_UNAUTHENTICATED, true, false, "no such token");
  CHECK(provider.asked == 0);
}

/* In the margin the question fails: the token that is still valid is used. */
static void margin(void) {
  provider = (struct provider){.texts = TEXTS("a", "-"), .valid_ms = 3600000};
  client = made((hito_client_options){0});
  CHECK(get(NULL) == NULL);
  client->tokens.machine.renew_at = 0;
  CHECK(get(NULL) == NULL && provider.asked == 2 && records_count(&records, "token_failed") == 1);
  client->tokens.machine.valid_until = 0;
  expect(get(NULL), HITO_UNAUTHENTICATED, false, true, "the token provider failed");
}

static void hedged(void) {
  provider = (struct provider){.texts = TEXTS("a", "b")};
  client = made((hito_client_options){.hedging = {.delay_ms = 30}});
  CHECK(get(NULL) == NULL && provider.asked == 2);
  CHECK(records_number(&records, "call_hedged", 0, "copy") == 2);
}

static void health(void) {
  provider = (struct provider){.texts = TEXTS("a")};
  client = made((hito_client_options){.checks_health = true});
  CHECK(get(NULL) == NULL && provider.asked == 1);
}

static void closing(void) {
  provider = (struct provider){.texts = TEXTS("a"), .delay_ms = -1};
  client = made((hito_client_options){0});
  hito_call *call = get_begun(NULL);
  hito_error *error;
  turn(20);
  CHECK(provider.asked == 1);
  hito_client_close(client);
  answer();
  CHECK(ended(call, &error) == HITO_CANCELLED && error->not_started);
  hito_error_free(error);
  CHECK(get_begun(NULL) == NULL && provider.asked == 1 && records_count(&records, "token_refreshed") == 0);
}

/* Reads a watch until it ends: the cursors, and how it ended. */
static void read_stream(const char *expected, hito_status status) {
  Hito__V1__WatchRequest request = HITO__V1__WATCH_REQUEST__INIT;
  Hito__V1__WatchResponse *response;
  hito_error *error = NULL;
  char seen[64] = "";
  hito_step step;
  hito_call *call = hito_progress_watch(client, &request, NULL, NULL);
  while ((step = hito_progress_watch_next(call, &response, &error)) == HITO_STEP_MESSAGE) {
    strcat(seen, response->cursor);
    hito__v1__watch_response__free_unpacked(response, NULL);
  }
  CHECK(strcmp(seen, expected) == 0 && (error == NULL ? HITO_OK : error->code) == status);
  hito_error_free(error);
  hito_call_free(call);
}

static void stream(void) {
  provider = (struct provider){.texts = TEXTS("a", "b", "c")};
  client = made((hito_client_options){0});
  read_stream("b0b1", HITO_UNAUTHENTICATED);
  read_stream("c0", HITO_OK);
}

static void watch(void) {
  provider = (struct provider){.texts = TEXTS("a", "b", "c", "d")};
  client = made((hito_client_options){0});
  Hito__V1__WatchRequest request = HITO__V1__WATCH_REQUEST__INIT;
  Hito__V1__WatchResponse *response;
  hito_error *error = NULL;
  hito_resumed *watched = hito_watch_begin(client, &request, NULL, NULL);
  const char *const cursors[] = {"a0", "b0"};
  for (int i = 0; i < 2; i++) {
    CHECK(hito_watch_next(watched, &response, NULL) == HITO_STEP_MESSAGE && strcmp(response->cursor, cursors[i]) == 0);
    hito__v1__watch_response__free_unpacked(response, NULL);
  }
  CHECK(hito_watch_next(watched, &response, &error) == HITO_STEP_ERROR);
  expect(error, HITO_UNAUTHENTICATED, true, false, "no");
  CHECK(provider.asked == 4 && records_count(&records, "watch_resumed") == 2);
  CHECK(records_has(&records, "watch_resumed", 0, "status", "UNAUTHENTICATED"));
  hito_resumed_free(watched);
}

static void requests(void) {
  provider = (struct provider){.texts = TEXTS("a", "b")};
  client = made((hito_client_options){0});
  for (int i = 0; i < 2; i++) {
    Hito__V1__IngestDocumentsRequest request = HITO__V1__INGEST_DOCUMENTS_REQUEST__INIT;
    Hito__V1__IngestDocumentsResponse *response;
    hito_call *call = hito_courses_ingest_documents(client, NULL, NULL);
    (void)hito_courses_ingest_documents_send(call, &request, NULL);
    hito_status status = hito_courses_ingest_documents_finish(call, &response, NULL);
    CHECK(status == (i == 0 ? HITO_UNAUTHENTICATED : HITO_OK));
    if (response != NULL) hito__v1__ingest_documents_response__free_unpacked(response, NULL);
    hito_call_free(call);
  }
  CHECK(provider.asked == 2);
}

/* Refused before a response, and once after one; then twice in a row. */
static void consumer(void) {
  provider = (struct provider){.texts = TEXTS("a", "b", "c", "d")};
  client = made((hito_client_options){0});
  hito_error *error = NULL;
  hito_delivery *delivery;
  hito_consumer *group = hito_consumer_begin(client, &(hito_consumer_options){.group = "g"}, NULL, NULL);
  CHECK(hito_consumer_next(group, &delivery, NULL) == HITO_STEP_MESSAGE);
  hito_delivery_free(delivery);
  CHECK(hito_consumer_next(group, &delivery, &error) == HITO_STEP_ERROR);
  expect(error, HITO_UNAUTHENTICATED, true, false, "no");
  CHECK(provider.asked == 3);
  hito_consumer_free(group);
}

static const struct {
  const char *name;
  void (*play)(void);
} cases[] = {
    {"shared", shared}, {"replaced", replaced}, {"together", together}, {"twice", twice}, {"same", same},
    {"fails", fails}, {"behind", behind}, {"late", late}, {"waits", waits}, {"own", own}, {"margin", margin},
    {"hedged", hedged}, {"health", health}, {"closing", closing}, {"stream", stream}, {"watch", watch},
    {"requests", requests}, {"consumer", consumer}};

int main(int count, char **arguments) {
  if (count != 2) return check_end("refresh (none here)");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (strcmp(arguments[1], cases[i].name) == 0) cases[i].play();
  CHECK(client != NULL);
  hito_client_free(client);
  if (check_failed > 0)
    for (size_t i = 0; i < records.count; i++) fprintf(stderr, "%s: %s\n", records.all[i].event, records.all[i].text);
  records_free(&records);
  return check_end(arguments[1]);
}
