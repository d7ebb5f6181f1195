package import Domain
package import Retrieval

/// What documents of courses need: where they are kept, and who takes them apart.
package struct CourseDocuments: Sendable {
  package var repository: any DocumentRepository
  package var reader: any DocumentReader
  package var chunker: Chunker

  package init(
    repository: any DocumentRepository, reader: any DocumentReader, chunker: Chunker = Chunker()
  ) {
    self.repository = repository
    self.reader = reader
    self.chunker = chunker
  }
}
