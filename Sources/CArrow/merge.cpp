// Several files of one schema -> one, ordered so that a learner's rows lie together.
#include "internal.h"
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <vector>

using arrow::Status;

namespace {

arrow::Result<std::shared_ptr<arrow::Table>> read_table(const char *path) {
  ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(input, properties));
  ARROW_ASSIGN_OR_RAISE(auto reader, builder.Build());
  return reader->ReadTable();
}

template <class Array>
arrow::Result<const Array *> column(const arrow::RecordBatch &batch, const char *name) {
  const auto array = batch.GetColumnByName(name);
  const auto typed = dynamic_cast<const Array *>(array.get());
  if (!typed) return Status::IOError("no column ", name, " of the expected type");
  return typed;
}

// Row numbers in the order of (user_id, created_at, position); repeated positions once.
arrow::Result<std::vector<int64_t>> order_of(const arrow::RecordBatch &batch) {
  ARROW_ASSIGN_OR_RAISE(auto users, column<arrow::StringArray>(batch, "user_id"));
  ARROW_ASSIGN_OR_RAISE(auto times, column<arrow::TimestampArray>(batch, "created_at"));
  ARROW_ASSIGN_OR_RAISE(auto positions, column<arrow::Int64Array>(batch, "position"));
  std::vector<int64_t> order(batch.num_rows());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](int64_t row) {
    return std::make_tuple(users->GetView(row), times->Value(row), positions->Value(row));
  };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) < key(b); });
  const auto same = [&](int64_t a, int64_t b) {
    return positions->Value(a) == positions->Value(b);
  };
  order.erase(std::unique(order.begin(), order.end(), same), order.end());
  return order;
}

arrow::Result<std::shared_ptr<arrow::Array>> take(const arrow::Array &array,
                                                  const std::vector<int64_t> &order) {
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(
      arrow::MakeBuilder(arrow::default_memory_pool(), array.type(), &builder));
  ARROW_RETURN_NOT_OK(builder->Reserve(static_cast<int64_t>(order.size())));
  const arrow::ArraySpan span(*array.data());
  for (const int64_t row : order) ARROW_RETURN_NOT_OK(builder->AppendArraySlice(span, row, 1));
  return builder->Finish();
}

}  // namespace

extern "C" int carrow_merge_take(const char *const *paths, int32_t path_count,
                                 int64_t byte_count_max, const carrow_write_options *options,
                                 carrow_buffer **out, int64_t *row_count, carrow_error *error) {
  return carrow::guarded(error, [&]() -> Status {
    std::vector<std::shared_ptr<arrow::Table>> tables;
    const int64_t before = arrow::default_memory_pool()->bytes_allocated();
    for (int32_t i = 0; i < path_count; i++) {
      ARROW_ASSIGN_OR_RAISE(auto table, read_table(paths[i]));
      tables.push_back(std::move(table));
      if (arrow::default_memory_pool()->bytes_allocated() - before > byte_count_max)
        return Status::CapacityError("the files hold more than the memory allowed for a merge");
    }
    ARROW_ASSIGN_OR_RAISE(auto all, arrow::ConcatenateTables(tables));
    tables.clear();
    ARROW_ASSIGN_OR_RAISE(auto batch, all->CombineChunksToBatch());
    all.reset();
    ARROW_ASSIGN_OR_RAISE(auto order, order_of(*batch));
    arrow::ArrayVector columns;
    for (const auto &array : batch->columns()) {
      ARROW_ASSIGN_OR_RAISE(auto ordered, take(*array, order));
      columns.push_back(std::move(ordered));
    }
    *row_count = static_cast<int64_t>(order.size());
    return carrow::encode(arrow::Table::Make(batch->schema(), std::move(columns), *row_count),
                          *options, out);
  });
}
