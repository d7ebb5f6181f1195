/* What a client tells of itself, as records with a level, an event, a sentence and fields. The events and their fields are
 * listed in clients/BEHAVIOUR.md (C5.9). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hito/export.h"

HITO_BEGIN_DECLS

typedef enum hito_log_level { HITO_LOG_DEBUG, HITO_LOG_INFO, HITO_LOG_WARNING } hito_log_level;

typedef struct hito_log_field {
  const char *name;
  /** NULL where it is a number. */
  const char *text;
  int64_t number;
} hito_log_field;

/** Something that happened to a client. It never has tokens, metadata, messages or keys; all texts can be shown: at most
 * 256 characters, control characters replaced. It is valid until the function that gets it returns. */
typedef struct hito_log_record {
  hito_log_level level;
  /** Such as `call_ended`. */
  const char *event;
  /** A sentence for people. */
  const char *text;
  const hito_log_field *fields;
  size_t field_count;
} hito_log_record;

/** The field with this name; NULL where there is none. */
HITO_API const hito_log_field *hito_log_get(const hito_log_record *record, const char *name);

/** For `log` of a client's options: writes a line for each record. `file` is the FILE that `log_user` points to. */
HITO_API void hito_log_to_file(void *file, const hito_log_record *record);

/** The same to syslog(3), with its levels; `log_user` has no effect. Which levels are kept is the program's to say
 * (setlogmask). */
HITO_API void hito_log_to_syslog(void *nothing, const hito_log_record *record);

HITO_END_DECLS
