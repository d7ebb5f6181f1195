package import JSON

extension Schema {
  /// The JSON of an encoded message by the proto3 JSON mapping: lowerCamelCase names, fields at
  /// their default left out, unknown fields left out.
  package func decode(
    _ bytes: [UInt8], as message: MessageType
  ) throws(ConversionError) -> JSONValue {
    try MessageDecoder(schema: self).message(bytes[...], message, at: FieldPath(), depth: 0)
  }
}

/// Protobuf to JSON.
struct MessageDecoder {
  typealias Value = ProtobufReader.Value

  let schema: Schema

  /// The values of a message as they stand in the bytes.
  struct Content {
    /// By field number, in the order of the bytes.
    var values: [Int: [Value]] = [:]
    /// The member of each oneof that came last, which is the one that counts.
    var lastMember: [Int: Int] = [:]
  }

  func message(
    _ bytes: ArraySlice<UInt8>, _ type: MessageType, at path: FieldPath, depth: Int
  ) throws(ConversionError) -> JSONValue {
    guard depth < MessageEncoder.depthMax else { throw path.error("is nested too deeply") }
    let content = try self.content(bytes, type, at: path)
    if let node = try wellKnown(content, type, at: path) { return node }
    var members: [(key: String, value: JSONValue)] = []
    for field in type.fields {
      guard let values = content.values[field.number] else { continue }
      if let oneof = field.oneof, content.lastMember[oneof] != field.number { continue }
      let path = path.appending(field.jsonName)
      if field.isMap, case .message(let entry) = field.type {
        let node = try map(values, schema.messages[entry], at: path, depth: depth)
        members.append((field.jsonName, node))
      } else if field.isRepeated {
        let elements = try list(field, values, at: path, depth: depth)
        if elements.isEmpty { continue }
        members.append((field.jsonName, .array(elements)))
      } else {
        let node = try singular(field, values, at: path, depth: depth)
        if !field.hasPresence, isDefault(values.last, field.type) { continue }
        members.append((field.jsonName, node))
      }
    }
    return .object(members)
  }

  private func content(
    _ bytes: ArraySlice<UInt8>, _ type: MessageType, at path: FieldPath
  ) throws(ConversionError) -> Content {
    var content = Content()
    var reader = ProtobufReader(bytes)
    do {
      while let field = try reader.next() {
        guard let index = type.fieldIndexByNumber[field.number] else { continue }
        content.values[field.number, default: []].append(field.value)
        if let oneof = type.fields[index].oneof { content.lastMember[oneof] = field.number }
      }
    } catch {
      throw path.error(error.text)
    }
    return content
  }

  /// A field that is not repeated: the last value counts; messages are merged, which is what
  /// decoding their bytes one after the other does.
  func singular(
    _ field: Field, _ values: [Value], at path: FieldPath, depth: Int
  ) throws(ConversionError) -> JSONValue {
    if case .message = field.type, values.count > 1 {
      var merged: [UInt8] = []
      for case .bytes(let bytes) in values { merged += bytes }
      return try value(.bytes(merged[...]), field.type, at: path, depth: depth)
    }
    guard let last = values.last else { return ScalarDecoder.defaultNode(field.type) }
    return try value(last, field.type, at: path, depth: depth)
  }

  private func list(
    _ field: Field, _ values: [Value], at path: FieldPath, depth: Int
  ) throws(ConversionError) -> [JSONValue] {
    var elements: [JSONValue] = []
    for value in values {
      if field.type.isPackable, case .bytes(let packed) = value {
        var reader = ProtobufReader(packed)
        while !reader.isAtEnd {
          let next = try packedValue(&reader, field.type.wireType, at: path)
          let path = path.appending(index: elements.count)
          elements.append(try self.value(next, field.type, at: path, depth: depth))
        }
      } else {
        let path = path.appending(index: elements.count)
        elements.append(try self.value(value, field.type, at: path, depth: depth))
      }
    }
    return elements
  }

  private func packedValue(
    _ reader: inout ProtobufReader, _ wireType: ProtobufWriter.WireType, at path: FieldPath
  ) throws(ConversionError) -> Value {
    do {
      switch wireType {
      case .fixed32: return .fixed32(try reader.fixed32())
      case .fixed64: return .fixed64(try reader.fixed64())
      case .varint, .bytes: return .varint(try reader.varint())
      }
    } catch {
      throw path.error(error.text)
    }
  }

