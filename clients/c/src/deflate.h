/* Messages as they go compressed over the wire (W6.9): `u8 encoding | u32 size | data`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message compressed; NULL where that is not worth it, or the receiver would refuse it. */
uint8_t *hi_pack(const uint8_t *message, size_t size, size_t *packed_size);

/* What a message is of; why not, where it is not what it says. No more memory is used than its size says, and that is
 * held to its limits first. */
const char *hi_unpack(const uint8_t *packed, size_t size, size_t size_max, uint8_t **message, size_t *message_size);
