import Contract
import Domain
import InMemoryStore
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct `Documents of a course` {
  let fixture = ServiceFixture()
  let guide = (path: "guia/uno.md", text: "# Uno { #one }\n\nHola.\n\n## Dos\n\nAdiós.\n")
  let notes = (path: "notas.txt", text: "Primera.\n\nSegunda.\n")

  private func passages(_ course: Contract.Course) throws -> [Passage] {
    fixture.store.passages(ofCourse: try #require(EntityID(course.id)))
  }

  private func types() -> [String] {
    fixture.store.allEvents.map(\.type).filter { $0.hasPrefix("course.document") }
  }

  @Test func `become passages, a row and an event each`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    let reply = try await fixture.ingest([guide, notes], into: course, as: teacher)
    #expect(reply.documentsReceived == 2 && reply.documentsChanged == 2)
    #expect(reply.documentsRemoved == 0 && reply.sectionsChanged == 3)
    #expect(reply.receipt?.cursor.isEmpty == false && reply.receipt?.replayed == false)
    let found = try passages(course)
    #expect(
      found.map(\.content) == ["Uno\n\nHola.", "Uno › Dos\n\nAdiós.", "Primera.\n\nSegunda."])
    #expect(found.map(\.anchor) == ["one", "dos", ""])
    #expect(found.map(\.documentPath) == [guide.path, guide.path, notes.path])
    #expect(found.allSatisfy { $0.userID == teacher.id && $0.language == "es" })
    let events = fixture.store.allEvents.filter { $0.entityType == "document" }
    #expect(events.map(\.type) == ["course.document_added", "course.document_added"])
    #expect(events.allSatisfy { $0.userID == teacher.id && $0.openedPayload.contains(course.id) })
    #expect(!events.contains { $0.openedPayload.contains("Hola") })
    let listed = try await fixture.documents(of: course, as: teacher).documents
    #expect(listed.map(\.path) == [guide.path, notes.path])
    #expect(listed.map(\.title) == ["Uno", "notas.txt"])
    #expect(listed.map(\.sectionCount) == [2, 1] && listed.map(\.version) == [1, 1])
    #expect(listed.map(\.embeddedSectionCount) == [0, 0])
  }

  @Test func `are touched only where they changed`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    _ = try await fixture.ingest([guide, notes], into: course, as: teacher)
    let before = try passages(course)
    let same = try await fixture.ingest([guide, notes], into: course, as: teacher)
    #expect(same.documentsReceived == 2 && same.documentsChanged == 0)
    #expect(same.sectionsChanged == 0 && same.receipt?.cursor == "")
    #expect(types().count == 2)
    var new = guide
    new.text = "# Uno { #one }\n\nHola.\n\n## Nuevo\n\nEn medio.\n\n## Dos\n\nAdiós.\n"
    let changed = try await fixture.ingest([new, notes], into: course, as: teacher)
    #expect(changed.documentsChanged == 1 && changed.sectionsChanged == 1)
    let after = try passages(course)
    #expect(before.allSatisfy(after.contains))
    #expect(after.count == before.count + 1)
    #expect(types().last == "course.document_changed")
    #expect(try await fixture.documents(of: course, as: teacher).documents[0].version == 2)
  }

  @Test func `are taken apart again where the stream says so, and touched where that differs`()
    async throws
  {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    func ingest(_ reread: Bool) async throws -> IngestDocumentsResponse {
      try await fixture.ingest(
        [IngestDocumentsRequest(step: .start(IngestStart(courseId: course.id, reread: reread)))]
          + [guide, notes].map {
            IngestDocumentsRequest(
              step: .document(Contract.CourseDocument(path: $0.path, content: Array($0.text.utf8))))
          }, as: teacher)
    }
    _ = try await ingest(false)
    let before = try passages(course)
    #expect(try await ingest(true).documentsChanged == 0)
    #expect(types().count == 2)
    // As an older version would have left it.
    fixture.store.forgetPassages(
      ofCourse: try #require(EntityID(course.id)), document: guide.path)
    #expect(try await ingest(false).documentsChanged == 0)
    let again = try await ingest(true)
    #expect(again.documentsChanged == 1 && again.sectionsChanged == 2)
    #expect(types().last == "course.document_changed")
    #expect(try passages(course).map(\.content) == before.map(\.content))
  }

  @Test func `that are refused stop no others where the stream says so`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    _ = try await fixture.ingest([guide, notes, ("x.md", "x")], into: course, as: teacher)
    func requests(_ start: IngestStart) -> [IngestDocumentsRequest] {
      let bad: [(String, [UInt8])] = [
        (guide.path, [0xff]), ("../a.md", [0x61]), ("nuevo.md", Array("# Nuevo".utf8)),
        ("hondo.html", Array(String(repeating: "<div>", count: 300).utf8)), ("nul.md", [0]),
      ]
      return [IngestDocumentsRequest(step: .start(start))]
        + bad.map {
          IngestDocumentsRequest(
            step: .document(Contract.CourseDocument(path: $0.0, content: $0.1)))
        }
    }
    let start = IngestStart(
      courseId: course.id, replaceAll: true, skipRefused: true, keptPaths: [notes.path])
    let reply = try await fixture.ingest(requests(start), as: teacher, key: "one")
    #expect(reply.documentsReceived == 5 && reply.documentsChanged == 1)
    #expect(reply.refused.map(\.path) == [guide.path, "../a.md", "hondo.html", "nul.md"])
    #expect(reply.refused[0].reason == "content is not UTF-8")
    #expect(reply.refused[1].reason.contains("relative"))
    #expect(reply.refused[2].reason.contains("deep") && reply.refused[3].reason.contains("NUL"))
    // What was stored of a refused path stays, and what is kept; the rest goes.
    #expect(reply.documentsRemoved == 1)
    let stored = try await fixture.documents(of: course, as: teacher).documents.map(\.path)
    #expect(Set(stored) == [guide.path, notes.path, "nuevo.md"])
    let again = try await fixture.ingest(requests(start), as: teacher, key: "one")
    #expect(again.refused == reply.refused && again.receipt?.replayed == true)
    // Without the word of the stream the first of them ends it.
    let strict = await failure {
      try await fixture.ingest(requests(IngestStart(courseId: course.id)), as: teacher)
    }
    #expect(strict.code == .invalidArgument)
    let many = IngestStart(courseId: course.id, keptPaths: (0...2000).map { "\($0)" })
    let tooMany = await failure { try await fixture.ingest(requests(many), as: teacher) }
    #expect(tooMany.code == .resourceExhausted)
  }

  @Test func `that a stream does not bring go with replace_all, once it has ended well`()
    async throws
  {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    _ = try await fixture.ingest([guide, notes], into: course, as: teacher)
    let broken = await failure {
      try await fixture.ingest(
        [guide], into: course, replaceAll: true, as: teacher,
        failure: RPCError(.cancelled, "gone"))
    }
    #expect(broken.code == .cancelled)
    #expect(try await fixture.documents(of: course, as: teacher).documents.count == 2)
    let reply = try await fixture.ingest([guide], into: course, replaceAll: true, as: teacher)
    #expect(reply.documentsRemoved == 1 && reply.documentsChanged == 0)
    #expect(try passages(course).allSatisfy { $0.documentPath == guide.path })
    #expect(types().last == "course.document_removed")
    // Brought back, it continues with its versions.
    _ = try await fixture.ingest([notes], into: course, as: teacher)
    let back = try await fixture.documents(of: course, as: teacher).documents
    #expect(back.map(\.version) == [1, 3])
    #expect(types().last == "course.document_added")
  }

  @Test func `of a broken stream are whole, and a repeat continues`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    _ = await failure {
      try await fixture.ingest(
        [guide], into: course, as: teacher, key: "k", failure: RPCError(.cancelled, "gone"))
    }
    #expect(try passages(course).count == 2)
    let reply = try await fixture.ingest([guide, notes], into: course, as: teacher, key: "k")
    #expect(reply.documentsReceived == 2 && reply.documentsChanged == 1)
    #expect(types().count == 2)
  }

  @Test func `under a key are taken in once, and the key is of this stream alone`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    let first = try await fixture.ingest([guide], into: course, as: teacher, key: "k")
    var second = try await fixture.ingest([guide], into: course, as: teacher, key: "k")
    #expect(second.receipt?.replayed == true)
    second.receipt?.replayed = false
    #expect(second == first)
    let other = await failure {
      try await fixture.ingest([notes], into: course, as: teacher, key: "k")
    }
    #expect(other.decodedDetails.reason == .keyConflict)
    #expect(types().count == 1)
    // A stream that changes nothing leaves its key free.
    let same = try await fixture.ingest([guide], into: course, as: teacher, key: "other")
    #expect(same.documentsReceived == 1 && same.documentsChanged == 0)
    let third = try await fixture.ingest([notes], into: course, as: teacher, key: "other")
    #expect(third.documentsChanged == 1 && third.receipt?.replayed == false)
  }

  @Test func `are changed by the course's owner and admins alone`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    for user in [fixture.user(), fixture.user(.instructor), fixture.user(.service)] {
      let error = await failure { try await fixture.ingest([guide], into: course, as: user) }
      #expect(error.code == .permissionDenied)
    }
    let admin = fixture.user(.admin)
    _ = try await fixture.ingest([guide], into: course, as: admin)
    #expect(try passages(course).allSatisfy { $0.userID == teacher.id })
    func delete(_ path: String, as user: Domain.User) async throws -> DeleteDocumentResponse {
      try await fixture.call(
        CourseServiceMethods.deleteDocument,
        DeleteDocumentRequest(courseId: course.id, path: path), as: user)
    }
    #expect(
      await failure { try await delete(guide.path, as: fixture.user()) }.code == .permissionDenied)
    #expect(await failure { try await delete("nada.md", as: teacher) }.code == .notFound)
    #expect(try await delete(guide.path, as: teacher).receipt?.cursor.isEmpty == false)
    #expect(await failure { try await delete(guide.path, as: teacher) }.code == .notFound)
    #expect(try passages(course).isEmpty)
  }

  @Test func `are listed in pages for those who may read them`() async throws {
    let (teacher, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse(as: teacher)
    let files = (0..<5).map { (path: "d\($0).txt", text: "texto \($0)") }
    _ = try await fixture.ingest(files, into: course, as: teacher)
    let stranger = await failure { try await fixture.documents(of: course, as: ada) }
    #expect(stranger.code == .permissionDenied)
    try await fixture.enrol(in: course.id, as: ada)
    var paths: [String] = []
    var page = Contract.PageRequest(pageSize: 2)
    repeat {
      let reply = try await fixture.documents(of: course, as: ada, page: page)
      paths += reply.documents.map(\.path)
      page.pageToken = reply.page?.nextPageToken ?? ""
    } while !page.pageToken.isEmpty
    #expect(paths == files.map(\.path))
  }

  @Test func `that break a rule are refused by name, those before them stay`() async throws {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    func violation(_ document: Contract.CourseDocument) async -> String? {
      let start = IngestStart(courseId: course.id)
      let error = await failure {
        try await fixture.ingest(
          [
            IngestDocumentsRequest(step: .start(start)),
            IngestDocumentsRequest(step: .document(document)),
          ], as: teacher)
      }
      #expect(error.code == .invalidArgument)
      return error.decodedDetails.fieldViolations.first?.field
    }
    for path in ["", "/a.md", "a/../b.md", "a//b", "a\nb", String(repeating: "x", count: 501)] {
      #expect(await violation(Contract.CourseDocument(path: path)) == "document[#1].path")
    }
    let big = [UInt8](repeating: 0x61, count: (2 << 20) + 1)
    for content in [big, [0xff, 0xfe], [0x61, 0, 0x62]] {
      let document = Contract.CourseDocument(path: "a.md", content: content)
      #expect(await violation(document) == "document[a.md].content")
    }
    #expect(
      await violation(Contract.CourseDocument(path: "a.md", language: "fr"))
        == "document[a.md].language")
    #expect(try passages(course).isEmpty && types().isEmpty)
    let early = await failure {
      try await fixture.ingest(
        [IngestDocumentsRequest(step: .document(Contract.CourseDocument(path: "a")))], as: teacher)
    }
    #expect(early.decodedDetails.fieldViolations.first?.field == "start")
    let second = (path: "b.md", text: "\u{0}")
    _ = await failure { try await fixture.ingest([guide, second], into: course, as: teacher) }
    #expect(try passages(course).count == 2)
  }

  @Test func `brought by two streams at a time lose nothing`() async throws {
    let teacher = fixture.user(.instructor)
    let fixture = fixture
    let (guide, notes) = (guide, notes)
    let course = try await fixture.createCourse(as: teacher)
    // Both want the first ordinal; then both want the same path.
    fixture.store.beforeNextCommit {
      _ = try? await fixture.ingest([notes], into: course, as: teacher)
    }
    _ = try await fixture.ingest([guide], into: course, as: teacher)
    #expect(try passages(course).count == 3)
    fixture.store.beforeNextCommit {
      _ = try? await fixture.ingest(
        [(path: guide.path, text: "# Otro\n\nTexto.\n")], into: course, as: teacher)
    }
    _ = try await fixture.ingest(
      [(path: guide.path, text: "# Mío\n\nTexto.\n")], into: course, as: teacher)
    let mine = try passages(course).filter { $0.documentPath == guide.path }
    #expect(mine.map(\.content) == ["Mío\n\nTexto."])
    let versions = fixture.store.allEvents.filter { $0.openedPayload.contains(guide.path) }.map(
      \.version)
    #expect(versions == [1, 2, 3])
  }

  @Test func `whose commit fails leave the error to the caller, and a repeat mends it`()
    async throws
  {
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    fixture.store.fail(.commitAnswer, .unavailable("gone", maybeCommitted: true))
    let error = await failure { try await fixture.ingest([guide], into: course, as: teacher) }
    #expect(error.code == .unavailable)
    let again = try await fixture.ingest([guide, notes], into: course, as: teacher)
    #expect(again.documentsChanged == 1)
    #expect(types().count == 2)
  }
}
