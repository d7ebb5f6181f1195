package import Domain

package struct PostgresDocumentRepository: DocumentRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func document(
    course: UUIDv7, path: String, scope: AccessScope
  ) async throws(StoreError) -> CourseDocument? {
    try await database.rows(
      DocumentStatements.byPath { parameters in
        parameters.append(scope.role.seesEverybody)
        parameters.append(scope.callerID)
        parameters.append(course)
        parameters.append(path)
      }
    ).first(Self.document)
  }

  package func documents(
    course: UUIDv7, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ListedDocument> {
    let rows = try await database.rows(
      DocumentStatements.list { parameters in
        parameters.append(scope.role.seesEverybody)
        parameters.append(scope.callerID)
        parameters.append(course)
        parameters.append(page.after?.id)
        parameters.append(page.rowLimit)
      })
    return try page.page(
      rows, key: { PageKey(time: $0.document.createdAt, id: $0.document.id) },
      { (row) throws(StoreError) in
        ListedDocument(
          document: try Self.document(row), embeddedSectionCount: try row.int32(Self.columnCount))
      })
  }

  package func chunks(of document: CourseDocument) async throws(StoreError) -> [StoredChunk] {
    try await database.rows(
      DocumentStatements.chunks { parameters in
        parameters.append(document.courseID)
        parameters.append(document.chunkNumbers.lowerBound)
        parameters.append(document.chunkNumbers.upperBound)
      }
    ).map { (row) throws(StoreError) in
      StoredChunk(
        number: try row.int32(0),
        identity: ChunkIdentity(
          contentHash: try row.bytes(1), anchor: try row.text(2), language: try row.text(3)))
    }
  }

  package func lastOrdinal(course: UUIDv7) async throws(StoreError) -> Int32 {
    try await database.rows(
      DocumentStatements.lastOrdinal { parameters in parameters.append(course) }
    ).first { (row) throws(StoreError) in try row.int32(0) } ?? 0
  }

  private static let columnCount = 16

  private static func document(_ row: Row) throws(StoreError) -> CourseDocument {
    CourseDocument(
      id: try row.uuid(0), courseID: try row.uuid(1), userID: try row.uuid(2),
      path: try row.text(3), title: try row.text(4), language: try row.text(5),
      format: try row.value(6), contentHash: try row.bytes(7),
      byteCount: Int(try row.int32(8)), ordinal: try row.int32(9),
      sectionCount: try row.int32(10), chunkCount: try row.int32(11),
      isDeleted: try row.bool(12), version: try row.int64(13),
      createdAt: try row.timestamp(14), updatedAt: try row.timestamp(15))
  }
}
