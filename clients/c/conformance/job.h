/* The calls of the program under test. */
#pragma once

#include "hito/hito.h"
#include "json.h"

struct tested {
  struct tested *next;
  char *name;
  hito_client *client;
  int64_t closing_id;
  bool is_closed, is_asleep;
};

/* A call, or a watch, and what came of it so far. */
struct job {
  struct job *next;
  struct program *program;
  int64_t id;
  struct json *request;
  const hito_method *method;
  hito_call *call;
  hito_resumed *watch;
  hito_response_info info;
  const struct json *next_message;
  int64_t sent, received;
  bool is_paused, is_half_closed;
  /* The responses so far. */
  struct { uint8_t *bytes; size_t size; } *messages;
};

struct program {
  struct tested *clients;
  struct job *jobs;
};

struct tested *find_client(const char *name);
void reply_error(int64_t id, hito_error *error);

/* Takes the request. */
void job_begin(struct program *program, struct json *request);
struct job *job_find(struct program *program, int64_t id);
void job_cancel(struct job *job);
void job_resume(struct job *job);
void job_free(struct job *job);
