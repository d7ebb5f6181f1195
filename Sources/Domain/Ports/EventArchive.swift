/// One archived event as reports need it.
package struct ArchivedEvent: Sendable, Hashable {
  package var position: Int64
  package var type: String
  package var createdAt: Timestamp
  package var validationScore: Double?

  package init(position: Int64, type: String, createdAt: Timestamp, validationScore: Double?) {
    self.position = position
    self.type = type
    self.createdAt = createdAt
    self.validationScore = validationScore
  }
}

/// The part of the log that was written away for reports: the lake.
package protocol EventArchive: Sendable {
  /// Every event up to here is archived, as the log has it; 0 for an empty archive.
  ///
  /// - Parameter history: the log's. What the archive holds of another one is left out.
  func archivedPosition(in history: LogHistory) async throws(StoreError) -> Int64

  /// A user's events in `period`, each once, of positions up to `position` and no further.
  func events(
    user: EntityID, in period: ReportPeriod, upTo position: Int64
  ) async throws(StoreError) -> [ArchivedEvent]
}
