package import Domain

package struct PostgresCourseCopyStore: CourseCopyStore {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func courseToCopy(after course: EntityID?) async throws(StoreError) -> EntityID? {
    let after = course ?? EntityID(high: 0, low: 0)
    return try await database.rows(
      CourseCopyStatements.next(after), as: .system(.embedding), on: .long
    ).first?.value(0)
  }

  package func copyCourse(
    _ course: EntityID, limit: Int
  ) async throws(StoreError) -> Bool {
    let calls = [
      PassageStatements.lockCourse(course), CourseCopyStatements.copy(course, Int64(limit)),
    ]
    let results = try await database.run(StatementUnit(writing: calls, for: .embedding), on: .long)
    return try results.last?.first?.value(0) ?? false
  }
}
