import Contract
import Domain
import RPC
import Service
import Testing

/// One call with a stream of responses, read one message at a time.
final class StreamProbe<Response: WireMessage>: Sendable {
  private let stream: ProbeStream
  private let task: Task<RPCError?, Never>

  init(
    _ fixture: ServiceFixture, _ method: MethodDescriptor, _ request: any WireMessage,
    as user: Domain.User?, key: String? = nil, credit: Int = .max, tokenID: String? = nil
  ) {
    let stream = ProbeStream(request, credit: credit)
    self.stream = stream
    let context = fixture.context(method, as: user, key: key, deadline: nil, tokenID: tokenID)
    let route = fixture.router[method.path]
    task = Task {
      defer { stream.end() }
      guard case .streaming(let body)? = route?.body else {
        return RPCError(.internal, "no such stream")
      }
      do {
        try await body(stream, context)
        return nil
      } catch {
        return RPCError(fromHandler: error)
      }
    }
  }

  func next() async throws -> Response? {
    guard let bytes = await stream.nextWritten() else { return nil }
    return try Response.decode(bytes)
  }

  /// Every message up to the end of the call.
  func all() async throws -> [Response] {
    var messages: [Response] = []
    while let message = try await next() { messages.append(message) }
    return messages
  }

  /// How the call ended.
  func end() async -> RPCError? { await task.value }

  func cancel() { task.cancel() }
}

typealias GoalProbe = StreamProbe<GenerateGoalResponse>

extension GenerateGoalResponse {
  /// The step in a word, for comparing whole streams.
  var word: String {
    switch step {
    case .nodeStarted(let node): "\(node.node) \(node.attempt)"
    case .context: "context"
    case .token: "token"
    case .findings(let findings): "findings \(findings.findings.count)"
    case .proposal: "proposal"
    case .result: "result"
    case nil: "nothing"
    }
  }

  var result: GeneratedGoal? {
    if case .result(let goal) = step { goal } else { nil }
  }

  var proposal: Contract.GoalProposal? {
    if case .proposal(let proposal) = step { proposal } else { nil }
  }

  var citations: [Citation]? {
    if case .context(let context) = step { context.citations } else { nil }
  }

  var text: String? {
    if case .token(let token) = step { token.text } else { nil }
  }
}

extension [GenerateGoalResponse] {
  /// The words of the steps, tokens together.
  var words: [String] {
    var words: [String] = []
    for message in self where message.word != "token" || words.last != "token" {
      words.append(message.word)
    }
    return words
  }
}

extension ServiceFixture {
  func generate(
    _ prompt: String = "Quiero aprender FastAPI", courseID: String = "", userID: String = "",
    requireApproval: Bool = false, language: String = "", as user: Domain.User,
    key: String? = nil, credit: Int = .max, tokenID: String? = nil
  ) -> GoalProbe {
    GoalProbe(
      self, GoalServiceMethods.generateGoal,
      GenerateGoalRequest(
        prompt: prompt, courseId: courseID, userId: userID, requireApproval: requireApproval,
        language: language), as: user, key: key, credit: credit, tokenID: tokenID)
  }

  func watchRun(_ id: String, cursor: String = "", as user: Domain.User) -> GoalProbe {
    GoalProbe(
      self, GoalServiceMethods.watchRun, WatchRunRequest(runId: id, cursor: cursor), as: user)
  }

  func resolve(
    _ id: String, _ decision: ProposalDecision = .approve, edited: Contract.GoalProposal? = nil,
    as user: Domain.User, key: String? = nil
  ) async throws -> ResolveProposalResponse {
    try await call(
      GoalServiceMethods.resolveProposal,
      ResolveProposalRequest(runId: id, decision: decision, edited: edited), as: user, key: key)
  }

  /// The types of a run's events, in order.
  func events(ofRun id: String?) -> [String] {
    store.allEvents.filter { $0.entityID.description == id }.map(\.type)
  }
}
