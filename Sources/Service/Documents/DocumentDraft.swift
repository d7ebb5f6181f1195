internal import Contract
internal import Domain
internal import OpenSSL
internal import Retrieval

/// A document as a caller brought it, checked as far as that goes without reading it.
struct DocumentDraft: Sendable {
  let path: String
  /// Empty means the first heading.
  let title: String
  let language: String
  let format: Domain.DocumentFormat
  let content: [UInt8]
  let contentHash: [UInt8]

  /// - Parameter number: which document of its stream it is, from 1; names it where its path is
  ///   none.
  init(_ message: Contract.CourseDocument, number: Int, of course: Domain.Course)
    throws(DomainError)
  {
    try Domain.CourseDocument.checkPath(message.path, field: "document[#\(number)].path")
    path = message.path
    var validation = Validation()
    let field = Self.field(path)
    validation.text(
      "\(field).title", message.title, maximum: DocumentLimits.title, singleLine: true)
    language = message.language.nilIfEmpty ?? course.language
    if !UserLimits.languages.contains(language) {
      let known = UserLimits.languages.joined(separator: ", ")
      validation.add("\(field).language", "must be one of: \(known)")
    }
    if message.content.count > DocumentLimits.contentByteCount {
      validation.add("\(field).content", "is longer than 2 MiB")
    }
    try validation.check()
    switch message.format {
    case .unspecified: format = Domain.DocumentFormat(path: path)
    case .markdown: format = .markdown
    case .html: format = .html
    case .plain: format = .plain
    default: throw .invalid("\(field).format", "is no format that this server knows")
    }
    title = message.title
    content = message.content
    contentHash = SHA256.hash(content)
  }

  /// How errors name a document.
  static func field(_ path: String) -> String { "document[\(path)]" }

  /// Whether `stored` says the same already. A title that is not given leaves the stored one.
  func isSame(as stored: Domain.CourseDocument) -> Bool {
    !stored.isDeleted && stored.contentHash == contentHash && stored.language == language
      && stored.format == format && (title.isEmpty || title == stored.title)
  }
}

/// A document taken apart and cut.
struct DocumentParts: Sendable {
  var title: String
  var text: String
  var sectionCount: Int
  var chunks: [DocumentChunk]
  /// One for each chunk.
  var identities: [ChunkIdentity]

  /// Reads a draft. Not on the connection's loop: a large document takes a while, and others wait
  /// there.
  static func read(
    _ draft: DocumentDraft, with documents: CourseDocuments
  ) async throws(DomainError) -> DocumentParts {
    let result = await withTaskExecutorPreference(globalConcurrentExecutor) {
      Result { () throws(DocumentError) in try DocumentParts(draft, documents) }
    }
    do throws(DocumentError) {
      return try result.get()
    } catch {
      throw .invalid("\(DocumentDraft.field(draft.path)).content", error.text)
    }
  }

  private init(_ draft: DocumentDraft, _ documents: CourseDocuments) throws(DocumentError) {
    let read = try documents.reader.read(draft.content, as: draft.format)
    // One that the document gives itself may hold anything.
    let own = InvisibleCharacters.removed(from: read.title)
    let title =
      draft.title.nilIfEmpty ?? (InvisibleCharacters.isBlank(own) ? nil : own)
      ?? Self.name(of: draft.path)
    self.title = String(title.unicodeScalars.prefix(DocumentLimits.title))
    text = String(decoding: draft.content, as: UTF8.self)
    sectionCount = read.sections.count
    chunks = documents.chunker.chunks(of: read.sections)
    identities = chunks.map { chunk in
      ChunkIdentity(
        contentHash: SHA256.hash(chunk.content), anchor: chunk.anchor,
        language: draft.language)
    }
  }

  /// The last part of a path.
  private static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

extension DocumentError {
  fileprivate var text: String {
    switch self {
    case .notUTF8: "is not UTF-8"
    case .containsNUL: "contains a NUL character"
    case .tooComplex(let why): "is no document that can be read: \(why)"
    }
  }
}
