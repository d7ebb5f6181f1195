internal import Contract
internal import Domain

extension Contract.CodeSnapshot {
  init(_ snapshot: Domain.CodeSnapshot) {
    self.init(
      id: snapshot.id.description, userId: snapshot.userID.description,
      taskId: snapshot.taskID?.description ?? "", goalId: snapshot.goalID?.description ?? "",
      filePath: snapshot.filePath, language: snapshot.language, codeContent: snapshot.content,
      verdict: snapshot.judgement.map { Contract.Verdict($0.verdict) } ?? .unspecified,
      validationScore: snapshot.judgement?.score,
      validationFeedback: snapshot.judgement?.feedback ?? "",
      provenance: snapshot.judgement.map {
        Contract.Provenance($0.provenance, codeHash: snapshot.contentHash)
      },
      shared: snapshot.isShared, referenceSolution: snapshot.referenceCourseID != nil,
      version: snapshot.version, createdAt: Contract.Timestamp(snapshot.createdAt),
      updatedAt: Contract.Timestamp(snapshot.updatedAt),
      courseId: snapshot.referenceCourseID?.description ?? "")
  }

  /// As much as the caller may see: an example does not lead to its author, nor to who judged it, nor
  /// does it tell what was said of it.
  init(_ found: FoundSnapshot) {
    self.init(found.snapshot)
    guard found.isExample else { return }
    userId = ""
    taskId = ""
    goalId = ""
    validationScore = nil
    validationFeedback = ""
    provenance = nil
  }
}

extension Contract.Provenance {
  init(_ provenance: Domain.Provenance, codeHash: [UInt8]) {
    self.init(
      source: provenance.source, actorId: provenance.actorID.description,
      toolVersions: provenance.toolVersions, limits: provenance.limits, codeHash: codeHash,
      policy: provenance.policy)
  }
}

extension Contract.Verdict {
  init(_ verdict: Domain.Verdict) {
    self =
      switch verdict {
      case .passed: .passed
      case .failed: .failed
      case .inconclusive: .inconclusive
      case .errored: .errored
      }
  }
}

extension Domain.Verdict {
  /// The verdict of a filter; nil for an unspecified one.
  static func filter(_ verdict: Contract.Verdict) throws(DomainError) -> Domain.Verdict? {
    switch verdict {
    case .unspecified: return nil
    case .passed: return .passed
    case .failed: return .failed
    case .inconclusive: return .inconclusive
    case .errored: return .errored
    default: throw .invalid("verdict", "is no verdict that this server knows")
    }
  }

  /// A verdict that others may record: `errored` is only for our own runs.
  init(recorded verdict: Contract.Verdict) throws(DomainError) {
    switch verdict {
    case .passed: self = .passed
    case .failed: self = .failed
    case .inconclusive: self = .inconclusive
    default: throw .invalid("verdict", "must be passed, failed or inconclusive")
    }
  }
}
