import JSON

/// Writes single numbers, booleans, texts and bytes.
struct ScalarEncoder {
  let path: FieldPath

  /// - Returns: whether the value is the type's default.
  func write(
    _ json: JSONValue, _ type: FieldType, to writer: inout ProtobufWriter
  ) throws(ConversionError) -> Bool {
    switch type {
    case .int32:
      let value = try integer(json, Int32.self)
      writer.varint(UInt64(bitPattern: Int64(value)))
      return value == 0
    case .int64:
      let value = try integer(json, Int64.self)
      writer.varint(UInt64(bitPattern: value))
      return value == 0
    case .uint32:
      let value = try integer(json, UInt32.self)
      writer.varint(UInt64(value))
      return value == 0
    case .uint64:
      let value = try integer(json, UInt64.self)
      writer.varint(value)
      return value == 0
    case .sint32:
      let value = Int64(try integer(json, Int32.self))
      writer.varint(UInt64(bitPattern: value << 1 ^ value >> 63))
      return value == 0
    case .sint64:
      let value = try integer(json, Int64.self)
      writer.varint(UInt64(bitPattern: value << 1 ^ value >> 63))
      return value == 0
    case .fixed32: return fixed(try integer(json, UInt32.self), to: &writer)
    case .fixed64: return fixed(try integer(json, UInt64.self), to: &writer)
    case .sfixed32: return fixed(try integer(json, Int32.self), to: &writer)
    case .sfixed64: return fixed(try integer(json, Int64.self), to: &writer)
    case .double: return fixed(try double(json).bitPattern, to: &writer)
    case .float: return fixed(try float(json).bitPattern, to: &writer)
    case .bool:
      guard case .bool(let value) = json else {
        throw path.error("should be true or false, not \(json.kind)")
      }
      writer.varint(value ? 1 : 0)
      return !value
    case .string:
      guard case .string(let value) = json else {
        throw path.error("should be a string, not \(json.kind)")
      }
      writer.raw(value.utf8)
      return value.isEmpty
    case .bytes:
      guard case .string(let text) = json, let value = Base64.decode(text) else {
        throw path.error("should be a string in base64")
      }
      writer.raw(value)
      return value.isEmpty
    case .enumeration, .message:
      throw path.error("is not a scalar")
    }
  }

  private func fixed(
    _ value: some FixedWidthInteger, to writer: inout ProtobufWriter
  ) -> Bool {
    writer.fixed(value)
    return value == 0
  }

  private func integer<Integer: FixedWidthInteger>(
    _ json: JSONValue, _ type: Integer.Type
  ) throws(ConversionError) -> Integer {
    if let value = Numbers.integer(try digits(json), as: type) { return value }
    throw path.error(
      "\(json.shown()) is not a whole number from \(Integer.min) to \(Integer.max)")
  }

  private func double(_ json: JSONValue) throws(ConversionError) -> Double {
    switch json {
    case .string("NaN"): return .nan
    case .string("Infinity"): return .infinity
    case .string("-Infinity"): return -.infinity
    default:
      guard let value = Numbers.double(try digits(json)) else {
        throw path.error("\(json.shown()) is not a number, or beyond the range of a double")
      }
      return value
    }
  }

  /// The text of a number, which may stand in quotes.
  private func digits(_ json: JSONValue) throws(ConversionError) -> String {
    switch json {
    case .number(let number): number.text
    case .string(let text): text
    default: throw path.error("should be a number, not \(json.kind)")
    }
  }

  private func float(_ json: JSONValue) throws(ConversionError) -> Float {
    let wide = try double(json)
    let value = Float(wide)
    guard value.isInfinite == wide.isInfinite else {
      throw path.error("\(json.shown()) is beyond the range of a float")
    }
    return value
  }
}
