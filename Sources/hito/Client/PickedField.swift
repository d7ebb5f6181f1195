import DescriptorJSON
import JSON

/// One field of an answer, by its path: `goal.id`, `tasks.0.id`.
struct PickedField {
  private enum Step {
    case field(Field)
    case index(Int)
  }

  private let path: String
  private let steps: [Step]

  /// Throws where the answer's type has no such field, before anything is called.
  init(_ path: String, in message: MessageType, _ schema: Schema) throws(CommandFailure) {
    self.path = TerminalText.clean(path, maximum: 100)
    var steps: [Step] = []
    var type: MessageType? = message
    for part in path.split(separator: ".", omittingEmptySubsequences: false).prefix(32) {
      if case .field(let field) = steps.last, field.isRepeated, let index = Int(part), index >= 0 {
        steps.append(.index(index))
        continue
      }
      let fields = type?.fields ?? []
      guard let field = fields.first(where: { $0.jsonName == part || $0.name == part }) else {
        let near = NearNames.suggestions(for: String(part), among: fields.map(\.jsonName))
        let hint = near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"
        throw CommandFailure(
          "--pick: \(type?.shortName ?? "a value") has no field '\(TerminalText.clean(String(part)))'\(hint)",
          exitStatus: ExitStatus.usage)
      }
      steps.append(.field(field))
      if case .message(let index) = field.type { type = schema.messages[index] } else { type = nil }
    }
    self.steps = steps
  }

  /// A text as it is, anything else as JSON. A field that is not there throws: scripts would continue with nothing.
  func text(of answer: JSONValue, _ style: JSONValue.ShownStyle) throws(CommandFailure) -> String {
    var value = answer
    for step in steps {
      let next: JSONValue?
      switch (step, value) {
      case (.field(let field), _): next = value[field.jsonName]
      case (.index(let index), .array(let values)):
        next = index < values.count ? values[index] : nil
      default: next = nil
      }
      guard let next else {
        // What has its default is left out of JSON.
        if case .field(let field) = step, field.oneof == nil, !field.isRepeated,
          let text = Self.standard(field.type)
        {
          return text
        }
        throw CommandFailure("--pick: the answer has no \(path)")
      }
      value = next
    }
    if case .string(let text) = value { return TerminalText.cleanLines(text) }
    return value.shown(style)
  }

  /// Nil for a message, which is not there at all then.
  private static func standard(_ type: FieldType) -> String? {
    switch type {
    case .message, .enumeration: nil
    case .string, .bytes: ""
    case .bool: "false"
    default: "0"
    }
  }
}
