// Which events a file holds: the columns `position` and `event_id`, of every row.
#include "internal.h"
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <cstring>
#include <vector>

using arrow::Status;

namespace {

constexpr int64_t kBatch = 4096;
constexpr int64_t kIdLength = 36;

struct Ids {
  std::vector<int64_t> positions;
  std::vector<char> texts;
};

// Calls `each` with every value of a column that has no nulls.
template <class Type, class Each>
void read_all(parquet::RowGroupReader &group, int column, int64_t row_count, Each &&each) {
  const auto shared = group.Column(column);
  if (shared->type() != Type::type_num || shared->descr()->max_repetition_level() != 0 ||
      shared->descr()->max_definition_level() > 1)
    throw std::runtime_error("a column of another type");
  auto &reader = static_cast<parquet::TypedColumnReader<Type> &>(*shared);
  const bool optional = reader.descr()->max_definition_level() == 1;
  std::vector<int16_t> levels(kBatch, 1);
  const auto buffer = std::make_unique<typename Type::c_type[]>(kBatch);
  for (int64_t done = 0; done < row_count;) {
    int64_t count = 0;
    const int64_t level_count = reader.ReadBatch(
        kBatch, optional ? levels.data() : nullptr, nullptr, buffer.get(), &count);
    if (count <= 0 || (optional && level_count != count))
      throw std::runtime_error("a column ends early, or holds nulls");
    for (int64_t i = 0; i < count; i++) each(buffer[i]);
    done += count;
  }
}

int required(const parquet::SchemaDescriptor &schema, const char *name) {
  const int index = schema.ColumnIndex(name);
  if (index < 0) throw std::runtime_error(std::string("no column ") + name);
  return index;
}

}  // namespace

extern "C" {

int carrow_ids_take(const char *path, carrow_ids *out, carrow_error *error) {
  *out = {};
  return carrow::guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(auto input, arrow::io::ReadableFile::Open(path));
    parquet::ReaderProperties properties;
    properties.set_page_checksum_verification(true);
    const auto file = parquet::ParquetFileReader::Open(input, properties);
    const auto metadata = file->metadata();
    const int position = required(*metadata->schema(), "position");
    const int id = required(*metadata->schema(), "event_id");
    auto ids = std::make_unique<Ids>();
    for (int g = 0; g < metadata->num_row_groups(); g++) {
      const int64_t row_count = metadata->RowGroup(g)->num_rows();
      const auto group = file->RowGroup(g);
      read_all<parquet::Int64Type>(*group, position, row_count,
                                   [&](int64_t value) { ids->positions.push_back(value); });
      read_all<parquet::ByteArrayType>(
          *group, id, row_count, [&](const parquet::ByteArray &value) {
            if (value.len != kIdLength) throw std::runtime_error("an event_id of another length");
            const auto *text = reinterpret_cast<const char *>(value.ptr);
            ids->texts.insert(ids->texts.end(), text, text + kIdLength);
          });
    }
    if (ids->texts.size() != ids->positions.size() * kIdLength)
      throw std::runtime_error("columns of different lengths");
    out->count = int64_t(ids->positions.size());
    out->positions = ids->positions.data();
    out->texts = ids->texts.data();
    out->owner = ids.release();
    return Status::OK();
  });
}

void carrow_ids_free(carrow_ids *ids) {
  delete static_cast<Ids *>(ids->owner);
  *ids = {};
}

}  // extern "C"
