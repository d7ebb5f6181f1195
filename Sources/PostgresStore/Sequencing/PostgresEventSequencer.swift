package import Domain
internal import Synchronization

/// Gives events their positions on a session of its own that holds the deployment's lock. Servers
/// that do not hold it get it when the holder's session ends.
///
///   unknown ── lock taken, positions read ──▶ leading ── session, lock or batch lost ──▶ unknown
///
/// Who leads in a database that is not the one of the current epoch (a standby that was promoted, a
/// backup that was restored) begins an epoch before it gives a position: see `EpochStatements`.
///
/// Events are never touched: positions are rows of `event_positions`. The lock saves work only. Two
/// that lead by mistake refuse each other's whole batch, because numbers and positions are unique.
package final class PostgresEventSequencer: EventSequencer {
  /// What the events of one batch may take in the database, before they are sent here; one event
  /// may exceed it.
  private static let batchByteCountMax: Int64 = 8 << 20
  /// How far what a next leader, and who begins at the end of the log, has to look through may grow
  /// before it is written down.
  private static let markStep: Int64 = 500

  private struct Leading {
    var numbers: SequencedNumbers
    var written: SequencedNumbers.Mark
  }

  private let database: PostgresDatabase
  /// Names this sequencer in its session, so that a session that was replaced is noticed.
  private let token: String
  private let leading = Mutex<Leading?>(nil)

  package init(_ database: PostgresDatabase) {
    self.database = database
    token = String(UInt64.random(in: 1 ... .max), radix: 16)
  }

  package func sequence(limit: Int) async throws(StoreError) -> [StoredEvent]? {
    let limit = max(1, min(limit, PostgresEventLog.pageMax))
    // Forgotten until the batch is known to be committed: after a failure, all is read again.
    let known = leading.withLock { leading in
      defer { leading = nil }
      return leading
    }
    var state: Leading
    if let known {
      state = known
    } else {
      guard let read = try await lead() else { return nil }
      state = read
    }
    guard let (batch, events) = try await place(state.numbers, limit) else { return nil }
    state.numbers.sequenced(batch)
    try await writeMark(&state)
    leading.withLock { $0 = state }
    return events
  }

  /// Takes the lock and reads where the log stands; nil while another session has the lock.
  private func lead() async throws(StoreError) -> Leading? {
    let lead = try await database.rows(
      SequencerStatements.lead(AdvisoryLockKey.sequencer.rawValue, token), as: .nobody,
      on: .sequencer)
    guard try lead.first?.value(0, as: Bool.self) == true else { return nil }
    let check = try await database.rows(
      SequencerStatements.check(), as: .system(.sequencing), on: .sequencer)
    guard try check.first?.value(0, as: Bool.self) == true else {
      throw .corrupt(
        "the sequence events_seq_seq is before the last event, or gives out more than one number "
          + "at a time: SELECT setval('events_seq_seq', max(seq)) FROM events, and CACHE 1")
    }
    // A session belongs to one database of one timeline: what it is now, it is until it ends.
    _ = try await database.write(EpochStatements.settle(), for: .sequencing, on: .sequencer)
    let marks = try await database.rows(
      SequencerStatements.mark(), as: .system(.sequencing), on: .sequencer)
    guard let high: Int64 = try marks.first?.value(0) else {
      throw .corrupt("event_low_mark is empty")
    }
    let holes = try marks.map { (row) throws(StoreError) -> ClosedRange<Int64>? in
      guard let low = try row.value(1, as: Int64?.self) else { return nil }
      return low...(try row.value(2))
    }
    let mark = SequencedNumbers.Mark(high: high, holes: holes.compactMap(\.self))
    let positioned: [Int64] = try await database.rows(
      SequencerStatements.positioned(
        high, mark.holes.map(\.lowerBound), mark.holes.map(\.upperBound)),
      as: .system(.sequencing), on: .sequencer
    ).map { (row) throws(StoreError) in try row.value(0) }
    // After those were read, in a transaction of its own.
    let own = try await database.write(
      SequencerStatements.transaction(), for: .sequencing, on: .sequencer)
    let transaction: Int64 = try own.first?.value(0) ?? 0
    return Leading(
      numbers: SequencedNumbers(
        mark, positioned: positioned, transaction: transaction),
      written: mark)
  }

  /// Nil where the session no longer leads.
  private func place(
    _ numbers: SequencedNumbers, _ limit: Int
  ) async throws(StoreError) -> (SequencedNumbers.Batch, [StoredEvent])? {
    // A single number is looked up as such: that is three times as fast as a range of one.
    let singles = numbers.holes.filter { $0.low == $0.high }
    let ranges = numbers.holes.filter { $0.low < $0.high }
    let call = SequencerStatements.place(
      token, singles.map(\.low), ranges.map(\.low), ranges.map(\.high), numbers.high,
      Int64(limit), PostgresEventSequencer.batchByteCountMax)
    // Flushed before it is known here, although positions could be computed anew: one that a
    // subscriber has seen, and that a crash takes back, would be given to another event, which the
    // subscriber would pass over.
    let rows = try await database.write(call, for: .sequencing, on: .sequencer)
    let extra = EventRow.width
    guard let first = rows.first else { throw .corrupt("the sequencer's batch gave no result") }
    guard try first.value(extra, as: Bool.self) else { return nil }
    let snapshotMin: Int64 = try first.value(extra + 1)
    guard let transaction = try first.value(extra + 2, as: Int64?.self) else {
      let batch = SequencedNumbers.Batch(
        snapshotMin: snapshotMin, transaction: nil, numbers: [], completeTo: .max)
      return (batch, [])
    }
    let isCut: Bool = try first.value(extra + 3)
    let events = try rows.map(EventRow.read)
    let batch = SequencedNumbers.Batch(
      snapshotMin: snapshotMin, transaction: transaction, numbers: events.map(\.seq),
      completeTo: isCut ? events.last?.seq ?? 0 : .max)
    return (batch, events)
  }

  /// Not with each batch: who reads it takes an older one as well.
  private func writeMark(_ state: inout Leading) async throws(StoreError) {
    guard state.numbers.high >= state.written.high + PostgresEventSequencer.markStep else { return }
    let mark = state.numbers.mark()
    guard mark.high > state.written.high else { return }
    let unit = StatementUnit(
      writing: [
        SequencerStatements.withoutFlush(),
        SequencerStatements.writeMark(
          mark.low, mark.high, mark.holes.map(\.lowerBound), mark.holes.map(\.upperBound)),
      ], for: .sequencing)
    _ = try await database.run(unit, on: .sequencer)
    state.written = mark
  }

  /// Wakes the sequencers of other servers. Many wakes while one is under way are one: the caller
  /// awaits it before the next. A lost one costs latency, never data: so nothing is flushed for it,
  /// and the session is none that positions are given on.
  package func notify() async throws(StoreError) {
    let unit = StatementUnit(
      [
        SequencerStatements.withoutFlush(), EventStatements.notify(PostgresDatabase.wakeChannel),
      ], as: .nobody)
    _ = try await database.run(unit, on: .listener)
  }
}
