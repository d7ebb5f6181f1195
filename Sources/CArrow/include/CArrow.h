#ifndef CARROW_H
#define CARROW_H
// A plain C interface over Arrow C++ and Parquet. No C++ type and no exception crosses it.
//
// Every function that can fail returns 0 or -1 and, where it fails, fills `error`. Functions named
// …_take hand out an object that the caller frees by the matching …_free; pointers inside such an
// object are borrowed from it. All functions may block: never call them on a cooperative thread.
// Objects are not shared between threads; the functions themselves may run on any number of them.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef enum carrow_error_kind {
  CARROW_ERROR_NONE = 0,
  CARROW_ERROR_INVALID = 1,  // the arguments make no table
  CARROW_ERROR_CORRUPT = 2,  // the bytes of a file are not what was written
  CARROW_ERROR_IO = 3,       // the operating system refused; os_error says why, where known
  CARROW_ERROR_LIMIT = 4,    // a stated maximum was passed
  CARROW_ERROR_MEMORY = 5,
} carrow_error_kind;

typedef struct carrow_error {
  carrow_error_kind kind;
  int32_t os_error;
  char message[512];
} carrow_error;

typedef enum carrow_type {
  CARROW_UTF8 = 0,
  CARROW_INT64 = 1,
  CARROW_INT32 = 2,
  CARROW_DOUBLE = 3,
  CARROW_BOOL = 4,          // values are a bitmap, least significant bit first
  CARROW_TIMESTAMP_US = 5,  // microseconds, without time zone
} carrow_type;

// One column of the caller's memory, which is read in place.
typedef struct carrow_column {
  const char *name;
  carrow_type type;
  bool nullable;
  const void *values;
  int64_t value_byte_count;
  const int32_t *offsets;   // UTF-8 only: row count + 1
  const uint8_t *validity;  // bitmap, least significant bit first; NULL: no nulls
} carrow_column;

typedef struct carrow_write_options {
  int32_t zstd_level;
  int64_t row_group_rows;
} carrow_write_options;

typedef struct carrow_buffer carrow_buffer;
const uint8_t *carrow_buffer_bytes(const carrow_buffer *);
int64_t carrow_buffer_count(const carrow_buffer *);
void carrow_buffer_free(carrow_buffer *);

// Encodes the columns as the bytes of one Parquet file, with a checksum on every page.
int carrow_encode_take(const carrow_column *columns, int32_t column_count, int64_t row_count,
                       const carrow_write_options *options, carrow_buffer **out,
                       carrow_error *error);

// Merges files of one schema into one, rows ordered by (user_id, created_at, position). Rows whose
// position repeats are kept once. `row_count` gets the rows of the result.
int carrow_merge_take(const char *const *paths, int32_t path_count, int64_t byte_count_max,
                      const carrow_write_options *options, carrow_buffer **out,
                      int64_t *row_count, carrow_error *error);

typedef struct carrow_query {
  const char *user_id;      // NUL-terminated
  int64_t from_us;          // inclusive
  int64_t to_us;            // exclusive
  int64_t position_max;     // inclusive
  int64_t row_count_max;    // more rows than this are an error of kind LIMIT
} carrow_query;

// The matching rows of one file, column by column; borrowed from `owner`.
typedef struct carrow_rows {
  int64_t count;
  const int64_t *positions;
  const int64_t *created_us;
  const double *scores;     // meaningless where has_score is 0
  const uint8_t *has_score;
  const int32_t *types;     // index into type_names
  int32_t type_count;
  const char *const *type_names;  // NUL-terminated
  int32_t row_groups, row_groups_read;
  void *owner;
} carrow_rows;

int carrow_scan_take(const char *path, const carrow_query *query, carrow_rows *out,
                     carrow_error *error);
void carrow_rows_free(carrow_rows *);

// Which events a file holds, row by row; borrowed from `owner`.
typedef struct carrow_ids {
  int64_t count;
  const int64_t *positions;
  const char *texts;        // 36 characters a row, without NUL
  void *owner;
} carrow_ids;

int carrow_ids_take(const char *path, carrow_ids *out, carrow_error *error);
void carrow_ids_free(carrow_ids *);

// Which rows of a file are wanted, and how much of them.
typedef struct carrow_row_query {
  const int64_t *positions;  // ascending, each once
  const char *users;         // 36 characters for each position; NUL first: not known, or none
  int64_t count;
  int64_t byte_count_max;    // of payloads: rows at positions beyond what takes as much are left out
} carrow_row_query;

typedef struct carrow_text {
  const char *bytes;
  int64_t count;
} carrow_text;

// A whole row; the own columns of a kind are made of its payload and not read.
typedef struct carrow_row {
  int64_t position, created_us, version;
  int32_t schema_version;
  bool has_user;
  carrow_text event_id, event_type, entity_type, entity_id, user_id, payload, metadata;
} carrow_row;

// The wanted rows that a file has, by position; borrowed from `owner`.
typedef struct carrow_row_list {
  int64_t count;
  const carrow_row *rows;
  int32_t row_groups, row_groups_read;
  void *owner;
} carrow_row_list;

int carrow_rows_at_take(const char *path, const carrow_row_query *query, carrow_row_list *out,
                        carrow_error *error);
void carrow_row_list_free(carrow_row_list *);

// Every row of a row group, by position; none after the last group. `row_groups` is how many there are.
int carrow_rows_of_group_take(const char *path, int32_t group, carrow_row_list *out,
                              carrow_error *error);

// The position of the row with this event_id (36 characters) in `position`; 0 where there is none.
int carrow_find_id(const char *path, const char *event_id, int64_t *position,
                   carrow_error *error);

// CRC-32C (Castagnoli) of `count` bytes, continuing from `crc` (0 to begin).
uint32_t carrow_crc32c(uint32_t crc, const void *bytes, size_t count);

// Lets two files or folders change places in one step; 0 or an errno.
int32_t carrow_exchange(const char *path, const char *other);

// The version of Arrow that this process loaded.
const char *carrow_version(void);

// Writes the path of the object that `symbol` is bound to for a newly loaded library (the global
// scope) into `path`; returns 1, or 0 where nothing in the global scope defines it.
int carrow_symbol_origin(const char *symbol, char *path, size_t capacity);
// The same, but for what libparquet and its dependencies show to others.
int carrow_parquet_symbol_origin(const char *symbol, char *path, size_t capacity);
// The path of libparquet itself; 1 or 0.
int carrow_parquet_path(char *path, size_t capacity);

#ifdef __cplusplus
}
#endif
#endif
