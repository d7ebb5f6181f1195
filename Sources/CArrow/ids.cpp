// Which events a file holds: the columns `position` and `event_id`, of every row.
#include "columns.h"

#include <numeric>

using arrow::Status;
using namespace carrow;

namespace {

constexpr int64_t kIdLength = 36;

struct Ids {
  std::vector<int64_t> positions;
  std::vector<char> texts;
};

}  // namespace

extern "C" {

int carrow_ids_take(const char *path, carrow_ids *out, carrow_error *error) {
  *out = {};
  return carrow::guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, open(path));
    const auto metadata = file->metadata();
    const int position = find(*metadata->schema(), "position", parquet::Type::INT64);
    const int id = find(*metadata->schema(), "event_id", parquet::Type::BYTE_ARRAY);
    auto ids = std::make_unique<Ids>();
    for (int g = 0; g < metadata->num_row_groups(); g++) {
      std::vector<int64_t> rows(size_t(metadata->RowGroup(g)->num_rows()));
      std::iota(rows.begin(), rows.end(), int64_t(0));
      const auto group = file->RowGroup(g);
      read_rows<parquet::Int64Type>(*group, position, rows, [&](size_t, const int64_t *value) {
        ids->positions.push_back(required(value, "position"));
      });
      read_rows<parquet::ByteArrayType>(
          *group, id, rows, [&](size_t, const parquet::ByteArray *value) {
            const auto &text = required(value, "event_id");
            if (text.len != kIdLength) throw Damaged("an event_id of another length");
            const auto *bytes = reinterpret_cast<const char *>(text.ptr);
            ids->texts.insert(ids->texts.end(), bytes, bytes + kIdLength);
          });
    }
    if (ids->texts.size() != ids->positions.size() * kIdLength)
      throw Damaged("columns of different lengths");
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
