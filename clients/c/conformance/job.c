#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const hito_method *const methods[] = {
    &hito_health_check_method, &hito_health_watch_method, &hito_goals_get_goal_method, &hito_goals_create_goal_method,
    &hito_goals_generate_goal_method, &hito_courses_ingest_documents_method, &hito_events_consume_method,
    &hito_progress_watch_method};

static const hito_method *find_method(const char *path) {
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strcmp(methods[i]->path, path) == 0) return methods[i];
  return NULL;
}

static void put_metadata(const char *name, const hito_metadata *metadata) {
  printf(", \"%s\": [", name);
  for (size_t i = 0; i < metadata->count; i++) {
    const hito_metadata_entry *entry = &metadata->entries[i];
    size_t key_size = strlen(entry->key);
    printf(i == 0 ? "[" : ", [");
    json_put_string(entry->key);
    printf(", ");
    if (key_size >= 4 && strcmp(entry->key + key_size - 4, "-bin") == 0)
      json_put_hex(entry->value, entry->size);
    else
      json_put_string(entry->value);
    printf("]");
  }
  printf("]");
}

static void put_error(const hito_error *error) {
  printf(", \"status\": %d, \"text\": ", (int)error->code);
  json_put_string(error->message);
  printf(", \"details\": ");
  json_put_hex(error->encoded_details, error->encoded_details_size);
  printf(", \"cursor\": ");
  json_put_string(error->resume_cursor);
  printf(", \"not_started\": %s", error->not_started ? "true" : "false");
}

void reply_error(int64_t id, hito_error *error) {
  printf("{\"id\": %lld", (long long)id);
  put_error(error);
  printf("}\n");
  fflush(stdout);
  hito_error_free(error);
}

/* The call has ended, or was left: says so, and frees it. Takes the error. */
static void finish(struct job *job, int status, hito_error *error) {
  hito_call_free(job->call);
  job->call = NULL;
  printf("{\"id\": %lld", (long long)job->id);
  if (error != NULL)
    put_error(error);
  else
    printf(", \"status\": %d", status);
  put_metadata("metadata", &job->info.metadata);
  put_metadata("trailers", &job->info.trailers);
  printf(", \"messages\": [");
  for (int64_t i = 0; i < job->received; i++) {
    if (i > 0) printf(", ");
    json_put_hex(job->messages[i].bytes, job->messages[i].size);
  }
  printf("]}\n");
  fflush(stdout);
  hito_error_free(error);
  job_free(job);
}

void job_free(struct job *job) {
  struct job **place = &job->program->jobs;
  while (*place != NULL && *place != job) place = &(*place)->next;
  if (*place != NULL) *place = job->next;
  hito_call_free(job->call);
  hito_resumed_free(job->watch);
  hito_response_info_clear(&job->info);
  for (int64_t i = 0; i < job->received; i++) free(job->messages[i].bytes);
  free(job->messages);
  json_free(job->request);
  free(job);
}

static void keep(struct job *job, ProtobufCMessage *message) {
  size_t size = protobuf_c_message_get_packed_size(message);
  job->messages = realloc(job->messages, (size_t)(job->received + 1) * sizeof *job->messages);
  uint8_t *bytes = malloc(size + 1);
  if (job->messages == NULL || bytes == NULL) abort();
  protobuf_c_message_pack(message, bytes);
  job->messages[job->received].bytes = bytes;
  job->messages[job->received].size = size;
  job->received++;
  protobuf_c_message_free_unpacked(message, NULL);
}

static ProtobufCMessage *decoded(const struct job *job, const struct json *hex) {
  size_t size;
  uint8_t *bytes = json_unhex(hex->text, &size);
  ProtobufCMessage *message = protobuf_c_message_unpack(job->method->input, NULL, size, bytes);
  free(bytes);
  if (message == NULL) abort();
  return message;
}

static void send_some(struct job *job) {
  bool is_in_turn = json_bool(job->request, "in_turn", false);
  while (job->next_message != NULL && (!is_in_turn || job->received >= job->sent)) {
    ProtobufCMessage *message = decoded(job, job->next_message);
    bool is_sent = hito_call_try_send(job->call, message, NULL);
    protobuf_c_message_free_unpacked(message, NULL);
    if (!is_sent) return;
    job->sent++;
    job->next_message = job->next_message->next;
  }
  bool is_answered = !is_in_turn || job->received >= job->sent;
  if (job->next_message != NULL || !is_answered || json_bool(job->request, "keep_open", false)) return;
  hito_call_half_close(job->call);
}

