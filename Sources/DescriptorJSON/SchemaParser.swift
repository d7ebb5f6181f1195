/// Turns the bytes of a FileDescriptorSet into a schema: one pass collects the types under their
/// full names, a second one resolves what fields and methods refer to.
struct SchemaParser {
  /// Nesting of message types within each other.
  private static let nestingMax = 32

  var schema = Schema()
  private(set) var unresolved: [UnresolvedField] = []
  private(set) var unresolvedMethods: [UnresolvedMethod] = []

  struct UnresolvedField {
    var message: Int
    var field: Field
    var protoType: UInt64
    var typeName: String
  }

  struct UnresolvedMethod {
    var method: Method
    var input: String
    var output: String
  }

  /// The file that is being read.
  private struct Scope {
    var package = ""
    var file = ""
    var comments = SourceComments()

    func name(_ name: String, in parent: String) -> String {
      let prefix = parent.isEmpty ? package : parent
      return prefix.isEmpty ? name : "\(prefix).\(name)"
    }
  }

  static func parse(_ bytes: [UInt8]) throws(SchemaError) -> Schema {
    guard bytes.count <= Schema.byteCountMax else {
      throw SchemaError(description: "the descriptor set is larger than 8 MiB")
    }
    var parser = SchemaParser()
    do {
      var reader = ProtobufReader(bytes[...])
      while let field = try reader.next() {
        if field.number == 1 { try parser.file(try field.bytes()) }
      }
      try parser.resolve()
    } catch let error as ProtobufError {
      throw SchemaError(description: "the descriptor set is not readable: \(error.text)")
    } catch let error as SchemaError {
      throw error
    } catch {
      throw SchemaError(description: "the descriptor set is not readable")
    }
    return parser.schema
  }

