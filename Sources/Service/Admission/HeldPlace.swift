internal import Domain
internal import RPC
internal import Synchronization

/// The place that a call holds in the queue of its class. While it waits for something else it gives the
/// place to others: a place is for work.
final class HeldPlace: Sendable {
  /// Nil where the call needs no place.
  @TaskLocal static var current: HeldPlace?

  private struct Tenure {
    /// When it got the place that it has; nil while it has none.
    var since: ContinuousClock.Instant?
    /// For how long it had one before.
    var time = Duration.zero
  }

  private let line: AdmissionLine
  private let caller: String
  private let context: CallContext
  private let now: @Sendable () -> ContinuousClock.Instant
  private let tenure = Mutex(Tenure())

  init(
    _ line: AdmissionLine, caller: String, of context: CallContext,
    now: @escaping @Sendable () -> ContinuousClock.Instant
  ) {
    self.line = line
    self.caller = caller
    self.context = context
    self.now = now
  }

  /// For how long the call has had a place, in all.
  var heldTime: Duration { tenure.withLock { $0.time } }

  /// Waits for the caller's turn.
  ///
  /// - Parameter isFirst: whether nothing of the call has been done yet.
  func enter(isFirst: Bool = true) async throws {
    context.awaitsTurn(true)
    defer { context.awaitsTurn(false) }
    switch await line.queue.enter(caller, until: context.deadline) {
    case .entered:
      let now = now()
      tenure.withLock { $0.since = now }
    case .refused(let maximum):
      throw QuotaExceeded(
        "\(line.cost.rawValue) calls that wait", maximum: Int64(maximum), used: Int64(maximum),
        isRefusal: isFirst)
    case .overdue: throw line.overdue(isRefusal: isFirst)
    case .expired:
      throw RPCError(.deadlineExceeded, "the deadline passed before it was the call's turn")
    case .cancelled: throw CancellationError()
    }
  }

  func leave() {
    let now = now()
    let wasHeld = tenure.withLock { tenure in
      guard let since = tenure.since else { return false }
      tenure.since = nil
      tenure.time += now - since
      return true
    }
    if wasHeld { line.queue.leave(caller) }
  }

  /// Runs `wait` without the place of the current call, which waits for its turn again afterwards.
  static func givenBack<Value>(_ wait: () async throws -> Value) async throws -> Value {
    guard let place = current else { return try await wait() }
    place.leave()
    let value = try await wait()
    try await place.enter(isFirst: false)
    return value
  }
}