static hito_step take(struct job *job, ProtobufCMessage **message, hito_error **error) {
  if (job->watch == NULL) return hito_call_take(job->call, message, error);
  Hito__V1__WatchResponse *response;
  hito_step step = hito_watch_take(job->watch, &response, error);
  *message = (ProtobufCMessage *)response;
  return step;
}

static void go_on(struct job *job) {
  bool streams_requests = job->method->kind == HITO_CLIENT_STREAM || job->method->kind == HITO_BIDI;
  bool has_one_response = job->method->kind == HITO_UNARY || job->method->kind == HITO_CLIENT_STREAM;
  while (!job->is_paused) {
    if (streams_requests) send_some(job);
    ProtobufCMessage *message;
    hito_error *error = NULL;
    switch (take(job, &message, &error)) {
      case HITO_STEP_WAIT: return;
      case HITO_STEP_ERROR: finish(job, 0, error); return;
      case HITO_STEP_END: finish(job, 0, NULL); return;
      case HITO_STEP_MESSAGE: break;
    }
    keep(job, message);
    if (has_one_response || job->received == json_number(job->request, "cancel_after", -1)) {
      finish(job, has_one_response ? 0 : 1, NULL);
      return;
    }
    job->is_paused = job->received == json_number(job->request, "pause_after", -1);
  }
}

static void on_ready(hito_call *call, void *user) {
  (void)call;
  go_on(user);
}

/* What the caller says in `metadata`: values of keys that end with `-bin` are hexadecimal. */
static hito_metadata_entry *metadata(const struct json *object, size_t *count) {
  *count = 0;
  for (const struct json *one = object->members; one != NULL; one = one->next) ++*count;
  hito_metadata_entry *entries = calloc(*count + 1, sizeof *entries), *at = entries;
  if (entries == NULL) abort();
  for (struct json *one = object->members; one != NULL; one = one->next, at++) {
    size_t key_size = strlen(one->key);
    if (key_size >= 4 && strcmp(one->key + key_size - 4, "-bin") == 0) {
      char *hex = one->text;
      one->text = (char *)json_unhex(hex, &one->size);
      free(hex);
    }
    *at = (hito_metadata_entry){one->key, one->text, one->size};
  }
  return entries;
}

static void begin(struct job *job, hito_client *client, const hito_call_options *options) {
  hito_error *error = NULL;
  ProtobufCMessage *message = job->next_message == NULL ? NULL : decoded(job, job->next_message);
  if (json_bool(job->request, "resuming", false))
    job->watch = hito_watch_begin(client, (const Hito__V1__WatchRequest *)message, options, &error);
  else
    job->call = hito_call_begin(client, job->method, message, options, &error);
  if (message != NULL) protobuf_c_message_free_unpacked(message, NULL);
  if (error != NULL) finish(job, 0, error);
}

void job_begin(struct program *program, struct json *request) {
  struct job *job = calloc(1, sizeof *job);
  const char *method = json_text(request, "method");
  struct tested *tested = find_client(json_text(request, "client"));
  if (job == NULL || method == NULL || tested == NULL || find_method(method) == NULL) abort();
  *job = (struct job){
      .next = program->jobs, .program = program, .id = json_number(request, "id", 0), .request = request,
      .method = find_method(method), .next_message = json_get(request, "messages")->members};
  program->jobs = job;
  hito_call_options options = {
      .timeout_ms = json_number(request, "timeout_ms", 0),
      .idempotency_key = json_text(request, "key"),
      .token = json_text(request, "token"),
      .traceparent = json_text(request, "traceparent"),
      .hedging = {json_number(request, "hedge_after_ms", 0), (unsigned)json_number(request, "copies", 0)},
      .info = &job->info, .on_ready = on_ready, .user = job};
  if (json_get(request, "wait_for_ready") != NULL)
    options.wait_for_ready = json_bool(request, "wait_for_ready", true) ? HITO_WAIT_YES : HITO_WAIT_NO;
  hito_metadata_entry *entries = NULL;
  const struct json *said = json_get(request, "metadata");
  if (said != NULL) options.metadata = entries = metadata(said, &options.metadata_count);
  begin(job, tested->client, &options);
  free(entries);
}

struct job *job_find(struct program *program, int64_t id) {
  struct job *job = program->jobs;
  while (job != NULL && job->id != id) job = job->next;
  return job;
}

void job_cancel(struct job *job) {
  if (job->watch != NULL)
    finish(job, 1, NULL);
  else
    hito_call_cancel(job->call);
}

void job_resume(struct job *job) {
  job->is_paused = false;
  go_on(job);
}
