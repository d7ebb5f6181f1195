#include "records.h"

#include <stdlib.h>
#include <string.h>

void records_keep(void *user, const hito_log_record *record) {
  struct records *records = user;
  records->all = realloc(records->all, (records->count + 1) * sizeof *records->all);
  hito_log_field *fields = calloc(record->field_count, sizeof *fields);
  if (records->all == NULL || fields == NULL) abort();
  for (size_t i = 0; i < record->field_count; i++) {
    fields[i] = record->fields[i];
    fields[i].name = strdup(fields[i].name);
    if (fields[i].text != NULL) fields[i].text = strdup(fields[i].text);
  }
  records->all[records->count++] =
      (struct record){record->level, strdup(record->event), strdup(record->text), fields, record->field_count};
}

void records_free(struct records *records) {
  for (size_t i = 0; i < records->count; i++) {
    struct record *record = &records->all[i];
    for (size_t k = 0; k < record->field_count; k++) {
      free((void *)(uintptr_t)record->fields[k].name);
      free((void *)(uintptr_t)record->fields[k].text);
    }
    free(record->fields);
    free(record->event);
    free(record->text);
  }
  free(records->all);
  *records = (struct records){0};
}

static const struct record *find(const struct records *records, const char *event, size_t index) {
  for (size_t i = 0; i < records->count; i++)
    if (strcmp(records->all[i].event, event) == 0 && index-- == 0) return &records->all[i];
  return NULL;
}

static const hito_log_field *field_of(
    const struct records *records, const char *event, size_t index, const char *field) {
  const struct record *found = find(records, event, index);
  if (found == NULL) return NULL;
  return hito_log_get(&(hito_log_record){.fields = found->fields, .field_count = found->field_count}, field);
}

size_t records_count(const struct records *records, const char *event) {
  size_t count = 0;
  while (find(records, event, count) != NULL) count++;
  return count;
}

int64_t records_number(const struct records *records, const char *event, size_t index, const char *field) {
  const hito_log_field *found = field_of(records, event, index, field);
  return found == NULL || found->text != NULL ? -1000 : found->number;
}

bool records_has(const struct records *records, const char *event, size_t index, const char *field, const char *text) {
  const hito_log_field *found = field_of(records, event, index, field);
  return found != NULL && found->text != NULL && strcmp(found->text, text) == 0;
}

int records_level(const struct records *records, const char *event, size_t index) {
  const struct record *found = find(records, event, index);
  return found == NULL ? -1 : (int)found->level;
}

bool records_say(const struct records *records, const char *part) {
  for (size_t i = 0; i < records->count; i++) {
    if (strstr(records->all[i].text, part) != NULL) return true;
    for (size_t k = 0; k < records->all[i].field_count; k++) {
      const char *text = records->all[i].fields[k].text;
      if (text != NULL && strstr(text, part) != NULL) return true;
    }
  }
  return false;
}

char *records_shown(const struct records *records) {
  size_t size = 1;
  for (size_t i = 0; i < records->count; i++) size += strlen(records->all[i].event) + 3;
  char *text = calloc(1, size);
  if (text == NULL) abort();
  for (size_t i = 0; i < records->count; i++) {
    const char level[] = {"diw"[records->all[i].level], ':', 0};
    strcat(strcat(strcat(text, i == 0 ? "" : " "), level), records->all[i].event);
  }
  return text;
}
