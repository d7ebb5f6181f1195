/* Validations that resume: run by resuming.py, which plays the server and says which kind. Without a kind it has nothing
 * to do. */
#include "check.h"
#include "hito/hito.h"

static void told(void *user, const hito_error *error) {
  CHECK(error->code == HITO_UNAVAILABLE);
  ++*(unsigned *)user;
}

/* Reads to the end; how many responses there were. */
#define READ(kind, Response, free_response)                                                        \
  do {                                                                                             \
    Response *response;                                                                            \
    hito_step step;                                                                                \
    hito_resumed_on_interruption(resumed, told, &interruptions);                                   \
    while ((step = hito_##kind##_next(resumed, &response, &error)) == HITO_STEP_MESSAGE) {         \
      count++;                                                                                     \
      free_response(response, NULL);                                                               \
    }                                                                                              \
    CHECK(step == HITO_STEP_END && error == NULL);                                                 \
  } while (0)

static hito_resumed *begin_batch(hito_client *client) {
  Hito__V1__ValidateBatchRequest request = HITO__V1__VALIDATE_BATCH_REQUEST__INIT;
  Hito__V1__Submission one = HITO__V1__SUBMISSION__INIT, other = HITO__V1__SUBMISSION__INIT;
  Hito__V1__Submission *submissions[] = {&one, &other};
  request.submissions = submissions;
  request.n_submissions = 2;
  return hito_batch_begin(client, &request, NULL, NULL);
}

/* An event that is lost with its connection comes again. */
static void check_consumer(hito_client *client) {
  hito_consumer *consumer = hito_consumer_begin(client, &(hito_consumer_options){.group = "g"}, NULL, NULL);
  hito_delivery *first, *second, *none;
  unsigned interruptions = 0;
  hito_consumer_on_interruption(consumer, told, &interruptions);
  CHECK(hito_consumer_next(consumer, &first, NULL) == HITO_STEP_MESSAGE && hito_delivery_is_held(first));
  CHECK(strcmp(hito_consumer_name(consumer), "made") == 0);
  CHECK(hito_consumer_next(consumer, &second, NULL) == HITO_STEP_MESSAGE);
  CHECK(interruptions == 1 && !hito_delivery_is_held(first) && !hito_delivery_ack(first));
  CHECK(hito_delivery_outcome(first) == HITO_OUTCOME_LOST);
  CHECK(strcmp(hito_delivery_event(first)->id, hito_delivery_event(second)->id) == 0);
  CHECK(hito_delivery_ack(second));
  hito_consumer_close(consumer);
  CHECK(hito_consumer_next(consumer, &none, NULL) == HITO_STEP_END && none == NULL);
  hito_consumer_free(consumer);
  hito_delivery_free(first);
  hito_delivery_free(second);
}

int main(int arguments_count, char **arguments) {
  if (arguments_count != 2) return check_end("resume (none here)");
  hito_client *client = hito_client_new(
      &(hito_client_options){.addresses = getenv("HITO_ADDRESS"), .ca_file = getenv("HITO_CA")}, NULL);
  CHECK(client != NULL);
  if (client == NULL) return 2;
  hito_resumed *resumed = NULL;
  hito_error *error = NULL;
  unsigned interruptions = 0;
  int count = 0;
  if (strcmp(arguments[1], "consumer") == 0) {
    check_consumer(client);
    hito_client_free(client);
    return check_end(arguments[1]);
  }
  if (strcmp(arguments[1], "validation") == 0) {
    Hito__V1__ValidateCodeRequest request = HITO__V1__VALIDATE_CODE_REQUEST__INIT;
    resumed = hito_validation_begin(client, &request, NULL, NULL);
    READ(validation, Hito__V1__ValidateCodeResponse, hito__v1__validate_code_response__free_unpacked);
    CHECK(count == 3 && interruptions == 3);
    Hito__V1__WatchResponse *wrong;
    CHECK(hito_watch_take(resumed, &wrong, &error) == HITO_STEP_ERROR && error->code == HITO_INVALID_ARGUMENT);
    hito_error_free(error);
  } else if (strcmp(arguments[1], "batch") == 0) {
    resumed = begin_batch(client);
    READ(batch, Hito__V1__ValidateBatchResponse, hito__v1__validate_batch_response__free_unpacked);
    CHECK(count == 3 && strcmp(hito_resumed_cursor(resumed), "c3") == 0);
  } else {
    Hito__V1__RevalidateRequest request = HITO__V1__REVALIDATE_REQUEST__INIT;
    resumed = hito_revalidation_begin(client, &request, NULL, NULL);
    READ(revalidation, Hito__V1__RevalidateResponse, hito__v1__revalidate_response__free_unpacked);
    CHECK(count == 2 && interruptions == 1);
  }
  CHECK(hito_resumed_interruptions(resumed) == interruptions);
  hito_resumed_free(resumed);
  hito_client_free(client);
  return check_end(arguments[1]);
}
