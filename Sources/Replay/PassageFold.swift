package import Domain
import OpenSSL
package import Retrieval

/// Derives the passages of rebuilt entities as writes do: those of goals, courses and snapshots from
/// their rows, those of documents version by version, since which number a chunk has depends on the
/// versions before.
package struct PassageFold: Sendable {
  private static let workMax = 200

  private let blobs: any EventBlobs
  private let reader: any DocumentReader
  private let chunker: Chunker

  package init(
    blobs: any EventBlobs, reader: any DocumentReader, chunker: Chunker = Chunker()
  ) {
    self.blobs = blobs
    self.reader = reader
    self.chunker = chunker
  }

  /// Derives all that is to be derived.
  ///
  /// - Returns: how many versions of documents have texts that older builds did not keep.
  package func run(_ store: any RebuildStore) async throws -> Int {
    var unknownCount = 0
    while true {
      let work = try await store.passageWork(limit: Self.workMax)
      guard !work.isEmpty else { return unknownCount }
      var updates: [PassageUpdate] = []
      for item in work {
        guard case .document(let document) = item else {
          updates += update(item)
          continue
        }
        // One after the other: each begins with the chunks that the one before left.
        switch try await plan(document, store) {
        case .update(let update): try await store.finish([item], [update])
        case .nothing: try await store.finish([item], [])
        case .unknown:
          unknownCount += 1
          try await store.finish([item], [])
        }
      }
      let rest = work.filter { if case .document = $0 { false } else { true } }
      if !rest.isEmpty { try await store.finish(rest, updates) }
    }
  }

  private func update(_ work: PassageWork) -> [PassageUpdate] {
    switch work {
    case .goal(let goal):
      return goal.status == .deleted
        ? [PassageUpdate(kind: .goal, entityID: goal.id, removesAll: true)]
        : [update(PassageTexts.passage(of: goal))]
    case .course(let course):
      return course.status == .deleted
        ? [PassageUpdate(kind: .course, entityID: course.id, removesAll: true)]
        : [update(PassageTexts.passage(of: course))]
    case .snapshot(let snapshot): return [update(PassageTexts.passage(of: snapshot))]
    case .document: return []
    }
  }

  private func update(_ passage: Passage) -> PassageUpdate {
    PassageUpdate(
      kind: passage.kind, entityID: passage.entityID,
      upserts: [PassageUpsert(passage: passage, contentHash: SHA256.hash(passage.content))])
  }

  private enum Plan {
    case update(PassageUpdate)
    case nothing
    case unknown
  }

  private func plan(_ document: DocumentVersion, _ store: any RebuildStore) async throws -> Plan {
    // A course that is gone took its passages with it.
    guard document.isCourseThere else { return .nothing }
    let numbers = CourseDocument.chunkNumbers(ordinal: document.ordinal)
    let old = try await store.chunks(ofCourse: document.course, numbers)
    if document.isDeleted {
      return .update(
        PassageUpdate(
          kind: .course, entityID: document.course, removedChunkNumbers: old.map(\.number)))
    }
    let found = try await BlobCheck.contents([document.content], of: blobs)
    guard
      let text = try BlobCheck.content(document.content, in: found, of: document.origin)
    else {
      guard document.isOld else { throw BlobCheck.missing(document.content, document.origin) }
      return .unknown
    }
    let chunks: [DocumentChunk]
    do throws(DocumentError) {
      chunks = chunker.chunks(
        of: try reader.read(Array(text.utf8), as: document.format).sections)
    } catch {
      throw BlobCheck.problem(document.origin, .unreadableDocument("\(error)"))
    }
    let identities = chunks.map {
      ChunkIdentity(
        contentHash: SHA256.hash($0.content), anchor: $0.anchor, language: document.language)
    }
    let plan = try ChunkPlan(old: old, new: identities, range: numbers)
    return .update(
      PassageUpdate(
        kind: .course, entityID: document.course,
        upserts: plan.written.map { index in
          PassageUpsert(
            passage: Passage(
              kind: .course, entityID: document.course, userID: document.content.ownerID,
              chunkNumber: plan.numbers[index], title: chunks[index].title,
              content: chunks[index].content, language: document.language,
              documentPath: document.path, anchor: chunks[index].anchor),
            contentHash: identities[index].contentHash)
        },
        removedChunkNumbers: plan.removed))
  }
}
