import Domain

/// Plain inserts of one or more rows, in their order.
///
/// A statement of its own for each of the first few numbers of rows: reading rows out of arrays costs
/// as much again as the rows of a goal and its tasks (58 µs became 99).
struct RowInserts<Description: TableRow>: Sendable {
  static var listedCountMax: Int { 8 }

  private let listed: [Statement]
  private let many: Query<Listed<Description>>

  init(_ name: String) {
    listed = (1...Self.listedCountMax).map { rowCount in
      Statement("\(name)_\(rowCount)", Self.types(rowCount), Self.text(rowCount))
    }
    many = Query(
      "\(name)_many",
      """
      \(Self.target)
      SELECT \(Description.elements)
      FROM unnest(\(Description.arrays)) WITH ORDINALITY AS n (\(Description.names), place)
      ORDER BY n.place
      """)
  }

  private static var target: String {
    "INSERT INTO \(Description.layout.table) (\(Description.names))"
  }

  /// - Parameter parameterCount: how many parameters come before those of the rows.
  static func text(_ rowCount: Int, after parameterCount: Int = 0) -> String {
    let columns = Description.layout.inserted
    let rows = (0..<rowCount).map { row in
      let values = columns.indices.map { "$\(parameterCount + row * columns.count + $0 + 1)" }
      return "(\(values.joined(separator: ", ")))"
    }
    return "\(target)\nVALUES \(rows.joined(separator: ",\n  "))"
  }

  static func types(_ rowCount: Int) -> [SQLType] {
    (0..<rowCount).flatMap { _ in Description.layout.inserted.map(\.type) }
  }

  static func append(_ values: [Description.Value], to buffer: inout ParameterBuffer) {
    for value in values {
      buffer.append(RowBinder.bind(value, of: Description.self, isUpdate: false))
    }
  }

  func callAsFunction(_ values: [Description.Value]) -> StatementCall {
    guard (1...listed.count).contains(values.count) else { return many(Listed(values)) }
    var buffer = ParameterBuffer()
    Self.append(values, to: &buffer)
    return StatementCall(statement: listed[values.count - 1], parameters: buffer)
  }

  var all: [any StatementSource] { listed + [many] }
}

/// Inserts of a goal with its first tasks, as one statement for each of the first few numbers of
/// tasks: every statement costs 20 µs of its own.
struct GoalInserts: Sendable {
  private let listed: [Statement]

  init(_ name: String) {
    listed = (1...RowInserts<TaskRow>.listedCountMax).map { taskCount in
      Statement(
        "\(name)_\(taskCount)", Inserted<GoalRow>.types + RowInserts<TaskRow>.types(taskCount),
        """
        WITH goal AS (
          \(GoalRow.insert))
        \(RowInserts<TaskRow>.text(taskCount, after: Inserted<GoalRow>.types.count))
        """)
    }
  }

  /// - Returns: nil for any other number of tasks.
  func callAsFunction(_ goal: Goal, _ tasks: [LearningTask]) -> StatementCall? {
    guard (1...listed.count).contains(tasks.count) else { return nil }
    var buffer = ParameterBuffer()
    Inserted<GoalRow>(goal).append(to: &buffer)
    RowInserts<TaskRow>.append(tasks, to: &buffer)
    return StatementCall(statement: listed[tasks.count - 1], parameters: buffer)
  }

  var all: [any StatementSource] { listed }
}
