/// What is no event and is to be known later, and the seals over both.
package protocol AuditStore: Sendable {
  /// Appends entries, in order, with the next numbers: those of other servers come before all of these or
  /// after. What their own number says is not looked at.
  func append(_ entries: [AuditEntry]) async throws(StoreError)
  /// The newest first; of others than those who see everybody: what they did, and what was done with what
  /// is theirs.
  ///
  /// - Parameter page: its key is the number of the last entry (`PageKey.init(entry:)`).
  func entries(
    _ query: AuditQuery, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<AuditEntry>
  /// The entries after a number, in order.
  func entries(after number: Int64, limit: Int) async throws(StoreError) -> [AuditEntry]
  /// Up to which number entries were removed because they were old, as their notice says; 0 where none
  /// were. Looks at every entry.
  func removedEntry() async throws(StoreError) -> Int64
  /// The newest seal; nil where there is none.
  func lastSeal() async throws(StoreError) -> LogSeal?
  /// The seals after a number, in order.
  func seals(after number: Int64, limit: Int) async throws(StoreError) -> [LogSeal]
  /// Adds a seal; false where another server made that number first.
  func insert(_ seal: LogSeal) async throws(StoreError) -> Bool
  /// An event that stands in the table and was given up by the sequencer: nobody wrote it through a
  /// server. Looks at every event.
  func eventOutsideTheLog() async throws(StoreError) -> EntityID?
}

extension PageKey {
  /// Where a page of the audit ended.
  package init(entry number: Int64) {
    self.init(
      time: Timestamp(microsecondsSinceEpoch: 0),
      id: EntityID(high: 0, low: UInt64(bitPattern: number)))
  }

  /// The number of the entry where it ended.
  package var entryNumber: Int64 { Int64(bitPattern: id.low) }
}
