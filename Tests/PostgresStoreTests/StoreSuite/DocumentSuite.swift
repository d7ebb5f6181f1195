import Domain
import Testing

/// Documents of courses and their chunks.
@Suite struct DocumentSuite {
  private static func document(
    _ store: any TestedStore, in course: Course, path: String = "guía/uno.md", ordinal: Int32 = 1
  ) -> CourseDocument {
    CourseDocument(
      id: store.ids.next(at: StoreFixture.start), courseID: course.id, userID: course.userID,
      path: path, title: "Uno \"dos\"", language: "es", format: .markdown, content: "# Uno\n\n\\ñ",
      contentHash: (0..<32).map { UInt8($0) }, byteCount: 10, ordinal: ordinal, sectionCount: 1,
      chunkCount: 1, createdAt: StoreFixture.start, updatedAt: StoreFixture.start)
  }

  private static func save(
    _ document: CourseDocument, _ store: any TestedStore, _ type: EventType = .courseDocumentAdded
  ) async throws -> CommitOutcome {
    try await store.writes.commit(
      Write(
        changes: [.saveDocument(document)],
        events: [document.event(type, context: store.context())], reply: nil))
  }

  private static func bare(_ document: CourseDocument) -> CourseDocument {
    var bare = document
    bare.content = nil
    return bare
  }

  /// A chunk of a document, with a vector or waiting for one.
  private static func savePassage(
    _ course: Course, number: Int32, anchor: String, waits: Bool, _ store: any TestedStore
  ) async throws {
    try await store.save(
      Passage(
        kind: .course, entityID: course.id, userID: course.userID, chunkNumber: number,
        title: "t", content: "c\(number)", language: "es", documentPath: "guía/uno.md",
        anchor: anchor),
      axis: waits ? nil : 0)
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsWrittenReadsBackAndVersionsAreGuarded(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      let scope = AccessScope(teacher)
      func find() async throws -> CourseDocument? {
        try await store.documents.document(course: course.id, path: "guía/uno.md", scope: scope)
      }
      #expect(try await find() == nil)
      #expect(try await store.documents.lastOrdinal(course: course.id) == 0)
      var document = Self.document(store, in: course)
      #expect(try await Self.save(document, store) == .committed)
      #expect(try await find() == Self.bare(document))
      #expect(try await store.documents.lastOrdinal(course: course.id) == 1)
      document.version = 2
      document.title = "Otro"
      #expect(try await Self.save(document, store, .courseDocumentChanged) == .committed)
      #expect(try await Self.save(document, store, .courseDocumentChanged) == .stale)
      document.remove(at: StoreFixture.start)
      #expect(try await Self.save(document, store, .courseDocumentRemoved) == .committed)
      #expect(try await find() == Self.bare(document))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aDocumentThatWasReadKeepsItsContent(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      var course = try await store.addCourse(owner: teacher)
      let document = Self.document(store, in: course)
      #expect(try await Self.save(document, store) == .committed)
      let scope = AccessScope(teacher)
      var read = try #require(
        try await store.documents.document(course: course.id, path: document.path, scope: scope))
      #expect(read.content == nil)
      read.version = 2
      #expect(try await Self.save(read, store, .courseDocumentChanged) == .committed)
      // Nothing is added to a course that is deleted, and what is in it can still go.
      _ = try course.apply(.delete, at: StoreFixture.start)
      _ = try await store.writes.commit(
        Write(changes: [.updateCourse(course)], events: [], reply: nil))
      read.version = 3
      #expect(try await Self.save(read, store, .courseDocumentChanged) == .stale)
      read.version = 2
      read.remove(at: StoreFixture.start)
      #expect(try await Self.save(read, store, .courseDocumentRemoved) == .committed)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func onePathAndOneOrdinalAreOneDocument(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      #expect(try await Self.save(Self.document(store, in: course), store) == .committed)
      for (other, constraint) in [
        (Self.document(store, in: course, ordinal: 2), "course_documents_path_key"),
        (Self.document(store, in: course, path: "b"), "course_documents_ordinal_key"),
      ] {
        await #expect(throws: StoreError.duplicate(constraint: constraint)) {
          try await Self.save(other, store)
        }
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func listsAreByPathInPagesWithHowFarTheirVectorsAre(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      let paths = ["a.md", "Z.md", "b/c.md", "ñ.md", "b.md"]
      for (index, path) in paths.enumerated() {
        let document = Self.document(store, in: course, path: path, ordinal: Int32(index + 1))
        #expect(try await Self.save(document, store) == .committed)
      }
      var gone = Self.document(store, in: course, path: "gone.md", ordinal: 6)
      #expect(try await Self.save(gone, store) == .committed)
      gone.remove(at: StoreFixture.start)
      #expect(try await Self.save(gone, store, .courseDocumentRemoved) == .committed)
      // Sections of the second document: one ready, one half ready.
      for (offset, anchor, waits) in [
        (0, "x", false), (1, "x", false), (2, "y", false), (3, "y", true),
      ] {
        try await Self.savePassage(
          course, number: 2 * 8192 + Int32(offset), anchor: anchor, waits: waits, store)
      }
      var found: [ListedDocument] = []
      var page = PageRequest(limit: 2)
      while true {
        let next = try await store.documents.documents(
          course: course.id, page: page, scope: AccessScope(teacher))
        found += next.items
        guard let key = next.next else { break }
        page.after = key
      }
      #expect(found.map(\.document.path) == ["Z.md", "a.md", "b.md", "b/c.md", "ñ.md"])
      #expect(found.map(\.embeddedSectionCount) == [1, 0, 0, 0, 0])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func chunksAreThoseOfTheDocumentsNumbers(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let course = try await store.addCourse(owner: teacher)
      let document = Self.document(store, in: course)
      #expect(try await Self.save(document, store) == .committed)
      for number in [0, 8191, 8192, 16_383, 16_384] as [Int32] {
        try await Self.savePassage(course, number: number, anchor: "x", waits: true, store)
      }
      let chunks = try await store.documents.chunks(of: document)
      #expect(chunks.map(\.number) == [8192, 16_383])
      #expect(chunks.allSatisfy { $0.identity.anchor == "x" && $0.identity.language == "es" })
      #expect(chunks.allSatisfy { $0.identity.contentHash.count == 32 })
    }
  }

  @Test(arguments: StoreKind.allCases)
  func eachSeesWhatIsForThem(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let teacher = try await store.addUser("Tom", role: .instructor)
      let other = try await store.addUser("Ute", role: .instructor)
      let pupil = try await store.addUser("Pia")
      let stranger = try await store.addUser("Eve")
      let root = try await store.addUser("Root", role: .admin)
      let course = try await store.addCourse(owner: teacher)
      _ = try await store.enrol(pupil, in: course)
      let document = Self.document(store, in: course)
      #expect(try await Self.save(document, store) == .committed)
      for (user, sees) in [
        (teacher, true), (pupil, true), (root, true), (other, false), (stranger, false),
      ] {
        let scope = AccessScope(user)
        let found = try await store.documents.document(
          course: course.id, path: document.path, scope: scope)
        let listed = try await store.documents.documents(
          course: course.id, page: PageRequest(limit: 5), scope: scope)
        #expect((found != nil) == sees && listed.items.count == (sees ? 1 : 0))
      }
    }
  }
}
