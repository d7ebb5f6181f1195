/// Ids in the order in which they came. Any may leave at any time.
struct ArrivalQueue: Sendable {
  /// In order; those that have left stay in it until it is made smaller.
  private var ids: [UInt64] = []
  private var head = 0
  private var present: Set<UInt64> = []

  var count: Int { present.count }

  mutating func append(_ id: UInt64) {
    guard present.insert(id).inserted else { return }
    ids.append(id)
  }

  mutating func remove(_ id: UInt64) {
    guard present.remove(id) != nil else { return }
    // From time to time, so that an id costs the same however many there are.
    guard ids.count - head > 2 * present.count + 16 || head > ids.count / 2 else { return }
    ids = ids[head...].filter { present.contains($0) }
    head = 0
  }

  /// The one that came first of those that are there.
  mutating func oldest() -> UInt64? {
    while head < ids.count {
      if present.contains(ids[head]) { return ids[head] }
      head += 1
    }
    return nil
  }
}
