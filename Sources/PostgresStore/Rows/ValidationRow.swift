import Domain
import JSON

enum ValidationRow: TableRow {
  static let layout = RowLayout(of: ValidationRow.self, "validations", as: "v")
  static let blank = ValidationRun(
    id: .blank, snapshotID: .blank, userID: .blank, callerID: .blank, queueKey: .blank,
    createdAt: .blank, updatedAt: .blank)
  /// What lists do without.
  static let report = "report"

  static func visit(_ run: inout ValidationRun, _ columns: inout some ColumnVisitor) {
    columns.key("id", &run.id)
    columns.fixed("snapshot_id", &run.snapshotID)
    columns.fixed("user_id", &run.userID)
    columns.fixed("caller_id", &run.callerID)
    columns.fixed("goal_id", &run.goalID)
    columns.fixed("course_id", &run.courseID)
    columns.fixed("task_id", &run.taskID)
    columns.fixed("suite_id", &run.suiteID)
    columns.fixed("queue_key", &run.queueKey)
    columns.fixed("group_id", &run.groupID)
    columns.fixed("is_preview", &run.isPreview)
    var runCount = Int32(clamping: run.runCount)
    columns.fixed("run_count", &runCount)
    run.runCount = Int(runCount)
    var seed = Int64(run.seed)
    columns.fixed("seed", &seed)
    run.seed = UInt32(clamping: seed)
    columns.column("status", &run.status)
    columns.column("version", &run.version)
    columns.column("owner", &run.lease.owner)
    // By the database's clock, and never shortened here: a renewal may have come in between.
    columns.written(
      "lease_until", run.lease.microseconds,
      insertion: "now() + $lease_until * interval '1 microsecond'",
      change: "greatest(lease_until, now() + $lease_until * interval '1 microsecond')")
    var attempt = Int32(clamping: run.attempt)
    columns.column("attempt", &attempt)
    run.attempt = Int(attempt)
    columns.column("verdict", &run.verdict)
    columns.column("score", &run.score)
    var json = run.report?.json
    columns.column("report", &json)
    if let json {
      if let report = ValidationReport(json: json) {
        run.report = report
      } else {
        columns.refuse("the report of a validation cannot be read")
      }
    }
    columns.fixed("created_at", &run.createdAt)
    columns.column("started_at", &run.startedAt)
    columns.column("finished_at", &run.finishedAt)
    columns.column("updated_at", &run.updatedAt)
  }
}

enum SuiteRow: TableRow {
  static let layout = RowLayout(of: SuiteRow.self, "test_suites", as: "u")
  static let blank = StoredSuite(
    id: .blank, authorID: .blank, hash: [],
    suite: TestSuite(language: "", kind: .stdio, tests: []), createdAt: .blank)

  static func visit(_ stored: inout StoredSuite, _ columns: inout some ColumnVisitor) {
    columns.key("id", &stored.id)
    columns.fixed("user_id", &stored.authorID)
    columns.fixed("hash", &stored.hash)
    var json = stored.suite.json
    columns.fixed("content", &json)
    if let suite = TestSuite(json: json) {
      stored.suite = suite
    } else {
      columns.refuse("a suite of tests cannot be read")
    }
    columns.fixed("created_at", &stored.createdAt)
  }
}

enum TaskTestsRow: TableRow {
  static let layout = RowLayout(of: TaskTestsRow.self, "task_tests", as: "t")
  static let blank = TaskTests(
    taskID: .blank, userID: .blank, goalID: .blank, suiteID: nil, setBy: .blank, setAs: .learner,
    version: 0, setAt: .blank)

  static func visit(_ tests: inout TaskTests, _ columns: inout some ColumnVisitor) {
    columns.key("task_id", &tests.taskID)
    columns.key("version", &tests.version)
    columns.fixed("user_id", &tests.userID)
    columns.fixed("goal_id", &tests.goalID)
    columns.fixed("suite_id", &tests.suiteID)
    columns.fixed("set_by", &tests.setBy)
    columns.fixed("set_as", &tests.setAs)
    columns.fixed("set_at", &tests.setAt)
  }
}

/// One of the other files of a snapshot.
struct SnapshotFile: Sendable {
  var snapshotID: EntityID
  var userID: EntityID
  var file: SourceFile
}

enum SnapshotFileRow: TableRow {
  static let layout = RowLayout(of: SnapshotFileRow.self, "snapshot_files", as: "f")
  static let blank = SnapshotFile(
    snapshotID: .blank, userID: .blank, file: SourceFile(path: "", content: ""))

  static func visit(_ file: inout SnapshotFile, _ columns: inout some ColumnVisitor) {
    columns.key("snapshot_id", &file.snapshotID)
    columns.key("path", &file.file.path)
    columns.fixed("user_id", &file.userID)
    columns.fixed("content", &file.file.content)
  }
}

extension ValidationStatus: SQLValue {}
