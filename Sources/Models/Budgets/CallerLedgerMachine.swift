package import Domain

/// What this process knows of each caller: its rate, its calls at once, what those may use at most,
/// and what is used but not in the store yet. Pure: time is an argument.
///
/// A call goes `begin` → `reserve` → `settle` → `end`; `end` also follows when a step in between
/// was refused or left out. What `settle` adds stays until `recorded` takes it away.
package struct CallerLedgerMachine: Sendable {
  package enum Refusal: Sendable, Hashable {
    case rate(maximum: Int64, retryAfter: Duration)
    case concurrentCalls(maximum: Int64)
    case tokens(maximum: Int64)
    case cost(maximum: Int64)
    case tooManyCallers
  }

  private struct Account {
    /// Calls that may begin now; rises with time.
    var level: Double
    var levelAt: Timestamp
    var callCount = 0
    var reserved = ModelUsage()
    var unrecorded = ModelUsage()
    /// A caller is on the way to the store with `unrecorded`.
    var isRecording = false
  }

  private let budget: ModelBudget
  private let callerCountMax: Int
  private var accounts: [EntityID: Account] = [:]

  package init(_ budget: ModelBudget, callerCountMax: Int = 100_000) {
    self.budget = budget
    self.callerCountMax = callerCountMax
  }

  package var callerCount: Int { accounts.count }

  /// A call begins: its rate and its place are taken. Nil: it may continue.
  package mutating func begin(_ caller: EntityID, at now: Timestamp) -> Refusal? {
    if accounts[caller] == nil, accounts.count >= callerCountMax { sweep(at: now) }
    guard accounts[caller] != nil || accounts.count < callerCountMax else { return .tooManyCallers }
    var account =
      accounts[caller] ?? Account(level: Double(budget.burstCallCount), levelAt: now)
    guard account.callCount < budget.callerConcurrentCallMax else {
      return .concurrentCalls(maximum: Int64(budget.callerConcurrentCallMax))
    }
    if let perMinute = budget.callsPerMinute {
      account.level = level(of: account, at: now)
      account.levelAt = now
      guard account.level >= 1 else {
        accounts[caller] = account
        let seconds = (1 - account.level) * 60 / Double(perMinute)
        return .rate(maximum: Int64(perMinute), retryAfter: .seconds(seconds))
      }
      account.level -= 1
    }
    account.callCount += 1
    accounts[caller] = account
    return nil
  }

  /// Sets aside what a call may use at most, where the day's budget has room for it beside `used`,
  /// which the store knows. Nil: it has.
  ///
  /// - Parameter tokensPerDay: the caller's own; nil for no limit.
  package mutating func reserve(
    _ estimate: ModelUsage, for caller: EntityID, used: ModelUsage, tokensPerDay: Int64?
  ) -> Refusal? {
    guard var account = accounts[caller] else { return nil }
    let sum = used + account.unrecorded + account.reserved + estimate
    if let maximum = tokensPerDay, sum.tokenCount > maximum {
      return .tokens(maximum: maximum)
    }
    if let maximum = budget.costMicrosPerDay, sum.costMicros > maximum {
      return .cost(maximum: maximum)
    }
    account.reserved = account.reserved + estimate
    accounts[caller] = account
    return nil
  }

  /// A call that reserved `estimate` has used `usage`.
  package mutating func settle(
    _ usage: ModelUsage, reserved estimate: ModelUsage, of caller: EntityID
  ) {
    guard var account = accounts[caller] else { return }
    account.reserved = account.reserved - estimate
    account.unrecorded = account.unrecorded + usage
    accounts[caller] = account
  }

  package mutating func end(_ caller: EntityID) {
    accounts[caller]?.callCount -= 1
  }

  /// What is to be recorded now; nil where there is nothing, or another caller is at it. Whoever
  /// gets it calls `recorded`.
  package mutating func unrecorded(of caller: EntityID) -> ModelUsage? {
    guard let account = accounts[caller], !account.isRecording, account.unrecorded != ModelUsage()
    else { return nil }
    accounts[caller]?.isRecording = true
    return account.unrecorded
  }

  /// The store has `usage` now, or refused it, and it stays.
  package mutating func recorded(_ usage: ModelUsage, of caller: EntityID, isStored: Bool) {
    guard var account = accounts[caller] else { return }
    account.isRecording = false
    if isStored { account.unrecorded = account.unrecorded - usage }
    accounts[caller] = account
  }

  private func level(of account: Account, at now: Timestamp) -> Double {
    guard let perMinute = budget.callsPerMinute else { return Double(budget.burstCallCount) }
    // A clock that was set back gives nothing and takes nothing.
    let micros = max(
      0, now.microsecondsSinceEpoch - account.levelAt.microsecondsSinceEpoch)
    let gained = Double(micros) / 60_000_000 * Double(perMinute)
    return min(account.level + gained, Double(budget.burstCallCount))
  }

  /// Forgets those of whom a new account would say the same.
  private mutating func sweep(at now: Timestamp) {
    accounts = accounts.filter { _, account in
      account.callCount > 0 || account.isRecording || account.unrecorded != ModelUsage()
        || level(of: account, at: now) < Double(budget.burstCallCount)
    }
  }
}
