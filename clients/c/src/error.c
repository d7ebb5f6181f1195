#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "internal.h"

enum { DETAILS_MAX = 8192, DETAILS_MEMORY_MAX = 256 << 10 };

/* What is left to say without memory; never freed. */
static const hito_error no_memory = {
    .code = HITO_RESOURCE_EXHAUSTED, .message = "no memory", .resume_cursor = ""};

static hito_error *without_memory(void) { return (hito_error *)(uintptr_t)&no_memory; }

static void free_parts(hito_error *error) {
  free((void *)(uintptr_t)error->message);
  free((void *)(uintptr_t)error->resume_cursor);
  free((void *)(uintptr_t)error->encoded_details);
  if (error->details != NULL)
    protobuf_c_message_free_unpacked((ProtobufCMessage *)(uintptr_t)&error->details->base, NULL);
}

void hito_error_free(hito_error *error) {
  if (error == NULL || error == &no_memory) return;
  free_parts(error);
  free(error);
}

/* Takes the texts. */
static hito_error *make(hito_status code, char *message, char *cursor) {
  hito_error *error = calloc(1, sizeof *error);
  if (error == NULL || message == NULL || cursor == NULL) {
    free(error);
    free(message);
    free(cursor);
    return without_memory();
  }
  error->code = code;
  error->message = message;
  error->resume_cursor = cursor;
  return error;
}

hito_error *hi_error(hito_status code, bool is_not_started, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  hito_error *error = make(code, hi_copy_text(text), hi_copy_text(""));
  if (error != &no_memory) error->not_started = is_not_started;
  return error;
}

hito_error *hito_error_make(hito_status code, const char *message) { return hi_error(code, true, "%s", message); }

/* Details that cannot be read must not hide the status. */
static void add_details(hito_error *error, const uint8_t *encoded, size_t size) {
  if (size == 0 || size > DETAILS_MAX) return;
  ProtobufCMessage *details;
  if (hi_guard_unpack(&hito__v1__error_details__descriptor, encoded, size, DETAILS_MEMORY_MAX, &details) != HI_GOOD)
    return;
  error->details = (const Hito__V1__ErrorDetails *)details;
  error->encoded_details = hi_copy_bytes(encoded, size);
  if (error->encoded_details != NULL) error->encoded_details_size = size;
}

hito_error *hi_error_of(const struct hi_end *end) {
  hito_status code = end->status <= HITO_UNAUTHENTICATED ? (hito_status)end->status : HITO_UNKNOWN;
  hito_error *error = make(
      code, hi_copy_text(end->message == NULL ? "" : end->message),
      hi_copy_text(end->resume_cursor == NULL ? "" : end->resume_cursor));
  if (error == &no_memory) return error;
  error->from_server = true;
  error->not_started = end->is_not_started;
  add_details(error, end->details, end->details_size);
  return error;
}

hito_error *hi_error_copy(const hito_error *error) {
  hito_error *copy = make(error->code, hi_copy_text(error->message), hi_copy_text(error->resume_cursor));
  if (copy == &no_memory) return copy;
  copy->from_server = error->from_server;
  copy->not_started = error->not_started;
  add_details(copy, error->encoded_details, error->encoded_details_size);
  return copy;
}

hito_status hi_give(hito_error **place, hito_error *error) {
  hito_status code = error->code;
  if (place == NULL)
    hito_error_free(error);
  else
    *place = error;
  return code;
}

const char *hito_status_name(hito_status status) {
  static const char *const names[] = {
      "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
      "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
      "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};
  size_t number = (size_t)status;
  return number < sizeof names / sizeof *names ? names[number] : "UNKNOWN";
}

Hito__V1__ErrorReason hito_error_reason(const hito_error *error) {
  return error->details == NULL ? HITO__V1__ERROR_REASON__ERROR_REASON_UNSPECIFIED : error->details->reason;
}

int64_t hito_error_retry_delay_us(const hito_error *error) {
  return error->details == NULL || error->details->retry_delay_us < 0 ? 0 : error->details->retry_delay_us;
}

Hito__V1__WriteOutcome hito_error_write_outcome(const hito_error *error) {
  return error->details == NULL ? HITO__V1__WRITE_OUTCOME__WRITE_OUTCOME_UNSPECIFIED : error->details->write_outcome;
}

bool hito_error_is_lasting(const hito_error *error) {
  return error->code == HITO_UNAVAILABLE &&
         hito_error_reason(error) == HITO__V1__ERROR_REASON__ERROR_REASON_NO_MODEL;
}
