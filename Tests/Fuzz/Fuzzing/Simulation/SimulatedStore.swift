import RPC

/// The data behind all servers: what is committed here stays, whoever is killed.
///
/// `@unchecked Sendable`: used on one loop only.
final class SimulatedStore: @unchecked Sendable {
  private var replies: [String: Blob] = [:]
  private var commitCounts: [String: Int] = [:]
  /// Attempts whose handler has begun.
  private(set) var begunAttempts: Set<String> = []

  func began(_ request: Blob) { begunAttempts.insert(request.text) }

  /// Commits a write, once for its key; answers with what the first one was answered.
  func commit(_ request: Blob, key: String) -> Blob {
    if let reply = replies[key] { return reply }
    let reply = Blob("\(key) committed by \(request.text)")
    replies[key] = reply
    commitCounts[key, default: 0] += 1
    return reply
  }

  /// What a client was told is there, once.
  func requireCommitted(_ key: String, _ reply: Blob) {
    require(replies[key] == reply, "the acknowledged write \(key) is not there")
    require(commitCounts[key] == 1, "the write \(key) happened \(commitCounts[key] ?? 0) times")
  }
}
