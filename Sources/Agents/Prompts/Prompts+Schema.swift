import Domain
package import JSON

extension Prompts {
  package static let goalSchemaName = "learning_goal"

  /// JSON Schema of a proposal, within what providers of strict schemas understand: every object
  /// closed, every member required. The lengths are well within the limits of goals; what a provider
  /// does not enforce, `ProposalRules` checks.
  package static let goalSchema: JSONValue = object([
    ("title", text(lengthMax: 160)),
    ("description", text(lengthMax: 2000)),
    ("tasks", list(of: task, 3...5)),
    ("validation_criteria", list(of: text(lengthMax: 400), 1...5)),
    ("ai_feedback", text(lengthMax: 1500)),
  ])

  private static let task = object([
    ("title", text(lengthMax: 160)),
    ("description", text(lengthMax: 1500)),
    ("validation_criteria", list(of: text(lengthMax: 400), 1...3)),
  ])

  private static func object(_ members: [(key: String, value: JSONValue)]) -> JSONValue {
    .object([
      ("type", .string("object")),
      ("properties", .object(members)),
      ("required", .array(members.map { .string($0.key) })),
      ("additionalProperties", .bool(false)),
    ])
  }

  private static func text(lengthMax: Int) -> JSONValue {
    .object([
      ("type", .string("string")), ("minLength", .integer(1)),
      ("maxLength", .integer(Int64(lengthMax))),
    ])
  }

  private static func list(of items: JSONValue, _ counts: ClosedRange<Int>) -> JSONValue {
    .object([
      ("type", .string("array")), ("items", items),
      ("minItems", .integer(Int64(counts.lowerBound))),
      ("maxItems", .integer(Int64(counts.upperBound))),
    ])
  }
}
