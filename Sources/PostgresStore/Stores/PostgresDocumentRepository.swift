package import Domain

package struct PostgresDocumentRepository: DocumentRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func document(
    course: EntityID, path: String, scope: AccessScope
  ) async throws(StoreError) -> CourseDocument? {
    try await database.rows(
      DocumentStatements.byPath(scope, course, path), as: Viewer(scope)
    ).first(DocumentRow.read)
  }

  package func documents(
    course: EntityID, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ListedDocument> {
    try page.page(
      try await database.rows(
        DocumentStatements.list(scope, course, page.after?.id, page.rowLimit),
        as: Viewer(scope)),
      key: { PageKey(time: $0.document.createdAt, id: $0.document.id) },
      { (row) throws(StoreError) in
        ListedDocument(
          document: try DocumentRow.read(row),
          embeddedSectionCount: try row.value(DocumentRow.width))
      })
  }

  package func chunks(of document: CourseDocument) async throws(StoreError) -> [StoredChunk] {
    let numbers = document.chunkNumbers
    return try await database.rows(
      DocumentStatements.chunks(document.courseID, numbers.lowerBound, numbers.upperBound),
      as: .system(.ingestion)
    ).map { (row) throws(StoreError) in
      let (number, hash, anchor, language): (Int32, Bytes, String, String) = try row.values()
      return StoredChunk(
        number: number,
        identity: ChunkIdentity(contentHash: hash.bytes, anchor: anchor, language: language))
    }
  }

  package func lastOrdinal(course: EntityID) async throws(StoreError) -> Int32 {
    try await database.rows(
      DocumentStatements.lastOrdinal(course), as: .system(.ingestion)
    ).first?.value(0) ?? 0
  }
}
