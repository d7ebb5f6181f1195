import Domain
import Testing

@Suite("A goal with its tasks")
struct GoalAggregateTests {
  let fixture = GoalFixture()

  @Test("is created with an event for itself and one for each task, in order")
  func creation() throws {
    let aggregate = try GoalAggregate.create(
      fixture.goal(), tasks: [TaskDraft(title: "uno"), TaskDraft(title: "dos")],
      context: fixture.context)
    #expect(aggregate.events.map(\.type) == [.goalCreated, .taskCreated, .taskCreated])
    #expect(aggregate.events.map(\.version) == [1, 1, 1])
    #expect(aggregate.loadedRevision == nil)
    #expect(aggregate.changedTasks.map(\.title) == ["uno", "dos"])
    #expect(aggregate.tasks.map(\.ordinal) == [0, 1])
  }

  @Test("names every field that breaks a rule")
  func validation() {
    let long = String(repeating: "x", count: GoalLimits.title + 1)
    #expect(
      throws: DomainError.invalid([
        FieldViolation("title", "must not be empty"),
        FieldViolation("tasks[0].title", "is longer than 200 characters"),
        FieldViolation("tasks[1].title", "contains control characters"),
      ])
    ) {
      try GoalAggregate.create(
        fixture.goal(title: " \u{2003}"),
        tasks: [TaskDraft(title: long), TaskDraft(title: "a\u{7}b")], context: fixture.context)
    }
  }

  @Test("has a bound on all of its texts together, and can shrink when it is above it")
  func size() throws {
    let criteria = [String](repeating: String(repeating: "😀", count: 1000), count: 20)
    let draft = TaskDraft(title: "t", validationCriteria: criteria)
    let tooLarge = DomainError.limitReached(
      "bytes of a goal with its tasks", maximum: GoalLimits.textByteCount)
    #expect(throws: tooLarge) {
      try GoalAggregate.create(
        fixture.goal(), tasks: Array(repeating: draft, count: 14), context: fixture.context)
    }
    var aggregate = fixture.reloaded(
      try GoalAggregate.create(
        fixture.goal(), tasks: Array(repeating: draft, count: 13), context: fixture.context))
    var copy = aggregate
    #expect(throws: tooLarge) { try copy.addTask(draft, context: fixture.context) }
    copy = aggregate
    #expect(throws: tooLarge) {
      try copy.update(expectedVersion: nil, context: fixture.context) {
        $0.description = String(repeating: "😀", count: 9000)
      }
    }
    let id = aggregate.tasks[0].id
    try aggregate.updateTask(id, expectedVersion: nil, context: fixture.context) {
      $0.description = "cabe"
    }
    // As an earlier build may have left it.
    var large = GoalAggregate(
      loaded: aggregate.goal, tasks: aggregate.tasks + aggregate.tasks)
    try large.updateTask(id, expectedVersion: nil, context: fixture.context) {
      $0.validationCriteria = []
    }
    #expect(large.events.map(\.type) == [.taskUpdated])
  }

  @Test("follows its tasks from pending over started to completed")
  func followsTasks() throws {
    var aggregate = try fixture.aggregate(tasks: 2)
    let ids = aggregate.tasks.map(\.id)
    try aggregate.applyToTask(ids[0], .complete, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.events.map(\.type) == [.taskCompleted, .goalStarted])
    #expect(aggregate.goal.progressPercentage == 50)
    #expect(aggregate.goal.status == .inProgress)
    aggregate = fixture.reloaded(aggregate)
    try aggregate.applyToTask(ids[1], .complete, expectedVersion: 1, context: fixture.context)
    #expect(aggregate.events.map(\.type) == [.taskCompleted, .goalCompleted])
    #expect(aggregate.goal.progressPercentage == 100)
    #expect(aggregate.goal.completedAt != nil)
  }

  @Test("starts and completes at once when its only task is completed")
  func onlyTask() throws {
    var aggregate = try fixture.aggregate(tasks: 1)
    try aggregate.applyToTask(
      aggregate.tasks[0].id, .complete, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.events.map(\.type) == [.taskCompleted, .goalStarted, .goalCompleted])
    #expect(aggregate.events.map(\.version) == [2, 2, 3])
  }

  @Test("is reopened by a task that is reopened or added")
  func reopening() throws {
    var aggregate = try fixture.aggregate(tasks: 1)
    let id = aggregate.tasks[0].id
    try aggregate.applyToTask(id, .complete, expectedVersion: nil, context: fixture.context)
    aggregate = fixture.reloaded(aggregate)
    var reopened = aggregate
    try reopened.applyToTask(id, .reopen, expectedVersion: nil, context: fixture.context)
    #expect(reopened.events.map(\.type) == [.taskReopened, .goalReopened])
    #expect(reopened.goal.progressPercentage == 0)
    #expect(reopened.goal.completedAt == nil)
    try aggregate.addTask(TaskDraft(title: "más"), context: fixture.context)
    #expect(aggregate.events.map(\.type) == [.taskCreated, .goalReopened])
    #expect(aggregate.goal.progressPercentage == 50)
  }

  @Test("does not count archived and deleted tasks")
  func archivedAndDeleted() throws {
    var aggregate = try fixture.aggregate(tasks: 3)
    let ids = aggregate.tasks.map(\.id)
    try aggregate.applyToTask(ids[0], .complete, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.goal.progressPercentage == 100.0 / 3)
    try aggregate.applyToTask(ids[1], .archive, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.goal.progressPercentage == 50)
    try aggregate.applyToTask(ids[2], .delete, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.goal.progressPercentage == 100)
    #expect(aggregate.goal.status == .completed)
    #expect(aggregate.tasks.map(\.id) == [ids[0], ids[1]])
    #expect(aggregate.changedTasks.map(\.status) == [.completed, .archived, .deleted])
  }

  @Test("without counted tasks has no progress until it is completed by hand")
  func withoutTasks() throws {
    var aggregate = try fixture.aggregate(tasks: 1)
    try aggregate.applyToTask(
      aggregate.tasks[0].id, .delete, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.goal.progressPercentage == 0)
    #expect(aggregate.goal.status == .pending)
    try aggregate.apply(.complete, expectedVersion: nil, context: fixture.context)
    #expect(aggregate.goal.progressPercentage == 100)
  }

  @Test("cannot be completed by hand while tasks are open")
  func openTasks() throws {
    var aggregate = try fixture.aggregate(tasks: 1)
    #expect(
      throws: DomainError.illegalTransition(
        .goal, aggregate.goal.id, from: "pending", action: "complete",
        hint: "complete, archive or delete its open tasks first")
    ) {
      try aggregate.apply(.complete, expectedVersion: nil, context: fixture.context)
    }
  }

  @Test("freezes its tasks while it is archived and hides them when it is deleted")
  func frozen() throws {
    var aggregate = try fixture.aggregate(tasks: 1)
    let id = aggregate.tasks[0].id
    try aggregate.apply(.archive, expectedVersion: 1, context: fixture.context)
    #expect(throws: DomainError.self) {
      try aggregate.applyToTask(id, .start, expectedVersion: nil, context: fixture.context)
    }
    try aggregate.apply(.delete, expectedVersion: nil, context: fixture.context)
    #expect(throws: DomainError.notFound(.task, id)) {
      try aggregate.applyToTask(id, .start, expectedVersion: nil, context: fixture.context)
    }
    #expect(throws: DomainError.notFound(.goal, aggregate.goal.id)) {
      try aggregate.apply(.reopen, expectedVersion: nil, context: fixture.context)
    }
  }

  @Test("refuses a version that is not the current one")
  func staleVersions() throws {
    var aggregate = try fixture.aggregate(tasks: 1)
    let task = aggregate.tasks[0]
    #expect(throws: DomainError.stale(.goal, aggregate.goal.id, expected: 7, actual: 1)) {
      try aggregate.apply(.start, expectedVersion: 7, context: fixture.context)
    }
    #expect(throws: DomainError.stale(.task, task.id, expected: 2, actual: 1)) {
      try aggregate.applyToTask(task.id, .start, expectedVersion: 2, context: fixture.context)
    }
  }

  @Test("records nothing when an update changes nothing")
  func emptyUpdate() throws {
    var aggregate = try fixture.aggregate(tasks: 0)
    try aggregate.update(expectedVersion: nil, context: fixture.context) { _ in }
    #expect(aggregate.events.isEmpty)
    try aggregate.update(expectedVersion: nil, context: fixture.context) { $0.title = "Otro" }
    #expect(aggregate.events.map(\.type) == [.goalUpdated])
    #expect(aggregate.goal.version == 2)
  }

  @Test("is reordered only by a list of all its tasks")
  func reordering() throws {
    var aggregate = try fixture.aggregate(tasks: 3)
    let ids = aggregate.tasks.map(\.id)
    for wrong in [[], Array(ids.dropLast()), ids + [ids[0]], [ids[0], ids[0], ids[1]]] {
      #expect(throws: DomainError.self) {
        try aggregate.reorder(wrong, expectedVersion: nil, context: fixture.context)
      }
    }
    try aggregate.reorder(
      [ids[2], ids[1], ids[0]], expectedVersion: nil, context: fixture.context)
    #expect(aggregate.tasks.map(\.id) == [ids[2], ids[1], ids[0]])
    // The one in the middle did not move.
    #expect(aggregate.events.map(\.entityID) == [ids[0], ids[2]])
  }

  @Test("holds at most its maximum of tasks")
  func taskLimit() throws {
    var aggregate = try fixture.aggregate(tasks: GoalLimits.tasks)
    #expect(throws: DomainError.limitReached("tasks of a goal", maximum: GoalLimits.tasks)) {
      try aggregate.addTask(TaskDraft(title: "una más"), context: fixture.context)
    }
  }

  @Test("gives the course of a goal in the events of its tasks")
  func courseOfTasks() throws {
    var goal = fixture.goal()
    let courseID = EntityID(high: 5, low: 5)
    goal.courseID = courseID
    let aggregate = try GoalAggregate.create(
      goal, tasks: [TaskDraft(title: "Leer")], context: fixture.context)
    let payload = try #require(aggregate.events.last).payload
    #expect(payload["course_id"]?.stringValue == courseID.description)
  }
}
