package import RPC
internal import Synchronization

/// How many calls of one caller wait for what was written, at a time: each asks the database again and
/// again.
package final class WaitLimit: Sendable {
  package static let countMax = 32

  private let counts = Mutex<[String: Int]>([:])

  package init() {}

  /// Runs `body` as one of the caller's waits, or refuses it.
  package func holding<Result>(
    _ caller: Principal?, _ body: () async throws -> Result
  ) async throws -> Result {
    let key = caller?.userID ?? ""
    let isFull = counts.withLock { counts in
      if counts[key, default: 0] >= Self.countMax { return true }
      counts[key, default: 0] += 1
      return false
    }
    if isFull { throw RPCError.tooManyWaits(maximum: Self.countMax) }
    defer {
      counts.withLock { counts in
        let left = (counts[key] ?? 1) - 1
        counts[key] = left == 0 ? nil : left
      }
    }
    return try await body()
  }
}
