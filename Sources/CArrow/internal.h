#pragma once
#include "CArrow.h"
#include <arrow/buffer.h>
#include <arrow/status.h>
#include <arrow/util/io_util.h>
#include <parquet/exception.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

struct carrow_buffer {
  std::shared_ptr<arrow::Buffer> bytes;
};

namespace carrow {

struct LimitExceeded : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline int fail(carrow_error *error, carrow_error_kind kind, int os_error, const char *message) {
  if (error) {
    error->kind = kind;
    error->os_error = os_error;
    std::snprintf(error->message, sizeof error->message, "%s", message);
  }
  return -1;
}

inline int fail(carrow_error *error, const arrow::Status &status) {
  const int os_error = arrow::internal::ErrnoFromStatus(status);
  carrow_error_kind kind = CARROW_ERROR_CORRUPT;
  // Parquet reports damaged pages as IOError too: only those with an errno are the system's.
  if (os_error != 0) kind = CARROW_ERROR_IO;
  else if (status.IsOutOfMemory()) kind = CARROW_ERROR_MEMORY;
  else if (status.IsCapacityError()) kind = CARROW_ERROR_LIMIT;
  else if (status.IsInvalid() || status.IsTypeError() || status.IsKeyError())
    kind = CARROW_ERROR_INVALID;
  return fail(error, kind, os_error, status.ToString().c_str());
}

// Runs `body` (returning arrow::Status); a status or an exception becomes a code and a message.
template <class Body>
int guarded(carrow_error *error, Body &&body) noexcept {
  try {
    const arrow::Status status = body();
    return status.ok() ? 0 : fail(error, status);
  } catch (const parquet::ParquetStatusException &e) {
    return fail(error, e.status());
  } catch (const LimitExceeded &e) {
    return fail(error, CARROW_ERROR_LIMIT, 0, e.what());
  } catch (const std::bad_alloc &) {
    return fail(error, CARROW_ERROR_MEMORY, 0, "out of memory");
  } catch (const std::exception &e) {
    return fail(error, CARROW_ERROR_CORRUPT, 0, e.what());
  } catch (...) {
    return fail(error, CARROW_ERROR_CORRUPT, 0, "unknown C++ exception");
  }
}

// The bytes of a table as one Parquet file.
arrow::Status encode(const std::shared_ptr<arrow::Table> &table,
                     const carrow_write_options &options, carrow_buffer **out);

}  // namespace carrow
