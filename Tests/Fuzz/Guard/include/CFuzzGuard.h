#pragma once

#include <stddef.h>
#include <stdint.h>

/* One input, `type | message`: the guard and protobuf-c behind it. Aborts where something does not hold
 * that must. */
void hito_fuzz_guard(const uint8_t *data, size_t size);
