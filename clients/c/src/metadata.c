/* Metadata that was received, and an end of a call. */
#include <stdlib.h>
#include <string.h>

#include "utf8.h"
#include "wire.h"

void hi_metadata_free(struct hi_metadata *metadata) {
  for (size_t i = 0; i < metadata->count; i++) {
    free((void *)(uintptr_t)metadata->entries[i].key);
    free((void *)(uintptr_t)metadata->entries[i].value);
  }
  free(metadata->entries);
  *metadata = (struct hi_metadata){0};
}

/* Room for one more, in powers of two. */
static bool reserve(struct hi_metadata *metadata) {
  size_t count = metadata->count;
  if (count != 0 && (count & (count - 1)) != 0) return true;
  hito_metadata_entry *entries = realloc(metadata->entries, (count == 0 ? 1 : count * 2) * sizeof *entries);
  if (entries == NULL) return false;
  metadata->entries = entries;
  return true;
}

/* Without memory an entry is left out: metadata is beside the answer. */
bool hi_metadata_add(
    struct hi_metadata *metadata, const struct hi_field *field, unsigned minor, struct hi_fault *fault) {
  if (field->size < 1 || field->size < 1 + field->value[0]) {
    *fault = (struct hi_fault){HI_PROTOCOL_ERROR, "metadata that runs past its field"};
    return false;
  }
  size_t key_size = field->value[0], size = (size_t)field->size - 1 - key_size;
  const uint8_t *value = field->value + 1 + key_size;
  char *key = hi_lenient_text(field->value + 1, key_size);
  if (key == NULL || !reserve(metadata)) {
    free(key);
    return true;
  }
  key_size = strlen(key);
  bool is_bytes = minor >= 1 && key_size >= 4 && strcmp(key + key_size - 4, "-bin") == 0;
  char *copy = is_bytes ? hi_copy_bytes(value, size) : hi_lenient_text(value, size);
  if (copy == NULL) {
    free(key);
    return true;
  }
  metadata->entries[metadata->count++] =
      (hito_metadata_entry){.key = key, .value = copy, .size = is_bytes ? size : strlen(copy)};
  return true;
}

void hi_end_free(struct hi_end *end) {
  free(end->message);
  free(end->resume_cursor);
  hi_metadata_free(&end->trailers);
  *end = (struct hi_end){0};
}

const char *hito_metadata_get(const hito_metadata *metadata, const char *key) {
  for (size_t i = metadata->count; i > 0; i--)
    if (strcmp(metadata->entries[i - 1].key, key) == 0) return metadata->entries[i - 1].value;
  return NULL;
}

static void clear(hito_metadata *metadata) {
  struct hi_metadata owned = {(hito_metadata_entry *)(uintptr_t)metadata->entries, metadata->count};
  hi_metadata_free(&owned);
  *metadata = (hito_metadata){0};
}

void hito_response_info_clear(hito_response_info *info) {
  clear(&info->metadata);
  clear(&info->trailers);
}
