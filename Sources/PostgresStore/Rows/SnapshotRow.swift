import Domain

enum SnapshotRow: TableRow {
  static let layout = RowLayout(of: SnapshotRow.self, "code_snapshots", as: "s")
  static let blank = CodeSnapshot(
    id: .blank, userID: .blank, filePath: "", language: "", content: "", contentHash: [],
    createdAt: .blank, updatedAt: .blank)
  /// What lists do without.
  static let code = "code_content"

  static func visit(_ snapshot: inout CodeSnapshot, _ columns: inout some ColumnVisitor) {
    columns.key("id", &snapshot.id)
    columns.fixed("user_id", &snapshot.userID)
    columns.fixed("goal_id", &snapshot.goalID)
    columns.fixed("task_id", &snapshot.taskID)
    columns.fixed("course_id", &snapshot.referenceCourseID)
    columns.writtenOnce("reference_solution", snapshot.referenceCourseID != nil)
    columns.fixed("file_path", &snapshot.filePath)
    columns.fixed("language", &snapshot.language)
    columns.fixed("code_content", &snapshot.content)
    columns.fixed("code_hash", &snapshot.contentHash)
    visit(judgement: &snapshot.judgement, &columns)
    columns.column("shared", &snapshot.isShared)
    columns.column("version", &snapshot.version)
    columns.fixed("created_at", &snapshot.createdAt)
    columns.column("updated_at", &snapshot.updatedAt)
  }

  /// All NULL for code that nobody has judged.
  private static func visit(
    judgement: inout Judgement?, _ columns: inout some ColumnVisitor
  ) {
    var verdict = judgement?.verdict
    var score = judgement?.score
    var feedback = judgement?.feedback
    columns.column("verdict", &verdict)
    columns.written("validation_passed", verdict?.passed)
    columns.column("validation_score", &score)
    columns.column("validation_feedback", &feedback)
    // The provenance comes apart in SQL, so that no JSON needs to be parsed on the way in.
    let provenance = judgement?.provenance
    columns.written("provenance", provenance?.json)
    var source = provenance?.source
    var actorID = provenance?.actorID
    var policy = provenance?.policy
    var toolVersions = provenance?.toolVersions ?? [:]
    var limits = provenance?.limits ?? [:]
    columns.read("s.provenance->>'source'", &source)
    columns.read("(s.provenance->>'actor_id')::uuid", &actorID)
    columns.read("s.provenance->>'policy'", &policy)
    columns.read(object: "s.provenance->'tool_versions'", &toolVersions)
    columns.read(object: "s.provenance->'limits'", &limits)
    guard let verdict else { return }
    guard let source, let actorID, let policy else {
      return columns.refuse("a verdict has no provenance")
    }
    judgement = Judgement(
      verdict: verdict, score: score, feedback: feedback ?? "",
      provenance: Provenance(
        source: source, actorID: actorID, toolVersions: toolVersions, limits: limits,
        policy: policy))
  }
}

extension Verdict: SQLValue {}
