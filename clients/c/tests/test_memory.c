/* Every allocation of the library fails once, with and without a server: calls fail then, and nothing else does. */
#include "check.h"
#include "hito/hito.h"

/* The linker puts these in the place of the library's allocations (-Wl,--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* So many allocations succeed before one fails; negative: all do. */
static int left = -1;

static bool fails(void) { return left >= 0 && left-- == 0; }

void *__wrap_malloc(size_t size) { return fails() ? NULL : __real_malloc(size); }
void *__wrap_calloc(size_t count, size_t size) { return fails() ? NULL : __real_calloc(count, size); }
void *__wrap_realloc(void *memory, size_t size) { return fails() ? NULL : __real_realloc(memory, size); }

static void use(hito_client *client) {
  const hito_metadata_entry sent[] = {{"hito-echo-a", "x", 1}, {"hito-echo-trailer-b", "y", 1}};
  hito_response_info info = {0};
  hito_call_options options = {.timeout_ms = 400, .metadata = sent, .metadata_count = 2, .info = &info};
  hito_error *error = NULL;
  Hito__V1__CreateGoalRequest request = HITO__V1__CREATE_GOAL_REQUEST__INIT;
  Hito__V1__CreateGoalResponse *response = NULL;
  request.title = "x";
  hito_status status = hito_goals_create_goal(client, &request, &options, &response, &error);
  CHECK((status == HITO_OK) == (response != NULL) && (status == HITO_OK) == (error == NULL));
  if (response != NULL) hito__v1__create_goal_response__free_unpacked(response, NULL);
  hito_error_free(error);
  hito_response_info_clear(&info);

  Hito__V1__WatchRequest from = HITO__V1__WATCH_REQUEST__INIT;
  Hito__V1__WatchResponse *step;
  from.start_case = HITO__V1__WATCH_REQUEST__START_FROM_BEGINNING;
  from.from_beginning = 1;
  hito_resumed *watch = hito_watch_begin(client, &from, NULL, NULL);
  for (int i = 0; watch != NULL && i < 20; i++) {
    if (hito_watch_take(watch, &step, NULL) == HITO_STEP_MESSAGE) hito__v1__watch_response__free_unpacked(step, NULL);
    hito_client_poll(client, 2);
  }
  hito_resumed_free(watch);

  Hito__V1__ConsumeRequest join = HITO__V1__CONSUME_REQUEST__INIT;
  hito_call *call = hito_events_consume(client, NULL, NULL);
  if (call != NULL) (void)hito_events_consume_try_send(call, &join, NULL);
  hito_client_poll(client, 1);
  hito_call_free(call);

  hito_delivery *delivery;
  hito_consumer *consumer = hito_consumer_begin(client, &(hito_consumer_options){.group = "none"}, NULL, NULL);
  for (int i = 0; consumer != NULL && i < 3; i++) {
    if (hito_consumer_take(consumer, &delivery, NULL) == HITO_STEP_MESSAGE) hito_delivery_free(delivery);
    hito_client_poll(client, 2);
  }
  if (consumer != NULL) hito_consumer_close(consumer);
  hito_consumer_free(consumer);
}

static void provide(void *user, hito_token_request request) {
  (void)user;
  hito_token_give(request, getenv("HITO_TOKEN") == NULL ? "none" : getenv("HITO_TOKEN"), 0);
}

static void listen(void *user, const hito_log_record *record) { *(size_t *)user += strlen(record->text); }

int main(void) {
  size_t told = 0;
  const char *address = getenv("HITO_ADDRESS");
  hito_client_options options = {
      .addresses = address == NULL ? "127.0.0.1:1" : address, .ca_file = getenv("HITO_CA"),
      .token_provider = provide, .log = listen, .log_user = &told,
      .wait_for_ready = HITO_WAIT_NO, .checks_health = true, .compresses = true};
  /* With a server there are many, and each of them is a connection. */
  int count = 0, stride = address == NULL ? 1 : 5;
  for (bool is_over = false; !is_over && count < 2000; count += stride) {
    left = count;
    hito_client *client = hito_client_new(&options, NULL);
    if (client != NULL) use(client);
    is_over = left >= 0;
    left = -1;
    hito_client_free(client);
  }
  CHECK(told > 0 && count > 20 && count < 2000);
  printf("%d allocations\n", count);
  return check_end("memory");
}
