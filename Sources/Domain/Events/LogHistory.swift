/// A stretch of the log's history: positions after `beganAfter`, up to where the next epoch begins.
package struct LogEpoch: Sendable, Hashable, Codable {
  /// Made at random: two databases that went different ways from one backup give the same number to
  /// different epochs, but not the same id.
  package let id: UInt32
  /// The last position of what was before; 0 for the first epoch.
  package let beganAfter: Int64

  package init(id: UInt32, beganAfter: Int64) {
    self.id = id
    self.beganAfter = beganAfter
  }
}

/// Which log this is, and where its history may have been cut.
///
/// A database that lost its last commits gives their positions to other events. What tells them apart
/// is the epoch: one begins at the end of what is left, before any position is given again. Two
/// histories of one log share everything up to where the first of their different epochs began.
package struct LogHistory: Sendable, Hashable {
  package let logID: EntityID
  /// In order, at least one; the first begins after 0, and none begins before the one before it.
  package let epochs: [LogEpoch]

  /// Nil where the epochs are none.
  package init?(logID: EntityID, epochs: [LogEpoch]) {
    guard !epochs.isEmpty else { return nil }
    self.logID = logID
    self.epochs = epochs
  }

  private init(unnamed: LogEpoch) {
    logID = EntityID(high: 0, low: 0)
    epochs = [unnamed]
  }

  /// Of a log that has no database, and so never lost anything.
  package static let unnamed = LogHistory(unnamed: LogEpoch(id: 0, beganAfter: 0))

  package var current: LogEpoch { epochs[epochs.count - 1] }

  /// What tells this log from others in a text: 32 bits of its id, those that are random in every
  /// version of UUID.
  package var tag: UInt32 { UInt32(truncatingIfNeeded: logID.low) }

  /// The epoch that a position is of, or will be.
  package func epoch(of position: Int64) -> LogEpoch {
    epochs.last { $0.beganAfter < position } ?? epochs[0]
  }

  /// Where the history was cut first; nil where it never was.
  package var firstCut: Int64? { epochs.count > 1 ? epochs[1].beganAfter : nil }

  /// The last position of an epoch that is still the log's; `.max` for the current one, nil for one
  /// that is not of this history.
  package func end(of epoch: UInt32) -> Int64? {
    guard let index = epochs.lastIndex(where: { $0.id == epoch }) else { return nil }
    return index + 1 < epochs.count ? epochs[index + 1].beganAfter : .max
  }

  /// The last position up to which this history and `other` are the same; `.max` where they are the
  /// same, and 0 for another log.
  package func shared(with other: LogHistory) -> Int64 {
    guard logID == other.logID else { return 0 }
    let same = zip(epochs, other.epochs).prefix { $0.id == $1.id }.count
    guard same > 0 else { return 0 }
    let ends = [epochs, other.epochs].compactMap { same < $0.count ? $0[same].beganAfter : nil }
    return ends.min() ?? .max
  }

  /// The history once a loss was declared: with another epoch, unless there was no such loss, or it was
  /// declared already.
  ///
  /// - Parameter last: where the log ends now.
  package func losing(_ loss: LogLoss, last: Int64) -> LogHistory {
    guard loss.epoch == current.id, loss.seen > current.beganAfter,
      loss.seen > last || loss.shared < loss.seen
    else { return self }
    let begin = max(current.beganAfter, min(last, loss.shared))
    let epoch = LogEpoch(id: .random(in: .min ... .max), beganAfter: begin)
    return LogHistory(logID: logID, epochs: epochs + [epoch]) ?? self
  }

  /// Whether this one begins with all epochs of `earlier`.
  package func continues(_ earlier: LogHistory) -> Bool {
    logID == earlier.logID && epochs.map(\.id).starts(with: earlier.epochs.map(\.id))
  }
}

/// What shows that the log lost events.
package struct LogLoss: Sendable, Hashable {
  /// The log's current epoch, as the witness knows it: one that began meanwhile has settled it.
  package var epoch: UInt32
  /// A position that was given in this epoch once, or `.max` where a whole epoch is gone.
  package var seen: Int64
  /// The last position that is certainly the same as it was; `.max` where that is not known: all that
  /// is left.
  package var shared: Int64
  /// Who says so, for people.
  package var witness: String

  package init(epoch: UInt32, seen: Int64, shared: Int64 = .max, witness: String) {
    self.epoch = epoch
    self.seen = seen
    self.shared = shared
    self.witness = witness
  }
}

extension LogHistory: Codable {
  private enum Key: String, CodingKey {
    case log
    case epochs
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    let text = try container.decode(String.self, forKey: .log)
    guard let id = EntityID(text),
      let history = LogHistory(
        logID: id, epochs: try container.decode([LogEpoch].self, forKey: .epochs))
    else {
      throw DecodingError.dataCorruptedError(
        forKey: .log, in: container, debugDescription: "no history of a log")
    }
    self = history
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(logID.description, forKey: .log)
    try container.encode(epochs, forKey: .epochs)
  }
}
