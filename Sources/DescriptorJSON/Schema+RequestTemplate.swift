extension Schema {
  /// What a person needs to call a method: what it does, and its request as JSON with comments,
  /// which `hito call` takes as it is.
  package func description(of method: Method) -> String {
    let input = messages[method.input]
    let output = messages[method.output]
    let client = method.isClientStreaming ? "stream of " : ""
    let server = method.isServerStreaming ? "stream of " : ""
    var text = "// \(method.path)\n"
    text += TemplateWriter.comment(method.comment, indent: "")
    text += "//\n// \(client)\(input.name) -> \(server)\(output.name)"
    text += method.isReadOnly ? ", reads only\n" : "\n"
    text += TemplateWriter.comment(input.comment, indent: "")
    text += requestTemplate(of: input) + "\n"
    text += "// Answer\(method.isServerStreaming ? "s, one a line" : ""): \(output.name)\n"
    text += TemplateWriter.comment(requestTemplate(of: output), indent: "")
    return text
  }

  /// A message as JSON with every field at its default and its comment above it. Of a oneof, the
  /// first member is written and the others are commented out.
  package func requestTemplate(of message: MessageType) -> String {
    var writer = TemplateWriter(schema: self)
    writer.message(message, indent: "", ancestors: [])
    return writer.text
  }
}

/// Writes JSON with comments.
struct TemplateWriter {
  /// A contract that nests deeper than this is shown as `{}` from there on.
  private static let depthMax = 6
  /// A hostile contract can grow with each level; a person reads far less.
  private static let byteCountMax = 256 << 10

  let schema: Schema
  private(set) var text = ""

  init(schema: Schema) {
    self.schema = schema
  }

  mutating func message(_ type: MessageType, indent: String, ancestors: [String]) {
    if let node = Self.wellKnownExample(type) {
      text += node
      return
    }
    let isTooDeep = ancestors.count >= Self.depthMax || ancestors.contains(type.name)
    guard !type.fields.isEmpty, !isTooDeep, text.utf8.count < Self.byteCountMax else {
      text += "{}"
      return
    }
    text += "{\n"
    let inner = indent + "  "
    let shown = type.fields.filter { !isLaterMember($0, of: type) }
    for (index, field) in shown.enumerated() {
      text += Self.comment(field.comment, indent: inner)
      text += Self.comment(note(field), indent: inner)
      text += alternatives(to: field, in: type, indent: inner)
      text += "\(inner)\"\(field.jsonName)\": "
      value(of: field, indent: inner, ancestors: ancestors + [type.name])
      text += index + 1 < shown.count ? ",\n" : "\n"
    }
    text += indent + "}"
  }

  private func isLaterMember(_ field: Field, of type: MessageType) -> Bool {
    guard let oneof = field.oneof else { return false }
    return type.fields.first { $0.oneof == oneof }?.number != field.number
  }

  private func alternatives(to field: Field, in type: MessageType, indent: String) -> String {
    guard let oneof = field.oneof else { return "" }
    let others = type.fields.filter { $0.oneof == oneof && $0.number != field.number }
    guard !others.isEmpty else { return "" }
    let list = others.map { other in
      var writer = TemplateWriter(schema: schema)
      writer.value(of: other, indent: "", ancestors: Array(repeating: "", count: Self.depthMax))
      let words = other.comment.split(separator: "\n").joined(separator: " ")
      return "\(indent)//   \"\(other.jsonName)\": \(writer.text)  \(words)\n"
    }
    return "\(indent)// Instead of it, one of:\n" + list.joined()
  }

  private mutating func value(of field: Field, indent: String, ancestors: [String]) {
    if field.isMap {
      text += "{}"
    } else if field.isRepeated {
      guard case .message(let index) = field.type else {
        text += "[]"
        return
      }
      text += "["
      message(schema.messages[index], indent: indent, ancestors: ancestors)
      text += "]"
    } else {
      single(field.type, indent: indent, ancestors: ancestors)
    }
  }

  private mutating func single(_ type: FieldType, indent: String, ancestors: [String]) {
    switch type {
    case .message(let index):
      message(schema.messages[index], indent: indent, ancestors: ancestors)
    case .enumeration(let index):
      text += "\"\(schema.enums[index].values.first?.name ?? "")\""
    default: text += ScalarDecoder.defaultNode(type).shown()
    }
  }

  /// What the type itself says that the comment does not.
  private func note(_ field: Field) -> String {
    switch field.type {
    case .enumeration(let index):
      "One of: " + schema.enums[index].values.map(\.name).joined(separator: ", ")
    case .bytes: "Base64."
    case .message(let index) where field.isMap: mapNote(schema.messages[index])
    default: ""
    }
  }

  private func mapNote(_ entry: MessageType) -> String {
    guard entry.fields.count == 2, case .message(let index) = entry.fields[1].type else {
      return "Names and values."
    }
    return "Names and values of type \(schema.messages[index].shortName)."
  }

  private static func wellKnownExample(_ type: MessageType) -> String? {
    switch WellKnownType(type.name) {
    case .timestamp: "\"1970-01-01T00:00:00Z\""
    case .duration: "\"0s\""
    case .fieldMask: "\"\""
    case .wrapper: type.fields.first.map { ScalarDecoder.defaultNode($0.type).shown() } ?? "null"
    case .unsupported, nil: nil
    }
  }

  static func comment(_ comment: String, indent: String) -> String {
    comment.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "\(indent)// \($0)\n" }.joined()
  }
}
