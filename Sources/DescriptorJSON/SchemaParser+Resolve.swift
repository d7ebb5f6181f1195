extension SchemaParser {
  mutating func resolve() throws {
    for item in unresolved {
      var field = item.field
      let owner = schema.messages[item.message].name
      field.type = try type(item.protoType, item.typeName, of: "\(owner).\(field.name)")
      schema.messages[item.message].fields.append(field)
    }
    for index in schema.messages.indices { schema.messages[index].index() }
    for index in schema.messages.indices { try resolveMaps(in: index) }
    for item in unresolvedMethods {
      var method = item.method
      method.input = try message(item.input, of: method.path)
      method.output = try message(item.output, of: method.path)
      schema.methods.append(method)
    }
    schema.methods.sort { $0.path < $1.path }
  }

  private mutating func resolveMaps(in message: Int) throws {
    for index in schema.messages[message].fields.indices {
      let field = schema.messages[message].fields[index]
      guard case .message(let type) = field.type, schema.messages[type].isMapEntry else { continue }
      let entry = schema.messages[type]
      guard field.isRepeated, entry.fields.count == 2, entry.fields[0].number == 1,
        entry.fields[1].number == 2, entry.fields[0].isMapKey
      else { throw SchemaError(description: "\(entry.name) is not a map entry") }
      schema.messages[message].fields[index].isMap = true
    }
  }

  private func message(_ name: String, of user: String) throws -> Int {
    guard let index = schema.messageIndexByName[Self.absolute(name)] else {
      throw SchemaError(description: "\(user) refers to the unknown type \(name)")
    }
    return index
  }

  private static func absolute(_ name: String) -> String {
    name.hasPrefix(".") ? String(name.dropFirst()) : name
  }

  private func type(
    _ protoType: UInt64, _ name: String, of user: String
  ) throws -> FieldType {
    switch protoType {
    case 1: return .double
    case 2: return .float
    case 3: return .int64
    case 4: return .uint64
    case 5: return .int32
    case 6: return .fixed64
    case 7: return .fixed32
    case 8: return .bool
    case 9: return .string
    case 11: return .message(try message(name, of: user))
    case 12: return .bytes
    case 13: return .uint32
    case 14:
      guard let index = schema.enumIndexByName[Self.absolute(name)] else {
        throw SchemaError(description: "\(user) refers to the unknown enum \(name)")
      }
      return .enumeration(index)
    case 15: return .sfixed32
    case 16: return .sfixed64
    case 17: return .sint32
    case 18: return .sint64
    default: throw SchemaError(description: "\(user) is of a type that proto3 does not have")
    }
  }
}

extension MessageType {
  /// Sorts the fields and makes them known by number and name. Where two fields share a name, the
  /// first keeps it.
  fileprivate mutating func index() {
    fields.sort { $0.number < $1.number }
    for (index, field) in fields.enumerated() {
      if fieldIndexByNumber[field.number] == nil { fieldIndexByNumber[field.number] = index }
      if fieldIndexByName[field.jsonName] == nil { fieldIndexByName[field.jsonName] = index }
    }
    for (index, field) in fields.enumerated() where fieldIndexByName[field.name] == nil {
      fieldIndexByName[field.name] = index
    }
  }
}

extension Field {
  fileprivate var isMapKey: Bool {
    switch type {
    case .double, .float, .bytes, .message, .enumeration: false
    default: !isRepeated
    }
  }
}
