package import Domain

extension InMemoryStore: PagedEventBlobs {
  package func blobs(_ references: [BlobReference]) async throws(StoreError) -> [EventBlob] {
    try access(.read) { state in
      references.compactMap { reference in
        state.blobs[reference].map { EventBlob(reference: reference, content: $0) }
      }
    }
  }

  package func blobs(
    after reference: BlobReference?, limit: Int
  ) async throws(StoreError) -> [EventBlob] {
    try access(.read) { state in
      state.blobs.keys.filter { key in reference.map { $0 < key } ?? true }.sorted().prefix(limit)
        .map { EventBlob(reference: $0, content: state.blobs[$0] ?? "") }
    }
  }
}
