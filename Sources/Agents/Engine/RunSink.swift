package import Domain

/// Who is told what happens in a run, while it is driven. For one task at a time.
package protocol RunSink: Sendable {
  /// An event was committed; `session` is the state after it.
  func happened(_ record: RunRecord, _ session: RunSession) async throws
  /// The next part of the model's text.
  func received(_ text: String, _ session: RunSession) async throws
  /// What was received of this reply is void: the model begins anew.
  func restarted(_ session: RunSession) async throws
}

/// Nobody.
package struct NoSink: RunSink {
  package init() {}

  package func happened(_ record: RunRecord, _ session: RunSession) async {}
  package func received(_ text: String, _ session: RunSession) async {}
  package func restarted(_ session: RunSession) async {}
}

/// What a run works on beside its request: read anew by each call that drives it.
package struct RunSubject: Sendable {
  package var code = ""
  /// Where the code is stored, as its author calls it; empty where it is not.
  package var filePath = ""
  /// What was decided about the code.
  package var judgement: Judgement?
  /// The course of the goal that the code is for, and what its task says; nil and empty where none.
  package var courseID: EntityID?
  package var task = ""
  /// The goal that a question is about.
  package var goal: Goal?

  package init(
    code: String = "", filePath: String = "", judgement: Judgement? = nil, goal: Goal? = nil
  ) {
    self.code = code
    self.filePath = filePath
    self.judgement = judgement
    self.goal = goal
  }
}
