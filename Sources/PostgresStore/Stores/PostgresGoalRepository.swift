package import Domain

package struct PostgresGoalRepository: GoalRepository {
  private let database: PostgresDatabase
  private let floor: ScanFloor

  /// - Parameter scanMax: how many rows a filtered list of everybody's looks at for one page.
  package init(_ database: PostgresDatabase, scanMax: Int? = nil) {
    self.database = database
    floor = ScanFloor(database, rowMax: scanMax)
  }

  package func goal(
    _ id: EntityID, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    try await aggregate(
      GoalStatements.byID(OverseerScope(scope: scope, forUpdate: forUpdate), id),
      as: Viewer(scope, forUpdate: forUpdate))
  }

  package func goal(
    ofTask taskID: EntityID, scope: AccessScope, forUpdate: Bool
  ) async throws(StoreError) -> GoalAggregate? {
    try await aggregate(
      GoalStatements.byTask(OverseerScope(scope: scope, forUpdate: forUpdate), taskID),
      as: Viewer(scope, forUpdate: forUpdate))
  }

  private func aggregate(
    _ call: StatementCall, as viewer: Viewer
  ) async throws(StoreError) -> GoalAggregate? {
    let rows = try await database.rows(call, as: viewer)
    guard let first = rows.first else { return nil }
    let goal = try GoalRow.read(first)
    // A goal without tasks is one row whose task columns are NULL.
    guard try !first.isNull(GoalRow.width) else { return GoalAggregate(loaded: goal, tasks: []) }
    return GoalAggregate(
      loaded: goal,
      tasks: try rows.map { (row) throws(StoreError) in
        try TaskRow.read(row, from: GoalRow.width)
      })
  }

  package func goals(
    _ filter: GoalFilter, page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<Goal> {
    let statuses = Self.statuses(filter.statuses)
    let owner = owner(filter.ownerID, scope)
    let from = filter.createdAfter ?? .distantPast
    let before = filter.createdBefore ?? .distantFuture
    let isFiltered = filter.titleContains != nil || !filter.statuses.isEmpty
    let floor: Timestamp? =
      if isFiltered, owner == nil {
        try await floor.time(for: page, from: from, before: before) { range in
          if let course = filter.courseID {
            GoalStatements.courseFloor(range, course)
          } else if statuses.count == 1, let status = statuses.first {
            GoalStatements.statusFloor(range, status)
          } else {
            GoalStatements.floor(range)
          }
        }
      } else {
        nil
      }
    let list = GoalStatements.List(
      OverseerScope(scope: scope), statuses, filter.courseID, floor ?? from, before,
      filter.titleContains, page)
    let call =
      if let owner {
        GoalStatements.listByOwner(list, owner)
      } else if filter.courseID != nil {
        GoalStatements.listByCourse(list)
      } else if statuses.count == 1, let status = statuses.first {
        GoalStatements.listByStatus(list, status)
      } else {
        GoalStatements.listAll(list)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)), downTo: floor,
      key: { PageKey(time: $0.createdAt, id: $0.id) },
      GoalRow.read)
  }

  package func task(_ id: EntityID, scope: AccessScope) async throws(StoreError) -> LearningTask? {
    try await database.rows(
      GoalStatements.task(OverseerScope(scope: scope), id), as: Viewer(scope)
    ).first(TaskRow.read)
  }

  package func tasks(
    owner: EntityID?, statuses: [WorkStatus], page: PageRequest, scope: AccessScope
  ) async throws(StoreError) -> Page<LearningTask> {
    let owner = self.owner(owner, scope)
    let floor =
      owner == nil && !statuses.isEmpty
      ? try await floor.time(for: page) { GoalStatements.taskFloor($0) } : nil
    let list = GoalStatements.TaskList(
      OverseerScope(scope: scope), Self.statuses(statuses), floor ?? .distantPast, page)
    let call =
      if let owner {
        GoalStatements.tasksByOwner(list, owner)
      } else {
        GoalStatements.tasksAll(list)
      }
    return try page.page(
      try await database.rows(call, as: Viewer(scope)), downTo: floor,
      key: { PageKey(time: $0.createdAt, id: $0.id) },
      TaskRow.read)
  }

  /// Whose rows a list is about; nil: everybody's.
  private func owner(_ named: EntityID?, _ scope: AccessScope) -> EntityID? {
    named ?? (scope.role.seesEverybody ? nil : scope.callerID)
  }

  private static func statuses(_ named: [WorkStatus]) -> [WorkStatus] {
    named.isEmpty
      ? [.pending, .inProgress, .completed] : named.filter { $0 != .deleted }
  }
}
