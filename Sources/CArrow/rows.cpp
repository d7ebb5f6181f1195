// Whole rows of a file by position. A row group is read where its statistics of position and user_id
// allow one of the wanted rows: after a compaction, when positions lie all over, the user leads to it.
// Of what is kept, payloads are bounded: the rows at the lowest positions win.
#include "columns.h"
#include <parquet/statistics.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <string_view>

using arrow::Status;
using namespace carrow;

namespace {

constexpr size_t kIdLength = 36;

struct Row {
  int64_t created = 0, version = 0;
  int32_t schema_version = 0;
  bool has_user = false;
  std::string event_id, event_type, entity_type, entity_id, user_id, payload, metadata;
};

struct Columns {
  int position, user, created, version, schema_version, id, type, entity_type, entity, payload,
      metadata;
};

// What is kept of the wanted rows: the first ones, as many as take the bytes that there are.
class Kept {
public:
  explicit Kept(int64_t byte_count_max) : max_(byte_count_max) {}

  bool wants(int64_t position) const { return position <= last_ && !rows_.contains(position); }

  void add(int64_t position, const parquet::ByteArray &payload) {
    if (!wants(position)) return;
    rows_[position].payload.assign(reinterpret_cast<const char *>(payload.ptr), payload.len);
    bytes_ += payload.len;
    while (!rows_.empty()) {
      const auto last = std::prev(rows_.end());
      const int64_t before = bytes_ - int64_t(last->second.payload.size());
      if (before < max_) break;
      bytes_ = before;
      rows_.erase(last);
      last_ = rows_.empty() ? 0 : std::prev(rows_.end())->first;
    }
  }

  Row *at(int64_t position) {
    const auto found = rows_.find(position);
    return found == rows_.end() ? nullptr : &found->second;
  }

  const std::map<int64_t, Row> &rows() const { return rows_; }

private:
  const int64_t max_;
  int64_t bytes_ = 0, last_ = INT64_MAX;
  std::map<int64_t, Row> rows_;
};

// Whether one of the wanted rows may be in the group.
bool may_have(const parquet::RowGroupMetaData &group, const Columns &columns,
              const carrow_row_query &query) {
  int64_t low = INT64_MIN, high = INT64_MAX;
  const auto statistics = group.ColumnChunk(columns.position)->statistics();
  if (statistics && statistics->HasMinMax())
    if (const auto range = std::dynamic_pointer_cast<parquet::Int64Statistics>(statistics)) {
      low = range->min();
      high = range->max();
    }
  const auto users = group.ColumnChunk(columns.user)->statistics();
  const bool is_by_user = users && users->HasMinMax();
  const std::string first = is_by_user ? users->EncodeMin() : "",
                    last = is_by_user ? users->EncodeMax() : "";
  const auto *end = query.positions + query.count;
  for (auto at = std::lower_bound(query.positions, end, low); at != end && *at <= high; at++) {
    const char *text = query.users + (at - query.positions) * kIdLength;
    const std::string_view user(text, kIdLength);
    if (!is_by_user || text[0] == 0 || (user >= first && user <= last)) return true;
  }
  return false;
}

std::string text(const parquet::ByteArray *value, const char *column) {
  const auto &bytes = required(value, column);
  return {reinterpret_cast<const char *>(bytes.ptr), bytes.len};
}

void read_group(parquet::RowGroupReader &group, int64_t row_count, const Columns &columns,
                const carrow_row_query &query, Kept &kept) {
  std::vector<int64_t> all(static_cast<size_t>(row_count));
  std::iota(all.begin(), all.end(), int64_t(0));
  std::vector<int64_t> rows, positions;
  const auto *end = query.positions + query.count;
  read_rows<parquet::Int64Type>(group, columns.position, all, [&](size_t i, const int64_t *v) {
    const int64_t position = required(v, "position");
    if (!std::binary_search(query.positions, end, position) || !kept.wants(position)) return;
    rows.push_back(int64_t(i));
    positions.push_back(position);
  });
  if (rows.empty()) return;
  read_rows<parquet::ByteArrayType>(
      group, columns.payload, rows, [&](size_t i, const parquet::ByteArray *v) {
        kept.add(positions[i], required(v, "payload"));
      });
  size_t left = 0;
  for (size_t i = 0; i < rows.size(); i++) {
    if (!kept.at(positions[i])) continue;
    rows[left] = rows[i];
    positions[left++] = positions[i];
  }
  rows.resize(left);
  if (rows.empty()) return;
  const auto texts = [&](int column, const char *name, std::string Row::*member) {
    read_rows<parquet::ByteArrayType>(
        group, column, rows, [&](size_t i, const parquet::ByteArray *v) {
          kept.at(positions[i])->*member = text(v, name);
        });
  };
  texts(columns.id, "event_id", &Row::event_id);
  texts(columns.type, "event_type", &Row::event_type);
  texts(columns.entity_type, "entity_type", &Row::entity_type);
  texts(columns.entity, "entity_id", &Row::entity_id);
  texts(columns.metadata, "metadata", &Row::metadata);
  read_rows<parquet::ByteArrayType>(
      group, columns.user, rows, [&](size_t i, const parquet::ByteArray *v) {
        Row &row = *kept.at(positions[i]);
        row.has_user = v != nullptr;
        if (v) row.user_id = text(v, "user_id");
      });
  read_rows<parquet::Int64Type>(group, columns.created, rows, [&](size_t i, const int64_t *v) {
    kept.at(positions[i])->created = required(v, "created_at");
  });
  read_rows<parquet::Int64Type>(group, columns.version, rows, [&](size_t i, const int64_t *v) {
    kept.at(positions[i])->version = required(v, "version");
  });
  read_rows<parquet::Int32Type>(
      group, columns.schema_version, rows, [&](size_t i, const int32_t *v) {
        kept.at(positions[i])->schema_version = required(v, "schema_version");
      });
}

struct List {
  explicit List(Kept &&kept) : kept(std::move(kept)) {
    const auto view = [](const std::string &text) {
      return carrow_text{text.data(), int64_t(text.size())};
    };
    for (const auto &[position, row] : this->kept.rows())
      rows.push_back({position, row.created, row.version, row.schema_version, row.has_user,
                      view(row.event_id), view(row.event_type), view(row.entity_type),
                      view(row.entity_id), view(row.user_id), view(row.payload),
                      view(row.metadata)});
  }

