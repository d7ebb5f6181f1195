package import Domain

/// The large contents of events, read by the server's own work: callers see code and documents through
/// the rows that hold them.
package struct PostgresEventBlobs: PagedEventBlobs {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func blobs(_ references: [BlobReference]) async throws(StoreError) -> [EventBlob] {
    guard !references.isEmpty else { return [] }
    let owners = references.map(\.ownerID)
    let hashes = references.map { Bytes($0.hash) }
    return try await database.rows(
      BlobStatements.find(owners, hashes), as: .system(.log)
    ).map(BlobStatements.read)
  }

  package func blobs(
    after reference: BlobReference?, limit: Int
  ) async throws(StoreError) -> [EventBlob] {
    try await database.rows(
      BlobStatements.page(
        reference?.ownerID ?? .blank, Bytes(reference?.hash ?? []), Int64(max(1, limit))),
      as: .system(.log)
    ).map(BlobStatements.read)
  }
}
