package import Domain
package import RPC
internal import Synchronization

/// Who may begin a call, and whose turn it is: the rates and streams of callers, and a fair queue for
/// each class of expensive calls. A caller is a user, whatever number of tokens it uses.
///
/// All of it is kept in memory, for this server alone.
package final class CallAdmission: Sendable {
  private let lines: [MethodRule.Cost: AdmissionLine]
  private let meter = Mutex(CallerMeterMachine<String>())
  private let limits: @Sendable (Principal) -> CallerLimits
  private let now: @Sendable () -> ContinuousClock.Instant
  /// Calls that run, of all classes that share the processors.
  private let insideCount = Atomic(0)
  /// Up to so many do not wait for each other.
  private static let quietMax = 2

  /// - Parameters:
  ///   - limits: what a caller may do; asked at each call, so it must be quick.
  ///   - now: the time; tests give one of their own.
  package init(
    _ admission: AdmissionLimits, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    limits: @escaping @Sendable (Principal) -> CallerLimits
  ) {
    var lines: [MethodRule.Cost: AdmissionLine] = [:]
    for cost in MethodRule.Cost.allCases {
      if let limits = admission[cost] {
        lines[cost] = AdmissionLine(cost, limits, admission.shedding(cost), now: now)
      }
    }
    self.lines = lines
    self.limits = limits
    self.now = now
  }

  /// Calls of a class that wait for their turn.
  package func waitingCount(_ cost: MethodRule.Cost) -> Int {
    lines[cost]?.queue.waitingCount ?? 0
  }

  /// What each class that has a queue is at, in the order of the contract.
  package var loads: [AdmissionLoad] {
    MethodRule.Cost.allCases.compactMap { lines[$0]?.load }
  }

  /// Streams that a user has open on this server.
  package func streamCount(of userID: EntityID) -> Int {
    meter.withLock { $0.streamCount(of: userID.description) }
  }

  /// Counts a call that begins, or refuses it.
  func begin(_ principal: Principal, isStream: Bool) throws(QuotaExceeded) {
    let limits = limits(principal)
    let refusal = meter.withLock {
      $0.began(principal.userID, limits, isStream: isStream, at: .now)
    }
    switch refusal {
    case nil: return
    case .rate(let retryAfter):
      throw QuotaExceeded(
        "calls per second", maximum: Int64(limits.callsPerSecond?.rounded(.up) ?? 0),
        retryAfter: retryAfter, isRefusal: true)
    case .streams(let openCount):
      throw QuotaExceeded(
        "streams at a time", maximum: Int64(limits.streamMax ?? 0), used: Int64(openCount),
        isRefusal: true)
    case .tooManyCallers:
      throw QuotaExceeded("callers at a time", maximum: 0, isRefusal: true)
    }
  }

  func streamEnded(_ principal: Principal) {
    meter.withLock { $0.streamEnded(principal.userID) }
  }

  /// Runs `body` once it is the caller's turn among the calls of the class; refuses what would wait in vain.
  func turn<Value: Sendable>(
    _ cost: MethodRule.Cost, _ context: CallContext, _ body: () async throws -> Value
  ) async throws -> Value {
    guard let line = lines[cost] else { return try await body() }
    let caller = try context.requirePrincipal().userID
    try line.door(caller, until: context.deadline)
    let place = HeldPlace(line, caller: caller, of: context, now: now)
    try await place.enter()
    let wasQuiet = insideCount.add(1, ordering: .relaxed).newValue <= Self.quietMax
    var isDone = false
    defer {
      let isQuiet = insideCount.subtract(1, ordering: .relaxed).oldValue <= Self.quietMax
      place.leave()
      // What failed at once says nothing of how long calls take.
      let time = isDone || context.deadline.map({ $0 <= now() }) == true ? place.heldTime : nil
      if line.ended(context.method.path, after: time, isQuiet: wasQuiet && isQuiet) {
        for other in lines.values { other.yield() }
      }
    }
    let value = try await HeldPlace.$current.withValue(place) { try await body() }
    isDone = true
    return value
  }
}

/// A caller has used up what it may use.
package struct QuotaExceeded: Error, Sendable, Hashable {
  static let retryDelayDefault = Duration.seconds(1)

  /// Which limit, in words.
  var subject: String
  var maximum: Int64
  /// How much of it is used; nil where that says nothing.
  var used: Int64?
  /// When to try again.
  var retryAfter: Duration
  /// When what is used starts from nothing again; nil where it does not.
  var resetsAt: Timestamp?
  /// Whether nothing was done of the call.
  var isRefusal: Bool

  init(
    _ subject: String, maximum: Int64, used: Int64? = nil,
    retryAfter: Duration = QuotaExceeded.retryDelayDefault, resetsAt: Timestamp? = nil,
    isRefusal: Bool = false
  ) {
    self.subject = subject
    self.maximum = maximum
    self.used = used
    self.retryAfter = retryAfter
    self.resetsAt = resetsAt
    self.isRefusal = isRefusal
  }
}
