#ifndef HITO_CTOML_H
#define HITO_CTOML_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a value is. Dates and whatever stands inside an array of arrays are OTHER.
typedef enum {
  HITO_TOML_TEXT,
  HITO_TOML_NUMBER,
  HITO_TOML_BOOLEAN,
  HITO_TOML_OTHER
} hito_toml_kind;

/// One value, or one element of an array (which comes under the array's key). `key` is the whole path
/// with dots between its parts. Neither text ends with NUL, and neither lives past the call.
typedef void (*hito_toml_visitor)(
    void *context, const char *key, size_t key_length, hito_toml_kind kind, const char *text,
    size_t text_length, size_t line);

/// Reads `text` and visits its values, in no order. Answers 0, or the line (from 1) of what
/// is not TOML, with the reason in `reason` (ends with NUL). Then nothing was visited.
size_t hito_toml_read(
    const char *text, size_t length, hito_toml_visitor visitor, void *context, char *reason,
    size_t reason_size);

#ifdef __cplusplus
}
#endif

#endif
