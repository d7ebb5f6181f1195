import Domain

extension WriteCalls {
  static func insert(_ snapshot: CodeSnapshot) -> StatementCall {
    SnapshotStatements.insert { parameters in
      parameters.append(snapshot.id)
      parameters.append(snapshot.userID)
      parameters.append(snapshot.goalID)
      parameters.append(snapshot.taskID)
      parameters.append(snapshot.referenceCourseID)
      parameters.append(snapshot.filePath)
      parameters.append(snapshot.language)
      parameters.append(snapshot.content)
      parameters.append(bytes: snapshot.contentHash)
      bindState(of: snapshot, &parameters)
      parameters.append(snapshot.createdAt)
      parameters.append(snapshot.updatedAt)
    }
  }

  static func update(_ snapshot: CodeSnapshot) -> StatementCall {
    SnapshotStatements.update { parameters in
      parameters.append(snapshot.id)
      bindState(of: snapshot, &parameters)
      parameters.append(snapshot.updatedAt)
    }
  }

  /// What changes after a snapshot was made.
  private static func bindState(
    of snapshot: CodeSnapshot, _ parameters: inout ParameterBuffer
  ) {
    let judgement = snapshot.judgement
    parameters.append(judgement?.verdict.rawValue)
    if let passed = judgement?.verdict.passed {
      parameters.append(passed)
    } else {
      parameters.appendNull()
    }
    if let score = judgement?.score { parameters.append(score) } else { parameters.appendNull() }
    parameters.append(judgement?.feedback)
    if let provenance = judgement?.provenance {
      parameters.append(json: provenance.json)
    } else {
      parameters.appendNull()
    }
    parameters.append(snapshot.isShared)
    parameters.append(snapshot.version)
  }
}
