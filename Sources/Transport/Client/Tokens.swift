internal import RPC
internal import Synchronization
internal import Wire

/// The tokens of a client that has a provider of them: asks it, one question at a time, and has calls wait for the
/// answer. `TokenMachine` decides.
final class Tokens: Sendable {
  /// One question, for all calls that wait for its answer.
  private final class Question: Sendable {
    /// Closed when it has ended.
    let waits = Rests()
    let tasks = Mutex<[Task<Void, Never>]>([])
  }

  private struct State {
    var machine: TokenMachine
    var question: Question?
    /// What the provider threw last.
    var cause: (any Error)?
    var isClosed = false
  }

  private let provider: ClientTokenProvider
  private let timeout: Duration
  private let log: ClientLog?
  private let state: Mutex<State>

  init(
    _ provider: @escaping ClientTokenProvider, timeout: Duration, backoff: RetryPolicy,
    _ log: ClientLog?
  ) {
    self.provider = provider
    self.timeout = timeout
    self.log = log
    state = Mutex(State(machine: TokenMachine(backoff: backoff)))
  }

  /// The token for an attempt. Errors say that it was not started.
  func token(until deadline: Moment?) async throws(RPCError) -> String {
    let (step, question) = try state.withLock { state throws(RPCError) in
      if state.isClosed { throw Self.closed }
      let step = state.machine.next(now: .now)
      if case .wait(isNew: true) = step { state.question = Question() }
      return (step, state.question)
    }
    guard case .wait(let isNew) = step, let question else { return try text(of: step) }
    if isNew { ask(question) }
    // A question ends by itself.
    let time = deadline.map { Moment.now.duration(to: $0) } ?? timeout * 2
    switch await question.waits.wait(for: max(.zero, time)) {
    case .closed: break
    case .time: throw Self.unstarted(.deadlineExceeded, "no token before the deadline")
    case .cancelled: throw Self.unstarted(.cancelled, "the call was cancelled")
    }
    let after = try state.withLock { state throws(RPCError) in
      if state.isClosed { throw Self.closed }
      return state.machine.afterQuestion(now: .now)
    }
    return try text(of: after)
  }

  /// The server did not take it.
  func refused(_ text: String) {
    let outcome = state.withLock { state in
      let outcome = state.machine.refused(text, now: .now, jitter: .random(in: 0...1))
      if outcome != nil { state.cause = nil }
      return outcome
    }
    tell(outcome)
  }

  /// The server answered a call that had it.
  func taken(_ text: String) { state.withLock { $0.machine.taken(text) } }

  /// Ends the question; who waits gets an error.
  func close() {
    let question = state.withLock { state in
      state.isClosed = true
      defer { state.question = nil }
      return state.question
    }
    question.map(end)
  }

  private func text(of step: TokenMachine.Step) throws(RPCError) -> String {
    if case .use(let text) = step { return text }
    let (reason, cause) = state.withLock { ($0.machine.reason, $0.cause) }
    let error = Self.unstarted(.unauthenticated, reason)
    throw cause.map { error.caused(by: $0) } ?? error
  }

  private func ask(_ question: Question) {
    let (provider, timeout) = (provider, timeout)
    let asking = Task { [weak self] in
      do {
        let token = try await provider()
        self?.ended(question, .token(token), nil)
      } catch {
        // Its text is the provider's own, and may say what nobody should read.
        let reason = "the token provider failed with \(type(of: error))"
        self?.ended(question, .failed(reason: reason), error)
      }
    }
    let timing = Task { [weak self] in
      guard (try? await Task.sleep(for: timeout)) != nil else { return }
      self?.ended(question, .failed(reason: "the token provider did not answer in time"), nil)
    }
    question.tasks.withLock { $0 = [asking, timing] }
    // It may have ended before its tasks were known.
    if state.withLock({ $0.question !== question }) { end(question) }
  }

  private func ended(
    _ question: Question, _ answer: TokenMachine.Answer, _ cause: (any Error)?
  ) {
    let outcome = state.withLock { state -> TokenMachine.Outcome? in
      guard state.question === question else { return nil }
      state.question = nil
      state.cause = cause
      return state.machine.answered(answer, now: .now, jitter: .random(in: 0...1))
    }
    guard let outcome else { return }
    tell(outcome)
    end(question)
  }

  private func end(_ question: Question) {
    question.waits.close()
    for task in question.tasks.withLock({ $0 }) { task.cancel() }
  }

  private func tell(_ outcome: TokenMachine.Outcome?) {
    guard let log, let outcome else { return }
    switch outcome {
    case .refreshed(let time):
      log.tell(
        .info, .tokenRefreshed, "there is a new token",
        ["valid_ms": .number(time?.wholeMilliseconds ?? -1)])
    case .rests(let reason, let time):
      log.tell(
        .warning, .tokenFailed, "no new token: \(reason)",
        ["reason": .text(reason), "rest_ms": .number(time.wholeMilliseconds)])
    }
  }

  private static var closed: RPCError { unstarted(.unavailable, "the client is closed") }

  private static func unstarted(_ code: StatusCode, _ text: String) -> RPCError {
    var error = RPCError(code, text)
    error.isNotStarted = true
    return error
  }
}

/// The token of one call, for each of its attempts: its own, or the provider's. Repeats the call once where that is
/// refused.
final class CallToken: Sendable {
  private struct State {
    var refusal: RPCError?
    /// Whether the server perhaps began an attempt.
    var mayHaveStarted = false
  }

  /// Nil where the call has a token of its own, or the client has no provider.
  private let tokens: Tokens?
  private let log: CallLog?
  private let state = Mutex(State())

  init(_ tokens: Tokens?, _ options: CallOptions, _ log: CallLog?) {
    self.tokens = options.token == nil ? tokens : nil
    self.log = log
  }

  /// The next attempt at a call.
  func attempt(_ call: SingleCall) async throws(RPCError) -> SingleCall {
    guard let tokens else { return call }
    var attempt = call
    attempt.tokens = tokens
    do throws(RPCError) {
      attempt.options.token = try await tokens.token(until: call.deadline)
      return attempt
    } catch {
      let (refusal, mayHaveStarted) = state.withLock { ($0.refusal, $0.mayHaveStarted) }
      guard error.code == .unauthenticated else { throw error }
      if let refusal { throw error.cause.map { refusal.caused(by: $0) } ?? refusal }
      var error = error
      error.isNotStarted = !mayHaveStarted
      throw error
    }
  }

  /// An attempt has failed: whether it is to be repeated at once under another token, which is once.
  func repeats(after error: RPCError) -> Bool {
    guard tokens != nil else { return false }
    let isRefused = error.isFromServer && error.code == .unauthenticated
    let repeats = state.withLock { state in
      if !error.isNotStarted, !isRefused { state.mayHaveStarted = true }
      guard isRefused, state.refusal == nil else { return false }
      state.refusal = error
      return true
    }
    if repeats { log?.repeated(error, after: .zero) }
    return repeats
  }
}
