/* Calls of all four kinds that go well, against a real server: run by end_to_end.py with an admin's token in HITO_ADMIN.
 * Without it it has nothing to do. */
#include "check.h"
#include "hito/hito.h"

enum { DOCUMENTS = 20, DOCUMENT_SIZE = 60000 };

static hito_client *client;

/* Says why a call failed that should not. */
static void failed(hito_error *error) {
  fprintf(stderr, "%s: %s\n", hito_status_name(error->code), error->message);
  hito_error_free(error);
  exit(1);
}

static char *make_course(void) {
  Hito__V1__CreateCourseRequest request = HITO__V1__CREATE_COURSE_REQUEST__INIT;
  Hito__V1__CreateCourseResponse *response;
  hito_error *error = NULL;
  request.title = "C";
  if (hito_courses_create_course(client, &request, NULL, &response, &error) != HITO_OK) failed(error);
  char *id = strdup(response->course->id);
  hito__v1__create_course_response__free_unpacked(response, NULL);
  return id;
}

static void send_document(hito_call *call, int number, uint8_t *text) {
  char path[32];
  hito_error *error = NULL;
  Hito__V1__IngestDocumentsRequest part = HITO__V1__INGEST_DOCUMENTS_REQUEST__INIT;
  Hito__V1__CourseDocument document = HITO__V1__COURSE_DOCUMENT__INIT;
  snprintf(path, sizeof path, "part-%d.txt", number);
  memcpy(text, path, strlen(path));
  document.path = path;
  document.format = HITO__V1__DOCUMENT_FORMAT__DOCUMENT_FORMAT_PLAIN;
  document.content.data = text;
  document.content.len = DOCUMENT_SIZE;
  part.step_case = HITO__V1__INGEST_DOCUMENTS_REQUEST__STEP_DOCUMENT;
  part.document = &document;
  if (!hito_courses_ingest_documents_send(call, &part, &error)) failed(error);
}

/* More than the server's windows hold: it waits for credit again and again. */
static void check_upload(char *course_id) {
  static uint8_t text[DOCUMENT_SIZE];
  Hito__V1__IngestDocumentsRequest first = HITO__V1__INGEST_DOCUMENTS_REQUEST__INIT;
  Hito__V1__IngestStart start = HITO__V1__INGEST_START__INIT;
  Hito__V1__IngestDocumentsResponse *response;
  hito_error *error = NULL;
  hito_call *call = hito_courses_ingest_documents(client, NULL, &error);
  if (call == NULL) failed(error);
  start.course_id = course_id;
  first.step_case = HITO__V1__INGEST_DOCUMENTS_REQUEST__STEP_START;
  first.start = &start;
  if (!hito_courses_ingest_documents_send(call, &first, &error)) failed(error);
  for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)"un texto de prueba. "[i % 20];
  for (int i = 0; i < DOCUMENTS; i++) send_document(call, i, text);
  if (hito_courses_ingest_documents_finish(call, &response, &error) != HITO_OK) failed(error);
  CHECK(response->documents_received == DOCUMENTS && response->documents_changed == DOCUMENTS);
  hito__v1__ingest_documents_response__free_unpacked(response, NULL);
  hito_call_free(call);
}

static void make_group(char *name) {
  char *types[] = {"course.created"};
  Hito__V1__EventFilter filter = HITO__V1__EVENT_FILTER__INIT;
  Hito__V1__ConsumerGroup group = HITO__V1__CONSUMER_GROUP__INIT;
  Hito__V1__CreateConsumerGroupRequest request = HITO__V1__CREATE_CONSUMER_GROUP_REQUEST__INIT;
  Hito__V1__CreateConsumerGroupResponse *response;
  hito_error *error = NULL;
  filter.types = types;
  filter.n_types = 1;
  group.name = name;
  group.filter = &filter;
  request.group = &group;
  if (hito_events_create_consumer_group(client, &request, NULL, &response, &error) != HITO_OK) failed(error);
  hito__v1__create_consumer_group_response__free_unpacked(response, NULL);
}

