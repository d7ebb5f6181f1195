#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* Whether the bytes are well-formed UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF. */
bool hi_is_utf8(const uint8_t *bytes, size_t size);

/* Whether they are text as it may be sent: UTF-8 without NUL. */
bool hi_is_text(const uint8_t *bytes, size_t size);

/* A string of bytes that should be text; what is not, and NUL, is replaced by U+FFFD. NULL without memory. */
char *hi_lenient_text(const uint8_t *bytes, size_t size);

/* The first characters of a text as they may be shown, into `out`: what would write lines or commands of a terminal into a
 * log, or hide what is there, is U+FFFD. `size` is four bytes a character and one, or more. Returns `out`. */
const char *hi_shown(char *out, size_t size, const char *text, size_t characters_max);
