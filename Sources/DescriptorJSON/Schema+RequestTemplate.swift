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
    var answer = TemplateWriter(schema: self, showsTimes: true)
    answer.message(output, indent: "", ancestors: [])
    text += TemplateWriter.comment(answer.text, indent: "")
    return text
  }

  /// A message as JSON with every field at its default and its comment above it. Of a oneof, the
  /// first member is written and the others are commented out; so are times, which have no default: any
  /// that stood here would be stored.
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
  /// Whether times are among the values, which an answer has and a request need not.
  let showsTimes: Bool
  private(set) var text = ""

  init(schema: Schema, showsTimes: Bool = false) {
    self.schema = schema
    self.showsTimes = showsTimes
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
    let last = shown.last { !isLeftOut($0) }?.number
    for field in shown {
      if isLeftOut(field) {
        text += Self.comment(member(field, ancestors + [type.name]), indent: inner)
        continue
      }
      text += Self.comment(field.comment, indent: inner)
      text += Self.comment(note(field), indent: inner)
      text += "\(inner)\"\(field.jsonName)\": "
      value(of: field, indent: inner, ancestors: ancestors + [type.name])
      text += field.number == last ? "\n" : ",\n"
      text += alternatives(to: field, in: type, indent: inner, ancestors + [type.name])
    }
    text += indent + "}"
  }

  /// Written as a comment: a time that nobody meant.
  private func isLeftOut(_ field: Field) -> Bool {
    guard !showsTimes, !field.isRepeated, case .message(let index) = field.type else {
      return false
    }
    return WellKnownType(schema.messages[index].name) == .timestamp
  }

  /// A field with its comment, by itself.
  private func member(_ field: Field, _ ancestors: [String]) -> String {
    var writer = TemplateWriter(schema: schema, showsTimes: showsTimes)
    writer.text = Self.comment(field.comment, indent: "") + Self.comment(note(field), indent: "")
    writer.text += "\"\(field.jsonName)\": "
    writer.value(of: field, indent: "", ancestors: ancestors)
    return writer.text
  }

  private func isLaterMember(_ field: Field, of type: MessageType) -> Bool {
    guard let oneof = field.oneof else { return false }
    return type.fields.first { $0.oneof == oneof }?.number != field.number
  }

  /// What can stand instead of `field`, each as it would be written.
  private func alternatives(
    to field: Field, in type: MessageType, indent: String, _ ancestors: [String]
  ) -> String {
    guard let oneof = field.oneof, text.utf8.count < Self.byteCountMax else { return "" }
    let others = type.fields.filter { $0.oneof == oneof && $0.number != field.number }
    return others.map { other in
      "\(indent)// Instead of \"\(field.jsonName)\":\n"
        + Self.comment(member(other, ancestors), indent: indent)
    }.joined()
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
    case .timestamp: "\"2026-01-31T09:05:00Z\""
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
