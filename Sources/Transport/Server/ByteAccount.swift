internal import RPC
internal import Synchronization

/// Bytes that a part of the peers may make this process keep, together.
final class ByteBudget: Sendable {
  private let byteCountMax: Int
  private let used = Atomic(0)

  init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

  /// What is kept now.
  var byteCount: Int { used.load(ordering: .relaxed) }

  fileprivate func use(_ name: String) -> ServerTotals.MemoryUse {
    ServerTotals.MemoryUse(
      name: name, byteCount: used.load(ordering: .relaxed), byteCountMax: byteCountMax)
  }

  /// Answers with what is free afterwards; less than nothing when too much is kept.
  fileprivate func change(by byteCount: Int) -> Int {
    byteCountMax - used.add(byteCount, ordering: .relaxed).newValue
  }
}

/// Who answers for bytes that are kept: a connection while nobody is known on it, afterwards its
/// caller, for all their connections together.
///
/// A holder may have no more than its own limit, and no more than what is left for all others: so
/// whoever takes much is refused first, and whoever comes new always gets something.
final class ByteAccount: Sendable {
  private let budget: ByteBudget
  private let byteCountMax: Int
  private let used = Atomic(0)

  init(_ budget: ByteBudget, byteCountMax: Int) {
    self.budget = budget
    self.byteCountMax = byteCountMax
  }

  /// Takes bytes, or gives them back. False when it is more than before, and too much: they are
  /// counted all the same, until the owner gives up what it keeps.
  func change(by byteCount: Int) -> Bool {
    guard byteCount != 0 else { return true }
    let mine = used.add(byteCount, ordering: .relaxed).newValue
    let free = budget.change(by: byteCount)
    return byteCount < 0 || mine <= min(byteCountMax, free)
  }
}

/// The accounts of all peers of a server.
final class ByteAccounts: Sendable {
  private struct Entry {
    weak var account: ByteAccount?
  }

  private struct State {
    var entries: [String: Entry] = [:]
    /// When the table has so many entries those are taken out whose callers are gone.
    var countMax = 64
  }

  private let limits: MemoryLimits
  private let strangers: ByteBudget
  private let callers: ByteBudget
  private let state = Mutex(State())

  init(_ limits: MemoryLimits) {
    self.limits = limits
    strangers = ByteBudget(byteCountMax: limits.strangersByteCountMax)
    callers = ByteBudget(byteCountMax: limits.callersByteCountMax)
  }

  /// What all peers make this process keep now.
  var byteCount: Int { strangers.byteCount + callers.byteCount }

  /// What is kept for whom.
  var use: [ServerTotals.MemoryUse] { [callers.use("callers"), strangers.use("strangers")] }

  /// For a connection on which nobody is known.
  func ofStranger() -> ByteAccount {
    ByteAccount(strangers, byteCountMax: limits.strangerByteCountMax)
  }

  /// For the connections of a user.
  func of(userID: String) -> ByteAccount {
    state.withLock { state in
      if let account = state.entries[userID]?.account { return account }
      let account = ByteAccount(callers, byteCountMax: limits.callerByteCountMax)
      state.entries[userID] = Entry(account: account)
      if state.entries.count > state.countMax {
        state.entries = state.entries.filter { $0.value.account != nil }
        state.countMax = max(64, 2 * state.entries.count)
      }
      return account
    }
  }
}

/// How much peers may make a server keep: requests that are not complete or not read, replies for
/// which there is no credit, and output that sockets do not take.
package struct MemoryLimits: Sendable {
  /// All connections on which nobody is known, and each of them.
  package var strangersByteCountMax = 16 << 20
  package var strangerByteCountMax = 256 << 10
  /// All callers, and each of them with all connections.
  package var callersByteCountMax = 256 << 20
  package var callerByteCountMax = 32 << 20

  package init() {}
}
