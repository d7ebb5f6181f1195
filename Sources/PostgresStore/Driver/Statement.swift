/// One statement of ours: constant text, prepared under its name on each connection that uses it.
package struct Statement: Sendable {
  /// Unique among all statements, for example `goal.insert`.
  package let name: String
  /// The type of `$1`, `$2`, …
  package let parameters: [SQLType]
  package let text: String

  /// A statement without parameters; others are a `Query`.
  init(_ name: String, _ text: String) { self.init(name, [], text) }

  package init(_ name: String, _ parameters: [SQLType], _ text: String) {
    self.name = name
    self.parameters = parameters
    self.text = text
  }
}

/// A statement and the Swift types of what it is executed with, which give it its parameters' types:
/// a call with anything else does not compile.
struct Query<each Parameter: SQLParameters>: StatementSource {
  let statement: Statement

  init(_ name: String, _ text: String) {
    statement = Statement(name, Parameters<repeat each Parameter>.types, text)
  }

  func callAsFunction(_ values: repeat each Parameter) -> StatementCall {
    var buffer = ParameterBuffer()
    repeat (each values).append(to: &buffer)
    // A wrong count is refused by the server (08P01) and fails only this unit.
    assert(
      buffer.lengths.count == statement.parameters.count,
      "\(statement.name): wrong number of parameters")
    return StatementCall(statement: statement, parameters: buffer)
  }
}

/// What holds a statement, whatever its parameters.
protocol StatementSource: Sendable {
  var statement: Statement { get }
}

extension Statement: StatementSource {
  var statement: Statement { self }

  /// An execution of a statement without parameters.
  func callAsFunction() -> StatementCall {
    StatementCall(statement: self, parameters: ParameterBuffer())
  }

  /// An update or insert as a statement that fails its unit (`hito_stale`) where it wrote another
  /// number of rows than it should: a row has changed.
  ///
  /// - Parameter change: returns 1 for each row.
  static func guarded(_ change: String, rowCount: String = "1") -> String {
    """
    WITH changed AS (
      \(change)
      RETURNING 1)
    SELECT CASE WHEN count(*) = \(rowCount) THEN 1 ELSE hito_stale() END FROM changed
    """
  }
}

/// A statement with its parameters.
package struct StatementCall: Sendable {
  let statement: Statement
  let parameters: ParameterBuffer
}

/// Statements between two syncs: one implicit transaction, and one viewer's.
package struct StatementUnit: Sendable {
  /// What is sent: the viewer's announcement, then the statements.
  let calls: [StatementCall]
  /// How many of the calls are the announcement.
  let announcementCount: Int
  /// Whether it changes anything: only then does a lost connection leave a doubt.
  package let isWrite: Bool
  /// Whether it commits what callers have changed, so that events may wait for their positions.
  let isCommit: Bool

  /// Statements that read, as `viewer`.
  package init(_ calls: [StatementCall], as viewer: Viewer) {
    self.init(calls, viewer)
  }

  /// Statements that write. No caller may: what they asked for is written by the server.
  package init(writing calls: [StatementCall], for work: SystemWork) {
    self.init(calls, .system(work), isWrite: true, isCommit: work == .commit)
  }

  private init(
    _ calls: [StatementCall], _ viewer: Viewer, isWrite: Bool = false, isCommit: Bool = false
  ) {
    let announcement = viewer.announcement.map { [$0] } ?? []
    self.calls = announcement + calls
    announcementCount = announcement.count
    self.isWrite = isWrite
    self.isCommit = isCommit
  }
}
