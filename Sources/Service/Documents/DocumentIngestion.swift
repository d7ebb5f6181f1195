internal import Contract
internal import Domain
internal import OpenSSL
internal import RPC
internal import Retrieval
internal import Writes

/// One stream of documents on its way into a course. Each document is a commit of its own, so that a
/// broken stream leaves whole documents, and a repeat finds those that are there already.
struct DocumentIngestion {
  let writes: WriteExecutor
  let courses: any CourseRepository
  let documents: CourseDocuments
  let context: CallContext
  let caller: Caller
  let course: Domain.Course
  /// This request was answered before: it is read to its end to see that it is the same, and
  /// nothing is written.
  let isAnswered: Bool

  /// Bytes of what is said of refused documents: the response is one message.
  private static let refusedByteCountMax = 1 << 20
  /// Characters of a path or a reason.
  private static let refusedTextMax = 500

  private let skipsRefused: Bool
  private let rereads: Bool
  private var refusedByteCount = 0
  private var hash = SHA256()
  /// What `replace_all` leaves: brought, or kept for another reason.
  private var paths: Set<String>
  private var byteCount = 0
  private var response = IngestDocumentsResponse()

  init(
    writes: WriteExecutor, courses: any CourseRepository, documents: CourseDocuments,
    context: CallContext, caller: Caller, course: Domain.Course, start: IngestStart
  ) async throws {
    self.writes = writes
    self.courses = courses
    self.documents = documents
    self.context = context
    self.caller = caller
    self.course = course
    guard start.keptPaths.count <= DocumentLimits.documentsOfStream else {
      throw DomainError.limitReached("kept paths", maximum: DocumentLimits.documentsOfStream)
    }
    skipsRefused = start.skipRefused
    rereads = start.reread
    paths = Set(start.keptPaths)
    isAnswered = try await writes.isAnswered(context, caller)
    note(start)
  }

  /// Takes the next document in, unless it is there as it is.
  mutating func take(_ message: Contract.CourseDocument) async throws {
    note(message)
    byteCount += message.content.count
    guard response.documentsReceived < DocumentLimits.documentsOfStream else {
      throw DomainError.limitReached(
        "documents of a stream", maximum: DocumentLimits.documentsOfStream)
    }
    guard byteCount <= DocumentLimits.byteCountOfStream else {
      throw DomainError.limitReached(
        "bytes of a stream", maximum: DocumentLimits.byteCountOfStream)
    }
    response.documentsReceived += 1
    if isAnswered { return }
    do {
      try await store(message)
    } catch let error as DomainError {
      guard skipsRefused, let reason = Refusal.reason(of: error) else { throw error }
      try refuse(message.path, reason)
    }
  }

  /// Notes a document that cannot be taken in. It was brought: what is stored of its path stays.
  private mutating func refuse(_ path: String, _ reason: String) throws {
    paths.insert(path)
    let refused = RefusedDocument(
      path: String(path.unicodeScalars.prefix(Self.refusedTextMax)),
      reason: String(reason.unicodeScalars.prefix(Self.refusedTextMax)))
    refusedByteCount += refused.path.utf8.count + refused.reason.utf8.count
    guard refusedByteCount <= Self.refusedByteCountMax else {
      throw DomainError.limitReached(
        "bytes about refused documents", maximum: Self.refusedByteCountMax)
    }
    response.refused.append(refused)
  }

  private mutating func store(_ message: Contract.CourseDocument) async throws {
    let draft = try DocumentDraft(
      message, number: Int(response.documentsReceived), of: course)
    paths.insert(draft.path)
    let courses = courses
    let documents = documents
    let rereads = rereads
    let course = course
    let caller = caller
    var parts: DocumentParts?
    // Another stream may bring a document of the same path, or take the same ordinal.
    let policy = WritePolicy(retriesDuplicates: true, key: .none)
    let step = try await writes.perform(context, caller, policy) { change in
      // It may have been deleted since the stream began.
      guard
        try await courses.course(course.id, scope: AccessScope(caller)) != nil
      else { throw DomainError.notFound(.course, course.id) }
      let stored = try await documents.repository.document(
        course: course.id, path: draft.path, scope: AccessScope(caller))
      if let stored, !rereads, draft.isSame(as: stored) {
        return Decision.unchanged(IngestDocumentsResponse())
      }
      let read: DocumentParts
      if let parts { read = parts } else { read = try await .read(draft, with: documents) }
      parts = read
      return try await documents.decision(draft, read, stored, course, change)
    }
    add(step)
  }

  /// Ends the stream: takes out what it did not bring, where that is wanted, and remembers the
  /// reply.
  mutating func finish(replacingAll: Bool) async throws -> IngestDocumentsResponse {
    if replacingAll, !isAnswered { try await removeOthers() }
    let response = response
    let policy = WritePolicy(key: .stream(hash.finalize()))
    // What the stream changed is committed by now.
    let hasChanged = response.documentsChanged + response.documentsRemoved > 0
    return try await writes.perform(context, caller, policy) { _ in
      Decision(changes: [], events: [], response: response, isRemembered: hasChanged)
    }
  }

