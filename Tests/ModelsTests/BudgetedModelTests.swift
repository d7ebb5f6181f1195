import Domain
import Models
import Synchronization
import Testing

@Suite struct BudgetedModelTests {
  /// Replies as it is told, and counts its calls.
  private final class TalkingModel: LanguageModel {
    let name = "talking"
    private let behaviour:
      @Sendable (@Sendable (String) async throws -> Void) async throws(LanguageModelError) -> Void
    private let count = Mutex(0)

    init(
      _ behaviour:
        @escaping @Sendable (@Sendable (String) async throws -> Void)
        async throws(LanguageModelError) -> Void = { _ in }
    ) {
      self.behaviour = behaviour
    }

    var callCount: Int { count.withLock { $0 } }

    func reply(
      to request: ModelRequest, restarted: @Sendable () async throws -> Void,
      received: @Sendable (String) async throws -> Void
    ) async throws(LanguageModelError) -> ModelReply {
      count.withLock { $0 += 1 }
      try await behaviour(received)
      return ModelReply(text: "ok", promptTokenCount: 100, replyTokenCount: 50, model: name)
    }
  }

  /// Keeps usage in memory; can be away.
  private final class UsageStore: ModelUsageStore {
    private let state = Mutex(
      (entries: [(caller: EntityID, usage: ModelUsage, at: Timestamp)](), isAway: false))

    var isAway: Bool {
      get { state.withLock { $0.isAway } }
      set { state.withLock { $0.isAway = newValue } }
    }

    func usage(of callerID: EntityID, since: Timestamp) throws(StoreError) -> ModelUsage {
      let (entries, isAway) = state.withLock { $0 }
      if isAway { throw .unavailable("away", maybeCommitted: false) }
      return entries.filter { $0.caller == callerID && $0.at >= since }.map(\.usage).reduce(
        into: ModelUsage()
      ) {
        $0.promptTokenCount += $1.promptTokenCount
        $0.replyTokenCount += $1.replyTokenCount
        $0.costMicros += $1.costMicros
      }
    }

    func record(_ usage: ModelUsage, of callerID: EntityID, at now: Timestamp) throws(StoreError) {
      if isAway { throw .unavailable("away", maybeCommitted: false) }
      state.withLock { $0.entries.append((callerID, usage, now)) }
    }

    func all(of caller: EntityID = someCaller) throws -> ModelUsage {
      try usage(of: caller, since: Timestamp(microsecondsSinceEpoch: 0))
    }
  }

  private let time = ManualTime()
  private let store = UsageStore()

  private func budgeted(_ model: any LanguageModel, _ budget: ModelBudget) throws -> BudgetedModel {
    try BudgetedModel(model, budget: budget, store: store, time: time, logger: silent)
  }

  private func request(
    _ caller: EntityID = someCaller, replyTokenCountMax: Int = 50
  ) -> ModelRequest {
    ModelRequest(
      messages: [ModelMessage(.user, String(repeating: "a", count: 404))],
      replyTokenCountMax: replyTokenCountMax, callerID: caller)
  }

  private func subject(_ body: () async throws -> Void) async -> String {
    do {
      try await body()
      return "allowed"
    } catch LanguageModelError.quotaExceeded(let subject, _, let retryAfter) {
      return subject + (retryAfter.map { " \($0)" } ?? "")
    } catch {
      return "\(error)"
    }
  }

  @Test func `A caller may burst, then has its rate, and others have theirs`() async throws {
    let model = TalkingModel()
    let budgeted = try budgeted(model, ModelBudget(callsPerMinute: 6, burstCallCount: 2))
    for _ in 0..<2 { _ = try await Listener().ask(budgeted, request()) }
    let refused = await subject { _ = try await Listener().ask(budgeted, request()) }
    #expect(refused == "model calls per minute 10.0 seconds")
    _ = try await Listener().ask(budgeted, request(EntityID(high: 2, low: 2)))
    time.advance(by: .seconds(10))
    _ = try await Listener().ask(budgeted, request())
    time.advance(by: .seconds(-1000))
    #expect(await subject { _ = try await Listener().ask(budgeted, request()) } != "allowed")
    #expect(model.callCount == 4)
  }

