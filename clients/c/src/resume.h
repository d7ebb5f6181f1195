/* What is resumed, whatever it is (C3): a stream that is opened again when it breaks. */
#pragma once

#include "call.h"
#include "hito/resume.h"

/* What differs from one kind to another. */
struct hi_resumption {
  /* The method and the request of the first attempt. */
  const hito_method *begins;
  /* Takes note of where to continue; true with the last response. */
  bool (*received)(hito_resumed *resumed, const ProtobufCMessage *response);
  /* The stream broke with an error; NULL where that changes nothing. */
  void (*refused)(hito_resumed *resumed, const hito_error *error);
};

struct hito_resumed {
  hito_client *client;
  hito_resumed *previous, *next;
  const struct hi_resumption *kind;
  /* How it is opened next; the request is its own. */
  const hito_method *method;
  ProtobufCMessage *request;
  char *cursor;
  /* Of a batch: submissions that have finished or were refused. */
  size_t ended;
  hito_call_options options;
  struct hi_said said;
  void (*told)(void *user, const hito_error *error);
  void *told_user;
  /* NULL while it rests, and after its end. */
  hito_call *call;
  struct hi_timer timer;
  unsigned failures, interruptions;
  bool is_over;
  hito_error *error;
};

hito_resumed *hi_resumed_begin(
    hito_client *client, const struct hi_resumption *kind, const ProtobufCMessage *request,
    const hito_call_options *options, hito_error **error);
hito_step hi_resumed_take(
    hito_resumed *resumed, const struct hi_resumption *kind, ProtobufCMessage **response, hito_error **error);
hito_step hi_resumed_next(
    hito_resumed *resumed, const struct hi_resumption *kind, ProtobufCMessage **response, hito_error **error);

/* Stands at a cursor from now on; nothing where it is empty, or without memory. */
void hi_resumed_stand_at(hito_resumed *resumed, const char *cursor);

/* A string field of a message of protobuf-c gets a copy of a text. False without memory. */
bool hi_set_text(char **field, const char *text);
