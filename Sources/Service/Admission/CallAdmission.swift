package import Domain
package import RPC
internal import Synchronization

/// Who may begin a call, and whose turn it is: the rates and streams of callers, and a fair queue for
/// each class of expensive calls. A caller is a user, whatever number of tokens it uses.
///
/// All of it is kept in memory, for this server alone.
package final class CallAdmission: Sendable {
  private let queues: [MethodRule.Cost: FairQueue<String>]
  private let meter = Mutex(CallerMeterMachine<String>())
  private let limits: @Sendable (Principal) -> CallerLimits

  /// - Parameter limits: what a caller may do; asked at each call, so it must be quick.
  package init(
    _ admission: AdmissionLimits, limits: @escaping @Sendable (Principal) -> CallerLimits
  ) {
    var queues: [MethodRule.Cost: FairQueue<String>] = [:]
    for cost in MethodRule.Cost.allCases {
      if let limits = admission[cost] { queues[cost] = FairQueue(limits) }
    }
    self.queues = queues
    self.limits = limits
  }

  /// Calls of a class that wait for their turn.
  package func waitingCount(_ cost: MethodRule.Cost) -> Int { queues[cost]?.waitingCount ?? 0 }

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
        retryAfter: retryAfter)
    case .streams(let openCount):
      throw QuotaExceeded(
        "streams at a time", maximum: Int64(limits.streamMax ?? 0), used: Int64(openCount))
    case .tooManyCallers:
      throw QuotaExceeded("callers at a time", maximum: 0)
    }
  }

  func streamEnded(_ principal: Principal) {
    meter.withLock { $0.streamEnded(principal.userID) }
  }

  /// Runs `body` once it is the caller's turn among the calls of the class.
  func turn<Value: Sendable>(
    _ cost: MethodRule.Cost, _ context: CallContext, _ body: () async throws -> Value
  ) async throws -> Value {
    guard let queue = queues[cost] else { return try await body() }
    let place = HeldPlace(
      queue, cost, caller: try context.requirePrincipal().userID, until: context.deadline)
    try await place.enter()
    defer { place.leave() }
    return try await HeldPlace.$current.withValue(place) { try await body() }
  }
}

/// A caller has used up what it may use. Nothing was done.
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

  init(
    _ subject: String, maximum: Int64, used: Int64? = nil,
    retryAfter: Duration = QuotaExceeded.retryDelayDefault, resetsAt: Timestamp? = nil
  ) {
    self.subject = subject
    self.maximum = maximum
    self.used = used
    self.retryAfter = retryAfter
    self.resetsAt = resetsAt
  }
}
