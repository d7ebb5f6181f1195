/// What was delivered on a channel and is not acknowledged yet, in the order of its tags.
///
/// Where a sink has everything up to a position, deliveries up to it are acknowledged: those at the
/// beginning together, others (after what came in another order) one by one. A pure value.
struct DeliveryLedger: Sendable, Hashable {
  struct Acknowledgement: Sendable, Hashable {
    var tag: UInt64
    var isMultiple: Bool
  }

  private struct Entry: Sendable, Hashable {
    var tag: UInt64
    var position: Int64
  }

  private var entries: [Entry] = []

  init() {}

  var count: Int { entries.count }

  mutating func delivered(tag: UInt64, position: Int64) {
    entries.append(Entry(tag: tag, position: position))
  }

  /// - Returns: what to tell the broker, in order.
  mutating func settled(through position: Int64) -> [Acknowledgement] {
    var result: [Acknowledgement] = []
    let first = entries.firstIndex { $0.position > position } ?? entries.endIndex
    if first > 0 { result.append(Acknowledgement(tag: entries[first - 1].tag, isMultiple: true)) }
    for entry in entries[first...] where entry.position <= position {
      result.append(Acknowledgement(tag: entry.tag, isMultiple: false))
    }
    if !result.isEmpty { entries.removeAll { $0.position <= position } }
    return result
  }
}
