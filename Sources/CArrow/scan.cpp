// The rows of one learner in one file, by direct column readers: row groups are chosen by their
// statistics, user_id is compared by dictionary code, and of the other columns only the pages of
// matching rows are decoded.
#include "columns.h"
#include <parquet/statistics.h>

#include <cstring>
#include <string_view>
#include <unordered_map>
#include <vector>

using arrow::Status;
using namespace carrow;

namespace {

struct Rows {
  std::vector<int64_t> positions, created;
  std::vector<double> scores;
  std::vector<uint8_t> has_score;
  std::vector<int32_t> types;
  std::vector<std::string> names;
  std::vector<const char *> name_pointers;
  std::unordered_map<std::string, int32_t> index;

  int32_t type(std::string_view name) {
    if (name.find('\0') != std::string_view::npos) throw Damaged("NUL in event_type");
    const auto [at, fresh] = index.try_emplace(std::string(name), int32_t(names.size()));
    if (fresh) names.emplace_back(name);
    return at->second;
  }
};

struct Columns {
  int user, created, position, type, score;
};

std::shared_ptr<parquet::Int64Statistics> range(const parquet::RowGroupMetaData &group,
                                                int column) {
  auto statistics = group.ColumnChunk(column)->statistics();
  if (!statistics || !statistics->HasMinMax()) return nullptr;
  return std::dynamic_pointer_cast<parquet::Int64Statistics>(statistics);
}

bool may_match(const parquet::RowGroupMetaData &group, const Columns &columns,
               const carrow_query &query) {
  const std::string_view user = query.user_id;
  if (const auto users = group.ColumnChunk(columns.user)->statistics())
    if (users->HasMinMax() && (user < users->EncodeMin() || user > users->EncodeMax()))
      return false;
  if (const auto created = range(group, columns.created))
    if (created->max() < query.from_us || created->min() >= query.to_us) return false;
  if (const auto positions = range(group, columns.position))
    if (positions->min() > query.position_max) return false;
  return true;
}

bool same(const parquet::ByteArray &value, std::string_view key) {
  return value.len == key.size() && std::memcmp(value.ptr, key.data(), key.size()) == 0;
}

// Row numbers whose user_id is `key`. The column may hold nulls: values are dense, levels are not.
class UserMatcher {
public:
  UserMatcher(parquet::RowGroupReader &group, int column, std::string_view key)
      : key_(key),
        reader_(group.ColumnWithExposeEncoding(column, parquet::ExposedEncoding::DICTIONARY)),
        optional_(reader_->descr()->max_definition_level() == 1) {}

  std::vector<int64_t> run(int64_t row_count) {
    auto &reader = static_cast<parquet::ByteArrayReader &>(*reader_);
    const bool coded = reader.GetExposedEncoding() == parquet::ExposedEncoding::DICTIONARY;
    levels_.assign(kBatch, 1);
    std::vector<int32_t> codes(coded ? kBatch : 0);
    std::vector<parquet::ByteArray> values(coded ? 0 : kBatch);
    while (row_ < row_count && reader.HasNext()) {
      int64_t value_count = 0, level_count = 0;
      int16_t *levels = optional_ ? levels_.data() : nullptr;
      if (coded) {
        const parquet::ByteArray *dictionary = nullptr;
        int32_t length = 0;
        level_count = reader.ReadBatchWithDictionary(kBatch, levels, nullptr, codes.data(),
                                                     &value_count, &dictionary, &length);
        if (!known_ && dictionary && !find_code(dictionary, length)) return {};
        add(level_count, value_count, [&](int64_t i) { return codes[i] == code_; });
      } else {
        level_count = reader.ReadBatch(kBatch, levels, nullptr, values.data(), &value_count);
        add(level_count, value_count, [&](int64_t i) { return same(values[i], key_); });
      }
      if (level_count <= 0 && value_count <= 0) break;
    }
    if (row_ != row_count) throw Damaged("user_id ends early");
    return std::move(hits_);
  }

private:
  bool find_code(const parquet::ByteArray *dictionary, int32_t length) {
    known_ = true;
    for (int32_t i = 0; i < length; i++)
      if (same(dictionary[i], key_)) {
        code_ = i;
        return true;
      }
    return false;  // not in the dictionary: not in the row group
  }