static Hito__V1__ConsumeResponse *next(hito_call *call) {
  Hito__V1__ConsumeResponse *response;
  hito_error *error = NULL;
  if (hito_events_consume_next(call, &response, &error) == HITO_STEP_ERROR) failed(error);
  return response;
}

static void join(hito_call *call) {
  Hito__V1__ConsumeRequest request = HITO__V1__CONSUME_REQUEST__INIT;
  Hito__V1__JoinGroup group = HITO__V1__JOIN_GROUP__INIT;
  hito_error *error = NULL;
  group.group = "c-kinds";
  group.instance = "c";
  request.step_case = HITO__V1__CONSUME_REQUEST__STEP_JOIN;
  request.join = &group;
  if (!hito_events_consume_send(call, &request, &error)) failed(error);
}

static void acknowledge(hito_call *call, char *event_id) {
  Hito__V1__ConsumeRequest request = HITO__V1__CONSUME_REQUEST__INIT;
  Hito__V1__Settle settle = HITO__V1__SETTLE__INIT;
  hito_error *error = NULL;
  settle.event_ids = &event_id;
  settle.n_event_ids = 1;
  settle.action = HITO__V1__SETTLE_ACTION__SETTLE_ACTION_ACK;
  request.step_case = HITO__V1__CONSUME_REQUEST__STEP_SETTLE;
  request.settle = &settle;
  if (!hito_events_consume_send(call, &request, &error)) failed(error);
}

/* Joins, takes an event, acknowledges it, and leaves in order. */
static void check_both_ways(void) {
  hito_error *error = NULL;
  hito_call *call = hito_events_consume(client, NULL, &error);
  if (call == NULL) failed(error);
  join(call);
  Hito__V1__ConsumeResponse *response = next(call);
  CHECK(response != NULL && response->joined != NULL);
  bool is_settled = false;
  while (response != NULL) {
    if (response->event != NULL) acknowledge(call, response->event->id);
    if (response->settled != NULL) is_settled = response->settled->n_event_ids == 1;
    hito__v1__consume_response__free_unpacked(response, NULL);
    if (is_settled) hito_call_half_close(call);
    response = next(call);
  }
  CHECK(is_settled);
  hito_call_free(call);
}

/* The same as a consumer that resumes by itself. */
static void check_consumer(void) {
  hito_error *error = NULL;
  hito_delivery *delivery;
  hito_consumer *consumer = hito_consumer_begin(client, &(hito_consumer_options){.group = "c-consumer"}, NULL, &error);
  if (consumer == NULL) failed(error);
  if (hito_consumer_next(consumer, &delivery, &error) == HITO_STEP_ERROR) failed(error);
  CHECK(hito_delivery_attempt(delivery) == 1 && hito_delivery_is_held(delivery));
  CHECK(strcmp(hito_delivery_event(delivery)->type, "course.created") == 0 && hito_consumer_name(consumer)[0] != 0);
  CHECK(hito_delivery_settle(delivery, HITO__V1__SETTLE_ACTION__SETTLE_ACTION_EXTEND, NULL, 0));
  CHECK(hito_delivery_ack(delivery));
  CHECK(!hito_delivery_is_held(delivery) && !hito_delivery_ack(delivery));
  hito_delivery_free(delivery);
  hito_consumer_close(consumer);
  CHECK(hito_consumer_next(consumer, &delivery, NULL) == HITO_STEP_END);
  hito_consumer_free(consumer);
}

int main(void) {
  if (getenv("HITO_ADMIN") == NULL) return check_end("kinds (no server)");
  client = hito_client_new(
      &(hito_client_options){
          .addresses = getenv("HITO_ADDRESS"), .ca_file = getenv("HITO_CA"), .token = getenv("HITO_ADMIN")},
      NULL);
  if (client == NULL) return 2;
  char *course_id = make_course();
  check_upload(course_id);
  make_group("c-kinds");
  check_both_ways();
  make_group("c-consumer");
  check_consumer();
  free(course_id);
  hito_client_free(client);
  return check_end("kinds");
}
