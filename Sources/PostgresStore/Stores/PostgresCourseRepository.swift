package import Domain

package struct PostgresCourseRepository: CourseRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func course(_ id: UUIDv7, scope: AccessScope) async throws(StoreError) -> Course? {
    try await database.rows(
      CourseStatements.byID { parameters in
        bind(scope, &parameters)
        parameters.append(id)
      }
    ).first(PostgresCourseRepository.course)
  }

  package func courses(
    _ filter: CourseFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Course> {
    let statuses = filter.statuses.isEmpty ? [.active] : filter.statuses
    func bindList(_ parameters: inout ParameterBuffer) {
      bind(scope, &parameters)
      parameters.append(statuses.map(\.rawValue))
      parameters.append(filter.technology)
      parameters.append(page)
    }
    let call =
      if filter.enrolledOnly {
        CourseStatements.listEnrolled { parameters in
          bindList(&parameters)
          parameters.append(filter.ownerID)
        }
      } else if let owner = filter.ownerID {
        CourseStatements.listByOwner { parameters in
          bindList(&parameters)
          parameters.append(owner)
        }
      } else {
        CourseStatements.list(bindList)
      }
    return try page.page(
      try await database.rows(call), key: { PageKey(time: $0.createdAt, id: $0.id) },
      PostgresCourseRepository.course)
  }

  package func enrolment(
    course: UUIDv7, user: UUIDv7, scope: AccessScope
  ) async throws(StoreError) -> Enrolment? {
    try await database.rows(
      CourseStatements.enrolment { parameters in
        bind(scope, &parameters)
        parameters.append(course)
        parameters.append(user)
      }
    ).first(PostgresCourseRepository.enrolment)
  }

  package func enrolments(
    course: UUIDv7, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Enrolment> {
    let rows = try await database.rows(
      CourseStatements.enrolments { parameters in
        bind(scope, &parameters)
        parameters.append(course)
        parameters.append(page)
      })
    return try page.page(
      rows, key: { PageKey(time: $0.createdAt, id: $0.id) }, PostgresCourseRepository.enrolment)
  }

  private func bind(_ scope: AccessScope, _ parameters: inout ParameterBuffer) {
    parameters.append(scope.role.seesEverybody)
    parameters.append(scope.callerID)
  }

  private static func course(_ row: Row) throws(StoreError) -> Course {
    let names = try row.texts(6)
    let texts = try row.texts(7)
    guard names.count == texts.count else { throw .corrupt("a course's metadata is torn") }
    return Course(
      id: try row.uuid(0), userID: try row.uuid(1), title: try row.text(2),
      description: try row.text(3), language: try row.text(4), technologies: try row.texts(5),
      attributes: Dictionary(zip(names, texts)) { first, _ in first }, status: try row.value(8),
      version: try row.int64(9), createdAt: try row.timestamp(10),
      updatedAt: try row.timestamp(11))
  }

  private static func enrolment(_ row: Row) throws(StoreError) -> Enrolment {
    Enrolment(
      id: try row.uuid(0), courseID: try row.uuid(1), userID: try row.uuid(2),
      isActive: try row.bool(3), version: try row.int64(4), createdAt: try row.timestamp(5),
      updatedAt: try row.timestamp(6))
  }
}
