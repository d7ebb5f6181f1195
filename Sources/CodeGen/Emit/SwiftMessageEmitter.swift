/// Emits the Swift value types of a file: structs, open enums, oneofs, with the contract's comments.
struct SwiftMessageEmitter {
  let options: Options.Swift
  private var out = SourceWriter()

  init(options: Options.Swift) {
    self.options = options
  }

  /// The file's text; nil when it declares no types.
  mutating func emit(_ file: FileModel) -> String? {
    guard !file.messages.isEmpty || !file.enums.isEmpty else { return nil }
    out = SourceWriter()
    out.line("// " + banner(for: file.path))
    out.line()
    if !file.messages.isEmpty { out.line("internal import \(options.cModule)") }
    out.lines(options.imports)
    if !file.messages.isEmpty { out.line(options.rpcImport) }
    for type in file.enums {
      out.line()
      emit(type)
    }
    for message in file.messages {
      out.line()
      emit(message)
    }
    emitSharedFields(file.messages)
    var codec = SwiftCodecEmitter(out: out)
    for message in file.messages { codec.emit(message) }
    return codec.out.text
  }

  /// The protocols of fields that many messages share, where their type is declared, and who conforms.
  private mutating func emitSharedFields(_ messages: [MessageModel]) {
    for field in SharedField.all where messages.contains(where: { $0.name.full == field.type }) {
      out.line()
      out.documentation([field.comment])
      out.block("\(options.packageAccess)protocol \(field.protocolName): WireMessage") { out in
        let type = field.type.split(separator: ".").last ?? ""
        out.line("var \(field.name): \(type)? { get set }")
      }
    }
    let conformances = messages.flatMap { message in
      SharedField.all.filter { message.has($0) }.map {
        "extension \(SwiftNames.type(message.name)): \($0.protocolName) {}"
      }
    }
    guard !conformances.isEmpty else { return }
    out.line()
    out.lines(conformances)
  }

  // MARK: Enums

  private mutating func emit(_ type: EnumModel) {
    let name = SwiftNames.declaration(type.name)
    let access = options.publicAccess
    out.documentation(type.comment, isDeprecated: type.isDeprecated)
    let head = "\(access)struct \(name): RawRepresentable, Hashable, Sendable, CaseIterable"
    out.block(head) { out in
      // Two names of one number are legal; the first is the name of the number.
      var known: [(name: String, proto: String)] = []
      var numbers: Set<Int32> = []
      for value in type.values {
        let constant = SwiftNames.enumCase(value.name, of: type.name)
        out.documentation(value.comment, isDeprecated: value.isDeprecated)
        out.line("\(access)static let \(constant) = \(name)(rawValue: \(value.number))")
        if numbers.insert(value.number).inserted { known.append((constant, value.name)) }
      }
      out.line()
      out.line("/// The number on the wire; also one that nobody has named yet is legal.")
      out.line("\(options.publicAccess)var rawValue: Int32")
      out.line()
      out.block("\(access)init(rawValue: Int32)") { $0.line("self.rawValue = rawValue") }
      out.line()
      out.line("/// The values that this version of the contract names.")
      out.line("\(options.publicAccess)static var allCases: [\(name)] {")
      out.indented { $0.array(known.map { "." + SwiftNames.plain($0.name) }) }
      out.line("}")
      out.line()
      out.line("/// The name in the contract; nil for a number that this version does not know.")
      out.block("\(options.publicAccess)var protoName: String?") { out in
        out.switchBlock("self") { out in
          for value in known {
            out.line("case .\(SwiftNames.plain(value.name)): \"\(value.proto)\"")
          }
          out.line("default: nil")
        }
      }
    }
  }

  // MARK: Messages

  private mutating func emit(_ message: MessageModel) {
    out.documentation(message.comment, isDeprecated: message.isDeprecated)
    let name = SwiftNames.declaration(message.name)
    out.line("\(options.publicAccess)struct \(name): WireMessage, Equatable {")
    var inner = SwiftMessageEmitter(options: options)
    swap(&inner.out, &out)
    inner.out.indent()
    inner.emitBody(message)
    inner.out.outdent()
    swap(&inner.out, &out)
    out.line("}")
  }

