import Domain

extension PageRequest: ParameterGroup {
  /// The key, and how many rows to ask for.
  var parameters: Parameters<Timestamp, EntityID, Int64> { Parameters(key.time, key.id, rowLimit) }

  /// How many rows to ask for: one more than the page, to see whether another follows.
  var rowLimit: Int64 { Int64(boundedLimit) + 1 }

  private var boundedLimit: Int { max(1, min(limit, PageRequest.limitMax)) }

  /// Where newest-first lists continue; before everything where this is the first page.
  private var key: PageKey {
    after
      ?? PageKey(
        time: Timestamp(microsecondsSinceEpoch: .max), id: EntityID(high: .max, low: .max))
  }

  /// Makes the page of what the rows hold.
  ///
  /// - Parameter floor: the time below which the rows were not looked at.
  func page<Item: Sendable>(
    _ rows: ResultSet, downTo floor: Timestamp? = nil, key: (Item) -> PageKey,
    _ read: (Row) throws(StoreError) -> Item
  ) throws(StoreError) -> Page<Item> {
    var items = try rows.map(read)
    let hasMore = items.count > boundedLimit
    if hasMore { items.removeLast(items.count - boundedLimit) }
    let end = floor.map(PageKey.below)
    return Page(items: items, next: hasMore ? items.last.map(key) : end)
  }
}

extension PageKey {
  /// Before all rows of this time, which newest-first lists have shown by then.
  static func below(_ time: Timestamp) -> PageKey {
    PageKey(time: time, id: EntityID(high: 0, low: 0))
  }
}

extension Timestamp {
  /// Before and after every time that PostgreSQL can hold.
  static let distantPast = Timestamp(microsecondsSinceEpoch: .min)
  static let distantFuture = Timestamp(microsecondsSinceEpoch: .max)
}
