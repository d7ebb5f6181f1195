/// Emits the messages of a file as prost's own generator would, so that a build needs prost's derive macros
/// alone: structs, open enums, oneofs as enums, nested types in a module of their message's name.
///
/// One thing is better than there: a oneof with a single member is an `Option`.
struct RustMessageEmitter {
  /// The file's text; nil when it declares no types.
  func emit(_ file: FileModel) -> String? {
    guard !file.messages.isEmpty || !file.enums.isEmpty else { return nil }
    var out = SourceWriter(unit: "    ")
    out.line("// " + banner(for: file.path))
    for type in file.enums { emit(type, &out) }
    for message in file.messages { emit(message, depth: 1, &out) }
    return out.text
  }

  /// `depth`: of how many modules inside that of the package the message is.
  private func emit(_ message: MessageModel, depth: Int, _ out: inout SourceWriter) {
    out.line()
    out.rustDocumentation(message.comment, isDeprecated: message.isDeprecated)
    out.line("#[derive(Clone, PartialEq, ::prost::Message)]")
    out.block("pub struct \(message.name.simple)") { out in
      var written: Set<String> = []
      for field in message.fields {
        guard let oneof = message.choice(of: field) else {
          emit(field, of: message.name, depth: depth, isPresence: field.oneof != nil, &out)
          continue
        }
        guard written.insert(oneof.name).inserted else { continue }
        let tags = oneof.fields.map { String($0.number) }.joined(separator: ", ")
        let type =
          "\(RustNames.module(message.name.simple))::\(RustNames.upperCamel(oneof.name))"
        out.rustDocumentation(oneof.comment)
        out.line("#[prost(oneof = \"\(type)\", tags = \"\(tags)\")]")
        out.line(
          "pub \(RustNames.field(Names.snake(oneof.name))): ::core::option::Option<\(type)>,")
      }
    }
    emitNested(message, depth: depth + 1, &out)
  }

  private func emitNested(_ message: MessageModel, depth: Int, _ out: inout SourceWriter) {
    let choices = message.oneofs.filter { !$0.isPresence }
    guard !choices.isEmpty || !message.messages.isEmpty || !message.enums.isEmpty else { return }
    out.line()
    out.line("/// Types that belong to [`\(message.name.simple)`].")
    out.block("pub mod \(RustNames.module(message.name.simple))") { out in
      for oneof in choices { emit(oneof, of: message.name, depth: depth, &out) }
      for type in message.enums { emit(type, &out) }
      for nested in message.messages { emit(nested, depth: depth, &out) }
    }
  }

  private func emit(
    _ oneof: OneofModel, of message: ProtoName, depth: Int, _ out: inout SourceWriter
  ) {
    out.line()
    out.rustDocumentation(oneof.comment)
    out.line("#[derive(Clone, PartialEq, ::prost::Oneof)]")
    out.block("pub enum \(RustNames.upperCamel(oneof.name))") { out in
      for field in oneof.fields {
        guard case .single(let type) = field.shape else { continue }
        out.rustDocumentation(field.comment, isDeprecated: field.isDeprecated)
        let kind = RustNames.attribute(type, field.coding.value, from: message, depth: depth)
        out.line("#[prost(\(kind), tag = \"\(field.number)\")]")
        let rust = RustNames.type(type, from: message, depth: depth)
        out.line("\(RustNames.variant(RustNames.upperCamel(field.name)))(\(rust)),")
      }
    }
  }

  private func emit(
    _ field: FieldModel, of message: ProtoName, depth: Int, isPresence: Bool,
    _ out: inout SourceWriter
  ) {
    out.rustDocumentation(field.comment, isDeprecated: field.isDeprecated)
    var attributes: [String]
    let rust: String
    switch field.shape {
    case .single(let type):
      let isOptional = isPresence || type.isMessage
      attributes = [RustNames.attribute(type, field.coding.value, from: message, depth: depth)]
      if isOptional { attributes.append("optional") }
      let value = RustNames.type(type, from: message, depth: depth)
      rust = isOptional ? "::core::option::Option<\(value)>" : value
    case .list(let type):
      attributes = [RustNames.attribute(type, field.coding.value, from: message, depth: depth)]
      attributes.append("repeated")
      if type.isNumber, !field.coding.isPacked { attributes.append("packed = \"false\"") }
      rust = "::prost::alloc::vec::Vec<\(RustNames.type(type, from: message, depth: depth))>"
    case .map(let key, let value, _):
      let keyKind = RustNames.mapAttribute(key, field.coding.key, from: message, depth: depth)
      let valueKind = RustNames.mapAttribute(value, field.coding.value, from: message, depth: depth)
      // Sorted: the same message is always the same bytes.
      attributes = ["btree_map = \"\(keyKind), \(valueKind)\""]
      let keyType = RustNames.type(key, from: message, depth: depth)
      let valueType = RustNames.type(value, from: message, depth: depth)
      rust = "::prost::alloc::collections::BTreeMap<\(keyType), \(valueType)>"
    }
    attributes.append("tag = \"\(field.number)\"")
    out.line("#[prost(\(attributes.joined(separator: ", ")))]")
    out.line("pub \(RustNames.field(Names.snake(field.name))): \(rust),")
  }

