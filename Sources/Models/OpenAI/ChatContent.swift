import JSON

/// The text of a message, or of a part of one: a string, or a list of parts of which only text is
/// read; what a model thinks, calls or draws is not its reply.
struct ChatContent {
  var text = ""
  var isRefusal = false

  init(text: String) { self.text = text }

  init(_ json: JSONValue) throws(ProviderFailure) {
    if let refusal = json["refusal"]?.stringValue, !refusal.isEmpty { isRefusal = true }
    switch json["content"] {
    case nil, .null: break
    case .string(let content): text = content
    case .array(let parts): for part in parts { add(part) }
    case let part?:
      guard case .object = part else { throw .malformed }
      add(part)
    }
  }

  private mutating func add(_ part: JSONValue) {
    if let plain = part.stringValue {
      text += plain
      return
    }
    switch part["type"]?.stringValue {
    case nil, "text", "output_text", "text_delta":
      text += part["text"]?.stringValue ?? part["text"]?["value"]?.stringValue ?? ""
    case "refusal": isRefusal = true
    default: break
    }
  }
}
