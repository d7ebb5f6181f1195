/// A document as a list shows it.
package struct ListedDocument: Sendable, Hashable {
  package var document: CourseDocument
  /// Sections all of whose chunks have a vector.
  package var embeddedSectionCount: Int32

  package init(document: CourseDocument, embeddedSectionCount: Int32) {
    self.document = document
    self.embeddedSectionCount = embeddedSectionCount
  }
}

/// The documents of a course are visible to its owner, those enrolled, and those who see everybody.
package protocol DocumentRepository: Sendable {
  /// The document at a path, also one that was taken out; without its content.
  func document(
    course: EntityID, path: String, scope: AccessScope
  ) async throws(StoreError) -> CourseDocument?

  /// The documents that are in the course, by path in the order of its bytes. The time of a page's
  /// key says nothing here.
  func documents(
    course: EntityID, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ListedDocument>

  /// The stored chunks of a document, by number.
  func chunks(of document: CourseDocument) async throws(StoreError) -> [StoredChunk]

  /// The highest ordinal that a document of the course has; 0 where it never had one.
  func lastOrdinal(course: EntityID) async throws(StoreError) -> Int32
}
