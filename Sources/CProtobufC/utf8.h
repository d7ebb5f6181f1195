#pragma once

#include <stddef.h>
#include <stdint.h>

/* Whether the bytes are well-formed UTF-8: no surrogates, no overlong forms, nothing above
 * U+10FFFF. */
int hito_is_utf8(const uint8_t *bytes, size_t length);
