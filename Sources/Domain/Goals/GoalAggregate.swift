package import JSON

/// A goal with all of its tasks: what one change is decided on, and written as one.
///
/// Rules of progress:
/// - Counted tasks are those that are pending, in progress or completed. Archived and deleted ones
///   do not count.
/// - With counted tasks, `progress_percentage` is the share of them that are completed. Without
///   any it is 100 for a completed goal and 0 for every other.
/// - A *task* change that leaves counted tasks, all of them completed, completes an open goal. One
///   that leaves an open task reopens a completed goal. Starting or completing a task starts a
///   pending goal.
/// - A goal with open tasks cannot be completed by hand; one without counted tasks can.
/// - The tasks of an archived goal are frozen; deleting a goal hides its tasks with it.
///
/// Each operation changes the value and adds the events that record the change; on a throw the
/// value is to be thrown away. Operations take the expected version of what they change; nil means
/// "whatever it is".
package struct GoalAggregate: Sendable, Hashable {
  package internal(set) var goal: Goal
  /// Every task of the goal but the deleted ones, by ordinal then id.
  package internal(set) var tasks: [LearningTask]
  /// The ids of tasks that changed since the aggregate was loaded.
  package internal(set) var changedTaskIDs: Set<EntityID> = []
  /// What happened since the aggregate was loaded, in order.
  package internal(set) var events: [NewEvent] = []
  /// The revision that the write must find in the database; nil for a new goal.
  package let loadedRevision: Int64?
  /// Tasks deleted since the aggregate was loaded, as tombstones to write.
  package internal(set) var deletedTasks: [LearningTask] = []

  /// An aggregate as the store holds it.
  package init(loaded goal: Goal, tasks: [LearningTask]) {
    self.goal = goal
    self.tasks = tasks.sorted(by: GoalAggregate.order)
    self.loadedRevision = goal.revision
  }

  private init(new goal: Goal) {
    self.goal = goal
    self.tasks = []
    self.loadedRevision = nil
  }

  /// The rows of tasks that the write has to store.
  package var changedTasks: [LearningTask] {
    tasks.filter { changedTaskIDs.contains($0.id) } + deletedTasks
  }

  package static func order(_ left: LearningTask, _ right: LearningTask) -> Bool {
    (left.ordinal, left.id) < (right.ordinal, right.id)
  }
}

/// What an operation needs from outside: time, ids, and what the events' metadata say.
package struct ChangeContext: Sendable {
  package var now: Timestamp
  package var ids: any IDGenerator
  package var metadata: JSONValue

  package init(now: Timestamp, ids: any IDGenerator, metadata: JSONValue) {
    self.now = now
    self.ids = ids
    self.metadata = metadata
  }

  package func nextID() -> EntityID { ids.next(at: now) }
}

/// The fields of a task that is to be made.
package struct TaskDraft: Sendable, Hashable {
  package var title: String
  package var description: String
  package var validationCriteria: [String]

  package init(title: String, description: String = "", validationCriteria: [String] = []) {
    self.title = title
    self.description = description
    self.validationCriteria = validationCriteria
  }
}

extension GoalAggregate {
  /// A new goal with its first tasks: `goal.created`, then a `task.created` each.
  package static func create(
    _ goal: Goal, tasks drafts: [TaskDraft], context: ChangeContext
  ) throws(DomainError) -> GoalAggregate {
    var aggregate = GoalAggregate(new: goal)
    var validation = Validation()
    goal.validate(into: &validation)
    if drafts.count > GoalLimits.tasks {
      validation.add("tasks", "has more than \(GoalLimits.tasks) entries")
    }
    for (index, draft) in drafts.prefix(GoalLimits.tasks).enumerated() {
      let task = aggregate.task(from: draft, ordinal: Int32(index), context: context)
      task.validate(into: &validation, prefix: "tasks[\(index)].")
      aggregate.tasks.append(task)
      aggregate.changedTaskIDs.insert(task.id)
    }
    try validation.check()
    try aggregate.checkSize(before: 0)
    aggregate.record(.goalCreated, context)
    for task in aggregate.tasks { aggregate.record(.taskCreated, task, context) }
    return aggregate
  }

  /// Replaces the goal's own fields by those that `edit` sets.
  package mutating func update(
    expectedVersion: Int64?, context: ChangeContext, _ edit: (inout Goal) -> Void
  ) throws(DomainError) {
    try check(expectedVersion, of: goal)
    try checkNotFrozen(action: "update")
    var edited = goal
    edit(&edited)
    var validation = Validation()
    edited.validate(into: &validation)
    try validation.check()
    guard edited != goal else { return }
    let before = textByteCount
    goal = edited
    try checkSize(before: before)
    touchGoal(context)
    record(.goalUpdated, context)
  }