  private mutating func file(_ bytes: ArraySlice<UInt8>) throws {
    var scope = Scope()
    var messages: [ArraySlice<UInt8>] = []
    var enums: [ArraySlice<UInt8>] = []
    var services: [ArraySlice<UInt8>] = []
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1:
        let path = try field.text()
        scope.file = String(path.split(separator: "/").last?.prefix { $0 != "." } ?? "")
      case 2: scope.package = try field.text()
      case 4: messages.append(try field.bytes())
      case 5: enums.append(try field.bytes())
      case 6: services.append(try field.bytes())
      case 9: scope.comments = try SourceComments(try field.bytes())
      default: break
      }
    }
    for (index, bytes) in messages.enumerated() {
      try message(bytes, parent: "", path: [4, index], scope)
    }
    for (index, bytes) in enums.enumerated() {
      try enumeration(bytes, parent: "", path: [5, index], scope)
    }
    for (index, bytes) in services.enumerated() {
      try service(bytes, path: [6, index], scope)
    }
  }

  private mutating func message(
    _ bytes: ArraySlice<UInt8>, parent: String, path: [Int], _ scope: Scope
  ) throws {
    guard path.count <= Self.nestingMax else { throw ProtobufError.tooDeep }
    var type = MessageType(name: "")
    var fields: [ArraySlice<UInt8>] = []
    var nested: [ArraySlice<UInt8>] = []
    var enums: [ArraySlice<UInt8>] = []
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: type.name = scope.name(try field.text(), in: parent)
      case 2: fields.append(try field.bytes())
      case 3: nested.append(try field.bytes())
      case 4: enums.append(try field.bytes())
      case 7: type.isMapEntry = try Self.option(7, in: try field.bytes()) == 1
      case 8: type.oneofs.append(try Self.firstText(in: try field.bytes()))
      default: break
      }
    }
    type.comment = scope.comments[path]
    let index = try add(type)
    for (number, bytes) in fields.enumerated() {
      try self.field(bytes, of: index, comment: scope.comments[path + [2, number]])
    }
    for (number, bytes) in nested.enumerated() {
      try message(bytes, parent: type.name, path: path + [3, number], scope)
    }
    for (number, bytes) in enums.enumerated() {
      try enumeration(bytes, parent: type.name, path: path + [4, number], scope)
    }
  }

  private mutating func add(_ type: MessageType) throws -> Int {
    try checkName(type.name)
    schema.messageIndexByName[type.name] = schema.messages.count
    schema.messages.append(type)
    return schema.messages.count - 1
  }

  private func checkName(_ name: String) throws {
    guard !name.isEmpty, schema.messageIndexByName[name] == nil,
      schema.enumIndexByName[name] == nil
    else { throw SchemaError(description: "the type name \(name) is empty or taken") }
    guard schema.messages.count + schema.enums.count < Schema.typeCountMax else {
      throw SchemaError(description: "the descriptor set has too many types")
    }
  }

  private mutating func field(
    _ bytes: ArraySlice<UInt8>, of message: Int, comment: String
  ) throws {
    var field = Field(
      name: "", jsonName: "", number: 0, type: .bool, isRepeated: false, comment: comment)
    var protoType: UInt64 = 0
    var typeName = ""
    var reader = ProtobufReader(bytes)
    while let part = try reader.next() {
      switch part.number {
      case 1: field.name = try part.text()
      case 3: field.number = Int(truncatingIfNeeded: try part.unsigned())
      case 4: field.isRepeated = try part.unsigned() == 3
      case 5: protoType = try part.unsigned()
      case 6: typeName = try part.text()
      case 8: field.isPackingDisabled = try Self.option(2, in: try part.bytes()) == 0
      case 9: field.oneof = Int(truncatingIfNeeded: try part.unsigned())
      case 10: field.jsonName = try part.text()
      case 17: field.isSyntheticOneof = try part.unsigned() == 1
      default: break
      }
    }
    guard !field.name.isEmpty, (1..<1 << 29).contains(field.number) else {
      throw SchemaError(
        description: "\(schema.messages[message].name) has a field without name or number")
    }
    if let oneof = field.oneof, !schema.messages[message].oneofs.indices.contains(oneof) {
      throw SchemaError(
        description: "\(schema.messages[message].name).\(field.name) is of an unknown oneof")
    }
    if field.jsonName.isEmpty { field.jsonName = FieldNames.camelCase(field.name) }
    unresolved.append(
      UnresolvedField(message: message, field: field, protoType: protoType, typeName: typeName))
  }

  private mutating func enumeration(
    _ bytes: ArraySlice<UInt8>, parent: String, path: [Int], _ scope: Scope
  ) throws {
    var type = EnumType(name: "", comment: scope.comments[path])
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      switch field.number {
      case 1: type.name = scope.name(try field.text(), in: parent)
      case 2:
        var value = EnumType.Value(
          name: "", number: 0, comment: scope.comments[path + [2, type.values.count]])
        var inner = ProtobufReader(try field.bytes())
        while let part = try inner.next() {
          if part.number == 1 { value.name = try part.text() }
          if part.number == 2 { value.number = Int32(truncatingIfNeeded: try part.unsigned()) }
        }
        type.values.append(value)
      default: break
      }
    }
    try checkName(type.name)
    schema.enumIndexByName[type.name] = schema.enums.count
    schema.enums.append(type)
  }

  private mutating func service(
    _ bytes: ArraySlice<UInt8>, path: [Int], _ scope: Scope
  ) throws {
    var name = ""
    var methods: [ArraySlice<UInt8>] = []
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == 1 { name = scope.name(try field.text(), in: "") }
      if field.number == 2 { methods.append(try field.bytes()) }
    }
    for (index, bytes) in methods.enumerated() {
      var found = UnresolvedMethod(
        method: Method(
          service: name, name: "", input: 0, output: 0, isClientStreaming: false,
          isServerStreaming: false, isReadOnly: false,
          comment: scope.comments[path + [2, index]], file: scope.file),
        input: "", output: "")
      var reader = ProtobufReader(bytes)
      while let part = try reader.next() {
        switch part.number {
        case 1: found.method.name = try part.text()
        case 2: found.input = try part.text()
        case 3: found.output = try part.text()
        case 4: found.method.isReadOnly = try Self.option(34, in: try part.bytes()) == 1
        case 5: found.method.isClientStreaming = try part.unsigned() == 1
        case 6: found.method.isServerStreaming = try part.unsigned() == 1
        default: break
        }
      }
      unresolvedMethods.append(found)
    }
  }

  private static func option(_ number: Int, in bytes: ArraySlice<UInt8>) throws -> UInt64? {
    var result: UInt64?
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == number { result = try field.unsigned() }
    }
    return result
  }

  private static func firstText(in bytes: ArraySlice<UInt8>) throws -> String {
    var reader = ProtobufReader(bytes)
    while let field = try reader.next() {
      if field.number == 1 { return try field.text() }
    }
    return ""
  }
}

extension Schema {
  /// - Parameter descriptorSet: the bytes of a google.protobuf.FileDescriptorSet that includes
  ///   the files imported; with source info, descriptions have the comments.
  package init(descriptorSet: [UInt8]) throws(SchemaError) {
    self = try SchemaParser.parse(descriptorSet)
  }
}
