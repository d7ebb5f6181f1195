import Domain
import SeededRandom
import Testing

@Suite("Any sequence of operations on a goal")
struct GoalPropertyTests {
  @Test("keeps versions gapless and progress true", arguments: 0..<40)
  func invariants(seed: Int) throws {
    let fixture = GoalFixture()
    var random = SeededGenerator(state: UInt64(seed))
    var aggregate = try fixture.aggregate(tasks: Int.random(in: 0...4, using: &random))
    var versions: [EntityID: Int64] = [aggregate.goal.id: 1]
    for task in aggregate.tasks { versions[task.id] = 1 }
    var accepted = 0
    for _ in 0..<60 {
      var next = aggregate
      do {
        try step(&next, fixture, &random)
      } catch {
        continue
      }
      accepted += 1
      for event in next.events {
        #expect(event.version == (versions[event.entityID] ?? 0) + 1)
        versions[event.entityID] = event.version
      }
      #expect(next.goal.version == versions[next.goal.id])
      check(next)
      aggregate = fixture.reloaded(next)
      if aggregate.goal.status == .deleted { break }
    }
    #expect(accepted > 0)
  }

  private func step(
    _ aggregate: inout GoalAggregate, _ fixture: GoalFixture, _ random: inout SeededGenerator
  ) throws(DomainError) {
    let task = aggregate.tasks.randomElement(using: &random)?.id
    let action: WorkAction =
      [.start, .complete, .complete, .reopen, .archive].randomElement(using: &random) ?? .start
    switch (Int.random(in: 0..<20, using: &random), task) {
    case (0..<2, _):
      try aggregate.apply(action, expectedVersion: nil, context: fixture.context)
    case (2..<5, _):
      _ = try aggregate.addTask(TaskDraft(title: "nueva"), context: fixture.context)
    case (5, let id?):
      try aggregate.applyToTask(id, .delete, expectedVersion: nil, context: fixture.context)
    case (6, _):
      let ids = aggregate.tasks.map(\.id).shuffled(using: &random)
      try aggregate.reorder(ids, expectedVersion: nil, context: fixture.context)
    case (7, let id?):
      let title = "título \(UInt8.random(in: 0...9, using: &random))"
      try aggregate.updateTask(id, expectedVersion: nil, context: fixture.context) {
        $0.title = title
      }
    case (_, let id?):
      try aggregate.applyToTask(id, action, expectedVersion: nil, context: fixture.context)
    default:
      try aggregate.apply(action, expectedVersion: nil, context: fixture.context)
    }
  }

  private func check(_ aggregate: GoalAggregate) {
    let goal = aggregate.goal
    let counted = aggregate.tasks.filter(\.status.counts)
    let done = counted.count { $0.status == .completed }
    if counted.isEmpty {
      if goal.status == .completed { #expect(goal.progressPercentage == 100) }
      if goal.status.isOpen { #expect(goal.progressPercentage == 0) }
    } else if goal.status.counts {
      #expect(goal.progressPercentage == Double(done * 100) / Double(counted.count))
    }
    if goal.status == .completed {
      #expect(done == counted.count)
      #expect(goal.completedAt != nil)
    }
    for task in aggregate.tasks {
      #expect((task.completedAt != nil) == (task.status == .completed))
    }
    #expect(aggregate.tasks == aggregate.tasks.sorted(by: GoalAggregate.order))
  }
}

@Suite("The transition table")
struct WorkTransitionTests {
  @Test("says of every state and action what its documentation says")
  func table() {
    typealias Row = (WorkStatus, [WorkAction: WorkStatus])
    let rows: [Row] = [
      (
        .pending,
        [.start: .inProgress, .complete: .completed, .archive: .archived, .delete: .deleted]
      ),
      (.inProgress, [.complete: .completed, .archive: .archived, .delete: .deleted]),
      (.completed, [.reopen: .inProgress, .archive: .archived, .delete: .deleted]),
      (.archived, [.reopen: .pending, .delete: .deleted]),
      (.deleted, [:]),
    ]
    for (status, allowed) in rows {
      for action in WorkAction.allCases {
        #expect(WorkTransition.next(status, action, wasStarted: false) == allowed[action])
      }
    }
    #expect(WorkTransition.next(.archived, .reopen, wasStarted: true) == .inProgress)
  }
}
