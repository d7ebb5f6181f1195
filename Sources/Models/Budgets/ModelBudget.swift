package import Domain

/// What a model costs, in millionths of a currency per million tokens.
package struct ModelPrices: Sendable, Hashable {
  package var promptMicrosPerMillionTokens: Int64
  package var replyMicrosPerMillionTokens: Int64

  package init(promptMicrosPerMillionTokens: Int64 = 0, replyMicrosPerMillionTokens: Int64 = 0) {
    self.promptMicrosPerMillionTokens = promptMicrosPerMillionTokens
    self.replyMicrosPerMillionTokens = replyMicrosPerMillionTokens
  }

  /// Rounded up, so that many small calls do not come for nothing.
  package func usage(promptTokenCount: Int, replyTokenCount: Int) -> ModelUsage {
    // With prices of at most `priceMax` nothing below overflows.
    let prompt = Int64(min(max(promptTokenCount, 0), Self.tokenCountMax))
    let reply = Int64(min(max(replyTokenCount, 0), Self.tokenCountMax))
    let cost =
      (prompt * promptMicrosPerMillionTokens + reply * replyMicrosPerMillionTokens + 999_999)
      / 1_000_000
    return ModelUsage(promptTokenCount: prompt, replyTokenCount: reply, costMicros: cost)
  }

  private static let tokenCountMax = 1_000_000_000
  fileprivate static let priceMax: Int64 = 1_000_000_000
}

/// What callers may use of a model. Nil is: without a limit of its own.
package struct ModelBudget: Sendable, Hashable {
  /// Calls that one caller may begin per minute, and how many of them at once after a rest.
  package var callsPerMinute: Int?
  package var burstCallCount: Int
  /// Calls of one caller at the same time, and of all together.
  package var callerConcurrentCallMax: Int
  package var concurrentCallMax: Int
  /// Calls that may wait for a place among all.
  package var waitingCallMax: Int
  /// Per caller and day (UTC), prompt and reply together.
  package var tokensPerDay: Int64?
  /// Per caller and day (UTC), in millionths of the currency of the prices.
  package var costMicrosPerDay: Int64?
  package var prices: ModelPrices

  package init(
    callsPerMinute: Int? = 20, burstCallCount: Int = 5, callerConcurrentCallMax: Int = 2,
    concurrentCallMax: Int = 8, waitingCallMax: Int = 64, tokensPerDay: Int64? = nil,
    costMicrosPerDay: Int64? = nil, prices: ModelPrices = ModelPrices()
  ) {
    self.callsPerMinute = callsPerMinute
    self.burstCallCount = burstCallCount
    self.callerConcurrentCallMax = callerConcurrentCallMax
    self.concurrentCallMax = concurrentCallMax
    self.waitingCallMax = waitingCallMax
    self.tokensPerDay = tokensPerDay
    self.costMicrosPerDay = costMicrosPerDay
    self.prices = prices
  }

  package func validate() throws(ModelConfigurationError) {
    guard callsPerMinute.map({ (1...1_000_000).contains($0) }) ?? true,
      (1...1_000_000).contains(burstCallCount)
    else {
      throw .invalid(setting: "rate limit", reason: "must be 1 to 1000000 calls")
    }
    guard (1...1024).contains(callerConcurrentCallMax), (1...1024).contains(concurrentCallMax),
      (0...65536).contains(waitingCallMax)
    else {
      throw .invalid(
        setting: "concurrency", reason: "must be 1 to 1024 calls at once and at most 65536 waiting")
    }
    guard (tokensPerDay ?? 1) > 0, (costMicrosPerDay ?? 1) > 0 else {
      throw .invalid(setting: "budget", reason: "must be more than nothing")
    }
    let priceRange = 0...ModelPrices.priceMax
    guard priceRange.contains(prices.promptMicrosPerMillionTokens),
      priceRange.contains(prices.replyMicrosPerMillionTokens)
    else {
      throw .invalid(setting: "prices", reason: "must be 0 to 1000 per million tokens")
    }
  }
}

extension ModelUsage {
  static func + (left: ModelUsage, right: ModelUsage) -> ModelUsage {
    ModelUsage(
      promptTokenCount: left.promptTokenCount + right.promptTokenCount,
      replyTokenCount: left.replyTokenCount + right.replyTokenCount,
      costMicros: left.costMicros + right.costMicros)
  }

  static func - (left: ModelUsage, right: ModelUsage) -> ModelUsage {
    ModelUsage(
      promptTokenCount: left.promptTokenCount - right.promptTokenCount,
      replyTokenCount: left.replyTokenCount - right.replyTokenCount,
      costMicros: left.costMicros - right.costMicros)
  }

  var tokenCount: Int64 { promptTokenCount + replyTokenCount }
}