  private mutating func emitBody(_ message: MessageModel) {
    let properties = message.properties
    for property in properties {
      out.documentation(property.comment, isDeprecated: property.isDeprecated)
      out.line("\(options.publicAccess)var \(property.name): \(property.type)")
    }
    if !properties.isEmpty { out.line() }
    emitInitializer(properties)
    for oneof in message.oneofs where !oneof.isPresence {
      out.line()
      emit(oneof)
    }
    for type in message.enums {
      out.line()
      emit(type)
    }
    for nested in message.messages {
      out.line()
      emit(nested)
    }
    out.line()
    emitWireMessage(message)
  }

  private mutating func emitInitializer(_ properties: [SwiftProperty]) {
    guard !properties.isEmpty else {
      out.line("\(options.publicAccess)init() {}")
      return
    }
    out.line("\(options.publicAccess)init(")
    out.indented { out in
      out.filled(properties.map { "\($0.name): \($0.type) = \($0.defaultValue)" })
    }
    out.line(") {")
    out.indented { out in
      for property in properties { out.line("self.\(property.name) = \(property.name)") }
    }
    out.line("}")
  }

  private mutating func emit(_ oneof: OneofModel) {
    out.documentation(oneof.comment)
    let access = options.publicAccess
    out.block("\(access)enum \(SwiftNames.oneofType(oneof.name)): Equatable, Sendable") { out in
      for field in oneof.fields {
        out.documentation(field.comment, isDeprecated: field.isDeprecated)
        guard case .single(let type) = field.shape else { continue }
        out.line("case \(SwiftNames.property(field.name))(\(SwiftTypes.name(type)))")
      }
    }
  }

  private mutating func emitWireMessage(_ message: MessageModel) {
    let name = SwiftNames.declaration(message.name)
    let access = options.publicAccess
    out.line("\(access)static var fullName: String { \"\(message.name.full)\" }")
    out.line()
    out.line("\(options.publicAccess)static func decode(")
    out.indented { $0.line("_ bytes: UnsafeRawBufferPointer, limits: DecodeLimits") }
    out.block(") throws(DecodeError) -> \(name)") { $0.line("try Codec.decode(bytes, limits)") }
    out.line()
    out.line("\(options.publicAccess)var encodedByteCount: Int { Codec.encodedByteCount(self) }")
    out.line()
    out.block("\(access)func encode(into reserve: (Int) -> UnsafeMutableRawBufferPointer)") {
      $0.line("Codec.encode(self, into: reserve)")
    }
  }
}

/// A stored property of a generated struct: a field or a oneof.
struct SwiftProperty {
  var name: String
  var type: String
  var defaultValue: String
  var comment: [String]
  var isDeprecated = false
}

extension MessageModel {
  /// The properties in the order of the file; a oneof stands where its first member stands.
  var properties: [SwiftProperty] {
    fields.compactMap { field in
      guard let oneof = oneofs.first(where: { $0.name == field.oneof }) else {
        return SwiftProperty(
          name: SwiftNames.property(field.name), type: SwiftTypes.name(field.shape),
          defaultValue: SwiftTypes.defaultValue(field.shape), comment: field.comment,
          isDeprecated: field.isDeprecated)
      }
      guard oneof.fields.first?.number == field.number else { return nil }
      return oneof.property
    }
  }
}

/// A field that many messages have, so that one piece of code can serve them all.
private struct SharedField {
  var name: String
  /// Full name of the message type.
  var type: String
  var protocolName: String
  var comment: String

  static let all = [
    SharedField(
      name: "receipt", type: "hito.v1.WriteReceipt", protocolName: "WriteResponse",
      comment: "A message that names the write that it came of."),
    SharedField(
      name: "page", type: "hito.v1.PageRequest", protocolName: "PagedRequest",
      comment: "A request for a page of a list."),
  ]
}

extension MessageModel {
  fileprivate func has(_ shared: SharedField) -> Bool {
    plainFields.contains { field in
      guard case .single(.message(let type)) = field.shape else { return false }
      return field.name == shared.name && type.full == shared.type
    }
  }
}

extension OneofModel {
  /// A oneof with one member is an optional with the member's name.
  fileprivate var property: SwiftProperty {
    if isPresence, let field = fields.first, case .single(let type) = field.shape {
      return SwiftProperty(
        name: SwiftNames.property(field.name), type: SwiftTypes.name(type) + "?",
        defaultValue: "nil", comment: comment + field.comment, isDeprecated: field.isDeprecated)
    }
    return SwiftProperty(
      name: SwiftNames.property(name), type: SwiftNames.oneofType(name) + "?", defaultValue: "nil",
      comment: comment)
  }
}
