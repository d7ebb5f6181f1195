package import JSON

/// What an agent was asked: all that is needed to continue its run on another server.
package enum AgentRequest: Sendable, Hashable {
  package struct Goal: Sendable, Hashable {
    package var prompt: String
    /// The course to draw on, and that the goal will belong to.
    package var courseID: EntityID?
    /// `es` or `en`.
    package var language: String
    package var requiresApproval: Bool

    package init(
      prompt: String, courseID: EntityID?, language: String, requiresApproval: Bool
    ) {
      self.prompt = prompt
      self.courseID = courseID
      self.language = language
      self.requiresApproval = requiresApproval
    }
  }

  /// The code itself is not kept: a repeat of the call brings it again.
  package struct Feedback: Sendable, Hashable {
    /// Nil for code that is not stored.
    package var snapshotID: EntityID?
    package var codeLanguage: String
    package var question: String
    /// `es` or `en`.
    package var language: String

    package init(
      snapshotID: EntityID?, codeLanguage: String, question: String, language: String
    ) {
      self.snapshotID = snapshotID
      self.codeLanguage = codeLanguage
      self.question = question
      self.language = language
    }
  }

  package struct Advice: Sendable, Hashable {
    package var courseID: EntityID
    package var question: String
    package var goalID: EntityID?
    /// `es` or `en`.
    package var language: String

    package init(courseID: EntityID, question: String, goalID: EntityID?, language: String) {
      self.courseID = courseID
      self.question = question
      self.goalID = goalID
      self.language = language
    }
  }

  case goal(Goal)
  case feedback(Feedback)
  case advice(Advice)

  package var kind: AgentKind {
    switch self {
    case .goal: .goal
    case .feedback: .feedback
    case .advice: .advice
    }
  }

  /// Whether the run stops before it stores anything and waits for an answer.
  package var requiresApproval: Bool {
    if case .goal(let goal) = self { goal.requiresApproval } else { false }
  }

  package var language: String {
    switch self {
    case .goal(let request): request.language
    case .feedback(let request): request.language
    case .advice(let request): request.language
    }
  }
}

extension AgentRequest {
  package var json: JSONValue {
    switch self {
    case .goal(let request):
      .object([
        ("prompt", .string(request.prompt)), ("course_id", JSONValue(request.courseID)),
        ("language", .string(request.language)),
        ("require_approval", .bool(request.requiresApproval)),
      ])
    case .feedback(let request):
      .object([
        ("snapshot_id", JSONValue(request.snapshotID)),
        ("code_language", .string(request.codeLanguage)),
        ("question", .string(request.question)), ("language", .string(request.language)),
      ])
    case .advice(let request):
      .object([
        ("course_id", JSONValue(request.courseID)), ("question", .string(request.question)),
        ("goal_id", JSONValue(request.goalID)), ("language", .string(request.language)),
      ])
    }
  }

  /// Reads what `json` wrote; nil for anything else.
  package init?(_ kind: AgentKind, json: JSONValue) {
    guard let language = json["language"]?.stringValue else { return nil }
    switch kind {
    case .goal:
      guard let prompt = json["prompt"]?.stringValue,
        case .bool(let requiresApproval)? = json["require_approval"]
      else { return nil }
      self = .goal(
        Goal(
          prompt: prompt, courseID: json["course_id"]?.id, language: language,
          requiresApproval: requiresApproval))
    case .feedback:
      guard let codeLanguage = json["code_language"]?.stringValue,
        let question = json["question"]?.stringValue
      else { return nil }
      self = .feedback(
        Feedback(
          snapshotID: json["snapshot_id"]?.id, codeLanguage: codeLanguage, question: question,
          language: language))
    case .advice:
      guard let courseID = json["course_id"]?.id, let question = json["question"]?.stringValue
      else { return nil }
      self = .advice(
        Advice(
          courseID: courseID, question: question, goalID: json["goal_id"]?.id,
          language: language))
    }
  }
}