  /// Starts, completes, reopens, archives or deletes the goal itself.
  package mutating func apply(
    _ action: WorkAction, expectedVersion: Int64?, context: ChangeContext
  ) throws(DomainError) {
    try check(expectedVersion, of: goal)
    guard
      let next = WorkTransition.next(goal.status, action, wasStarted: goal.startedAt != nil)
    else {
      if goal.status == .deleted { throw .notFound(.goal, goal.id) }
      throw .illegalTransition(
        .goal, goal.id, from: goal.status.rawValue, action: action.rawValue,
        hint: WorkTransition.hint(goal.status, action))
    }
    if action == .complete, tasks.contains(where: \.status.isOpen) {
      throw .illegalTransition(
        .goal, goal.id, from: goal.status.rawValue, action: action.rawValue,
        hint: "complete, archive or delete its open tasks first")
    }
    move(to: next, context)
    goal.progressPercentage = progress
    record(GoalAggregate.goalEvent(action), context)
  }
}

extension GoalAggregate {
  /// Adds a task after the others; `ordinal` puts it before the task that stands there.
  ///
  /// - Returns: the id of the new task.
  @discardableResult
  package mutating func addTask(
    _ draft: TaskDraft, context: ChangeContext
  ) throws(DomainError) -> EntityID {
    try checkNotFrozen(action: "add a task")
    guard tasks.count < GoalLimits.tasks else {
      throw .limitReached("tasks of a goal", maximum: GoalLimits.tasks)
    }
    let ordinal = (tasks.last?.ordinal ?? -1) + 1
    let task = task(from: draft, ordinal: ordinal, context: context)
    var validation = Validation()
    task.validate(into: &validation)
    try validation.check()
    let before = textByteCount
    tasks.append(task)
    try checkSize(before: before)
    changedTaskIDs.insert(task.id)
    record(.taskCreated, task, context)
    followTasks(context)
    return task.id
  }

  package mutating func updateTask(
    _ id: EntityID, expectedVersion: Int64?, context: ChangeContext,
    _ edit: (inout LearningTask) -> Void
  ) throws(DomainError) {
    let index = try index(of: id, expectedVersion)
    try checkNotFrozen(action: "update a task")
    var edited = tasks[index]
    edit(&edited)
    var validation = Validation()
    edited.validate(into: &validation)
    try validation.check()
    guard edited != tasks[index] else { return }
    let before = textByteCount
    tasks[index] = edited
    try checkSize(before: before)
    touchTask(index, context)
    record(.taskUpdated, tasks[index], context)
  }

  /// Starts, completes, reopens, archives or deletes a task, and lets the goal follow.
  package mutating func applyToTask(
    _ id: EntityID, _ action: WorkAction, expectedVersion: Int64?, context: ChangeContext
  ) throws(DomainError) {
    let index = try index(of: id, expectedVersion)
    try checkNotFrozen(action: "\(action.rawValue) a task")
    let task = tasks[index]
    guard
      let next = WorkTransition.next(task.status, action, wasStarted: task.startedAt != nil)
    else {
      throw .illegalTransition(
        .task, id, from: task.status.rawValue, action: action.rawValue,
        hint: WorkTransition.hint(task.status, action))
    }
    tasks[index].status = next
    if next == .inProgress || next == .completed {
      tasks[index].startedAt = tasks[index].startedAt ?? context.now
    }
    tasks[index].completedAt = next == .completed ? context.now : nil
    touchTask(index, context)
    record(GoalAggregate.taskEvent(action), tasks[index], context)
    if next == .deleted {
      deletedTasks.append(tasks.remove(at: index))
      changedTaskIDs.remove(id)
    }
    followTasks(context)
  }

  /// Puts the tasks in the order of `ids`, which must name each of them once.
  package mutating func reorder(
    _ ids: [EntityID], expectedVersion: Int64?, context: ChangeContext
  ) throws(DomainError) {
    try check(expectedVersion, of: goal)
    try checkNotFrozen(action: "reorder tasks")
    guard ids.count == tasks.count, Set(ids) == Set(tasks.map(\.id)) else {
      throw .invalid([
        FieldViolation("task_ids", "must name each of the goal's \(tasks.count) tasks once")
      ])
    }
    let ordinals = Dictionary(uniqueKeysWithValues: zip(ids, (0..<Int32(ids.count))))
    for index in tasks.indices {
      guard let ordinal = ordinals[tasks[index].id], ordinal != tasks[index].ordinal else {
        continue
      }
      tasks[index].ordinal = ordinal
      touchTask(index, context)
      record(.taskReordered, tasks[index], context)
    }
    tasks.sort(by: GoalAggregate.order)
  }
}