  Kept kept;
  std::vector<carrow_row> rows;
};

Columns columns_of(const parquet::SchemaDescriptor &schema) {
  const auto bytes = parquet::Type::BYTE_ARRAY;
  const auto number = parquet::Type::INT64;
  return {find(schema, "position", number),   find(schema, "user_id", bytes),
          find(schema, "created_at", number), find(schema, "version", number),
          find(schema, "schema_version", parquet::Type::INT32),
          find(schema, "event_id", bytes),    find(schema, "event_type", bytes),
          find(schema, "entity_type", bytes), find(schema, "entity_id", bytes),
          find(schema, "payload", bytes),     find(schema, "metadata", bytes)};
}

}  // namespace

extern "C" {

int carrow_rows_at_take(const char *path, const carrow_row_query *query, carrow_row_list *out,
                        carrow_error *error) {
  *out = {};
  return carrow::guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, open(path));
    const auto metadata = file->metadata();
    const Columns columns = columns_of(*metadata->schema());
    Kept kept(query->byte_count_max);
    for (int g = 0; g < metadata->num_row_groups(); g++) {
      const auto group = metadata->RowGroup(g);
      out->row_groups++;
      if (!may_have(*group, columns, *query)) continue;
      out->row_groups_read++;
      read_group(*file->RowGroup(g), group->num_rows(), columns, *query, kept);
    }
    auto list = std::make_unique<List>(std::move(kept));
    out->count = int64_t(list->rows.size());
    out->rows = list->rows.data();
    out->owner = list.release();
    return Status::OK();
  });
}

int carrow_rows_of_group_take(const char *path, int32_t group, carrow_row_list *out,
                              carrow_error *error) {
  *out = {};
  return carrow::guarded(error, [&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto file, open(path));
    const auto metadata = file->metadata();
    const Columns columns = columns_of(*metadata->schema());
    out->row_groups = metadata->num_row_groups();
    if (group >= out->row_groups) return Status::OK();
    const auto reader = file->RowGroup(group);
    const int64_t row_count = metadata->RowGroup(group)->num_rows();
    std::vector<int64_t> all(static_cast<size_t>(row_count)), positions;
    std::iota(all.begin(), all.end(), int64_t(0));
    read_rows<parquet::Int64Type>(*reader, columns.position, all, [&](size_t, const int64_t *v) {
      positions.push_back(required(v, "position"));
    });
    std::sort(positions.begin(), positions.end());
    if (std::adjacent_find(positions.begin(), positions.end()) != positions.end())
      throw Damaged("a position twice");
    const carrow_row_query query{positions.data(), nullptr, int64_t(positions.size()), INT64_MAX};
    Kept kept(INT64_MAX);
    read_group(*reader, row_count, columns, query, kept);
    auto list = std::make_unique<List>(std::move(kept));
    out->row_groups_read = 1;
    out->count = int64_t(list->rows.size());
    out->rows = list->rows.data();
    out->owner = list.release();
    return Status::OK();
  });
}

void carrow_row_list_free(carrow_row_list *list) {
  delete static_cast<List *>(list->owner);
  *list = {};
}

int carrow_find_id(const char *path, const char *event_id, int64_t *position,
                   carrow_error *error) {
  *position = 0;
  return carrow::guarded(error, [&]() -> Status {
    const std::string_view wanted(event_id, kIdLength);
    ARROW_ASSIGN_OR_RAISE(const auto file, open(path));
    const auto metadata = file->metadata();
    const Columns columns = columns_of(*metadata->schema());
    for (int g = 0; g < metadata->num_row_groups() && *position == 0; g++) {
      const auto ids = metadata->RowGroup(g)->ColumnChunk(columns.id)->statistics();
      if (ids && ids->HasMinMax() &&
          (wanted < std::string_view(ids->EncodeMin()) ||
           wanted > std::string_view(ids->EncodeMax())))
        continue;
      const auto group = file->RowGroup(g);
      std::vector<int64_t> rows(size_t(metadata->RowGroup(g)->num_rows()));
      std::iota(rows.begin(), rows.end(), int64_t(0));
      std::vector<int64_t> found;
      read_rows<parquet::ByteArrayType>(
          *group, columns.id, rows, [&](size_t i, const parquet::ByteArray *v) {
            const auto &id = required(v, "event_id");
            if (id.len == wanted.size() && std::memcmp(id.ptr, wanted.data(), id.len) == 0)
              found.push_back(int64_t(i));
          });
      if (found.empty()) continue;
      found.resize(1);
      read_rows<parquet::Int64Type>(*group, columns.position, found, [&](size_t, const int64_t *v) {
        *position = required(v, "position");
      });
    }
    return Status::OK();
  });
}

}  // extern "C"
