import Domain

extension WriteCalls {
  static func insert(_ run: AgentRun) -> StatementCall {
    AgentRunStatements.insert { parameters in
      parameters.append(run.id)
      parameters.append(run.kind.rawValue)
      parameters.append(run.learnerID)
      parameters.append(run.callerID)
      parameters.append(json: run.request.json)
      bindState(of: run, &parameters)
      parameters.append(run.createdAt)
      parameters.append(run.updatedAt)
    }
  }

  static func update(_ run: AgentRun, after version: Int64) -> StatementCall {
    AgentRunStatements.update { parameters in
      parameters.append(run.id)
      bindState(of: run, &parameters)
      parameters.append(run.updatedAt)
      parameters.append(version)
    }
  }

  /// What changes after a run was made.
  private static func bindState(of run: AgentRun, _ parameters: inout ParameterBuffer) {
    parameters.append(run.status.rawValue)
    parameters.append(run.version)
    parameters.append(run.lease.owner)
    parameters.append(run.lease.until)
  }
}
