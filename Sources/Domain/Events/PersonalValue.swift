internal import JSON

/// The forms of a personal value; see `SealedJSON`.
enum PersonalValue {
  private static let mark = "$personal"
  static let forgottenText = "[forgotten]"

  /// In clear. A value that looks as if it were something else is wrapped.
  static func clear(_ value: JSONValue) -> JSONValue {
    guard value[mark] != nil else { return value }
    return .object([(mark, .object([("clear", value)]))])
  }

  static func sealed(
    _ value: JSONValue, at place: PersonalPlace, of person: EntityID?
  ) throws(SealingFailed) -> JSONValue {
    let codec = PersonalCodecs.current
    guard value != .null, let person, codec.seals(person),
      let box = try codec.seal(value.text, at: place, of: person)
    else { return clear(value) }
    return .object([
      (
        mark,
        .object([
          ("key", .string(box.key)), ("type", .string(type(of: value))),
          ("box", .string(box.content)),
        ])
      )
    ])
  }

  static func opened(_ value: JSONValue, at place: PersonalPlace) -> JSONValue {
    guard case .object(let members) = value, members.count == 1, let form = value[mark] else {
      return value
    }
    if case .object(let inner) = form, inner.count == 1, let clear = form["clear"] { return clear }
    guard let key = form["key"]?.stringValue, let type = form["type"]?.stringValue,
      let content = form["box"]?.stringValue
    else { return value }
    let box = PersonalBox(key: key, content: content)
    guard let text = PersonalCodecs.current.open(box, at: place),
      let opened = JSONValue(parsing: text)
    else { return placeholder(type) }
    return opened
  }

  /// Whether the text of an object starts as a form does; jsonb and we write it the same way.
  static func mayBeSealed(_ object: String) -> Bool { object.hasPrefix("{\"\(mark)\":") }

  /// Whether anything in the text may be a form. Few texts have a `$` at all.
  static func isMarked(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      bytes.indices.contains { index in
        bytes[index] == UInt8(ascii: "$") && bytes[index...].starts(with: mark.utf8)
      }
    }
  }

  private static func type(of value: JSONValue) -> String {
    switch value {
    case .null: "null"
    case .bool: "boolean"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  private static func placeholder(_ type: String) -> JSONValue {
    switch type {
    case "string": .string(forgottenText)
    case "array": .array([])
    case "object": .object([])
    default: .null
    }
  }
}