extension GoalAggregate {
  /// Brings the goal in line with its tasks after one of them changed.
  private mutating func followTasks(_ context: ChangeContext) {
    let counted = tasks.filter(\.status.counts)
    let allDone = !counted.isEmpty && counted.allSatisfy { $0.status == .completed }
    let anyBegun = counted.contains { $0.status != .pending }
    let before = goal.progressPercentage
    if goal.status == .completed, !allDone, !counted.isEmpty {
      move(to: .inProgress, context)
      goal.progressPercentage = progress
      record(.goalReopened, context)
      return
    }
    if goal.status == .pending, anyBegun {
      move(to: .inProgress, context)
      goal.progressPercentage = progress
      record(.goalStarted, context)
    } else if goal.status.isOpen, progress != before {
      goal.progressPercentage = progress
      if !allDone {
        touchGoal(context)
        record(.goalProgressed, context)
      }
    }
    if goal.status.isOpen, allDone {
      move(to: .completed, context)
      goal.progressPercentage = progress
      record(.goalCompleted, context)
    }
  }

  /// 0–100, by the rules at the top.
  private var progress: Double {
    let counted = tasks.filter(\.status.counts)
    guard !counted.isEmpty else { return goal.status == .completed ? 100 : 0 }
    let done = counted.count { $0.status == .completed }
    return Double(done * 100) / Double(counted.count)
  }

  private mutating func move(to next: WorkStatus, _ context: ChangeContext) {
    goal.status = next
    if next == .inProgress || next == .completed {
      goal.startedAt = goal.startedAt ?? context.now
    }
    if next != .archived, next != .deleted {
      goal.completedAt = next == .completed ? context.now : nil
    }
    touchGoal(context)
  }

  private mutating func touchGoal(_ context: ChangeContext) {
    goal.version += 1
    // Clocks go backwards; what a reader sorts by must not.
    goal.updatedAt = max(context.now, goal.updatedAt)
  }

  private mutating func touchTask(_ index: Int, _ context: ChangeContext) {
    tasks[index].version += 1
    tasks[index].updatedAt = max(context.now, tasks[index].updatedAt)
    changedTaskIDs.insert(tasks[index].id)
  }

  private func task(from draft: TaskDraft, ordinal: Int32, context: ChangeContext) -> LearningTask {
    LearningTask(
      id: context.nextID(), goalID: goal.id, userID: goal.userID, title: draft.title,
      description: draft.description, ordinal: ordinal,
      validationCriteria: draft.validationCriteria, createdAt: context.now,
      updatedAt: context.now)
  }

  /// What the goal's row has once this is written.
  private var nextRevision: Int64 { (loadedRevision ?? 0) + 1 }

  private mutating func record(_ type: EventType, _ context: ChangeContext) {
    events.append(
      NewEvent(
        id: context.nextID(), type: type, entityType: .goal, entityID: goal.id,
        version: goal.version, userID: goal.userID,
        payload: goal.eventPayload(revision: nextRevision),
        metadata: context.metadata, createdAt: context.now))
  }

  private mutating func record(_ type: EventType, _ task: LearningTask, _ context: ChangeContext) {
    events.append(
      NewEvent(
        id: context.nextID(), type: type, entityType: .task, entityID: task.id,
        version: task.version, userID: task.userID,
        payload: task.eventPayload(courseID: goal.courseID, revision: nextRevision),
        metadata: context.metadata, createdAt: context.now))
  }

  private var textByteCount: Int { tasks.reduce(goal.textByteCount) { $0 + $1.textByteCount } }

  /// One that is too large already may still shrink.
  private func checkSize(before: Int) throws(DomainError) {
    let now = textByteCount
    if now > GoalLimits.textByteCount, now > before {
      throw .limitReached("bytes of a goal with its tasks", maximum: GoalLimits.textByteCount)
    }
  }

  private func check(_ expected: Int64?, of goal: Goal) throws(DomainError) {
    if goal.status == .deleted { throw .notFound(.goal, goal.id) }
    if let expected, expected != goal.version {
      throw .stale(.goal, goal.id, expected: expected, actual: goal.version)
    }
  }

  private func index(of id: EntityID, _ expected: Int64?) throws(DomainError) -> Int {
    guard goal.status != .deleted, let index = tasks.firstIndex(where: { $0.id == id }) else {
      throw .notFound(.task, id)
    }
    if let expected, expected != tasks[index].version {
      throw .stale(.task, id, expected: expected, actual: tasks[index].version)
    }
    return index
  }

  private func checkNotFrozen(action: String) throws(DomainError) {
    if goal.status == .deleted { throw .notFound(.goal, goal.id) }
    if goal.status == .archived {
      throw .illegalTransition(
        .goal, goal.id, from: goal.status.rawValue, action: action, hint: "reopen the goal first")
    }
  }

  private static func goalEvent(_ action: WorkAction) -> EventType {
    switch action {
    case .start: .goalStarted
    case .complete: .goalCompleted
    case .reopen: .goalReopened
    case .archive: .goalArchived
    case .delete: .goalDeleted
    }
  }

  private static func taskEvent(_ action: WorkAction) -> EventType {
    switch action {
    case .start: .taskStarted
    case .complete: .taskCompleted
    case .reopen: .taskReopened
    case .archive: .taskArchived
    case .delete: .taskDeleted
    }
  }
}
