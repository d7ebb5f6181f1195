package import Domain
import OpenSSL

/// Folds pages of the log into batches for the rebuilt tables: of each entity the row of its latest
/// event, with the large contents that it names.
package struct EventFold: Sendable {
  /// Rows with contents that one batch has: a content is 2 MiB at most, and mostly a few KiB.
  private static let contentCountMax = 64

  private let blobs: any EventBlobs
  private let keepsEvents: Bool

  /// - Parameter keepsEvents: whether the events are rebuilt as well.
  package init(blobs: any EventBlobs, keepsEvents: Bool) {
    self.blobs = blobs
    self.keepsEvents = keepsEvents
  }

  private struct Key: Hashable {
    var table: RebuiltTable
    var id: EntityID
  }

  /// Applies a page: in several batches where it names many contents, of which the last one says the
  /// position.
  ///
  /// - Returns: the events that only a later build can fold; they change nothing.
  package func apply(
    _ page: SourcePage, to store: any RebuildStore
  ) async throws -> [RebuildProblem] {
    var leftOut: [RebuildProblem] = []
    var batch = RebuiltBatch()
    if keepsEvents { batch.events = page.events }
    var latest: [Key: RebuiltRow] = [:]
    for event in page.events {
      let made: RebuiltRow?
      do throws(RebuildProblem) {
        made = try RebuiltRow.of(event)
      } catch {
        guard error.isOfLaterBuild else { throw error }
        leftOut.append(error)
        continue
      }
      guard let row = made else { continue }
      if row.table == .courseDocuments { batch.documents.append(row) }
      if let revision = row.goalRevision { note(revision, &batch.revisions) }
      let key = Key(table: row.table, id: row.id)
      guard var kept = latest[key] else {
        latest[key] = row
        continue
      }
      // What only the first event of a snapshot says stays with it.
      let files = kept.files + row.files
      let unknown = kept.unknown.union(row.unknown)
      if row.version > kept.version { kept = row }
      (kept.files, kept.unknown) = (files, unknown)
      latest[key] = kept
    }
    let rows = latest.values
    batch.rows = rows.filter { $0.contents.isEmpty }
    var withContents = rows.filter { !$0.contents.isEmpty }[...]
    while !withContents.isEmpty {
      let portion = withContents.prefix(Self.contentCountMax)
      withContents = withContents.dropFirst(portion.count)
      var part = RebuiltBatch()
      part.rows = Array(portion)
      part.contents = try await contents(of: portion)
      try await store.apply(part)
    }
    batch.position = page.position
    try await store.apply(batch)
    return leftOut
  }

  private func note(_ revision: GoalRevision, _ revisions: inout [EntityID: Int64?]) {
    let known = revisions[revision.goalID] ?? nil
    revisions[revision.goalID] = [known, revision.revision].compactMap { $0 }.max()
  }

  private func contents(
    of rows: some Sequence<RebuiltRow>
  ) async throws -> [BlobReference: String] {
    let wanted = rows.flatMap { row in row.contents.values + row.files.map(\.content) }
    var found = try await BlobCheck.contents(wanted, of: blobs)
    for row in rows {
      for reference in row.contents.values + row.files.map(\.content) {
        let origin = row.origin
        if try BlobCheck.content(reference, in: found, of: origin) != nil { continue }
        // A text that was replaced before texts were kept with events: what replaced it comes later.
        guard row.isOld, row.table == .courseDocuments else {
          throw BlobCheck.missing(reference, origin)
        }
        found[reference] = ""
      }
    }
    return found
  }
}
