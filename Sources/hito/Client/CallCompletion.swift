import DescriptorJSON
import JSON

/// What a shell completes in `hito call`: by this program's own contract, since no server is asked at a key.
enum CallCompletion {
  /// Short names where they are unique, and those with their service.
  static func methods(_ prefix: String) -> [String] {
    guard let schema = try? Schema.own() else { return [] }
    let counts = Dictionary(grouping: schema.methods, by: \.name).mapValues(\.count)
    let short = schema.methods.map(\.name).filter { counts[$0] == 1 }
    return (short + schema.methods.map(\.shortPath)).filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// The request with its fields, as JSON on one line, to be filled in.
  static func requests(_ words: [String], _ prefix: String) -> [String] {
    guard let schema = try? Schema.own(), let method = method(words, schema), prefix.isEmpty
    else { return [] }
    let members = schema.messages[method.input].fields
      .filter { $0.oneof == nil && !$0.isRepeated }
      .compactMap { field in standard(field.type).map { (key: field.jsonName, value: $0) } }
    return members.isEmpty ? ["{}"] : [JSONValue.object(members).shown()]
  }

  /// Nil for what a person would write as something else.
  private static func standard(_ type: FieldType) -> JSONValue? {
    switch type {
    case .message, .enumeration, .bytes: return nil
    case .string: return JSONValue.string("")
    case .bool: return JSONValue.bool(false)
    default: return JSONValue.number(JSONNumber(0))
    }
  }

  /// Paths of fields of the answer, one level below what is typed.
  static func fields(_ words: [String], _ prefix: String) -> [String] {
    guard let schema = try? Schema.own(), let method = method(words, schema) else { return [] }
    var type: MessageType? = schema.messages[method.output]
    let parts = prefix.split(separator: ".", omittingEmptySubsequences: false)
    let above = parts.dropLast().joined(separator: ".")
    for part in parts.dropLast() where Int(part) == nil {
      let field = type?.fields.first { $0.jsonName == part }
      if case .message(let index) = field?.type {
        type = schema.messages[index]
      } else {
        type = nil
      }
    }
    let base = above.isEmpty ? "" : "\(above)."
    return (type?.fields ?? []).map { base + $0.jsonName + ($0.isRepeated ? ".0" : "") }
      .filter { $0.hasPrefix(prefix) }
  }

  /// The one that the words of the command line name.
  private static func method(_ words: [String], _ schema: Schema) -> DescriptorJSON.Method? {
    words.lazy.compactMap { word in
      guard word.first?.isUppercase == true || word.hasPrefix("hito.v1.") else { return nil }
      return try? schema.method(named: word)
    }.first
  }
}
