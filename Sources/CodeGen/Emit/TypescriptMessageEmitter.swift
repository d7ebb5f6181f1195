/// Emits the messages and enums of a file as TypeScript types, each with its codec.
struct TypescriptMessageEmitter {
  let file: FileModel
  let options: Options.Client

  func emit() -> String {
    var out = SourceWriter()
    out.line("// " + banner(for: file.path))
    out.typescriptDocumentation(file.comment)
    let runtime = TypescriptNames.path(to: options.runtime, from: file.path)
    let messages = file.messages.flatMap { Self.all($0) }
    let enums = file.enums + messages.flatMap(\.enums)
    if messages.isEmpty {
      out.line("import type * as w from \"\(runtime)/codec/wire.js\";")
    } else {
      out.line("import * as w from \"\(runtime)/codec/wire.js\";")
    }
    let named = messages.flatMap(\.fields).compactMap(\.named)
    out.typescriptImports(named, of: file, isOwnNeeded: false)
    for type in enums { emit(type, &out) }
    for message in messages {
      emitType(message, &out)
      TypescriptCodecEmitter(message: message, types: types).emit(&out)
    }
    return out.text
  }

  private var types: TypescriptTypes { TypescriptTypes(usesBigIntegers: options.usesBigIntegers) }

  private static func all(_ message: MessageModel) -> [MessageModel] {
    [message] + message.messages.flatMap { all($0) }
  }

  private func emit(_ type: EnumModel, _ out: inout SourceWriter) {
    let name = TypescriptNames.type(type.name)
    out.line()
    out.typescriptDocumentation(type.comment, isDeprecated: type.isDeprecated)
    out.line("export const \(name) = {")
    out.indented { out in
      for value in type.values {
        out.typescriptDocumentation(value.comment, isDeprecated: value.isDeprecated)
        out.line("\(TypescriptNames.enumValue(value.name, of: type.name)): \(value.number),")
      }
    }
    out.line("} as const;")
    out.line("export type \(name) = w.Open<(typeof \(name))[keyof typeof \(name)]>;")
  }

  private func emitType(_ message: MessageModel, _ out: inout SourceWriter) {
    let name = TypescriptNames.type(message.name)
    out.line()
    out.typescriptDocumentation(message.comment, isDeprecated: message.isDeprecated)
    guard !message.fields.isEmpty else {
      return out.line("export type \(name) = Record<never, never>;")
    }
    out.block("export interface \(name)") { out in
      for field in message.plainFields {
        out.typescriptDocumentation(field.comment, isDeprecated: field.isDeprecated)
        let property = TypescriptNames.property(field.name)
        out.line("\(property)\(field.isOptional ? "?" : ""): \(types.type(field.shape));")
      }
      for oneof in message.oneofs { emit(oneof, &out) }
    }
  }

  private func emit(_ oneof: OneofModel, _ out: inout SourceWriter) {
    if oneof.isPresence, let field = oneof.fields.first {
      out.typescriptDocumentation(field.comment, isDeprecated: field.isDeprecated)
      return out.line("\(TypescriptNames.property(field.name))?: \(types.type(field.shape));")
    }
    out.typescriptDocumentation(oneof.comment)
    out.line("\(TypescriptNames.property(oneof.name))?:")
    out.indented { out in
      for (index, field) in oneof.fields.enumerated() {
        out.typescriptDocumentation(field.comment, isDeprecated: field.isDeprecated)
        let property = TypescriptNames.property(field.name)
        let end = index == oneof.fields.count - 1 ? ";" : ""
        out.line("| w.OneOf<\"\(property)\", \(types.type(field.shape))>\(end)")
      }
    }
  }
}

/// Types of fields in TypeScript.
struct TypescriptTypes {
  let usesBigIntegers: Bool

  func type(_ shape: FieldShape) -> String {
    switch shape {
    case .single(let value): type(value)
    case .list(let value): type(value) + "[]"
    case .map(let key, let value, _): "Map<\(type(key)), \(type(value))>"
    }
  }

  func type(_ value: ValueType) -> String {
    switch value {
    case .int32, .uint32, .float, .double: "number"
    case .int64, .uint64: usesBigIntegers ? "bigint" : "number"
    case .bool: "boolean"
    case .string: "string"
    case .bytes: "Uint8Array"
    case .enumeration(let name), .message(let name): TypescriptNames.type(name)
    }
  }

  /// The value of a field that is not on the wire; nil for messages, which are not there.
  func zero(_ value: ValueType) -> String? {
    switch value {
    case .int32, .uint32, .float, .double, .enumeration: "0"
    case .int64, .uint64: usesBigIntegers ? "0n" : "0"
    case .bool: "false"
    case .string: "\"\""
    case .bytes: "w.noBytes"
    case .message: nil
    }
  }

  /// The reader's and the writer's method for a value; nil for messages.
  func coder(_ value: ValueType, _ coding: FieldCoding.Integer) -> String? {
    let prefix: (String) -> String = { unsigned in
      switch coding {
      case .varint: unsigned
      case .zigzag: "s" + unsigned.drop { $0 == "u" }
      case .fixed: (unsigned.hasPrefix("u") ? "fixed" : "sfixed") + unsigned.suffix(2)
      }
    }
    let big = usesBigIntegers ? "Big" : ""
    switch value {
    case .int32: return prefix("int32")
    case .uint32: return prefix("uint32")
    case .int64: return prefix("int64") + big
    case .uint64: return prefix("uint64") + big
    case .float: return "float"
    case .double: return "double"
    case .bool: return "bool"
    case .string: return "string"
    case .bytes: return "bytes"
    case .enumeration: return "int32"
    case .message: return nil
    }
  }

  /// The wire type of one value.
  func wireType(_ value: ValueType, _ coding: FieldCoding.Integer) -> Int {
    switch value {
    case .string, .bytes, .message: 2
    case .float: 5
    case .double: 1
    case .int32, .uint32: coding == .fixed ? 5 : 0
    case .int64, .uint64: coding == .fixed ? 1 : 0
    case .bool, .enumeration: 0
    }
  }
}

extension FieldModel {
  /// Whether it is left out of a message that does not have it.
  var isOptional: Bool {
    if case .single(.message) = shape { return true }
    return false
  }

  /// The message or enum of its values.
  fileprivate var named: ProtoName? {
    switch shape {
    case .single(.message(let name)), .list(.message(let name)), .map(_, .message(let name), _),
      .single(.enumeration(let name)), .list(.enumeration(let name)),
      .map(_, .enumeration(let name), _):
      name
    default: nil
    }
  }
}
