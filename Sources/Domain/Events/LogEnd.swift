/// What was committed at one moment: the last position, and what has none yet.
package struct LogEnd: Sendable, Hashable {
  /// The last position that was given.
  package let position: Int64
  /// The numbers (`seq`) of the committed events that have no position yet, in order, none twice.
  package let unsequenced: [ClosedRange<Int64>]
  /// The log's current epoch at that moment (`LogEpoch.id`).
  package let epoch: UInt32

  package init(
    position: Int64, unsequenced: [ClosedRange<Int64>] = [],
    epoch: UInt32 = LogHistory.unnamed.current.id
  ) {
    self.position = position
    self.epoch = epoch
    self.unsequenced = unsequenced
  }

  /// How many committed events have no position yet.
  package var unsequencedCount: Int { unsequenced.reduce(0) { $0 + $1.count } }

  /// Whether an event was committed by then, and had no position.
  package func isUnsequenced(_ seq: Int64) -> Bool {
    var (low, high) = (0, unsequenced.count)
    while low < high {
      let middle = (low + high) / 2
      if unsequenced[middle].upperBound < seq { low = middle + 1 } else { high = middle }
    }
    return low < unsequenced.count && unsequenced[low].contains(seq)
  }
}
