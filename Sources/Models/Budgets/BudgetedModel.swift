package import Domain
package import Logging
import Logs
import Synchronization

/// Any language model, behind what each caller may use of it: calls per minute and at once, tokens
/// and money per day (UTC).
///
/// A call's budget is set aside before it begins, at the most that one attempt can use (its prompt by
/// estimate, its whole reply limit), and settled by what it did use, also where it failed or was
/// cancelled half-way. With several servers the calls that run on the others count once they are
/// recorded: a budget can be passed by those at most. Where the store does not answer nothing is
/// given out; usage that could not be recorded counts in this process and is recorded with the
/// caller's next call.
package final class BudgetedModel: LanguageModel {
  private static let microsecondsPerDay: Int64 = 86_400_000_000
  /// How long a call waits for what it used to be recorded.
  private static let recordTimeout = Duration.seconds(5)

  private let model: any LanguageModel
  private let budget: ModelBudget
  private let store: any ModelUsageStore
  private let time: any TimeSource
  private let recording: OutageLog
  private let queue: FairQueue<EntityID>
  private let ledger: Mutex<CallerLedgerMachine>
  private let tokensPerDay: @Sendable (EntityID) -> Int64?

  /// - Parameter tokensPerDay: what one caller may use, nil for no limit; without it the budget says.
  package init(
    _ model: any LanguageModel, budget: ModelBudget, store: any ModelUsageStore,
    time: any TimeSource, logger: Logger,
    tokensPerDay: (@Sendable (EntityID) -> Int64?)? = nil
  ) throws(ModelConfigurationError) {
    try budget.validate()
    self.model = model
    self.budget = budget
    self.store = store
    self.time = time
    recording = OutageLog(logger, "recording what models are used")
    queue = FairQueue(
      insideMax: budget.concurrentCallMax, waitingMax: budget.waitingCallMax)
    ledger = Mutex(CallerLedgerMachine(budget))
    self.tokensPerDay = tokensPerDay ?? { _ in budget.tokensPerDay }
  }

  package var name: String { model.name }

  package func reply(
    to request: ModelRequest,
    restarted: @Sendable () async throws -> Void,
    received: @Sendable (String) async throws -> Void
  ) async throws(LanguageModelError) -> ModelReply {
    let caller = request.callerID
    if let refusal = ledger.withLock({ $0.begin(caller, at: time.now()) }) { throw error(refusal) }
    defer { ledger.withLock { $0.end(caller) } }
    let estimate = budget.prices.usage(
      promptTokenCount: TokenEstimate.count(of: request.messages),
      replyTokenCount: request.replyTokenCountMax)
    try await reserve(estimate, for: caller)
    let handedOn = Mutex(0)
    var hasAsked = false
    let usage: ModelUsage
    let result: Result<ModelReply, LanguageModelError>
    do throws(LanguageModelError) {
      try await enter(caller)
      defer { queue.leave(caller) }
      hasAsked = true
      let reply = try await model.reply(to: request, restarted: restarted) { piece in
        handedOn.withLock { $0 += TokenEstimate.count(piece) }
        try await received(piece)
      }
      usage = budget.prices.usage(
        promptTokenCount: reply.promptTokenCount, replyTokenCount: reply.replyTokenCount)
      result = .success(reply)
    } catch {
      usage =
        hasAsked
        ? self.usage(of: request, endedBy: error, handedOnTokenCount: handedOn.withLock { $0 })
        : ModelUsage()
      result = .failure(error)
    }
    ledger.withLock { $0.settle(usage, reserved: estimate, of: caller) }
    // In a task of its own: where the caller went away or its time is up, it was used all the same.
    await Task {
      await CallDeadline.$current.withValue(.now + Self.recordTimeout) {
        await self.recordUsage(of: caller)
      }
    }.value
    return try result.get()
  }

  private func enter(_ caller: EntityID) async throws(LanguageModelError) {
    switch await queue.enter(caller, until: nil) {
    case .entered: return
    case .refused, .overdue: throw .unavailable("too many calls wait for the model")
    case .expired, .cancelled: throw .cancelled
    }
  }

  private func reserve(
    _ estimate: ModelUsage, for caller: EntityID
  ) async throws(LanguageModelError) {
    await recordUsage(of: caller)
    var used = ModelUsage()
    let tokensPerDay = tokensPerDay(caller)
    if tokensPerDay != nil || budget.costMicrosPerDay != nil {
      do throws(StoreError) {
        used = try await store.usage(of: caller, since: dayStart())
      } catch {
        switch error {
        case .cancelled: throw .cancelled
        case .timedOut: throw .timedOut
        default: throw .unavailable("what callers have used cannot be read now")
        }
      }
    }
    let refusal = ledger.withLock {
      $0.reserve(estimate, for: caller, used: used, tokensPerDay: tokensPerDay)
    }
    if let refusal { throw error(refusal) }
  }

  /// What a call that failed has used, as far as can be known: a provider that began to answer had
  /// read the prompt.
  private func usage(
    of request: ModelRequest, endedBy error: LanguageModelError, handedOnTokenCount: Int
  ) -> ModelUsage {
    let isRead =
      switch error {
      case .replyCut, .replyInvalid, .timedOut, .cancelled: true
      case .unavailable, .rateLimited, .quotaExceeded, .promptTooLong, .refused:
        handedOnTokenCount > 0
      }
    guard isRead else { return ModelUsage() }
    return budget.prices.usage(
      promptTokenCount: TokenEstimate.count(of: request.messages),
      replyTokenCount: handedOnTokenCount)
  }

  private func recordUsage(of caller: EntityID) async {
    guard let usage = ledger.withLock({ $0.unrecorded(of: caller) }) else { return }
    var isStored = false
    do throws(StoreError) {
      try await store.record(usage, of: caller, at: time.now())
      isStored = true
      recording.worked()
    } catch {
      // `maybeCommitted` counts as not: to charge twice is the lesser harm than to charge nothing.
      if error != .cancelled {
        recording.failed("\(error)")
      }
    }
    ledger.withLock { $0.recorded(usage, of: caller, isStored: isStored) }
  }

  private func dayStart() -> Timestamp {
    let now = time.now().microsecondsSinceEpoch
    let sinceMidnight = ((now % Self.microsecondsPerDay) + Self.microsecondsPerDay)
    return Timestamp(microsecondsSinceEpoch: now - sinceMidnight % Self.microsecondsPerDay)
  }

  private func error(_ refusal: CallerLedgerMachine.Refusal) -> LanguageModelError {
    switch refusal {
    case .rate(let maximum, let retryAfter):
      return .quotaExceeded(
        subject: "model calls per minute", maximum: maximum, retryAfter: retryAfter)
    case .concurrentCalls(let maximum):
      return .quotaExceeded(subject: "model calls at once", maximum: maximum, retryAfter: nil)
    case .tokens(let maximum):
      return .quotaExceeded(
        subject: "model tokens per day", maximum: maximum, retryAfter: untilMidnight())
    case .cost(let maximum):
      return .quotaExceeded(
        subject: "model cost per day", maximum: maximum, retryAfter: untilMidnight())
    case .tooManyCallers:
      return .unavailable("too many callers use the model")
    }
  }

  private func untilMidnight() -> Duration {
    let end = dayStart().microsecondsSinceEpoch + Self.microsecondsPerDay
    return .microseconds(max(end - time.now().microsecondsSinceEpoch, 0))
  }
}
