/* protobuf-c made safe for hostile input: a guard that reads a message before protobuf-c does,
 * and an arena with a byte budget for protobuf-c to allocate from. */
#pragma once

/* Generated code must read and write deprecated fields without a warning for each. */
#define PROTOBUF_C__NO_DEPRECATED

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "guard.h"
