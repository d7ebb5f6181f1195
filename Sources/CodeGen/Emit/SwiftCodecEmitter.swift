/// Emits how the Swift structs are read from and written to the structs of protobuf-c.
struct SwiftCodecEmitter {
  var out: SourceWriter

  mutating func emit(_ message: MessageModel) {
    let type = SwiftNames.type(message.name)
    let raw = CNames.type(message.name)
    let isEmpty = message.fields.isEmpty
    out.line()
    out.block("extension \(type): CodedMessage") { out in
      out.block("static func initialize(_ raw: UnsafeMutablePointer<\(raw)>)") {
        $0.line("\(CNames.initializer(message.name))(raw)")
      }
      out.line()
      out.block("init(reading raw: UnsafePointer<\(raw)>)") { out in
        if isEmpty { out.line("self.init()") }
        for field in message.plainFields { Self.read(field, &out) }
        for oneof in message.oneofs { Self.read(oneof, &out) }
      }
      out.line()
      out.line("func write(")
      out.indented { $0.line("to raw: UnsafeMutablePointer<\(raw)>, _ arena: EncodingArena") }
      let head = ")"
      if isEmpty {
        out.line(head + " {}")
      } else {
        out.block(head) { out in
          for field in message.plainFields { Self.write(field, &out) }
          for oneof in message.oneofs { Self.write(oneof, &out) }
        }
      }
    }
    for nested in message.messages { emit(nested) }
  }

  // MARK: Reading

  private static func read(_ field: FieldModel, _ out: inout SourceWriter) {
    let property = SwiftNames.property(field.name)
    let source = "raw.pointee." + SwiftNames.member(CNames.field(field.name))
    let count = "raw.pointee." + CNames.count(field.name)
    switch field.shape {
    case .single(.message):
      out.assignment("self.\(property)", "Codec.message(\(source))")
    case .single(let type):
      out.assignment("self.\(property)", SwiftTypes.read(type, source))
    case .list(let type):
      out.assignment("self.\(property)", SwiftTypes.readList(type, count: count, source))
    case .map(let key, let value, _):
      out.line("self.\(property) = Codec.dictionary(\(count), \(source)) { entry in")
      out.indented {
        let keyText = SwiftTypes.read(key, "entry.pointee.key")
        let valueText = SwiftTypes.read(value, "entry.pointee.value")
        $0.line("(\(keyText), \(valueText))")
      }
      out.line("}")
    }
  }

  private static func read(_ oneof: OneofModel, _ out: inout SourceWriter) {
    let selector = "raw.pointee.\(CNames.oneofCase(oneof.name)).rawValue"
    let cases = oneof.fields.compactMap { field -> (field: FieldModel, value: String)? in
      guard case .single(let type) = field.shape else { return nil }
      let source = "raw.pointee." + SwiftNames.member(CNames.field(field.name))
      return (field, SwiftTypes.read(type, source))
    }
    if oneof.isPresence, let only = cases.first {
      let property = SwiftNames.property(only.field.name)
      out.assignment(
        "self.\(property)", "\(selector) == \(only.field.number) ? \(only.value) : nil")
      return
    }
    out.line("self.\(SwiftNames.property(oneof.name)) =")
    out.indented { out in
      out.switchBlock(selector) { out in
        for (field, value) in cases {
          let name = SwiftNames.plain(SwiftNames.property(field.name))
          out.line("case \(field.number): .\(name)(\(value))")
        }
        out.line("default: nil")
      }
    }
  }

  // MARK: Writing

  private static func write(_ field: FieldModel, _ out: inout SourceWriter) {
    let property = SwiftNames.property(field.name)
    let target = "raw.pointee." + SwiftNames.member(CNames.field(field.name))
    let count = "raw.pointee." + CNames.count(field.name)
    switch field.shape {
    case .single(.message):
      out.block("if let value = self.\(property)") {
        $0.line("\(target) = arena.message(value)")
      }
    case .single(.string):
      // An empty text keeps the pointer to protobuf-c's own empty string.
      out.block("if !self.\(property).isEmpty") {
        $0.line("\(target) = arena.string(self.\(property))")
      }
    case .single(let type):
      out.assignment(target, SwiftTypes.write(type, "self." + property))
    case .list(let type):
      out.line("\(count) = self.\(property).count")
      out.assignment(target, SwiftTypes.writeList(type, "self." + property))
    case .map(let key, let value, let entry):
      out.line("\(count) = self.\(property).count")
      let order = key == .bool ? "!$0.key && $1.key" : "$0.key < $1.key"
      out.line("\(target) = arena.list(self.\(property).sorted { \(order) }) { pair in")
      out.indented { out in
        let initializer = CNames.initializer(entry)
        out.line("arena.entry(\(CNames.type(entry)).self, \(initializer)) { entry in")
        out.indented {
          $0.line("entry.pointee.key = \(SwiftTypes.write(key, "pair.key"))")
          $0.line("entry.pointee.value = \(SwiftTypes.write(value, "pair.value"))")
        }
        out.line("}")
      }
      out.line("}")
    }
  }

  private static func write(_ oneof: OneofModel, _ out: inout SourceWriter) {
    let selector = "raw.pointee.\(CNames.oneofCase(oneof.name))"
    func assign(_ field: FieldModel, _ out: inout SourceWriter) {
      guard case .single(let type) = field.shape else { return }
      let target = "raw.pointee." + SwiftNames.member(CNames.field(field.name))
      out.line("\(selector) = .init(rawValue: \(field.number))")
      out.line("\(target) = \(SwiftTypes.write(type, "value"))")
    }
    if oneof.isPresence, let field = oneof.fields.first {
      out.block("if let value = self.\(SwiftNames.property(field.name))") { assign(field, &$0) }
      return
    }
    out.switchBlock("self.\(SwiftNames.property(oneof.name))") { out in
      for field in oneof.fields {
        let name = SwiftNames.plain(SwiftNames.property(field.name))
        out.line("case .\(name)(let value)?:")
        out.indented { assign(field, &$0) }
      }
      out.line("case nil: break")
    }
  }
}
