internal import Domain

/// Who is told what happens in a run, while it is driven. For one task at a time.
protocol RunSink: Sendable {
  /// An event was committed; `session` is behind it.
  func happened(_ record: RunRecord, _ session: RunSession) async throws
  /// The next part of the model's text.
  func received(_ text: String, _ session: RunSession) async throws
  /// What was received of this reply is void: the model begins anew.
  func restarted(_ session: RunSession) async throws
}

/// Nobody.
struct NoSink: RunSink {
  func happened(_ record: RunRecord, _ session: RunSession) async {}
  func received(_ text: String, _ session: RunSession) async {}
  func restarted(_ session: RunSession) async {}
}

/// What a run works on beside its request: read anew by each call that drives it.
struct RunSubject: Sendable {
  var code = ""
  /// Where the code is stored, as its author calls it; empty where it is not.
  var filePath = ""
  /// What was decided about the code.
  var judgement: Judgement?
  /// The goal that a question is about.
  var goal: Domain.Goal?
}
