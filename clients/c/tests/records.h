/* Keeps the records of a client, and finds in them. */
#pragma once

#include <stdint.h>

#include "hito/hito.h"

struct record {
  hito_log_level level;
  char *event, *text;
  hito_log_field *fields;
  size_t field_count;
};

struct records {
  struct record *all;
  size_t count;
};

/* For `log` of a client's options; `log_user` is a struct records. */
void records_keep(void *user, const hito_log_record *record);
void records_free(struct records *records);

size_t records_count(const struct records *records, const char *event);
/* Of the so-manieth record of an event, from 0; -1000 where there is none. */
int64_t records_number(const struct records *records, const char *event, size_t index, const char *field);
bool records_has(const struct records *records, const char *event, size_t index, const char *field, const char *text);
/* The level; -1 where there is none. */
int records_level(const struct records *records, const char *event, size_t index);
/* Whether any text has this part. */
bool records_say(const struct records *records, const char *part);
/* The events and their levels: `d:connecting i:connected`; the caller frees it. */
char *records_shown(const struct records *records);
