import JSON

/// The messages of google.protobuf that JSON writes in a way of their own.
enum WellKnownType {
  case timestamp
  case duration
  case fieldMask
  /// One scalar field, written as that scalar.
  case wrapper
  /// Any, Struct and their parts: recursive, and in no contract of ours.
  case unsupported

  init?(_ name: String) {
    guard name.hasPrefix("google.protobuf.") else { return nil }
    switch name.dropFirst("google.protobuf.".count) {
    case "Timestamp": self = .timestamp
    case "Duration": self = .duration
    case "FieldMask": self = .fieldMask
    case "DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value",
      "BoolValue", "StringValue", "BytesValue":
      self = .wrapper
    case "Any", "Struct", "Value", "ListValue": self = .unsupported
    default: return nil
    }
  }
}

extension MessageEncoder {
  /// The encoding of a message that JSON writes in a way of its own; nil for all others.
  func wellKnown(
    _ json: JSONValue, _ type: MessageType, at path: FieldPath
  ) throws(ConversionError) -> [UInt8]? {
    guard let wellKnown = WellKnownType(type.name) else { return nil }
    var writer = ProtobufWriter()
    switch wellKnown {
    case .timestamp:
      guard case .string(let text) = json, let value = WellKnownText.parseTimestamp(text) else {
        throw path.error("should be a time such as \"2026-01-31T09:05:00Z\"")
      }
      write(value, to: &writer)
    case .duration:
      guard case .string(let text) = json, let value = WellKnownText.parseDuration(text) else {
        throw path.error("should be a duration in seconds such as \"1.5s\"")
      }
      write(value, to: &writer)
    case .fieldMask:
      guard case .string(let text) = json else {
        throw path.error("should be field names in one string such as \"title,dueAt\"")
      }
      for field in WellKnownText.parseFieldMask(text) { writer.field(1, Array(field.utf8)) }
    case .wrapper:
      guard let field = type.fields.first else { return [] }
      var content = ProtobufWriter()
      let isDefault = try ScalarEncoder(path: path).write(json, field.type, to: &content)
      if isDefault { return [] }
      writer.tag(field.number, field.type.wireType)
      if field.type.wireType == .bytes { writer.varint(UInt64(content.bytes.count)) }
      writer.raw(content.bytes)
    case .unsupported:
      throw path.error("\(type.name) cannot be converted")
    }
    return writer.bytes
  }

  private func write(_ value: WellKnownText.Seconds, to writer: inout ProtobufWriter) {
    if value.seconds != 0 {
      writer.tag(1, .varint)
      writer.varint(UInt64(bitPattern: value.seconds))
    }
    if value.nanos != 0 {
      writer.tag(2, .varint)
      writer.varint(UInt64(bitPattern: Int64(value.nanos)))
    }
  }
}

extension MessageDecoder {
  /// The JSON of a message that JSON writes in a way of its own; nil for all others.
  func wellKnown(
    _ message: Content, _ type: MessageType, at path: FieldPath
  ) throws(ConversionError) -> JSONValue? {
    guard let wellKnown = WellKnownType(type.name) else { return nil }
    switch wellKnown {
    case .timestamp:
      guard let text = WellKnownText.timestamp(seconds(message)) else {
        throw path.error("is no time of the years 1 to 9999")
      }
      return .string(text)
    case .duration:
      guard let text = WellKnownText.duration(seconds(message)) else {
        throw path.error("is no duration of up to 10,000 years")
      }
      return .string(text)
    case .fieldMask:
      guard let text = WellKnownText.fieldMask(try paths(message, type, at: path)) else {
        throw path.error("is a field mask that JSON cannot write")
      }
      return .string(text)
    case .wrapper:
      guard let field = type.fields.first else { return .null }
      return try singular(field, message.values[field.number] ?? [], at: path, depth: 0)
    case .unsupported:
      throw path.error("\(type.name) cannot be converted")
    }
  }

  private func seconds(_ message: Content) -> WellKnownText.Seconds {
    var result = WellKnownText.Seconds(seconds: 0, nanos: 0)
    if case .varint(let value) = message.values[1]?.last {
      result.seconds = Int64(bitPattern: value)
    }
    if case .varint(let value) = message.values[2]?.last {
      result.nanos = Int32(truncatingIfNeeded: value)
    }
    return result
  }

  private func paths(
    _ message: Content, _ type: MessageType, at path: FieldPath
  ) throws(ConversionError) -> [String] {
    var paths: [String] = []
    for case .bytes(let bytes) in message.values[1] ?? [] {
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw path.error("is text that is not UTF-8")
      }
      paths.append(text)
    }
    return paths
  }
}
