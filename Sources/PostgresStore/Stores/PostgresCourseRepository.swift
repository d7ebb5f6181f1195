package import Domain

package struct PostgresCourseRepository: CourseRepository {
  private let database: PostgresDatabase
  private let floor: ScanFloor

  /// - Parameter scanMax: how many rows a filtered list of everybody's looks at for one page.
  package init(_ database: PostgresDatabase, scanMax: Int? = nil) {
    self.database = database
    floor = ScanFloor(database, rowMax: scanMax)
  }

  package func course(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> Course? {
    try await database.rows(CourseStatements.byID(scope, id), as: Viewer(scope))
      .first(CourseRow.read)
  }

  package func courses(
    _ filter: CourseFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Course> {
    let isFiltered = filter.technology != nil || !filter.statuses.isEmpty
    let isOfEverybody = !filter.enrolledOnly && filter.ownerID == nil
    let floor =
      isFiltered && isOfEverybody
      ? try await floor.time(for: page) { CourseStatements.floor($0) } : nil
    let list = CourseStatements.List(
      scope, filter.statuses.isEmpty ? [.active] : filter.statuses, filter.technology,
      floor ?? .distantPast, page)
    let call =
      if filter.enrolledOnly {
        CourseStatements.listEnrolled(list, filter.ownerID)
      } else if let owner = filter.ownerID {
        CourseStatements.listByOwner(list, owner)
      } else {
        CourseStatements.list(list)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)), downTo: floor,
      key: { PageKey(time: $0.createdAt, id: $0.id) },
      CourseRow.read)
  }

  package func enrolment(
    course: EntityID, user: EntityID, scope: AccessScope
  ) async throws(StoreError) -> Enrolment? {
    try await database.rows(
      CourseStatements.enrolment(OverseerScope(scope: scope), course, user), as: Viewer(scope)
    ).first(EnrolmentRow.read)
  }

  package func enrolments(
    course: EntityID, states: [EnrolmentState], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment> {
    try await enrolments(CourseStatements.enrolments, course, states, page, scope)
  }

  package func enrolments(
    learner: EntityID, states: [EnrolmentState], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment> {
    try await enrolments(CourseStatements.enrolmentsByLearner, learner, states, page, scope)
  }

  private func enrolments(
    _ list: CourseStatements.EnrolmentList, _ id: EntityID, _ states: [EnrolmentState],
    _ page: PageRequest, _ scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment> {
    try page.page(
      try await database.rows(
        list(OverseerScope(scope: scope), id, states, page), as: Viewer(scope)),
      key: { PageKey(time: $0.createdAt, id: $0.id) }, EnrolmentRow.read)
  }
}
