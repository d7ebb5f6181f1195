package import Domain

extension InMemoryStore: DocumentRepository {
  package func document(
    course: EntityID, path: String, scope: AccessScope
  ) async throws(StoreError) -> CourseDocument? {
    try access(.read) { state in
      state.documents.values.first {
        $0.courseID == course && $0.path == path && state.sees($0, scope)
      }.map(\.bare)
    }
  }

  package func documents(
    course: EntityID, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<ListedDocument> {
    try access(.read) { state in
      let after = page.after.flatMap { state.documents[$0.id]?.path }
      let rest = state.documents.values.filter { document in
        document.courseID == course && !document.isDeleted && state.sees(document, scope)
          && (after.map { document.path.utf8.lexicographicallyPrecedes($0.utf8) } != true)
          && document.path != after
      }.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
      let shown = rest.prefix(page.itemCountMax).map { document in
        ListedDocument(
          document: document.bare, embeddedSectionCount: state.embeddedSectionCount(of: document))
      }
      let next = rest.count > shown.count ? shown.last : nil
      return Page(
        items: shown,
        next: next.map { PageKey(time: $0.document.createdAt, id: $0.document.id) })
    }
  }

  package func chunks(of document: CourseDocument) async throws(StoreError) -> [StoredChunk] {
    try access(.read) { state in
      state.upserts(of: document).map { upsert in
        StoredChunk(
          number: upsert.passage.chunkNumber,
          identity: ChunkIdentity(
            contentHash: upsert.contentHash, anchor: upsert.passage.anchor,
            language: upsert.passage.language))
      }
    }
  }

  package func lastOrdinal(course: EntityID) async throws(StoreError) -> Int32 {
    try access(.read) { state in
      state.documents.values.filter { $0.courseID == course }.map(\.ordinal).max() ?? 0
    }
  }

  /// The passages of a course, by number.
  package func passages(ofCourse course: EntityID) -> [Passage] {
    state.withLock { state in
      state.passages.values.map(\.passage)
        .filter { $0.kind == .course && $0.entityID == course && $0.chunkNumber > 0 }
        .sorted { $0.chunkNumber < $1.chunkNumber }
    }
  }

  /// Takes out the passages of a document, which no write does.
  package func forgetPassages(ofCourse course: EntityID, document path: String) {
    state.withLock { state in
      state.passages = state.passages.filter {
        $0.value.passage.entityID != course || $0.value.passage.documentPath != path
      }
    }
  }
}

extension InMemoryStore.State {
  func sees(_ document: CourseDocument, _ scope: AccessScope) -> Bool {
    guard let course = courses[document.courseID], course.status != .deleted else { return false }
    return scope.role.seesEverybody || course.userID == scope.callerID
      || isEnrolled(scope.callerID, in: course.id)
  }

  func upserts(of document: CourseDocument) -> [PassageUpsert] {
    passages.values.filter { upsert in
      upsert.passage.kind == .course && upsert.passage.entityID == document.courseID
        && document.chunkNumbers.contains(upsert.passage.chunkNumber)
    }.sorted { $0.passage.chunkNumber < $1.passage.chunkNumber }
  }

  func embeddedSectionCount(of document: CourseDocument) -> Int32 {
    let sections = Dictionary(grouping: upserts(of: document)) { $0.passage.anchor }
    return Int32(sections.values.count { $0.allSatisfy { $0.embedding != nil } })
  }

  mutating func save(_ document: CourseDocument) throws(StoreError) -> Bool {
    guard let course = courses[document.courseID],
      document.isDeleted || course.status != .deleted
    else { return false }
    var document = document
    if document.version == 1 {
      for other in documents.values where other.courseID == document.courseID {
        if other.path == document.path {
          throw .duplicate(constraint: "course_documents_path_key")
        }
        if other.ordinal == document.ordinal {
          throw .duplicate(constraint: "course_documents_ordinal_key")
        }
      }
    } else {
      guard let stored = documents[document.id], stored.version == document.version - 1 else {
        return false
      }
      // One that was read comes back without it, and keeps what is stored.
      document.content = document.content ?? stored.content
    }
    documents[document.id] = document
    return true
  }
}

extension CourseDocument {
  fileprivate var bare: CourseDocument {
    var bare = self
    bare.content = nil
    return bare
  }
}
