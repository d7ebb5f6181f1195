package import JSON

extension Schema {
  /// The protobuf encoding of a JSON object by the proto3 JSON mapping. Names are taken in
  /// lowerCamelCase or as in the proto; what the type does not have is an error.
  package func encode(
    _ json: JSONValue, as message: MessageType
  ) throws(ConversionError) -> [UInt8] {
    try MessageEncoder(schema: self).message(json, message, at: FieldPath(), depth: 0)
  }
}

/// JSON to protobuf. Deterministic: fields by number, map entries by key.
struct MessageEncoder {
  static let depthMax = 64

  let schema: Schema

  func message(
    _ json: JSONValue, _ type: MessageType, at path: FieldPath, depth: Int
  ) throws(ConversionError) -> [UInt8] {
    guard depth < Self.depthMax else { throw path.error("is nested too deeply") }
    if let bytes = try wellKnown(json, type, at: path) { return bytes }
    guard case .object(let members) = json else {
      throw path.error("should be an object (\(type.shortName)), not \(json.kind)")
    }
    var values: [Int: JSONValue] = [:]
    var memberOfOneof: [Int: String] = [:]
    for member in members {
      guard let index = type.fieldIndexByName[member.key] else {
        let names = type.fields.map(\.jsonName)
        throw path.appending(member.key).error(
          "\(type.shortName) has no such field"
            + NearNames.hint(for: member.key, among: names))
      }
      let field = type.fields[index]
      guard values[index] == nil else {
        throw path.appending(field.jsonName).error("is given twice, under both of its names")
      }
      values[index] = member.value
      guard let oneof = field.oneof, member.value != .null else { continue }
      if let other = memberOfOneof.updateValue(field.jsonName, forKey: oneof) {
        throw path.appending(field.jsonName).error("cannot be given together with \(other)")
      }
    }
    var writer = ProtobufWriter()
    for (index, field) in type.fields.enumerated() {
      // Null means the default, which is not sent.
      guard let value = values[index], value != .null else { continue }
      try self.field(
        value, field, at: path.appending(field.jsonName), depth: depth, to: &writer)
    }
    return writer.bytes
  }

  private func field(
    _ json: JSONValue, _ field: Field, at path: FieldPath, depth: Int,
    to writer: inout ProtobufWriter
  ) throws(ConversionError) {
    if field.isMap, case .message(let entry) = field.type {
      return try map(
        json, field, schema.messages[entry], at: path, depth: depth, to: &writer)
    }
    if field.isRepeated {
      return try list(json, field, at: path, depth: depth, to: &writer)
    }
    var content = ProtobufWriter()
    let isDefault = try value(json, field.type, at: path, depth: depth, to: &content)
    if isDefault, !field.hasPresence { return }
    writer.tag(field.number, field.type.wireType)
    if field.type.wireType == .bytes { writer.varint(UInt64(content.bytes.count)) }
    writer.raw(content.bytes)
  }

  private func list(
    _ json: JSONValue, _ field: Field, at path: FieldPath, depth: Int,
    to writer: inout ProtobufWriter
  ) throws(ConversionError) {
    guard case .array(let elements) = json else {
      throw path.error("should be an array, not \(json.kind)")
    }
    var packed = ProtobufWriter()
    let isPacked = field.type.isPackable && !field.isPackingDisabled
    for (index, element) in elements.enumerated() {
      let path = path.appending(index: index)
      guard element != .null else { throw path.error("null is not an element") }
      if isPacked {
        _ = try value(element, field.type, at: path, depth: depth, to: &packed)
      } else if field.type.isPackable {
        writer.tag(field.number, field.type.wireType)
        _ = try value(element, field.type, at: path, depth: depth, to: &writer)
      } else {
        var content = ProtobufWriter()
        _ = try value(element, field.type, at: path, depth: depth, to: &content)
        writer.field(field.number, content.bytes)
      }
    }
    if !packed.bytes.isEmpty { writer.field(field.number, packed.bytes) }
  }

