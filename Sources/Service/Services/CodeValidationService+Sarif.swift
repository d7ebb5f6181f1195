internal import Contract
internal import Domain
internal import RPC
internal import Writes

extension CodeValidationService {
  private static let sarifByteCountMax = 1024 * 1024

  func exportSarif(
    _ request: ExportSarifRequest, _ context: CallContext
  ) async throws -> ExportSarifResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.runId, field: "run_id")
    let found = try await validation(id, caller)
    context.concerns(userID: found.run.userID.description)
    guard let report = found.fullReport ?? found.run.report else {
      throw RPCError.precondition("the validation has no report yet", .validation, id)
    }
    return ExportSarifResponse(sarif: try exchange().text(of: report))
  }

  /// What another tool said is kept as a validation that decided nothing and changed nothing.
  func importSarif(
    _ request: ImportSarifRequest, _ context: CallContext
  ) async throws -> ImportSarifResponse {
    let caller = try context.caller
    let id = try EntityID(parsing: request.snapshotId, field: "snapshot_id")
    guard request.sarif.utf8.count <= Self.sarifByteCountMax else {
      throw DomainError.invalid("sarif", "is longer than 1 MiB")
    }
    let found = try await validations.snapshot(id, caller)
    var snapshot = found.snapshot
    snapshot.files = try await validations.ports.validations.files(
      ofSnapshot: id, scope: AccessScope(caller))
    let files = snapshot.submission.files
    guard let diagnostics = try exchange().diagnostics(in: request.sarif, of: files) else {
      throw DomainError.invalid("sarif", "is not a SARIF 2.1.0 log, or has too many results")
    }
    let report = Domain.ValidationReport(
      verdict: .inconclusive, score: nil, reason: "imported", diagnostics: diagnostics
    ).bounded
    return try await writes.perform(context, caller) { change in
      var run = Domain.ValidationRun(
        id: change.nextID(), snapshotID: id, userID: snapshot.userID, callerID: caller.userID,
        goalID: snapshot.goalID, courseID: found.goalCourseID, taskID: snapshot.taskID,
        queueKey: caller.userID, isPreview: true, createdAt: change.now, updatedAt: change.now)
      let requested = run.record(.requested, context: change)
      run.report = report
      let completed = run.record(.completed(ValidationEvent.End(report)), context: change)
      return Decision(
        changes: [.insertValidation(run)], events: [requested, completed],
        response: ImportSarifResponse(
          validation: Contract.ValidationRun(FoundValidation(run: run, fullReport: nil))))
    }
  }

  private func exchange() throws(RPCError) -> any DiagnosticExchange {
    guard let exchange = validations.ports.exchange else {
      throw RPCError(.unimplemented, "this server reads and writes no SARIF")
    }
    return exchange
  }
}
