internal import Contract
internal import Domain
internal import RPC

extension CodeValidationService {
  func compareSnapshots(
    _ request: CompareSnapshotsRequest, _ context: CallContext
  ) async throws -> CompareSnapshotsResponse {
    let caller = try context.caller
    let earlier = try await side(request.earlierSnapshotId, "earlier_snapshot_id", caller)
    let later = try await side(request.snapshotId, "snapshot_id", caller)
    let before = earlier.report?.diagnostics ?? []
    let after = later.report?.diagnostics ?? []
    return CompareSnapshotsResponse(
      earlier: earlier.message, snapshot: later.message,
      files: Self.files(earlier.files, later.files),
      tests: Self.tests(earlier.report?.tests ?? [], later.report?.tests ?? []),
      newDiagnostics: after.without(before).map(Contract.Diagnostic.init),
      fixedDiagnostics: before.without(after).map(Contract.Diagnostic.init))
  }

  private struct Side {
    var message: Contract.CodeSnapshot
    var files: [Domain.SourceFile]
    var report: Domain.ValidationReport?
  }

  private func side(_ text: String, _ field: String, _ caller: Caller) async throws -> Side {
    let id = try EntityID(parsing: text, field: field)
    let found = try await snapshot(id, caller)
    let scope = AccessScope(caller)
    let store = validations.ports.validations
    var snapshot = found.snapshot
    snapshot.files = try await store.files(ofSnapshot: id, scope: scope)
    let last = try await store.lastValidation(ofSnapshot: id, scope: scope)
    var message = Contract.CodeSnapshot(found)
    message.codeContent = ""
    return Side(
      message: message, files: snapshot.submission.files,
      report: last?.fullReport ?? last?.run.report)
  }

  private static func files(
    _ before: [Domain.SourceFile], _ after: [Domain.SourceFile]
  ) -> [FileComparison] {
    let old = Dictionary(before.map { ($0.path, $0.content) }) { first, _ in first }
    let new = Dictionary(after.map { ($0.path, $0.content) }) { first, _ in first }
    return Set(old.keys).union(new.keys).sorted().map { path in
      let (removed, added) = LineCounts.differences(old[path] ?? "", new[path] ?? "")
      let change: FileChange =
        switch (old[path], new[path]) {
        case (nil, _): .added
        case (_, nil): .removed
        case (let old, let new): old == new ? .same : .changed
        }
      return FileComparison(
        path: path, change: change, addedLines: Int32(clamping: added),
        removedLines: Int32(clamping: removed))
    }
  }

  private static func tests(
    _ before: [TestOutcome], _ after: [TestOutcome]
  ) -> [TestComparison] {
    let old = Dictionary(before.map { ($0.id, $0) }) { first, _ in first }
    let newIDs = Set(after.map(\.id))
    let kept = after + before.filter { !newIDs.contains($0.id) }
    return kept.map { test in
      let isNew = newIDs.contains(test.id)
      return TestComparison(
        id: test.id, name: test.title.isEmpty ? test.id : test.title,
        before: old[test.id].map { Contract.TestStatus($0.status) } ?? .unspecified,
        after: isNew ? Contract.TestStatus(test.status) : .unspecified)
    }
  }
}

/// How many lines differ, each counted as often as it stands there: lines that were only moved do not
/// differ.
enum LineCounts {
  static func differences(_ before: String, _ after: String) -> (removed: Int, added: Int) {
    if before == after { return (0, 0) }
    var counts: [Substring: Int] = [:]
    for line in before.split(separator: "\n", omittingEmptySubsequences: true) {
      counts[line, default: 0] += 1
    }
    for line in after.split(separator: "\n", omittingEmptySubsequences: true) {
      counts[line, default: 0] -= 1
    }
    let removed = counts.values.reduce(0) { $0 + max(0, $1) }
    let added = counts.values.reduce(0) { $0 + max(0, -$1) }
    return (removed, added)
  }
}

extension [Domain.Diagnostic] {
  /// Those that the other list has nothing like of: what was said, wherever it stands now.
  fileprivate func without(_ others: [Domain.Diagnostic]) -> [Domain.Diagnostic] {
    func name(_ diagnostic: Domain.Diagnostic) -> [String] {
      [diagnostic.path, diagnostic.tool, diagnostic.ruleID, diagnostic.message]
    }
    var counts: [[String]: Int] = [:]
    for other in others { counts[name(other), default: 0] += 1 }
    return filter { diagnostic in
      let count = counts[name(diagnostic), default: 0]
      counts[name(diagnostic)] = count - 1
      return count <= 0
    }
  }
}
