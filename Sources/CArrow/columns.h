#pragma once
// Reading columns of a file directly: checked pages, checked types, no null where none may be.
#include "internal.h"
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <vector>

namespace carrow {

constexpr int64_t kBatch = 16384;

struct Damaged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline arrow::Result<std::unique_ptr<parquet::ParquetFileReader>> open(const char *path) {
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  return parquet::ParquetFileReader::Open(input, properties);
}

inline int find(const parquet::SchemaDescriptor &schema, const char *name, parquet::Type::type type) {
  const int index = schema.ColumnIndex(name);
  if (index < 0) throw Damaged(std::string("no column ") + name);
  const auto *column = schema.Column(index);
  if (column->physical_type() != type || column->max_repetition_level() != 0 ||
      column->max_definition_level() > 1)
    throw Damaged(std::string("column of another type: ") + name);
  return index;
}

// Calls `read(first, count)` for each run of adjacent rows with the reader placed at its start.
template <class Reader, class Read>
void each_run(Reader &reader, const std::vector<int64_t> &rows, Read &&read) {
  int64_t at = 0;
  for (size_t first = 0; first < rows.size();) {
    size_t end = first + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) end++;
    if (rows[first] > at && reader.Skip(rows[first] - at) != rows[first] - at)
      throw Damaged("a column ends early");
    read(first, end - first);
    at = rows[end - 1] + 1;
    first = end;
  }
}

// Reads the values of `rows`; `value(index, pointer)` gets nullptr for a null.
template <class Type, class Each>
void read_rows(parquet::RowGroupReader &group, int column, const std::vector<int64_t> &rows,
               Each &&value) {
  using T = typename Type::c_type;
  const auto shared = group.Column(column);
  auto &reader = static_cast<parquet::TypedColumnReader<Type> &>(*shared);
  const bool optional = reader.descr()->max_definition_level() == 1;
  std::vector<int16_t> levels(kBatch, 1);
  const auto buffer = std::make_unique<T[]>(kBatch);
  each_run(reader, rows, [&](size_t first, size_t count) {
    for (size_t done = 0; done < count;) {
      int64_t value_count = 0;
      const int64_t wanted = std::min<int64_t>(kBatch, int64_t(count - done));
      const int64_t level_count = reader.ReadBatch(wanted, optional ? levels.data() : nullptr,
                                                   nullptr, buffer.get(), &value_count);
      const int64_t got = optional ? level_count : value_count;
      if (got <= 0) throw Damaged("a column ends early");
      // Byte arrays point into the page, which the next read may free: they are used here.
      for (int64_t i = 0, next = 0; i < got; i++) {
        const bool present = !optional || levels[i] != 0;
        if (present && next >= value_count) throw Damaged("fewer values than definition levels");
        value(first + done + i, present ? &buffer[next++] : nullptr);
      }
      done += size_t(got);
    }
  });
}

template <class T>
const T &required(const T *value, const char *column) {
  if (!value) throw Damaged(std::string("null in ") + column);
  return *value;
}

}  // namespace carrow
