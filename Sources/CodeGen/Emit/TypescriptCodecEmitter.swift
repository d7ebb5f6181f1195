/// Emits the codec of one message: straight code over the runtime's reader and writer.
struct TypescriptCodecEmitter {
  let message: MessageModel
  let types: TypescriptTypes

  func emit(_ out: inout SourceWriter) {
    let name = TypescriptNames.type(message.name)
    let call = "w.messageType<\(name)>(\"\(message.name.full)\", {"
    out.line("export const \(name): w.MessageType<\(name)> = \(call)")
    out.indented { out in
      emitMake(&out)
      let isEmpty = message.fields.isEmpty
      out.line("write(\(isEmpty ? "" : "m, o")) {\(isEmpty ? "}," : "")")
      if !isEmpty {
        out.indented { out in
          // In the order of their numbers, as every protobuf library writes them.
          let parts =
            message.plainFields.map { ($0.number, Part.field($0)) }
            + message.oneofs.map { ($0.fields.map(\.number).min() ?? 0, Part.oneof($0)) }
          for (_, part) in parts.sorted(by: { $0.0 < $1.0 }) {
            switch part {
            case .field(let field): write(field, &out)
            case .oneof(let oneof): write(oneof, &out)
            }
          }
        }
        out.line("},")
      }
      out.block("read(m, r)") { out in
        out.block("for (let t = r.tag(); t !== 0; t = r.tag())") { out in
          out.block("switch (t)") { out in
            for field in message.plainFields { read(field, &out) }
            for oneof in message.oneofs { read(oneof, &out) }
            out.line("default: r.unknown(m, t);")
          }
        }
      }
    }
    out.line("});")
  }

  /// A message of which nothing is on the wire.
  private func emitMake(_ out: inout SourceWriter) {
    let members = message.plainFields.compactMap { field -> String? in
      let name = TypescriptNames.property(field.name)
      switch field.shape {
      case .single(let value): return types.zero(value).map { "\(name): \($0)," }
      case .list: return "\(name): [],"
      case .map: return "\(name): new Map(),"
      }
    }
    guard !members.isEmpty else { return out.line("make: () => ({}),") }
    out.line("make: () => ({")
    out.indented { $0.filled(members, separator: " ", width: 96) }
    out.line("}),")
  }

  // MARK: Writing

  private enum Part {
    case field(FieldModel)
    case oneof(OneofModel)
  }

  private func write(_ field: FieldModel, _ out: inout SourceWriter) {
    let property = "m." + TypescriptNames.property(field.name)
    switch field.shape {
    case .single(let value):
      let condition =
        switch value {
        case .float, .double: "w.isNotZero(\(property))"
        case .bytes: "\(property)?.length"
        case .message: "\(property) !== undefined"
        default: property
        }
      out.line("if (\(condition)) \(put(value, field, property));")
    case .list(let value) where field.coding.isPacked:
      out.block("if (\(property)?.length)") {
        $0.line("const at = o.begin(\(tag(field, wireType: 2)));")
        let coder = types.coder(value, field.coding.value) ?? ""
        $0.line("for (const v of \(property)) o.\(coder)(v);")
        $0.line("o.end(at);")
      }
    case .list(let value):
      out.line("if (\(property)) for (const v of \(property)) \(put(value, field, "v"));")
    case .map(let key, let value, _):
      out.block("if (\(property)) for (const [k, v] of \(property))") {
        $0.line("const at = o.begin(\(tag(field, wireType: 2)));")
        $0.line(put(key, 1, field.coding.key, "k") + ";")
        $0.line(put(value, 2, field.coding.value, "v") + ";")
        $0.line("o.end(at);")
      }
    }
  }

  private func write(_ oneof: OneofModel, _ out: inout SourceWriter) {
    if oneof.isPresence, let field = oneof.fields.first, case .single(let value) = field.shape {
      let property = "m." + TypescriptNames.property(field.name)
      return out.line("if (\(property) !== undefined) \(put(value, field, property));")
    }
    let property = "m." + TypescriptNames.property(oneof.name)
    out.block("switch (\(property)?.case)") { out in
      for field in oneof.fields {
        guard case .single(let value) = field.shape else { continue }
        out.line("case \"\(TypescriptNames.property(field.name))\":")
        out.indented {
          $0.line(put(value, field, property + ".value") + ";")
          $0.line("break;")
        }
      }
    }
  }

  private func put(_ type: ValueType, _ field: FieldModel, _ value: String) -> String {
    put(type, Int(field.number), field.coding.value, value)
  }

  private func put(
    _ type: ValueType, _ number: Int, _ coding: FieldCoding.Integer, _ value: String
  ) -> String {
    let tagged = "o.tag(\(number << 3 | types.wireType(type, coding)))"
    if case .message(let name) = type {
      return "\(tagged).message(\(TypescriptNames.type(name)), \(value))"
    }
    return "\(tagged).\(types.coder(type, coding) ?? "")(\(value))"
  }

  // MARK: Reading

  private func read(_ field: FieldModel, _ out: inout SourceWriter) {
    let property = "m." + TypescriptNames.property(field.name)
    switch field.shape {
    case .single(let value):
      read(field, value, "\(property) = \(get(value, field.coding.value, property));", &out)
    case .list(let value):
      let wireType = types.wireType(value, field.coding.value)
      read(
        field, value, "\(property).push(\(get(value, field.coding.value, "undefined")));", &out)
      guard wireType != 2 else { return }
      let coder = types.coder(value, field.coding.value) ?? ""
      out.line("case \(tag(field, wireType: 2)):")
      out.indented {
        $0.line("for (const end = r.enter(); !r.isAtEnd(end);) \(property).push(r.\(coder)());")
        $0.line("break;")
      }
    case .map(let key, let value, _):
      readEntry(field, key, value, property, &out)
    }
  }

  private func read(
    _ field: FieldModel, _ value: ValueType, _ statement: String, _ out: inout SourceWriter
  ) {
    out.line("case \(tag(field, wireType: types.wireType(value, field.coding.value))):")
    out.indented {
      $0.line(statement)
      $0.line("break;")
    }
  }

  private func readEntry(
    _ field: FieldModel, _ key: ValueType, _ value: ValueType, _ property: String,
    _ out: inout SourceWriter
  ) {
    let zero = types.zero(value)
    out.block("case \(tag(field, wireType: 2)):") { out in
      out.line("const end = r.enter();")
      out.line("let k: \(types.type(key)) = \(types.zero(key) ?? "");")
      let type = types.type(value) + (zero == nil ? " | undefined" : "")
      out.line("let v: \(type) = \(zero ?? "undefined");")
      out.block("while (!r.isAtEnd(end))") {
        let coding = field.coding
        let keyTag = 8 | types.wireType(key, coding.key)
        let valueTag = 16 | types.wireType(value, coding.value)
        $0.line("const t = r.tag();")
        $0.line("if (t === \(keyTag)) k = \(get(key, coding.key, ""));")
        $0.line("else if (t === \(valueTag)) v = \(get(value, coding.value, "v"));")
        $0.line("else r.skip(t);")
      }
      if case .message(let name) = value {
        out.line("\(property).set(k, v ?? \(TypescriptNames.type(name)).create());")
      } else {
        out.line("\(property).set(k, v);")
      }
      out.line("break;")
    }
  }

  private func read(_ oneof: OneofModel, _ out: inout SourceWriter) {
    for field in oneof.fields {
      guard case .single(let value) = field.shape else { continue }
      if oneof.isPresence {
        read(field, &out)
        continue
      }
      let property = "m." + TypescriptNames.property(oneof.name)
      let name = TypescriptNames.property(field.name)
      let old = "\(property)?.case === \"\(name)\" ? \(property).value : undefined"
      let read = get(value, field.coding.value, old)
      self.read(field, value, "\(property) = { case: \"\(name)\", value: \(read) };", &out)
    }
  }

  /// `old` is what a message of the same field is merged into.
  private func get(_ type: ValueType, _ coding: FieldCoding.Integer, _ old: String) -> String {
    if case .message(let name) = type {
      return "r.message(\(TypescriptNames.type(name)), \(old))"
    }
    return "r.\(types.coder(type, coding) ?? "")()"
  }

  private func tag(_ field: FieldModel, wireType: Int) -> Int { Int(field.number) << 3 | wireType }
}
