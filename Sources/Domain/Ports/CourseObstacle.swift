/// Why a learner cannot have goals of a course.
package enum CourseObstacle: Sendable, Hashable {
  /// There is no such course for whoever asks.
  case notFound
  case notEnrolled
  case archived
}

extension CourseRepository {
  /// Why a learner cannot have goals of a course now; nil where they can: only those enrolled in an
  /// active course may.
  ///
  /// - Parameter scope: who asks: nobody learns of courses that are hidden from them.
  package func obstacle(
    toGoalsOf courseID: EntityID, for learnerID: EntityID, seenBy scope: AccessScope
  ) async throws(StoreError) -> CourseObstacle? {
    guard let course = try await course(courseID, scope: scope) else { return .notFound }
    let learner = AccessScope(callerID: learnerID, role: .learner)
    let enrolment = try await enrolment(course: courseID, user: learnerID, scope: learner)
    guard let enrolment, enrolment.isActive else { return .notEnrolled }
    return course.status == .active ? nil : .archived
  }
}
