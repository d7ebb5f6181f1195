/* What a caller says about a call: copied, checked, and shown to the client's interceptors. */
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"

void hi_said_free(struct hi_said *said) {
  for (size_t i = 0; i < said->metadata_count; i++) {
    free((void *)(uintptr_t)said->metadata[i].key);
    free((void *)(uintptr_t)said->metadata[i].value);
  }
  free(said->metadata);
  free(said->key);
  free(said->token);
  free(said->traceparent);
  *said = (struct hi_said){0};
}

static bool copy_metadata(struct hi_said *said, const hito_call_options *options) {
  if (options->metadata_count == 0) return true;
  said->metadata = calloc(options->metadata_count, sizeof *said->metadata);
  if (said->metadata == NULL) return false;
  said->metadata_count = options->metadata_count;
  for (size_t i = 0; i < options->metadata_count; i++) {
    const hito_metadata_entry *entry = &options->metadata[i];
    said->metadata[i] = (hito_metadata_entry){
        hi_copy_text(entry->key), hi_copy_bytes(entry->value, entry->size), entry->size};
    if (said->metadata[i].key == NULL || said->metadata[i].value == NULL) return false;
  }
  return true;
}

static bool copy_text(char **place, const char *text) {
  *place = hi_copy_text(text);
  return *place != NULL || text == NULL;
}

bool hi_said_copy(struct hi_said *said, const hito_call_options *options) {
  return copy_text(&said->key, options->idempotency_key) && copy_text(&said->token, options->token) &&
         copy_text(&said->traceparent, options->traceparent) && copy_metadata(said, options);
}

/* A random UUID (version 4): only under a key is it harmless to repeat a write (W14.2). */
char *hi_random_key(void) {
  unsigned char bytes[16];
  char text[37];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return NULL;
  bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40);
  bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
  char *at = text;
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    snprintf(at, 3, "%02x", bytes[i]);
    at += 2;
  }
  return hi_copy_text(text);
}

static hito_error *take_hedging(hito_call *call, const hito_call_options *options) {
  const hito_hedging *hedging = &options->hedging;
  if (hedging->delay_ms <= 0 && call->method->is_read_only) hedging = &call->client->options.hedging;
  unsigned copies = hedging->copies == 0 ? 2 : hedging->copies;
  if (hedging->delay_ms <= 0 || copies < 2 || call->method->kind != HITO_UNARY) return NULL;
  if (!call->method->is_read_only && options->idempotency_key == NULL)
    return hi_error(HITO_INVALID_ARGUMENT, true, "a call that writes is hedged only under an idempotency_key of its own");
  call->hedge_delay = hedging->delay_ms * 1000;
  call->copies_max = copies > HI_COPIES_MAX ? HI_COPIES_MAX : copies;
  return NULL;
}

static void take_time(hito_call *call, const hito_call_options *options) {
  int64_t timeout_ms = options->timeout_ms;
  if (timeout_ms <= 0 && call->method->kind == HITO_UNARY) timeout_ms = call->client->options.timeout_ms;
  call->deadline = timeout_ms <= 0 ? HI_NEVER : call->client->now + timeout_ms * 1000;
  call->repeat_end = call->deadline == HI_NEVER ? 0 : call->deadline;
}

hito_error *hi_call_take_options(hito_call *call, const hito_call_options *options) {
  hito_wait wait = options->wait_for_ready;
  if (wait == HITO_WAIT_DEFAULT) wait = call->client->options.wait_for_ready;
  call->waits = wait != HITO_WAIT_NO;
  call->options = *options;
  take_time(call, options);
  bool needs_key = call->method->kind == HITO_UNARY && !call->method->is_read_only && options->idempotency_key == NULL;
  bool is_copied = hi_said_copy(&call->said, options);
  if (needs_key) call->said.key = hi_random_key();
  if (!is_copied || (needs_key && call->said.key == NULL))
    return hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory");
  struct hi_call_head head;
  hi_call_head_of(call, &head);
  const char *refusal = hi_call_refusal(&head);
  if (refusal != NULL) return hi_error(HITO_INVALID_ARGUMENT, true, "%s", refusal);
  return take_hedging(call, options);
}

void hi_call_head_of(const hito_call *call, struct hi_call_head *head) {
  const struct hi_said *said = &call->said;
  *head = (struct hi_call_head){
      .path = call->method->path, .key = said->key, .traceparent = said->traceparent, .token = said->token,
      .metadata = said->metadata, .metadata_count = said->metadata_count};
}

hito_error *hi_call_intercept(hito_call *call, hito_call_options *options) {
  const hito_client_options *client = &call->client->options;
  if (client->interceptor_count == 0) return NULL;
  call->interceptor_states = calloc(client->interceptor_count, sizeof *call->interceptor_states);
  if (call->interceptor_states == NULL) return hi_error(HITO_RESOURCE_EXHAUSTED, true, "no memory");
  for (size_t i = 0; i < client->interceptor_count; i++) {
    const hito_interceptor *interceptor = &client->interceptors[i];
    hito_error *refused = interceptor->begin == NULL
        ? NULL
        : interceptor->begin(interceptor->self, call->method, options, &call->interceptor_states[i]);
    if (refused != NULL) return refused;
    call->intercepted_count++;
  }
  return NULL;
}

void hi_call_intercepted(hito_call *call, const hito_error *error) {
  while (call->intercepted_count > 0) {
    size_t i = --call->intercepted_count;
    const hito_interceptor *interceptor = &call->client->options.interceptors[i];
    if (interceptor->end != NULL)
      interceptor->end(interceptor->self, call->method, error, call->interceptor_states[i]);
  }
}
