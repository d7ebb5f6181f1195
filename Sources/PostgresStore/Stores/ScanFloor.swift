import Domain

/// How far down a list looks for one page.
///
/// A filter that no index serves (a part of a title, a technology, a rare state) may hold for hardly
/// any row: looking for a whole page would read the table. Such a page ends after so many rows, short
/// or empty, and the next one continues there. An index for each filter would be paid by every write.
struct ScanFloor: Sendable {
  /// Some 20 to 40 ms of one core.
  static let rowMax = 20_000

  private let database: PostgresDatabase
  private let rowMax: Int64

  /// - Parameter rowMax: another one, for tests.
  init(_ database: PostgresDatabase, rowMax: Int?) {
    self.database = database
    self.rowMax = Int64(rowMax ?? ScanFloor.rowMax)
  }

  /// The page holds nothing older; nil where all that there is may be looked at.
  ///
  /// A time and not a row, so that rows of one moment are on one side of it.
  func time(
    for page: PageRequest, from: Timestamp = .distantPast, before: Timestamp = .distantFuture,
    _ call: (FloorStatement.Range) -> StatementCall
  ) async throws(StoreError) -> Timestamp? {
    // A row may share its time with rows that follow it; behind a floor nothing of its time is left.
    let next = page.after.map { key in
      key == PageKey.below(key.time) ? key.time : key.time.advanced(by: .microseconds(1))
    }
    let range = FloorStatement.Range(from, min(before, next ?? .distantFuture), rowMax)
    return try await database.rows(call(range), as: .system(.lists)).first?.value(0)
  }
}
