/// Which numbers of the log (`events.seq`) may still turn up without a position.
///
/// Numbers are taken before their transactions commit, so that a lower one can appear after a higher
/// one. What a sequencer has seen is `high` and the `holes` below it. A hole is forgotten only when
/// nothing can come any more, which rests on three facts:
///
/// - a transaction has its id before it takes a number (the default of `events.seq` sees to that),
/// - so who took a number below one that is committed has an id below every id that is given out
///   after that commit was seen,
/// - and a snapshot whose xmin has reached that later id shows every one of those that committed.
///
/// What is known lasts as long as the session that found it out; another one begins with `low`.
struct SequencedNumbers: Sendable, Hashable {
  /// Numbers that no snapshot has shown.
  struct Hole: Sendable, Hashable {
    var low: Int64
    var high: Int64
    /// The id of a transaction that began after a snapshot had shown that these are missing.
    var since: Int64
  }

  /// What one statement found, in one snapshot, asked for `holes` and for all above `high`.
  struct Batch: Sendable, Hashable {
    /// Transactions below it had ended in the snapshot.
    var snapshotMin: Int64
    /// The id of the batch's own transaction, taken after its snapshot; nil where nothing was found.
    var transaction: Int64?
    /// Those found, in ascending order; each has a position now.
    var numbers: [Int64]
    /// Up to here everything that the snapshot shows is in `numbers`.
    var completeTo: Int64
  }

  /// The highest number that has a position.
  private(set) var high: Int64
  /// In ascending order, apart from each other, all below `high`.
  private(set) var holes: [Hole] = []

  /// What is worth writing down: all up to `high` but the `holes` has a position or never comes. It
  /// stays true.
  struct Mark: Sendable, Hashable {
    /// The most holes that are written down.
    static let holeMax = 1_000

    var high: Int64
    /// In ascending order, apart from each other, all below `high`.
    var holes: [ClosedRange<Int64>] = []

    var low: Int64 { holes.first.map { $0.lowerBound - 1 } ?? high }
  }

  /// - Parameters:
  ///   - mark: what was written down last.
  ///   - positioned: the numbers above its `high` or in its holes that have positions, in ascending
  ///     order, read after it.
  ///   - transaction: an id taken after those were read.
  init(_ mark: Mark, positioned: some Sequence<Int64>, transaction: Int64) {
    high = mark.high
    holes = mark.holes.map { Hole(low: $0.lowerBound, high: $0.upperBound, since: transaction) }
    // None of the holes is forgotten: no snapshot's xmin has reached this.
    sequenced(
      Batch(
        snapshotMin: .min, transaction: transaction, numbers: Array(positioned), completeTo: .max))
  }

  /// The highest mark that holds no more than so many holes.
  func mark(holeMax: Int = Mark.holeMax) -> Mark {
    let written = holes.prefix(holeMax)
    let high = holes.count > holeMax ? holes[holeMax].low - 1 : high
    return Mark(high: high, holes: written.map { $0.low...$0.high })
  }

  /// Every number up to it has a position or never comes.
  var low: Int64 { holes.first.map { $0.low - 1 } ?? high }

  /// To be called when the batch is committed.
  mutating func sequenced(_ batch: Batch) {
    var numbers = batch.numbers[...]
    var open: [Hole] = []
    for hole in holes {
      let found = numbers.prefix { $0 <= hole.high }
      numbers = numbers.dropFirst(found.count)
      // What such a snapshot does not show never comes.
      if batch.snapshotMin >= hole.since, hole.high <= batch.completeTo { continue }
      var rest = hole
      for number in found {
        if number > rest.low {
          open.append(Hole(low: rest.low, high: number - 1, since: hole.since))
        }
        rest.low = number + 1
      }
      if rest.low <= rest.high { open.append(rest) }
    }
    holes = open
    guard let transaction = batch.transaction else { return }
    for number in numbers where number > high { pass(to: number, transaction) }
  }

  private mutating func pass(to number: Int64, _ transaction: Int64) {
    if number > high + 1 {
      holes.append(Hole(low: high + 1, high: number - 1, since: transaction))
    }
    high = number
  }
}
