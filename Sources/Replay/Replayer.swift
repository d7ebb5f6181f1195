package import Domain

/// Rebuilds the tables from events, and compares them with the live ones.
package struct Replayer: Sendable {
  package struct Progress: Sendable {
    package var done: Int64
    package var total: Int64

    package init(done: Int64, total: Int64) {
      self.done = done
      self.total = total
    }
  }

  private let store: any RebuildStore
  private let log: any EventLog
  private let fold: EventFold
  private let passages: PassageFold
  private let progress: @Sendable (Progress) -> Void

  /// - Parameters:
  ///   - log: what came after the source ended, for comparisons.
  ///   - progress: told after each page how many events are applied.
  package init(
    store: any RebuildStore, log: any EventLog, fold: EventFold, passages: PassageFold,
    progress: @escaping @Sendable (Progress) -> Void
  ) {
    self.store = store
    self.log = log
    self.fold = fold
    self.passages = passages
    self.progress = progress
  }

  /// What a rebuild read.
  package struct Rebuilt: Sendable, Hashable {
    package var eventCount: Int64 = 0
    /// Versions of documents whose texts older builds did not keep.
    package var unknownTextCount = 0
    package var leftOut = LeftOut()

    package init() {}
  }

  /// Events that only a later build can fold. What they say is neither guessed nor lost: their entities are
  /// shown as before them, and nothing is kept or put in place.
  package struct LeftOut: Sendable, Hashable {
    package var count: Int64 = 0
    package var first: RebuildProblem?

    package init() {}

    mutating func add(_ problems: [RebuildProblem]) {
      count += Int64(problems.count)
      first = first ?? problems.first
    }

    mutating func add(_ other: LeftOut) {
      count += other.count
      first = first ?? other.first
    }
  }

  /// Applies all events of a source, and derives the passages.
  ///
  /// - Parameter total: how many events there are, for the progress.
  package func rebuild(_ source: any EventSource, total: Int64) async throws -> Rebuilt {
    var source = source
    var rebuilt = Rebuilt()
    while let page = try await source.next() {
      try Task.checkCancellation()
      rebuilt.leftOut.add(try await fold.apply(page, to: store))
      rebuilt.eventCount += Int64(page.events.count)
      progress(Progress(done: rebuilt.eventCount, total: max(total, rebuilt.eventCount)))
    }
    rebuilt.unknownTextCount = try await passages.run(store)
    return rebuilt
  }

  /// What a comparison found.
  package struct Comparison: Sendable, Hashable {
    package var tables: [TableComparison]
    /// The last position of the snapshot that was compared.
    package var position: Int64
    /// Events that were applied for it: without a position yet, or after the end of the source.
    package var laterCount: Int64
    /// How many rows were written in the place of others; nil where none was to be.
    package var swappedCount: Int?
    /// Those of the rebuild before as well.
    package var leftOut = LeftOut()

    package init(tables: [TableComparison], position: Int64, laterCount: Int64) {
      self.tables = tables
      self.position = position
      self.laterCount = laterCount
    }

    package var isClean: Bool { tables.allSatisfy { $0.differenceCount == 0 } }
  }

  /// What to do with what was compared.
  package enum Conclusion: Sendable, Hashable {
    case none
    /// Puts the rebuilt rows in the place of the live ones, under a lock, where both are the same
    /// but for at most so many rows.
    case swap(differenceMax: Int)
  }

  /// Compares what was rebuilt up to `position` with the live tables, at one moment: what was committed
  /// since is applied first, and seen by this comparison only.
  ///
  /// - Parameter leftOut: what the rebuild before has left out: then nothing is put in place.
  package func compare(
    after position: Int64, limit: Int, then conclusion: Conclusion = .none,
    leftOut: LeftOut = LeftOut()
  ) async throws -> Comparison {
    let isSwap = conclusion != .none
    let head = try await store.beginComparison(locking: isSwap)
    do {
      guard head >= position else {
        throw ReplayError.sourceEndsBefore(head: head, position: position)
      }
      let rest = try await rebuild(
        LogSource(log, after: position, through: head), total: head - position)
      var leftOut = leftOut
      leftOut.add(rest.leftOut)
      let waiting = try await store.unsequenced()
      if !waiting.isEmpty {
        leftOut.add(
          try await fold.apply(SourcePage(events: waiting, position: nil), to: store))
        _ = try await passages.run(store)
      }
      if isSwap { try await store.takeOverVectors() }
      var comparison = Comparison(
        tables: try await store.compare(limit: limit), position: head,
        laterCount: rest.eventCount + Int64(waiting.count))
      comparison.leftOut = leftOut
      if case .swap(let differenceMax) = conclusion {
        let count = comparison.tables.reduce(0) { $0 + $1.differenceCount }
        if count <= differenceMax, leftOut.count == 0 {
          comparison.swappedCount = try await store.swap()
        }
      }
      try await store.endComparison(committing: comparison.swappedCount != nil)
      return comparison
    } catch {
      try? await store.endComparison(committing: false)
      throw error
    }
  }
}

extension Replayer.LeftOut: CustomStringConvertible {
  package var description: String {
    let what = count == 1 ? "event needs" : "events need"
    return "\(count) \(what) a newer build" + (first.map { ", the first: \($0)" } ?? "")
  }
}
