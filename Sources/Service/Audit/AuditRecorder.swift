package import Domain
package import Logging
internal import Logs
package import RPC
internal import Synchronization

/// Writes down what is no event and is to be known later, off the path of calls and in batches.
///
/// What is new is stored within `interval`; how often it came again, once its while is over
/// (`AuditBookMachine.limit`), or when the server ends in order. A server that is killed loses what it noted
/// since the last batch, and those counts.
package final class AuditRecorder: Sendable {
  package static let interval = Duration.seconds(5)
  private static let batchMax = 500
  /// Entries that wait for the database. What comes beyond is counted and said.
  static let waitingMax = 10_000

  private struct State {
    var book = AuditBookMachine()
    var waiting: [AuditEntry] = []
    var droppedCount: Int64 = 0
  }

  private let store: any AuditStore
  private let clock: any TimeSource
  private let ids: any IDGenerator
  private let outage: OutageLog
  private let state = Mutex(State())

  package init(
    store: any AuditStore, clock: any TimeSource, ids: any IDGenerator, logger: Logger
  ) {
    self.store = store
    self.clock = clock
    self.ids = ids
    outage = OutageLog(logger, "writing the audit")
  }

  package func note(_ key: AuditBookMachine.Key) {
    let now = clock.now()
    state.withLock { $0.book.note(key, at: now) }
  }

  /// Writes again and again, until the task is cancelled. Its owner flushes once more then.
  package func run() async {
    while true {
      do { try await Task.sleep(for: Self.interval) } catch { return }
      await flush()
    }
  }

  /// Writes what is to be written now. What cannot be stays for the next time.
  ///
  /// - Parameter isLast: everything, also what is still being counted.
  package func flush(isLast: Bool = false) async {
    collect(isLast: isLast)
    while true {
      let batch = state.withLock { Array($0.waiting.prefix(Self.batchMax)) }
      guard !batch.isEmpty else { return }
      do throws(StoreError) {
        try await store.append(batch)
        outage.worked()
      } catch {
        outage.failed("\(error)")
        // It may be there: an entry twice is better than none, and has the same id.
        return
      }
      state.withLock { $0.waiting.removeFirst(batch.count) }
    }
  }

  private func collect(isLast: Bool) {
    let now = clock.now()
    state.withLock { state in
      for (key, tally) in state.book.take(at: now, isLast: isLast) {
        guard state.waiting.count < Self.waitingMax else {
          state.droppedCount += 1
          continue
        }
        state.waiting.append(entry(key, tally, at: now))
      }
      guard state.droppedCount > 0, state.waiting.count < Self.waitingMax else { return }
      let notice = AuditBookMachine.Key(
        kind: .notice, method: "", reason: "entries were left out: there was no room for them")
      let tally = AuditBookMachine.Tally(
        count: state.droppedCount, firstAt: now, lastAt: now)
      state.waiting.append(entry(notice, tally, at: now))
      state.droppedCount = 0
    }
  }

  private func entry(
    _ key: AuditBookMachine.Key, _ tally: AuditBookMachine.Tally, at now: Timestamp
  ) -> AuditEntry {
    AuditEntry(
      id: ids.next(at: now), kind: key.kind, actorID: key.actorID, tokenID: key.tokenID,
      subjectID: key.subjectID, method: String(key.method.prefix(200)), status: key.status,
      reason: String(key.reason.prefix(500)), peer: String(key.peer.prefix(100)),
      count: tally.count, firstAt: tally.firstAt, lastAt: tally.lastAt)
  }
}

extension AuditRecorder: CallObserver {
  package func refused(
    _ error: RPCError, method: String, principal: Principal?, peer: String
  ) {
    note(
      AuditBookMachine.Key(
        kind: .refusal, actorID: (principal?.userID).flatMap { EntityID($0) },
        tokenID: (principal?.tokenID).flatMap { EntityID($0) }, method: method,
        status: Int32(error.code.rawValue),
        // What was asked for may be quoted in it, and makes no two the same.
        reason: error.code == .notFound ? "" : error.message, peer: peer))
  }

  package func signedIn(_ principal: Principal, peer: String) {
    note(
      AuditBookMachine.Key(
        kind: .signIn, actorID: EntityID(principal.userID), tokenID: EntityID(principal.tokenID),
        method: "", peer: peer))
  }
}
