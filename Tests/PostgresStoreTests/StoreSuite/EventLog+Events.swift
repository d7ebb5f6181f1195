import Domain

extension EventLog {
  /// The events after a position, whatever they take.
  func events(after position: Int64, limit: Int) async throws(StoreError) -> [StoredEvent] {
    try await page(after: position, limit: limit, byteCountMax: .max).events
  }
}
