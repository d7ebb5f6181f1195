/// Who waits for the live end, by what they wait for: an event costs those whom it concerns, however
/// many there are.
struct WaiterIndex<Waiter> {
  private struct Entry {
    var waiter: Waiter
    var keys: [InterestKey]
    var due: Int64?
  }

  private var entries: [UInt64: Entry] = [:]
  private var byKey: [InterestKey: Set<UInt64>] = [:]
  private var byDue: [Int64: Set<UInt64>] = [:]

  var count: Int { entries.count }

  /// - Parameters:
  ///   - id: no one else's.
  ///   - keys: an event with one of them concerns it.
  ///   - due: the position at which it is woken in any case.
  mutating func insert(_ waiter: Waiter, id: UInt64, keys: [InterestKey], due: Int64?) {
    entries[id] = Entry(waiter: waiter, keys: keys, due: due)
    for key in keys { byKey[key, default: []].insert(id) }
    if let due { byDue[due, default: []].insert(id) }
  }

  mutating func remove(_ id: UInt64) -> Waiter? { remove(id, foundBy: nil) }

  /// - Parameter found: the key that it needs no removal from.
  private mutating func remove(_ id: UInt64, foundBy found: InterestKey?) -> Waiter? {
    guard let entry = entries.removeValue(forKey: id) else { return nil }
    for key in entry.keys where key != found {
      byKey[key]?.remove(id)
      if byKey[key]?.isEmpty == true { byKey[key] = nil }
    }
    if let due = entry.due {
      byDue[due]?.remove(id)
      if byDue[due]?.isEmpty == true { byDue[due] = nil }
    }
    return entry.waiter
  }

  mutating func removeAll() -> [Waiter] {
    let waiters = entries.values.map(\.waiter)
    entries.removeAll(keepingCapacity: true)
    byKey.removeAll(keepingCapacity: true)
    byDue.removeAll(keepingCapacity: true)
    return waiters
  }

  /// Removes those whom an event concerns, and gives each to `body`.
  mutating func remove(concernedBy keys: [InterestKey], _ body: (Waiter) -> Void) {
    for key in keys {
      // All who stand under it go: the set leaves as a whole.
      for id in byKey.removeValue(forKey: key) ?? [] {
        if let waiter = remove(id, foundBy: key) { body(waiter) }
      }
    }
  }

  /// Removes those that are due at a position, which are asked for one after the other.
  mutating func remove(dueAt position: Int64, _ body: (Waiter) -> Void) {
    for id in byDue.removeValue(forKey: position) ?? [] {
      if let waiter = remove(id, foundBy: nil) { body(waiter) }
    }
  }
}
