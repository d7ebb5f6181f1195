/// The large contents of events, as the store keeps them.
package protocol EventBlobs: Sendable {
  /// Those of `references` that are there, in any order.
  func blobs(_ references: [BlobReference]) async throws(StoreError) -> [EventBlob]
}

/// Contents that can all be read, one page after the other.
package protocol PagedEventBlobs: EventBlobs {
  /// The contents after `reference` in the order of owner and hash, at most `limit`; none after the last
  /// one.
  func blobs(
    after reference: BlobReference?, limit: Int
  ) async throws(StoreError) -> [EventBlob]
}
