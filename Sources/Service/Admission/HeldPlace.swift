internal import Domain
internal import RPC
internal import Synchronization

/// The place that a call holds in the queue of its class. While it waits for something else it gives the
/// place to others: a place is for work.
final class HeldPlace: Sendable {
  /// Nil where the call needs no place.
  @TaskLocal static var current: HeldPlace?

  private let queue: FairQueue<String>
  private let cost: MethodRule.Cost
  private let caller: String
  private let deadline: ContinuousClock.Instant?
  private let isHeld = Atomic(false)

  init(
    _ queue: FairQueue<String>, _ cost: MethodRule.Cost, caller: String,
    until deadline: ContinuousClock.Instant?
  ) {
    self.queue = queue
    self.cost = cost
    self.caller = caller
    self.deadline = deadline
  }

  /// Waits for the caller's turn.
  func enter() async throws {
    switch await queue.enter(caller, until: deadline) {
    case .entered: isHeld.store(true, ordering: .relaxed)
    case .refused(let maximum):
      throw QuotaExceeded(
        "\(cost.rawValue) calls that wait", maximum: Int64(maximum), used: Int64(maximum))
    case .expired:
      throw RPCError(.deadlineExceeded, "the deadline passed before it was the call's turn")
    case .cancelled: throw CancellationError()
    }
  }

  func leave() {
    guard isHeld.exchange(false, ordering: .relaxed) else { return }
    queue.leave(caller)
  }

  /// Runs `wait` without the place of the current call, which waits for its turn again afterwards.
  static func givenBack<Value>(_ wait: () async throws -> Value) async throws -> Value {
    guard let place = current else { return try await wait() }
    place.leave()
    let value = try await wait()
    try await place.enter()
    return value
  }
}