  private mutating func removeOthers() async throws {
    var page = Domain.PageRequest(limit: Domain.PageRequest.limitMax)
    while true {
      let found = try await documents.repository.documents(
        course: course.id, page: page, scope: AccessScope(caller))
      for listed in found.items where !paths.contains(listed.document.path) {
        add(try await remove(listed.document.path))
      }
      guard let next = found.next else { return }
      page.after = next
    }
  }

  private func remove(_ path: String) async throws -> IngestDocumentsResponse {
    try await writes.perform(context, caller, WritePolicy(key: .none)) { change in
      let stored = try await documents.repository.document(
        course: course.id, path: path, scope: AccessScope(caller))
      guard let stored, !stored.isDeleted else { return .unchanged(IngestDocumentsResponse()) }
      return try await documents.removal(
        of: stored, change, IngestDocumentsResponse(documentsRemoved: 1))
    }
  }

  private mutating func add(_ step: IngestDocumentsResponse) {
    response.documentsChanged += step.documentsChanged
    response.documentsRemoved += step.documentsRemoved
    response.sectionsChanged += step.sectionsChanged
    // A document that changed nothing has no event to name.
    if let receipt = step.receipt, !receipt.cursor.isEmpty { response.receipt = receipt }
  }

  /// The hash of a stream is that of its messages, each with its length before it.
  private mutating func note(_ message: some WireMessage) {
    guard context.idempotencyKey?.isEmpty == false else { return }
    let bytes = message.encodedBytes()
    withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { hash.update($0) }
    hash.update(bytes)
  }
}

extension CourseDocuments {
  /// What a new or changed document writes.
  fileprivate func decision(
    _ draft: DocumentDraft, _ parts: DocumentParts, _ stored: Domain.CourseDocument?,
    _ course: Domain.Course, _ change: ChangeContext
  ) async throws -> Decision<IngestDocumentsResponse> {
    var document: Domain.CourseDocument
    if let stored {
      document = stored
      document.version += 1
    } else {
      document = try await new(draft.path, of: course, change)
    }
    document.title = parts.title
    document.language = draft.language
    document.format = draft.format
    document.content = parts.text
    document.contentHash = draft.contentHash
    document.byteCount = draft.content.count
    document.sectionCount = Int32(clamping: parts.sectionCount)
    document.chunkCount = Int32(clamping: parts.chunks.count)
    document.isDeleted = false
    document.updatedAt = max(change.now, document.updatedAt)
    let old = stored == nil ? [] : try await repository.chunks(of: document)
    let plan = try ChunkPlan(old: old, new: parts.identities, range: document.chunkNumbers)
    if let stored, draft.isSame(as: stored), plan.written.isEmpty, plan.removed.isEmpty,
      document.title == stored.title, document.sectionCount == stored.sectionCount
    {
      return .unchanged(IngestDocumentsResponse())
    }
    let update = PassageUpdate(
      kind: .course, entityID: course.id,
      upserts: plan.written.map { index in
        PassageUpsert(
          passage: Passage(
            kind: .course, entityID: course.id, userID: course.userID,
            chunkNumber: plan.numbers[index], title: parts.chunks[index].title,
            content: parts.chunks[index].content, language: draft.language,
            documentPath: document.path, anchor: parts.chunks[index].anchor),
          contentHash: parts.identities[index].contentHash)
      },
      removedChunkNumbers: plan.removed)
    let sections = Set(plan.written.map { parts.chunks[$0].anchor })
    let isNew = stored?.isDeleted ?? true
    return Decision(
      changes: [.saveDocument(document), .savePassages(update)],
      events: [
        document.event(isNew ? .courseDocumentAdded : .courseDocumentChanged, context: change)
      ],
      response: IngestDocumentsResponse(
        documentsChanged: 1, sectionsChanged: Int32(clamping: sections.count)))
  }

  private func new(
    _ path: String, of course: Domain.Course, _ change: ChangeContext
  ) async throws -> Domain.CourseDocument {
    let last = try await repository.lastOrdinal(course: course.id)
    guard last < DocumentLimits.documentsOfCourse else {
      throw DomainError.limitReached(
        "documents of a course", maximum: DocumentLimits.documentsOfCourse)
    }
    return Domain.CourseDocument(
      id: change.nextID(), courseID: course.id, userID: course.userID, path: path, title: "",
      language: course.language, format: .plain, contentHash: [], byteCount: 0,
      ordinal: last + 1, sectionCount: 0, chunkCount: 0, createdAt: change.now,
      updatedAt: change.now)
  }

  /// What taking a document out writes.
  func removal<Response: WriteResponse>(
    of stored: Domain.CourseDocument, _ change: ChangeContext, _ response: Response
  ) async throws -> Decision<Response> {
    let chunks = try await repository.chunks(of: stored)
    var document = stored
    document.remove(at: change.now)
    return Decision(
      changes: [
        .saveDocument(document),
        .savePassages(
          PassageUpdate(
            kind: .course, entityID: document.courseID,
            removedChunkNumbers: chunks.map(\.number))),
      ],
      events: [document.event(.courseDocumentRemoved, context: change)], response: response)
  }
}