  private func map(
    _ values: [Value], _ entry: MessageType, at path: FieldPath, depth: Int
  ) throws(ConversionError) -> JSONValue {
    let (key, value) = (entry.fields[0], entry.fields[1])
    var members: [String: JSONValue] = [:]
    for encoded in values {
      guard case .bytes(let bytes) = encoded else { throw path.error("is not encoded as a map") }
      let content = try self.content(bytes, entry, at: path)
      let name: String
      switch try singular(key, content.values[1] ?? [], at: path, depth: depth) {
      case .string(let text): name = text
      case .number(let number): name = number.text
      case .bool(let value): name = value ? "true" : "false"
      case .null, .array, .object: throw path.error("has a key that is not a scalar")
      }
      let valuePath = path.appending(key: name)
      let node: JSONValue
      if case .message(let index) = value.type, content.values[2] == nil {
        node = try message([], schema.messages[index], at: valuePath, depth: depth + 1)
      } else if case .enumeration(let index) = value.type, content.values[2] == nil {
        node = enumeration(0, schema.enums[index])
      } else {
        node = try singular(value, content.values[2] ?? [], at: valuePath, depth: depth)
      }
      members[name] = node
    }
    let sorted = members.sorted { MapKey.isBefore($0.key, $1.key, key.type) }
    return .object(sorted.map { ($0.key, $0.value) })
  }

  private func value(
    _ value: Value, _ type: FieldType, at path: FieldPath, depth: Int
  ) throws(ConversionError) -> JSONValue {
    switch (type, value) {
    case (.message(let index), .bytes(let bytes)):
      return try message(bytes, schema.messages[index], at: path, depth: depth + 1)
    case (.enumeration(let index), .varint(let number)):
      return enumeration(Int32(truncatingIfNeeded: number), schema.enums[index])
    default:
      guard let node = ScalarDecoder.node(value, type) else {
        throw path.error("is not encoded as its type says")
      }
      return node
    }
  }

  private func enumeration(_ number: Int32, _ type: EnumType) -> JSONValue {
    type.name(of: number).map(JSONValue.string) ?? .integer(Int64(number))
  }

  private func isDefault(_ value: Value?, _ type: FieldType) -> Bool {
    switch value {
    case .varint(let value):
      switch type {
      case .int32, .uint32, .sint32, .enumeration: UInt32(truncatingIfNeeded: value) == 0
      default: value == 0
      }
    case .fixed32(let value): value == 0
    case .fixed64(let value): value == 0
    case .bytes(let bytes): bytes.isEmpty
    case nil: true
    }
  }
}

/// Single numbers, booleans, texts and bytes.
enum ScalarDecoder {
  static func node(_ value: ProtobufReader.Value, _ type: FieldType) -> JSONValue? {
    switch (type, value) {
    case (.int32, .varint(let bits)): .integer(Int64(Int32(truncatingIfNeeded: bits)))
    case (.uint32, .varint(let bits)): .integer(Int64(UInt32(truncatingIfNeeded: bits)))
    case (.sint32, .varint(let bits)):
      .integer(Int64(Int32(truncatingIfNeeded: zigzag(bits & 0xffff_ffff))))
    case (.int64, .varint(let bits)): .string("\(Int64(bitPattern: bits))")
    case (.uint64, .varint(let bits)): .string("\(bits)")
    case (.sint64, .varint(let bits)): .string("\(zigzag(bits))")
    case (.fixed32, .fixed32(let bits)): .integer(Int64(bits))
    case (.sfixed32, .fixed32(let bits)): .integer(Int64(Int32(bitPattern: bits)))
    case (.fixed64, .fixed64(let bits)): .string("\(bits)")
    case (.sfixed64, .fixed64(let bits)): .string("\(Int64(bitPattern: bits))")
    case (.float, .fixed32(let bits)): Numbers.node(Float(bitPattern: bits))
    case (.double, .fixed64(let bits)): Numbers.node(Double(bitPattern: bits))
    case (.bool, .varint(let bits)): .bool(bits != 0)
    case (.string, .bytes(let bytes)):
      String(validating: bytes, as: UTF8.self).map(JSONValue.string)
    case (.bytes, .bytes(let bytes)): .string(Base64.encode(bytes))
    default: nil
    }
  }

  /// The default of a map's key or value and of a wrapper's.
  static func defaultNode(_ type: FieldType) -> JSONValue {
    switch type {
    case .bool: .bool(false)
    case .string, .bytes: .string("")
    case .int64, .uint64, .sint64, .fixed64, .sfixed64: .string("0")
    case .double, .float: .number(0.0)
    default: .integer(0)
    }
  }

  private static func zigzag(_ bits: UInt64) -> Int64 {
    Int64(bitPattern: bits >> 1) ^ -Int64(bitPattern: bits & 1)
  }
}
