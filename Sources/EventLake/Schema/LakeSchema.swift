import Domain
import JSON

/// The type of a column, as Arrow names it.
package enum ColumnType: String, Sendable, Hashable {
  case utf8 = "string"
  case int64
  case int32
  case double
  case bool
  case timestamp = "timestamp[us]"
}

/// A column that a kind has beside the base ones, and where its value comes from.
package struct PayloadColumn: Sendable, Hashable {
  package var name: String
  package var type: ColumnType
  /// Members of the payload, the first that is there counts; `a/b` looks into an object.
  package var sources: [String]

  init(_ name: String, _ type: ColumnType, from sources: [String] = []) {
    self.name = name
    self.type = type
    self.sources = sources.isEmpty ? [name] : sources
  }
}

/// The schemas of the lake's files.
///
/// A name has one type in every kind: a reader of the whole folder takes the first file's schema,
/// and would fail on a second type. Own columns may be null in any row.
package enum LakeSchema {
  package struct BaseColumn: Sendable, Hashable {
    package var name: String
    package var type: ColumnType
    package var isNullable: Bool
  }

  /// The columns of every file, in order.
  package static let base: [BaseColumn] = [
    .init(name: "event_id", type: .utf8, isNullable: false),
    .init(name: "event_type", type: .utf8, isNullable: false),
    .init(name: "entity_type", type: .utf8, isNullable: false),
    .init(name: "entity_id", type: .utf8, isNullable: false),
    .init(name: "user_id", type: .utf8, isNullable: true),
    .init(name: "created_at", type: .timestamp, isNullable: false),
    .init(name: "validation_score", type: .double, isNullable: true),
    .init(name: "position", type: .int64, isNullable: false),
    .init(name: "version", type: .int64, isNullable: false),
    .init(name: "payload", type: .utf8, isNullable: false),
    .init(name: "metadata", type: .utf8, isNullable: false),
    .init(name: "schema_version", type: .int32, isNullable: false),
  ]

  /// The columns that only files of `kind` have, after the base ones.
  package static func own(_ kind: EventKind) -> [PayloadColumn] {
    switch kind {
    case .user: user
    case .course: course
    case .goal: goal
    case .task: task
    case .code: code
    case .ai: ai
    case .external: external
    }
  }

  private static let user: [PayloadColumn] = [
    .init("display_name", .utf8, from: ["display_name", "name"]),
    .init("role", .utf8),
    .init("language", .utf8),
    .init("time_zone", .utf8),
  ]

  private static let course: [PayloadColumn] = [
    .init("course_id", .utf8, from: ["course_id", "id"]),
    .init("title", .utf8),
    .init("status", .utf8),
    .init("technologies", .utf8, from: ["metadata/technologies", "technologies"]),
  ]

  private static let goal: [PayloadColumn] = [
    .init("goal_id", .utf8, from: ["goal_id", "id"]),
    .init("course_id", .utf8),
    .init("title", .utf8),
    .init("status", .utf8),
    .init("progress_percentage", .double, from: ["progress_percentage", "progress"]),
  ]

  private static let task: [PayloadColumn] = [
    .init("task_id", .utf8, from: ["task_id", "id"]),
    .init("goal_id", .utf8),
    .init("title", .utf8),
    .init("status", .utf8),
    // Not `position`: that is the event's place in the log.
    .init("ordinal", .int64),
  ]

  private static let code: [PayloadColumn] = [
    .init("code_snapshot_id", .utf8, from: ["code_snapshot_id", "id"]),
    .init("goal_id", .utf8),
    .init("task_id", .utf8),
    .init("language", .utf8),
    .init("file_path", .utf8),
    .init("validation_passed", .bool),
  ]

  private static let ai: [PayloadColumn] = [
    .init("goal_id", .utf8),
    .init("agent", .utf8),
    .init("node", .utf8),
    .init("model", .utf8),
    .init("prompt_tokens", .int64),
    .init("completion_tokens", .int64),
    .init("duration_ms", .double),
  ]

  private static let external: [PayloadColumn] = [
    .init("source", .utf8)
  ]
}

extension EventKind {
  /// Own columns and the members of the payload that they and the score are read from.
  struct Reading {
    var columns: [(column: PayloadColumn, sources: [PayloadPath])]
    var names: Set<String>
  }

  static let readings: [EventKind: Reading] = Dictionary(
    uniqueKeysWithValues: EventKind.allCases.map { kind in
      let columns = LakeSchema.own(kind).map { ($0, $0.sources.map(PayloadPath.init)) }
      var names = Set(columns.flatMap { $0.1.map(\.first) })
      names.formUnion(ValidationScore.names)
      return (kind, Reading(columns: columns, names: names))
    })
}

/// A member of the payload, or of an object in it.
struct PayloadPath: Hashable {
  let first: String
  let second: String?

  init(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1)
    first = String(parts.first ?? "")
    second = parts.count > 1 ? String(parts[1]) : nil
  }

  func value(in fields: JSONFields) -> JSONFields.Value? {
    let value = fields[first]
    guard let second else { return value }
    guard case .nested(let text) = value else { return nil }
    return JSONFields(of: text, names: [second])[second]
  }
}
