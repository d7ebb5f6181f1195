import Digits
package import JSON

/// A document of a course. Its row stays when the document is taken out, so that bringing it back
/// continues with the same versions and the same numbers of chunks.
package struct CourseDocument: Sendable, Hashable {
  package var id: EntityID
  package var courseID: EntityID
  /// The owner of the course.
  package var userID: EntityID
  /// Inside the course; the same path is the same document.
  package var path: String
  package var title: String
  /// `es` or `en`.
  package var language: String
  package var format: DocumentFormat
  /// What a write stores; nil in reads, which do without.
  package var content: String?
  /// SHA-256 of the content's UTF-8.
  package var contentHash: [UInt8]
  package var byteCount: Int
  /// From 1, unique within the course: which chunk numbers are the document's.
  package var ordinal: Int32
  package var sectionCount: Int32
  package var chunkCount: Int32
  package var isDeleted: Bool
  package var version: Int64
  package var createdAt: Timestamp
  package var updatedAt: Timestamp

  package init(
    id: EntityID, courseID: EntityID, userID: EntityID, path: String, title: String,
    language: String,
    format: DocumentFormat, content: String? = nil, contentHash: [UInt8], byteCount: Int,
    ordinal: Int32, sectionCount: Int32, chunkCount: Int32, isDeleted: Bool = false,
    version: Int64 = 1, createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.id = id
    self.courseID = courseID
    self.userID = userID
    self.path = path
    self.title = title
    self.language = language
    self.format = format
    self.content = content
    self.contentHash = contentHash
    self.byteCount = byteCount
    self.ordinal = ordinal
    self.sectionCount = sectionCount
    self.chunkCount = chunkCount
    self.isDeleted = isDeleted
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }

  /// The numbers of the chunks of the document with this ordinal. Number 0 of a course is its own
  /// description, and no document's.
  package static func chunkNumbers(ordinal: Int32) -> Range<Int32> {
    let first = ordinal * DocumentLimits.chunkCount
    return first..<first + DocumentLimits.chunkCount
  }

  package var chunkNumbers: Range<Int32> { Self.chunkNumbers(ordinal: ordinal) }

  /// The text that its event names; nil where the write brings none.
  package var blob: EventBlob? {
    guard !isDeleted, let content else { return nil }
    return EventBlob(
      reference: BlobReference(ownerID: userID, hash: contentHash), content: content)
  }

  /// The state under its column names, without the content: its SHA-256 and size instead. The text is
  /// kept beside the log (`EventBlobs`).
  package var payload: JSONValue {
    .object([
      ("id", .string(id.description)),
      ("course_id", .string(courseID.description)),
      ("user_id", .string(userID.description)),
      ("path", .string(path)),
      ("title", .string(title)),
      ("language", .string(language)),
      ("format", .string(format.rawValue)),
      ("content_hash", .string(Digits.hexadecimal(contentHash))),
      ("byte_count", .integer(Int64(byteCount))),
      ("ordinal", .integer(Int64(ordinal))),
      ("version", .integer(version)),
      ("section_count", .integer(Int64(sectionCount))),
      ("chunk_count", .integer(Int64(chunkCount))),
      ("is_deleted", .bool(isDeleted)),
      ("created_at", .string(createdAt.description)),
      ("updated_at", .string(updatedAt.description)),
    ])
  }

  package func event(_ type: EventType, context: ChangeContext) -> NewEvent {
    NewEvent(
      id: context.nextID(), type: type, entityType: .document, entityID: id, version: version,
      userID: userID, payload: payload, metadata: context.metadata, createdAt: context.now)
  }

  /// Takes the document out of its course, and its text with it.
  package mutating func remove(at now: Timestamp) {
    content = ""
    byteCount = 0
    sectionCount = 0
    chunkCount = 0
    isDeleted = true
    version += 1
    updatedAt = max(now, updatedAt)
  }

  /// Checks a path as the request gives it; a document of another path is another document, so
  /// that there must be one way to write each.
  package static func checkPath(_ path: String, field: String) throws(DomainError) {
    var validation = Validation()
    validation.text(
      field, path, minimum: 1, maximum: DocumentLimits.path, singleLine: true)
    try validation.check()
    let isPlain = path.split(separator: "/", omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    if !isPlain {
      throw .invalid([
        FieldViolation(field, "must be relative, without empty parts, '.' and '..'")
      ])
    }
  }
}

/// The maxima of documents.
package enum DocumentLimits {
  /// Characters.
  package static let path = 500
  package static let title = 200
  package static let contentByteCount = 2 << 20
  /// Numbers that each document has for its chunks.
  package static let chunkCount: Int32 = 8192
  /// Documents that a course has ever had.
  package static let documentsOfCourse = 20_000
  /// Documents of one ingestion, and their bytes.
  package static let documentsOfStream = 2000
  package static let byteCountOfStream = 256 << 20
}
