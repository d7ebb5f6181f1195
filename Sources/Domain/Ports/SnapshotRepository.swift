/// A snapshot as one caller may see it.
package struct FoundSnapshot: Sendable, Hashable {
  package var snapshot: CodeSnapshot
  /// The course that its goal belongs to now; nil where it has none.
  package var goalCourseID: EntityID?
  /// The caller sees it as an example only: its code and that it has passed, but nothing that was said
  /// of it, and nothing that leads to its author.
  package var isExample: Bool

  package init(snapshot: CodeSnapshot, goalCourseID: EntityID?, isExample: Bool) {
    self.snapshot = snapshot
    self.goalCourseID = goalCourseID
    self.isExample = isExample
  }
}

package struct SnapshotFilter: Sendable, Hashable {
  /// Nil: with a task, whoever's task that is; else the caller's own for a learner or instructor,
  /// everybody's for those who see everybody.
  package var ownerID: EntityID?
  package var taskID: EntityID?
  package var verdict: Verdict?

  package init() {}
}

/// A snapshot is visible to its author, to those who see everybody, and, where its goal belongs to a
/// course, to the instructor who owns that course while the author is enrolled. As an example it is
/// also visible where the author shares it and it has passed: by the word of a service or an admin to
/// everybody, by that of an instructor to those enrolled in a course of that instructor; and to those
/// enrolled in a course (and its owner) where it is a reference solution of that course.
package protocol SnapshotRepository: Sendable {
  func snapshot(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> FoundSnapshot?
  /// Who wrote these, each once, in no order and for nobody to be shown. Those that are not there are left out.
  func authors(of ids: [EntityID]) async throws(StoreError) -> [EntityID]
  /// Newest first, without the code, and never examples.
  func snapshots(
    _ filter: SnapshotFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<CodeSnapshot>
}
