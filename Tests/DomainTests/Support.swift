import Domain
import Synchronization

/// A clock that stands still until it is told to move.
final class ManualTime: TimeSource {
  private let value = Mutex(Timestamp(microsecondsSinceEpoch: 1_767_225_600_000_000))

  func now() -> Timestamp { value.withLock { $0 } }

  func advance(by duration: Duration) {
    value.withLock { $0 = $0.advanced(by: duration) }
  }
}

struct GoalFixture {
  let time = ManualTime()
  let ids = UUIDv7Generator()
  let userID = EntityID(high: 1, low: 1)

  var context: ChangeContext {
    time.advance(by: .seconds(1))
    return ChangeContext(now: time.now(), ids: ids, metadata: .object([]))
  }

  func goal(title: String = "Aprender FastAPI") -> Goal {
    let now = time.now()
    return Goal(
      id: ids.next(at: now), userID: userID, title: title, description: "", createdAt: now,
      updatedAt: now)
  }

  func aggregate(tasks count: Int) throws -> GoalAggregate {
    let created = try GoalAggregate.create(
      goal(), tasks: (0..<count).map { TaskDraft(title: "Tarea \($0 + 1)") }, context: context)
    return reloaded(created)
  }

  /// The aggregate as the store would give it back: without events, one revision on.
  func reloaded(_ aggregate: GoalAggregate) -> GoalAggregate {
    var goal = aggregate.goal
    goal.revision += 1
    return GoalAggregate(loaded: goal, tasks: aggregate.tasks)
  }
}