  template <class Test>
  void add(int64_t level_count, int64_t value_count, Test &&test) {
    const int64_t rows = optional_ ? level_count : value_count;
    int64_t value = 0;
    for (int64_t i = 0; i < rows; i++, row_++) {
      if (optional_ && levels_[i] == 0) continue;
      if (value >= value_count) throw Damaged("user_id holds fewer values than it says");
      if (test(value++)) hits_.push_back(row_);
    }
  }

  std::string_view key_;
  std::shared_ptr<parquet::ColumnReader> reader_;
  bool optional_, known_ = false;
  int32_t code_ = -1;
  int64_t row_ = 0;
  std::vector<int16_t> levels_;
  std::vector<int64_t> hits_;
};

void scan_group(parquet::RowGroupReader &group, int64_t row_count, const Columns &columns,
                const carrow_query &query, Rows &out) {
  auto rows = UserMatcher(group, columns.user, query.user_id).run(row_count);
  if (rows.empty()) return;
  std::vector<int64_t> created(rows.size()), positions(rows.size());
  read_rows<parquet::Int64Type>(group, columns.created, rows, [&](size_t i, const int64_t *v) {
    created[i] = required(v, "created_at");
  });
  read_rows<parquet::Int64Type>(group, columns.position, rows, [&](size_t i, const int64_t *v) {
    positions[i] = required(v, "position");
  });
  size_t kept = 0;
  for (size_t i = 0; i < rows.size(); i++) {
    if (created[i] < query.from_us || created[i] >= query.to_us) continue;
    if (positions[i] > query.position_max) continue;
    rows[kept++] = rows[i];
    out.created.push_back(created[i]);
    out.positions.push_back(positions[i]);
  }
  rows.resize(kept);
  if (int64_t(out.positions.size()) > query.row_count_max)
    throw carrow::LimitExceeded("more rows match than one scan may return");
  if (rows.empty()) return;
  read_rows<parquet::DoubleType>(group, columns.score, rows, [&](size_t, const double *v) {
    out.scores.push_back(v ? *v : 0);
    out.has_score.push_back(v != nullptr);
  });
  read_rows<parquet::ByteArrayType>(
      group, columns.type, rows, [&](size_t, const parquet::ByteArray *v) {
        const auto &name = required(v, "event_type");
        out.types.push_back(
            out.type({reinterpret_cast<const char *>(name.ptr), size_t(name.len)}));
      });
}

}  // namespace

extern "C" {

int carrow_scan_take(const char *path, const carrow_query *query, carrow_rows *out,
                     carrow_error *error) {
  *out = {};
  return carrow::guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, open(path));
    const auto metadata = file->metadata();
    const auto &schema = *metadata->schema();
    const Columns columns{find(schema, "user_id", parquet::Type::BYTE_ARRAY),
                          find(schema, "created_at", parquet::Type::INT64),
                          find(schema, "position", parquet::Type::INT64),
                          find(schema, "event_type", parquet::Type::BYTE_ARRAY),
                          find(schema, "validation_score", parquet::Type::DOUBLE)};
    auto rows = std::make_unique<Rows>();
    for (int g = 0; g < metadata->num_row_groups(); g++) {
      const auto group = metadata->RowGroup(g);
      out->row_groups++;
      if (!may_match(*group, columns, *query)) continue;
      out->row_groups_read++;
      scan_group(*file->RowGroup(g), group->num_rows(), columns, *query, *rows);
    }
    for (const auto &name : rows->names) rows->name_pointers.push_back(name.c_str());
    out->count = int64_t(rows->positions.size());
    out->positions = rows->positions.data();
    out->created_us = rows->created.data();
    out->scores = rows->scores.data();
    out->has_score = rows->has_score.data();
    out->types = rows->types.data();
    out->type_count = int32_t(rows->names.size());
    out->type_names = rows->name_pointers.data();
    out->owner = rows.release();
    return Status::OK();
  });
}

void carrow_rows_free(carrow_rows *rows) {
  delete static_cast<Rows *>(rows->owner);
  *rows = {};
}

}  // extern "C"