  private func emit(_ type: EnumModel, _ out: inout SourceWriter) {
    // Two names of one number are legal; the first is the name of the number.
    var numbers: Set<Int32> = []
    let values = type.values.filter { numbers.insert($0.number).inserted }
    out.line()
    out.rustDocumentation(type.comment, isDeprecated: type.isDeprecated)
    out.line(
      "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ::prost::Enumeration)]")
    out.line("#[repr(i32)]")
    out.block("pub enum \(type.name.simple)") { out in
      for value in values {
        out.rustDocumentation(value.comment, isDeprecated: value.isDeprecated)
        out.line("\(RustNames.enumVariant(value.name, of: type.name)) = \(value.number),")
      }
    }
    out.line()
    out.block("impl \(type.name.simple)") { out in
      out.line("/// The name in the contract.")
      out.block("pub fn as_str_name(&self) -> &'static str") { out in
        out.block("match self") { out in
          for value in values {
            let variant = RustNames.enumVariant(value.name, of: type.name)
            out.line("Self::\(variant) => \"\(value.name)\",")
          }
        }
      }
    }
  }
}

/// Names and types in generated Rust.
enum RustNames {
  /// The type of a value; `depth` modules inside that of `place`'s package.
  static func type(_ type: ValueType, from place: ProtoName, depth: Int) -> String {
    switch type {
    case .int32, .enumeration: "i32"
    case .int64: "i64"
    case .uint32: "u32"
    case .uint64: "u64"
    case .float: "f32"
    case .double: "f64"
    case .bool: "bool"
    case .string: "::prost::alloc::string::String"
    case .bytes: "::prost::alloc::vec::Vec<u8>"
    case .message(let name): path(name, from: place, depth: depth)
    }
  }

  /// What prost's attribute says of a value.
  static func attribute(
    _ type: ValueType, _ coding: FieldCoding.Integer, from place: ProtoName, depth: Int
  ) -> String {
    switch type {
    case .bytes: "bytes = \"vec\""
    case .enumeration(let name): "enumeration = \"\(path(name, from: place, depth: depth))\""
    default: declared(type, coding)
    }
  }

  /// The type as the contract writes it, which says how an integer is encoded.
  private static func declared(_ type: ValueType, _ coding: FieldCoding.Integer) -> String {
    switch (type, coding) {
    case (.int32, .varint): "int32"
    case (.int32, .zigzag): "sint32"
    case (.int32, .fixed): "sfixed32"
    case (.int64, .varint): "int64"
    case (.int64, .zigzag): "sint64"
    case (.int64, .fixed): "sfixed64"
    case (.uint32, .fixed): "fixed32"
    case (.uint32, _): "uint32"
    case (.uint64, .fixed): "fixed64"
    case (.uint64, _): "uint64"
    case (.float, _): "float"
    case (.double, _): "double"
    case (.bool, _): "bool"
    case (.string, _): "string"
    case (.bytes, _): "bytes"
    case (.enumeration, _): "enumeration"
    case (.message, _): "message"
    }
  }

  static func mapAttribute(
    _ type: ValueType, _ coding: FieldCoding.Integer, from place: ProtoName, depth: Int
  ) -> String {
    guard case .enumeration(let name) = type else { return declared(type, coding) }
    return "enumeration(\(path(name, from: place, depth: depth)))"
  }

  static func path(_ name: ProtoName, from place: ProtoName, depth: Int) -> String {
    if name.packageName == "google.protobuf" {
      return name.simple == "Empty" ? "()" : "::prost_types::\(name.simple)"
    }
    let start =
      name.packageName == place.packageName
      ? Array(repeating: "super", count: depth)
      : ["crate", name.packageName.split(separator: ".").last.map(String.init) ?? ""]
    return (start + name.path.dropLast().map(module) + [name.simple]).joined(separator: "::")
  }

  static func module(_ type: String) -> String { field(Names.snake(type)) }

  /// `created_at` -> `CreatedAt`.
  static func upperCamel(_ name: String) -> String {
    let camel = Names.lowerCamel(name)
    return camel.prefix(1).uppercased() + camel.dropFirst()
  }

  static func field(_ name: String) -> String {
    if ["self", "super", "crate"].contains(name) { return name + "_" }
    return keywords.contains(name) ? "r#" + name : name
  }

  static func variant(_ name: String) -> String { name == "Self" ? "SelfValue" : name }

  /// `WORK_STATUS_IN_PROGRESS` of `WorkStatus` -> `InProgress`.
  static func enumVariant(_ value: String, of type: ProtoName) -> String {
    let prefix = Names.snake(type.simple).uppercased() + "_"
    var short = value.hasPrefix(prefix) ? String(value.dropFirst(prefix.count)) : value
    if short.isEmpty || short.first?.isNumber == true { short = value }
    return variant(upperCamel(short.lowercased()))
  }

  private static let keywords: Set<String> = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
  ]
}

extension ValueType {
  fileprivate var isMessage: Bool {
    if case .message = self { true } else { false }
  }

  fileprivate var isNumber: Bool {
    switch self {
    case .string, .bytes, .message: false
    default: true
    }
  }
}

extension MessageModel {
  /// The oneof of several members that a field is one of.
  fileprivate func choice(of field: FieldModel) -> OneofModel? {
    oneofs.first { $0.name == field.oneof && !$0.isPresence }
  }
}

extension SourceWriter {
  /// A rustdoc comment. An indented line would be an example, which rustdoc compiles.
  mutating func rustDocumentation(_ comment: [String], isDeprecated: Bool = false) {
    var lines = comment.map { line in
      let text = line.drop { $0 == " " }
      return line.count - text.count > 3 ? "  " + text : line
    }
    if isDeprecated { lines += (lines.isEmpty ? [] : [""]) + ["Deprecated in the contract."] }
    for line in lines { self.line(line.isEmpty ? "///" : "/// " + line) }
  }
}
