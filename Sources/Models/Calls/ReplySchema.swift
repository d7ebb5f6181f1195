package import JSON

/// Why a schema is not used: replies could not be checked against all of it.
package enum ReplySchemaError: Error, Sendable, Hashable {
  /// A keyword, or a form of one, outside of the subset.
  case unsupported(keyword: String)
  case tooDeep
}

/// The subset of JSON Schema that model requests are written in, and the check of a reply against
/// it: a provider's promise to follow a schema is not one to rely on.
///
/// Known are `type` (one or several), `properties`, `required`, `additionalProperties` (a boolean),
/// `items`, `minItems`, `maxItems`, `minLength`, `maxLength` (in code points), `minimum`, `maximum`
/// and `enum`; `title`, `description`, `default`, `examples` and `$schema` are read over. Anything
/// else is refused when the schema is read, never ignored.
package struct ReplySchema: Sendable, Hashable {
  private static let depthMax = 16
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "$schema",
  ]

  private enum Kind: String {
    case object, array, string, integer, number, boolean, null
  }

  private var kinds: Set<Kind> = []
  private var properties: [String: ReplySchema] = [:]
  private var required: [String] = []
  private var allowsOtherProperties = true
  /// One schema or none; an array, because a struct does not hold itself.
  private var items: [ReplySchema] = []
  private var itemCountMin: Int64 = 0
  private var itemCountMax = Int64.max
  private var lengthMin: Int64 = 0
  private var lengthMax = Int64.max
  private var minimum = -Double.infinity
  private var maximum = Double.infinity
  private var values: [JSONValue]?

  package init(_ schema: JSONValue) throws(ReplySchemaError) {
    try self.init(schema, depth: 0)
  }

  private init(_ schema: JSONValue, depth: Int) throws(ReplySchemaError) {
    guard depth < Self.depthMax else { throw .tooDeep }
    guard case .object(let members) = schema else { throw .unsupported(keyword: "schema") }
    for (key, value) in members where !Self.annotations.contains(key) {
      try read(key, value, depth: depth)
    }
  }

  private mutating func read(
    _ key: String, _ value: JSONValue, depth: Int
  ) throws(ReplySchemaError) {
    switch (key, value) {
    case ("type", .string(let name)): kinds = [try Self.kind(name)]
    case ("type", .array(let names)):
      for name in names { kinds.insert(try Self.kind(name.stringValue ?? "")) }
    case ("properties", .object(let members)):
      for (name, schema) in members {
        properties[name] = try ReplySchema(schema, depth: depth + 1)
      }
    case ("required", .array(let names)):
      for name in names {
        guard let name = name.stringValue else { throw .unsupported(keyword: key) }
        required.append(name)
      }
    case ("additionalProperties", .bool(let isAllowed)): allowsOtherProperties = isAllowed
    case ("items", .object): items = [try ReplySchema(value, depth: depth + 1)]
    case ("enum", .array(let values)): self.values = values
    case ("minItems", _): itemCountMin = try Self.count(value, key)
    case ("maxItems", _): itemCountMax = try Self.count(value, key)
    case ("minLength", _): lengthMin = try Self.count(value, key)
    case ("maxLength", _): lengthMax = try Self.count(value, key)
    case ("minimum", _): minimum = try Self.number(value, key)
    case ("maximum", _): maximum = try Self.number(value, key)
    default: throw .unsupported(keyword: key)
    }
  }

  private static func kind(_ name: String) throws(ReplySchemaError) -> Kind {
    guard let kind = Kind(rawValue: name) else { throw .unsupported(keyword: "type") }
    return kind
  }

  private static func count(_ value: JSONValue, _ key: String) throws(ReplySchemaError) -> Int64 {
    guard let count = value.integerValue, count >= 0 else { throw .unsupported(keyword: key) }
    return count
  }

  private static func number(_ value: JSONValue, _ key: String) throws(ReplySchemaError) -> Double {
    guard let number = value.doubleValue else { throw .unsupported(keyword: key) }
    return number
  }

  /// The first place where `value` breaks the schema, and how, in words of the schema alone; nil
  /// where it follows it.
  package func violation(in value: JSONValue) -> String? {
    violation(in: value, at: "the reply")
  }

  private func violation(in value: JSONValue, at path: String) -> String? {
    guard kinds.isEmpty || !kinds.isDisjoint(with: Self.kinds(of: value)) else {
      return
        "\(path) is not of the type \(kinds.map(\.rawValue).sorted().joined(separator: " or "))"
    }
    if let values, !values.contains(value) { return "\(path) is none of the values allowed" }
    switch value {
    case .object(let members): return violation(inMembers: members, at: path)
    case .array(let elements): return violation(inElements: elements, at: path)
    case .string(let text):
      let length = Int64(text.unicodeScalars.count)
      return length >= lengthMin && length <= lengthMax
        ? nil : "\(path) is too short or too long"
    case .number:
      let number = value.doubleValue ?? .nan
      return number >= minimum && number <= maximum ? nil : "\(path) is too small or too large"
    case .null, .bool: return nil
    }
  }

  private func violation(
    inMembers members: [(key: String, value: JSONValue)], at path: String
  ) -> String? {
    for name in required where !members.contains(where: { $0.key == name }) {
      return "\(path) has no \(name)"
    }
    // By name: the parser keeps no order, and the same reply gets the same answer.
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      if let schema = properties[name] {
        if let violation = schema.violation(in: value, at: "\(path).\(name)") { return violation }
      } else if !allowsOtherProperties {
        return "\(path) has a property that it should not have"
      }
    }
    return nil
  }

  private func violation(inElements elements: [JSONValue], at path: String) -> String? {
    let count = Int64(elements.count)
    guard count >= itemCountMin, count <= itemCountMax else {
      return "\(path) has too few or too many items"
    }
    guard let schema = items.first else { return nil }
    for (index, element) in elements.enumerated() {
      if let violation = schema.violation(in: element, at: "\(path)[\(index)]") { return violation }
    }
    return nil
  }

  private static func kinds(of value: JSONValue) -> Set<Kind> {
    switch value {
    case .null: [.null]
    case .bool: [.boolean]
    case .number(let number):
      number.double.rounded() == number.double ? [.integer, .number] : [.number]
    case .string: [.string]
    case .array: [.array]
    case .object: [.object]
    }
  }
}
