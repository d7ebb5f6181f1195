internal import Contract
internal import Domain
internal import RPC
internal import Validation

extension CodeValidationService {
  func compareSnapshots(
    _ request: CompareSnapshotsRequest, _ context: CallContext
  ) async throws -> CompareSnapshotsResponse {
    let caller = try context.caller
    let earlier = try await side(request.earlierSnapshotId, "earlier_snapshot_id", context, caller)
    let later = try await side(request.snapshotId, "snapshot_id", context, caller)
    let found = ReportComparison(
      from: (earlier.submission, earlier.report), to: (later.submission, later.report))
    return CompareSnapshotsResponse(
      earlier: earlier.message, snapshot: later.message,
      files: Self.files(found.files, earlier.submission, later.submission),
      tests: found.tests.map(TestComparison.init),
      newDiagnostics: found.newDiagnostics.map(Contract.Diagnostic.init),
      fixedDiagnostics: found.goneDiagnostics.map(Contract.Diagnostic.init))
  }

  private struct Side {
    var message: Contract.CodeSnapshot
    var submission: Domain.Submission
    var report: Domain.ValidationReport?
  }

  private func side(
    _ text: String, _ field: String, _ context: CallContext, _ caller: Caller
  ) async throws -> Side {
    let id = try EntityID(parsing: text, field: field)
    let found = try await snapshot(id, caller)
    context.concerns(codeOf: found)
    let scope = AccessScope(caller)
    let store = validations.ports.validations
    var snapshot = found.snapshot
    snapshot.files = try await store.files(ofSnapshot: id, scope: scope)
    let last = try await store.lastValidation(ofSnapshot: id, scope: scope)
    var message = Contract.CodeSnapshot(found)
    message.codeContent = ""
    return Side(
      message: message, submission: snapshot.submission,
      report: last?.fullReport ?? last?.run.report)
  }

  /// All files of both, in the order of their paths.
  private static func files(
    _ changed: [ReportComparison.ChangedFile], _ before: Domain.Submission,
    _ after: Domain.Submission
  ) -> [FileComparison] {
    let old = Set(before.files.map(\.path))
    let new = Set(after.files.map(\.path))
    let changes = Dictionary(changed.map { ($0.path, $0) }) { first, _ in first }
    return old.union(new).sorted().map { path in
      guard let file = changes[path] else { return FileComparison(path: path, change: .same) }
      return FileComparison(
        path: path,
        change: !old.contains(path) ? .added : !new.contains(path) ? .removed : .changed,
        addedLines: Int32(clamping: file.addedCount),
        removedLines: Int32(clamping: file.removedCount),
        lines: file.lines.map(ComparedLine.init),
        droppedLineCount: Int32(clamping: file.droppedLineCount))
    }
  }
}

extension ComparedLine {
  fileprivate init(_ line: LineDiff.Line) {
    let change: LineChange =
      switch line.change {
      case .same: .same
      case .removed: .removed
      case .added: .added
      }
    self.init(change: change, text: line.text)
  }
}

extension TestComparison {
  fileprivate init(_ test: ReportComparison.ChangedTest) {
    self.init(
      id: test.id, name: test.title.isEmpty ? test.id : test.title,
      before: test.before.map { Contract.TestStatus($0) } ?? .unspecified,
      after: test.after.map { Contract.TestStatus($0) } ?? .unspecified)
  }
}
