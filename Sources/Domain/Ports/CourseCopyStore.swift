/// The copies of courses by which those enrolled find them with the notes' query. What changes all
/// copies of a course asks for that in its own unit; they follow in portions.
package protocol CourseCopyStore: Sendable {
  /// A course whose copies are behind: the first after `course` in an order that stays; nil where there
  /// is none.
  func courseToCopy(after course: EntityID?) async throws(StoreError) -> EntityID?

  /// Brings the copies of the next `limit` learners of a course up to date, all or none, from where the
  /// last portion ended, whichever server that was.
  ///
  /// - Returns: whether more learners are left.
  func copyCourse(_ course: EntityID, limit: Int) async throws(StoreError) -> Bool
}
