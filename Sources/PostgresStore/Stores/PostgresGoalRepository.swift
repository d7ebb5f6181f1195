package import Domain

package struct PostgresGoalRepository: GoalRepository {
  private let database: PostgresDatabase

  package init(_ database: PostgresDatabase) { self.database = database }

  package func goal(
    _ id: UUIDv7, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    try await aggregate(GoalStatements.byID, id, scope, forUpdate)
  }

  package func goal(
    ofTask taskID: UUIDv7, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    try await aggregate(GoalStatements.byTask, taskID, scope, forUpdate)
  }

  private func aggregate(
    _ statement: Statement, _ id: UUIDv7, _ scope: AccessScope, _ forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    let rows = try await database.rows(
      statement { parameters in
        bind(scope, throughCourse: !forUpdate, &parameters)
        parameters.append(id)
      })
    guard let first = rows.first else { return nil }
    let goal = try PostgresGoalRepository.goal(first)
    // A goal without tasks is one row whose task columns are NULL.
    guard try !first.isNull(PostgresGoalRepository.goalColumnCount) else {
      return GoalAggregate(loaded: goal, tasks: [])
    }
    return GoalAggregate(
      loaded: goal,
      tasks: try rows.map { (row) throws(StoreError) in
        try PostgresGoalRepository.task(row, from: PostgresGoalRepository.goalColumnCount)
      })
  }

  package func goals(
    _ filter: GoalFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Goal> {
    let statuses = Self.statuses(filter.statuses)
    func bindList(_ parameters: inout ParameterBuffer) {
      bind(scope, throughCourse: true, &parameters)
      parameters.append(statuses.map(\.rawValue))
      parameters.append(filter.courseID)
      parameters.append(filter.createdAfter ?? .distantPast)
      parameters.append(filter.createdBefore ?? .distantFuture)
      parameters.append(filter.titleContains)
      parameters.append(page)
    }
    let call =
      if let owner = owner(filter.ownerID, scope) {
        GoalStatements.listByOwner { parameters in
          bindList(&parameters)
          parameters.append(owner)
        }
      } else if filter.courseID != nil {
        GoalStatements.listByCourse(bindList)
      } else if statuses.count == 1, let status = statuses.first {
        GoalStatements.listByStatus { parameters in
          bindList(&parameters)
          parameters.append(status.rawValue)
        }
      } else {
        GoalStatements.listAll(bindList)
      }
    return try page.page(
      try await database.rows(call), key: { PageKey(time: $0.createdAt, id: $0.id) },
      PostgresGoalRepository.goal)
  }

  package func task(_ id: UUIDv7, scope: AccessScope) async throws(StoreError) -> LearningTask? {
    try await database.rows(
      GoalStatements.task { parameters in
        bind(scope, throughCourse: true, &parameters)
        parameters.append(id)
      }
    ).first { (row) throws(StoreError) in try PostgresGoalRepository.task(row, from: 0) }
  }

  package func tasks(
    owner: UUIDv7?, statuses: [WorkStatus], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<LearningTask> {
    func bindList(_ parameters: inout ParameterBuffer) {
      bind(scope, throughCourse: true, &parameters)
      parameters.append(Self.statuses(statuses).map(\.rawValue))
      parameters.append(page)
    }
    let call =
      if let owner = self.owner(owner, scope) {
        GoalStatements.tasksByOwner { parameters in
          bindList(&parameters)
          parameters.append(owner)
        }
      } else {
        GoalStatements.tasksAll(bindList)
      }
    return try page.page(
      try await database.rows(call), key: { PageKey(time: $0.createdAt, id: $0.id) },
      { (row) throws(StoreError) in try PostgresGoalRepository.task(row, from: 0) })
  }

  /// Whose rows a list is about; nil: everybody's.
  private func owner(_ named: UUIDv7?, _ scope: AccessScope) -> UUIDv7? {
    named ?? (scope.role.seesEverybody ? nil : scope.callerID)
  }

  private static func statuses(_ named: [WorkStatus]) -> [WorkStatus] {
    named.isEmpty
      ? [.pending, .inProgress, .completed] : named.filter { $0 != .deleted }
  }

  private func bind(
    _ scope: AccessScope, throughCourse: Bool, _ parameters: inout ParameterBuffer
  ) {
    parameters.append(scope.role.seesEverybody)
    parameters.append(scope.callerID)
    parameters.append(throughCourse && scope.role == .instructor)
  }

  private static let goalColumnCount = 16

  private static func goal(_ row: Row) throws(StoreError) -> Goal {
    Goal(
      id: try row.uuid(0), userID: try row.uuid(1), courseID: try row.optionalUUID(2),
      title: try row.text(3), description: try row.text(4), status: try row.value(5),
      progressPercentage: try row.double(6), validationCriteria: try row.texts(7),
      aiFeedback: try row.text(8), targetDate: try row.optionalTimestamp(9),
      startedAt: try row.optionalTimestamp(10), completedAt: try row.optionalTimestamp(11),
      version: try row.int64(12), revision: try row.int64(13), createdAt: try row.timestamp(14),
      updatedAt: try row.timestamp(15))
  }

  private static func task(_ row: Row, from first: Int) throws(StoreError) -> LearningTask {
    LearningTask(
      id: try row.uuid(first), goalID: try row.uuid(first + 1), userID: try row.uuid(first + 2),
      title: try row.text(first + 3), description: try row.text(first + 4),
      status: try row.value(first + 5), ordinal: try row.int32(first + 6),
      validationCriteria: try row.texts(first + 7),
      startedAt: try row.optionalTimestamp(first + 8),
      completedAt: try row.optionalTimestamp(first + 9), version: try row.int64(first + 10),
      createdAt: try row.timestamp(first + 11), updatedAt: try row.timestamp(first + 12))
  }
}
