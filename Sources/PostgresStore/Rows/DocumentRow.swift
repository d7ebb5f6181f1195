import Domain

/// Read with the course as `c`, whose owner is the document's.
enum DocumentRow: TableRow {
  static let layout = RowLayout(of: DocumentRow.self, "course_documents", as: "d")
  static let blank = CourseDocument(
    id: .blank, courseID: .blank, userID: .blank, path: "", title: "", language: "",
    format: .plain, contentHash: [], byteCount: 0, ordinal: 0, sectionCount: 0, chunkCount: 0,
    createdAt: .blank, updatedAt: .blank)

  static func visit(_ document: inout CourseDocument, _ columns: inout some ColumnVisitor) {
    columns.key("id", &document.id)
    columns.fixed("course_id", &document.courseID)
    columns.read("c.user_id", &document.userID)
    columns.fixed("path", &document.path)
    columns.column("title", &document.title)
    columns.column("language", &document.language)
    columns.column("format", &document.format)
    // A document that was read comes back without it, and keeps what is stored.
    columns.written(
      "content", document.content, insertion: "COALESCE($content, '')",
      change: "COALESCE($content, content)")
    columns.column("content_hash", &document.contentHash)
    var byteCount = Int32(clamping: document.byteCount)
    columns.column("byte_count", &byteCount)
    document.byteCount = Int(byteCount)
    columns.fixed("ordinal", &document.ordinal)
    columns.column("section_count", &document.sectionCount)
    columns.column("chunk_count", &document.chunkCount)
    columns.column("is_deleted", &document.isDeleted)
    columns.column("version", &document.version)
    columns.fixed("created_at", &document.createdAt)
    columns.column("updated_at", &document.updatedAt)
  }
}

extension DocumentFormat: SQLValue {}
