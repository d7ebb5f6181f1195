internal import Agents
internal import Contract
internal import Domain
internal import RPC

extension CodeValidationService {
  func getFeedback(
    _ request: GetFeedbackRequest, _ context: CallContext,
    _ responses: ResponseWriter<GetFeedbackResponse>
  ) async throws {
    let caller = try context.caller
    var validation = Validation()
    validation.text("question", request.question, maximum: AgentLimits.prompt)
    try validation.check()
    let stream = RunStream(responses, cursors, runs.shownCode(context))
    let key = runs.requestKey(request, context, caller)
    let known = try await runs.known(key)
    if known == nil { try runs.checkModel() }
    let (subject, snapshotID, codeLanguage) = try await subject(of: request, context, caller)
    if let known { return try await runs.repeatRun(known, subject, caller, on: stream) }
    let language = try await users.language(
      AgentPrompts.language(of: request.question) ?? "", of: caller.userID, caller)
    try await runs.run(
      .feedback(
        AgentRequest.Feedback(
          snapshotID: snapshotID, codeLanguage: codeLanguage, question: request.question,
          language: language)),
      learnerID: caller.userID, subject, key, context, caller, on: stream)
  }

  private func subject(
    of request: GetFeedbackRequest, _ context: CallContext, _ caller: Caller
  ) async throws -> (RunSubject, snapshotID: EntityID?, codeLanguage: String) {
    switch request.subject {
    case .snapshotId(let text):
      let id = try EntityID(parsing: text, field: "snapshot_id")
      let found = try await snapshot(id, caller)
      context.concerns(codeOf: found)
      return (try await subject(found, caller), id, found.snapshot.language)
    case .code(let code):
      var validation = Validation()
      validation.text(
        "code.language", code.language, maximum: CodeLimits.language, singleLine: true)
      if code.content.utf8.count > CodeLimits.contentByteCount {
        validation.add("code.content", "is longer than \(CodeLimits.contentByteCount) bytes")
      }
      if code.content.unicodeScalars.allSatisfy(\.properties.isWhitespace) {
        validation.add("code.content", "must not be empty")
      }
      try validation.check()
      return (RunSubject(code: code.content), nil, code.language)
    case nil:
      throw DomainError.invalid("subject", "must be a stored file or code")
    }
  }
}
