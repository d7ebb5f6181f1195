// Columns of the caller's memory -> the bytes of one Parquet file.
#include "internal.h"
#include <arrow/api.h>
#include <arrow/config.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <vector>

using arrow::Status;

namespace {

std::shared_ptr<arrow::DataType> data_type(carrow_type type) {
  switch (type) {
  case CARROW_UTF8: return arrow::utf8();
  case CARROW_INT64: return arrow::int64();
  case CARROW_INT32: return arrow::int32();
  case CARROW_DOUBLE: return arrow::float64();
  case CARROW_BOOL: return arrow::boolean();
  case CARROW_TIMESTAMP_US: return arrow::timestamp(arrow::TimeUnit::MICRO);
  }
  return nullptr;
}

std::shared_ptr<arrow::Buffer> borrow(const void *bytes, int64_t count) {
  return std::make_shared<arrow::Buffer>(static_cast<const uint8_t *>(bytes), count);
}

arrow::Result<std::shared_ptr<arrow::Array>> make_array(const carrow_column &column,
                                                       int64_t rows) {
  const auto type = data_type(column.type);
  if (!type) return Status::Invalid("column ", column.name, ": unknown type");
  const int64_t bitmap = (rows + 7) / 8;
  std::shared_ptr<arrow::Buffer> validity;
  if (column.validity) validity = borrow(column.validity, bitmap);
  std::vector<std::shared_ptr<arrow::Buffer>> buffers{validity};
  int64_t wanted = 0;
  if (column.type == CARROW_UTF8) {
    if (!column.offsets) return Status::Invalid("column ", column.name, ": no offsets");
    buffers.push_back(borrow(column.offsets, (rows + 1) * 4));
    wanted = column.offsets[rows];
  } else if (column.type == CARROW_BOOL) {
    wanted = bitmap;
  } else {
    wanted = rows * (column.type == CARROW_INT32 ? 4 : 8);
  }
  if (column.value_byte_count < wanted)
    return Status::Invalid("column ", column.name, ": too few bytes");
  buffers.push_back(borrow(column.values, wanted));
  auto array = arrow::MakeArray(arrow::ArrayData::Make(type, rows, std::move(buffers)));
  ARROW_RETURN_NOT_OK(array->Validate());
  if (!column.nullable && array->null_count() != 0)
    return Status::Invalid("column ", column.name, ": null in a column without nulls");
  return array;
}

// What a reader gains by is decided by name here, since merged files know nothing of the caller.
std::shared_ptr<parquet::WriterProperties> properties(const arrow::Schema &schema,
                                                      const carrow_write_options &options) {
  parquet::WriterProperties::Builder builder;
  builder.compression(parquet::Compression::ZSTD)->compression_level(options.zstd_level);
  builder.enable_page_checksum()->max_row_group_length(options.row_group_rows);
  builder.created_by("hito");
  for (const auto &field : schema.fields()) {
    const auto &name = field->name();
    const auto id = field->type()->id();
    if (name == "event_id" || name == "payload") builder.disable_dictionary(name);
    if (id == arrow::Type::INT64 || id == arrow::Type::TIMESTAMP) {
      builder.disable_dictionary(name);
      builder.encoding(name, parquet::Encoding::DELTA_BINARY_PACKED);
    }
  }
  return builder.build();
}

}  // namespace

namespace carrow {

Status encode(const std::shared_ptr<arrow::Table> &table, const carrow_write_options &options,
              carrow_buffer **out) {
  ARROW_ASSIGN_OR_RAISE(auto sink, arrow::io::BufferOutputStream::Create(1 << 16));
  parquet::ArrowWriterProperties::Builder arrow_properties;
  arrow_properties.set_use_threads(false);
  ARROW_ASSIGN_OR_RAISE(
      auto writer, parquet::arrow::FileWriter::Open(
                       *table->schema(), arrow::default_memory_pool(), sink,
                       properties(*table->schema(), options), arrow_properties.build()));
  ARROW_RETURN_NOT_OK(writer->WriteTable(*table, options.row_group_rows));
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(auto bytes, sink->Finish());
  *out = new carrow_buffer{std::move(bytes)};
  return Status::OK();
}

}  // namespace carrow

extern "C" {

const uint8_t *carrow_buffer_bytes(const carrow_buffer *buffer) { return buffer->bytes->data(); }
int64_t carrow_buffer_count(const carrow_buffer *buffer) { return buffer->bytes->size(); }
void carrow_buffer_free(carrow_buffer *buffer) { delete buffer; }

int carrow_encode_take(const carrow_column *columns, int32_t column_count, int64_t row_count,
                       const carrow_write_options *options, carrow_buffer **out,
                       carrow_error *error) {
  return carrow::guarded(error, [&]() -> Status {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (int32_t i = 0; i < column_count; i++) {
      ARROW_ASSIGN_OR_RAISE(auto array, make_array(columns[i], row_count));
      fields.push_back(arrow::field(columns[i].name, array->type(), columns[i].nullable));
      arrays.push_back(std::move(array));
    }
    return carrow::encode(
        arrow::Table::Make(arrow::schema(std::move(fields)), std::move(arrays), row_count),
        *options, out);
  });
}

const char *carrow_version(void) {
  static const std::string version = arrow::GetBuildInfo().version_string;
  return version.c_str();
}

}  // extern "C"
