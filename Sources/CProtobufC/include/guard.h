#pragma once

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"

/* Reads a message before protobuf-c does, because protobuf-c 1.4 has no limit of depth, takes bad
 * UTF-8, ends text at NUL, merges a repeated sub-message wrongly and in quadratic time, and needs up
 * to 28 times the memory of the bytes.
 *
 * Bytes that the specification allows and Hito refuses; no encoder writes them:
 *  - a singular sub-message twice (also one member of a oneof): would have to be merged;
 *  - groups, which only proto2 has;
 *  - a known field with a foreign wire type: would have to be kept as unknown;
 *  - U+0000 in a string field.
 * Everything else that is legal is accepted: any order, repeated scalars (the last wins), packed and
 * unpacked in any mixture, longer varints than needed, unknown fields (dropped). What protobuf-c
 * cannot send: negative zero in a singular field without presence, which it takes for absent. */

/* Why a message was refused. */
typedef enum hito_decode_status {
  HITO_DECODE_OK = 0,
  /* The bytes end inside a value. */
  HITO_DECODE_TRUNCATED,
  /* Field number 0, a number above 2^29 - 1, or a tag longer than five bytes. */
  HITO_DECODE_BAD_TAG,
  /* A number of more than 64 bits. */
  HITO_DECODE_BAD_VARINT,
  /* Groups, which proto3 does not have, and the two wire types that nobody assigned. */
  HITO_DECODE_BAD_WIRE_TYPE,
  /* A known field with another wire type than the contract gives it. */
  HITO_DECODE_WIRE_TYPE_MISMATCH,
  /* A packed field whose bytes are not a whole number of elements. */
  HITO_DECODE_BAD_PACKED,
  HITO_DECODE_BAD_UTF8,
  /* U+0000 in text: a C string would end there. */
  HITO_DECODE_NUL_IN_STRING,
  /* A singular sub-message twice: merging the two is what protobuf-c gets wrong. */
  HITO_DECODE_DUPLICATE_MESSAGE,
  HITO_DECODE_TOO_DEEP,
  HITO_DECODE_TOO_LARGE,
  HITO_DECODE_OUT_OF_MEMORY,
  /* The contract has a message with more fields than the guard counts; our fault. */
  HITO_DECODE_UNSUPPORTED_TYPE,
} hito_decode_status;

enum {
  /* The guard never recurses deeper, whatever the caller allows. */
  HITO_DECODE_DEPTH_MAX = 64,
  HITO_DECODE_FIELDS_MAX = 256,
  /* So many steps of the path to the refused field are kept. */
  HITO_DECODE_PATH_MAX = 8,
};

typedef struct hito_decode_limits {
  size_t depth_max;
  /* The most memory that protobuf-c may use for the message, in bytes. */
  size_t memory_max;
} hito_decode_limits;

typedef struct hito_decode_report {
  hito_decode_status status;
  /* Number of the refused field; 0 when no field can be named. */
  uint32_t field_number;
  /* Position of the refused value, relative to the message that holds it. */
  size_t offset;
  /* An upper bound of what unpacking allocates; complete only when the status is OK. */
  size_t memory;
  /* Whether the path ends with the refused field; it does not when the contract has no name for
   * its number. */
  bool names_field;
  size_t path_count;
  const ProtobufCFieldDescriptor *path[HITO_DECODE_PATH_MAX];
} hito_decode_report;

/* Reads the whole message without allocating, in time linear in `length`. */
hito_decode_report hito_guard_check(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length,
    hito_decode_limits limits);

/* Checks the message and unpacks it into the arena, which must have been begun with a budget of
 * at least `limits.memory_max`. The result lives as long as the arena; NULL when refused, then
 * `report` says why. */
ProtobufCMessage *hito_unpack(
    const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length,
    hito_decode_limits limits, hito_arena *arena, hito_decode_report *report);

/* Writes the path to the refused field ("tasks.title") and a final 0 into `text`; returns the
 * length without the 0. Cut to fit. */
size_t hito_decode_path(const hito_decode_report *report, char *text, size_t capacity);