  @Test func `A caller's own tokens of the day count instead of the budget's`() async throws {
    let own = Mutex<Int64?>(160)
    let model = TalkingModel()
    let budgeted = try BudgetedModel(
      model, budget: ModelBudget(callsPerMinute: nil, tokensPerDay: 10), store: store, time: time,
      logger: silent, tokensPerDay: { _ in own.withLock { $0 } })
    _ = try await Listener().ask(budgeted, request())
    let refused = await subject { _ = try await Listener().ask(budgeted, request()) }
    #expect(refused.hasPrefix("model tokens per day"))
    own.withLock { $0 = nil }
    _ = try await Listener().ask(budgeted, request())
    #expect(model.callCount == 2)
  }

  @Test func `Tokens and money are counted per caller and day`() async throws {
    let prices = ModelPrices(
      promptMicrosPerMillionTokens: 150_000, replyMicrosPerMillionTokens: 600_000)
    let budget = ModelBudget(callsPerMinute: nil, tokensPerDay: 400, prices: prices)
    let budgeted = try budgeted(TalkingModel(), budget)
    // Each asks for 105 + 50 at most by estimate, and uses 150.
    for _ in 0..<2 { _ = try await Listener().ask(budgeted, request()) }
    #expect(
      try store.all()
        == ModelUsage(promptTokenCount: 200, replyTokenCount: 100, costMicros: 2 * 45))
    // 22:13:20 of the day: it ends in 6400 seconds.
    let refused = await subject { _ = try await Listener().ask(budgeted, request()) }
    #expect(refused == "model tokens per day 6400.0 seconds")
    _ = try await Listener().ask(budgeted, request(EntityID(high: 2, low: 2)))
    time.advance(by: .seconds(6400))
    _ = try await Listener().ask(budgeted, request())
  }

  @Test func `Money has a budget of its own`() async throws {
    let prices = ModelPrices(
      promptMicrosPerMillionTokens: 1_000_000, replyMicrosPerMillionTokens: 1_000_000)
    let budget = ModelBudget(callsPerMinute: nil, costMicrosPerDay: 310, prices: prices)
    let budgeted = try budgeted(TalkingModel(), budget)
    _ = try await Listener().ask(budgeted, request())
    _ = try await Listener().ask(budgeted, request())
    let refused = await subject { _ = try await Listener().ask(budgeted, request()) }
    #expect(refused.hasPrefix("model cost per day"))
  }

  @Test func `A call that could pass the budget does not begin`() async throws {
    let model = TalkingModel()
    let budgeted = try budgeted(model, ModelBudget(callsPerMinute: nil, tokensPerDay: 400))
    let refused = await subject {
      _ = try await Listener().ask(budgeted, request(replyTokenCountMax: 301))
    }
    #expect(refused.hasPrefix("model tokens per day"))
    #expect(model.callCount == 0)
  }

  @Test func `Calls at once share the budget that is left`() async throws {
    let (arrived, goOn) = (Signal(), Signal())
    let model = TalkingModel { (_) async throws(LanguageModelError) in
      arrived.fire()
      await goOn.wait()
    }
    let budgeted = try budgeted(
      model, ModelBudget(callsPerMinute: nil, callerConcurrentCallMax: 2, tokensPerDay: 300))
    let request = request()
    async let first = Listener().ask(budgeted, request)
    await arrived.wait()
    let refused = await subject { _ = try await Listener().ask(budgeted, request) }
    #expect(refused.hasPrefix("model tokens per day"))
    goOn.fire()
    _ = try await first
  }

  @Test func `One caller has so many calls at once, and all together have`() async throws {
    let (arrived, goOn) = (Signal(), Signal())
    let model = TalkingModel { (_) async throws(LanguageModelError) in
      arrived.fire()
      await goOn.wait()
    }
    let budgeted = try budgeted(
      model,
      ModelBudget(
        callsPerMinute: nil, callerConcurrentCallMax: 1, concurrentCallMax: 1, waitingCallMax: 0))
    let request = request()
    async let first = Listener().ask(budgeted, request)
    await arrived.wait()
    #expect(
      await subject { _ = try await Listener().ask(budgeted, request) } == "model calls at once")
    await #expect(throws: LanguageModelError.unavailable("too many calls wait for the model")) {
      try await Listener().ask(budgeted, self.request(EntityID(high: 2, low: 2)))
    }
    goOn.fire()
    _ = try await first
    // The one that was sent away has not paid.
    #expect(try store.all(of: EntityID(high: 2, low: 2)) == ModelUsage())
  }

  @Test func `What a call used before it failed is charged, and nothing else`() async throws {
    let failing = TalkingModel { (received) async throws(LanguageModelError) in
      do { try await received(String(repeating: "x", count: 40)) } catch { throw .cancelled }
      throw .unavailable("gone")
    }
    let budget = ModelBudget(callsPerMinute: nil)
    await #expect(throws: LanguageModelError.unavailable("gone")) {
      try await Listener().ask(budgeted(failing, budget), request())
    }
    #expect(try store.all() == ModelUsage(promptTokenCount: 105, replyTokenCount: 10))
    let refusing = TalkingModel { (_) async throws(LanguageModelError) in throw .refused("no") }
    await #expect(throws: LanguageModelError.refused("no")) {
      try await Listener().ask(budgeted(refusing, budget), request())
    }
    #expect(try store.all() == ModelUsage(promptTokenCount: 105, replyTokenCount: 10))
  }

  @Test func `Usage that could not be recorded counts, and is recorded with the next call`()
    async throws
  {
    let store = store
    let model = TalkingModel { (_) async throws(LanguageModelError) in store.isAway = true }
    let budgeted = try budgeted(model, ModelBudget(callsPerMinute: nil, tokensPerDay: 400))
    _ = try await Listener().ask(budgeted, request())
    await #expect(
      throws: LanguageModelError.unavailable("what callers have used cannot be read now")
    ) {
      try await Listener().ask(budgeted, request())
    }
    store.isAway = false
    _ = try await Listener().ask(budgeted, request())
    store.isAway = false
    let refused = await subject { _ = try await Listener().ask(budgeted, request()) }
    #expect(refused.hasPrefix("model tokens per day"))
    #expect(try store.all() == ModelUsage(promptTokenCount: 200, replyTokenCount: 100))
  }

  @Test func `Callers that rest are forgotten`() {
    var ledger = CallerLedgerMachine(
      ModelBudget(callsPerMinute: 60, burstCallCount: 1), callerCountMax: 2)
    for caller in 1...2 {
      #expect(ledger.begin(EntityID(high: 0, low: UInt64(caller)), at: time.now()) == nil)
    }
    #expect(ledger.begin(EntityID(high: 0, low: 3), at: time.now()) == .tooManyCallers)
    ledger.end(EntityID(high: 0, low: 1))
    time.advance(by: .seconds(2))
    #expect(ledger.begin(EntityID(high: 0, low: 3), at: time.now()) == nil)
    #expect(ledger.callerCount == 2)
  }

  @Test func `Prices round up and budgets that can never work are refused`() {
    let prices = ModelPrices(promptMicrosPerMillionTokens: 1, replyMicrosPerMillionTokens: 0)
    #expect(prices.usage(promptTokenCount: 1, replyTokenCount: 0).costMicros == 1)
    #expect(prices.usage(promptTokenCount: -1, replyTokenCount: .max).promptTokenCount == 0)
    let highest = ModelPrices(
      promptMicrosPerMillionTokens: 1_000_000_000, replyMicrosPerMillionTokens: 1_000_000_000)
    #expect(highest.usage(promptTokenCount: .max, replyTokenCount: .max).costMicros > 0)
    for budget in [
      ModelBudget(callsPerMinute: 0), ModelBudget(burstCallCount: 0),
      ModelBudget(tokensPerDay: 0), ModelBudget(costMicrosPerDay: -1),
      ModelBudget(concurrentCallMax: 0),
      ModelBudget(prices: ModelPrices(promptMicrosPerMillionTokens: .max)),
    ] {
      #expect(throws: ModelConfigurationError.self) { try budget.validate() }
    }
  }
}