  private func map(
    _ json: JSONValue, _ field: Field, _ entry: MessageType, at path: FieldPath, depth: Int,
    to writer: inout ProtobufWriter
  ) throws(ConversionError) {
    guard case .object(let members) = json else {
      throw path.error("should be an object, not \(json.kind)")
    }
    let (key, value) = (entry.fields[0], entry.fields[1])
    var keys: Set<[UInt8]> = []
    for member in members.sorted(by: { MapKey.isBefore($0.key, $1.key, key.type) }) {
      let path = path.appending(key: member.key)
      guard member.value != .null else { throw path.error("null is not a value") }
      var content = ProtobufWriter()
      content.tag(1, key.type.wireType)
      var keyContent = ProtobufWriter()
      try mapKey(member.key, key.type, at: path, to: &keyContent)
      guard keys.insert(keyContent.bytes).inserted else {
        throw path.error("this key is given twice")
      }
      if key.type.wireType == .bytes { content.varint(UInt64(keyContent.bytes.count)) }
      content.raw(keyContent.bytes)
      var valueContent = ProtobufWriter()
      _ = try self.value(member.value, value.type, at: path, depth: depth, to: &valueContent)
      content.tag(2, value.type.wireType)
      if value.type.wireType == .bytes { content.varint(UInt64(valueContent.bytes.count)) }
      content.raw(valueContent.bytes)
      writer.field(field.number, content.bytes)
    }
  }

  private func mapKey(
    _ text: String, _ type: FieldType, at path: FieldPath, to writer: inout ProtobufWriter
  ) throws(ConversionError) {
    var json = JSONValue.string(text)
    if type == .bool {
      guard text == "true" || text == "false" else {
        throw path.error("the key should be \"true\" or \"false\"")
      }
      json = .bool(text == "true")
    }
    _ = try value(json, type, at: path, depth: 0, to: &writer)
  }

  /// Writes one value without tag and length.
  ///
  /// - Returns: whether it is the type's default.
  private func value(
    _ json: JSONValue, _ type: FieldType, at path: FieldPath, depth: Int,
    to writer: inout ProtobufWriter
  ) throws(ConversionError) -> Bool {
    switch type {
    case .message(let index):
      writer.raw(try message(json, schema.messages[index], at: path, depth: depth + 1))
      return false
    case .enumeration(let index):
      let number = try enumeration(json, schema.enums[index], at: path)
      writer.varint(UInt64(bitPattern: Int64(number)))
      return number == 0
    default:
      return try ScalarEncoder(path: path).write(json, type, to: &writer)
    }
  }

  private func enumeration(
    _ json: JSONValue, _ type: EnumType, at path: FieldPath
  ) throws(ConversionError) -> Int32 {
    switch json {
    case .string(let name):
      if let value = type.values.first(where: { $0.name == name }) { return value.number }
      let names = type.values.map(\.name)
      throw path.error(
        "\(type.name.lastComponent) has no value \(JSONValue.string(name).shown())"
          + (NearNames.suggestions(for: name, among: names).isEmpty
            ? "; it has " + names.prefix(20).joined(separator: ", ")
            : NearNames.hint(for: name, among: names)))
    case .number(let number):
      guard let number = Numbers.integer(number.text, as: Int32.self) else {
        throw path.error("\(json.shown()) is not a number of an enum")
      }
      return number
    default:
      throw path.error("should be the name of a \(type.name.lastComponent), not \(json.kind)")
    }
  }
}

/// The order of a map's entries in output.
enum MapKey {
  static func isBefore(_ left: String, _ right: String, _ type: FieldType) -> Bool {
    if type == .string { return left.utf8.lexicographicallyPrecedes(right.utf8) }
    if let left = Int64(left), let right = Int64(right) { return left < right }
    if let left = UInt64(left), let right = UInt64(right) { return left < right }
    return left < right
  }
}
