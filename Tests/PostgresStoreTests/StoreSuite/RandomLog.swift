import Domain
import SeededRandom

/// A log of users, courses and goals at random, and what a filter wants of it, event by event.
struct RandomLog {
  private(set) var users: [User] = []
  private(set) var events: [StoredEvent] = []
  private var courses: [Course] = []

  var head: Int64 { Int64(events.count) }

  static func make(
    in store: any TestedStore, _ random: inout SeededGenerator
  ) async throws -> RandomLog {
    var log = RandomLog()
    for (name, role) in [
      ("Ada", Role.learner), ("Bea", .learner), ("Iris", .instructor), ("Ivo", .instructor),
      ("Sam", .service), ("Ana", .admin),
    ] {
      log.users.append(try await store.addUser(name, role: role))
    }
    for number in 0..<6 {
      log.courses.append(
        try await store.addCourse(owner: log.users[2 + number % 2], title: "\(number)"))
    }
    for course in log.courses.prefix(4) {
      _ = try await store.enrol(log.users[number(2, &random)], in: course)
    }
    for number in 0..<40 {
      _ = try await store.addGoal(
        owner: log.users[Self.number(4, &random)], title: "\(number)",
        course: Bool.random(using: &random) ? log.courses.randomElement(using: &random) : nil,
        taskCount: Self.number(4, &random))
    }
    log.events = try await store.sequenceAll()
    return log
  }

  private static func number(_ count: Int, _ random: inout SeededGenerator) -> Int {
    Int.random(in: 0..<count, using: &random)
  }

  /// Bounds on some properties, each with values that are there and some that are not.
  func filter(_ random: inout SeededGenerator) -> EventFilter {
    var filter = EventFilter()
    func some<Value>(_ values: [Value]) -> [Value] {
      guard Int.random(in: 0..<3, using: &random) == 0 else { return [] }
      return (0...Int.random(in: 0..<5, using: &random)).compactMap { _ in
        values.randomElement(using: &random)
      }
    }
    let facts = events.map(EventFacts.init(of:))
    let nobody = users[0].id
    filter.userIDs = some(users.map(\.id))
    filter.goalIDs = some(facts.compactMap(\.goalID) + [nobody])
    filter.taskIDs = some(facts.compactMap(\.taskID) + [nobody])
    filter.courseIDs = some(courses.map(\.id) + [nobody])
    filter.types = some([
      "goal.*", "goal.created", "task.*", "task.created", "user.*", "course.*", "course.enrolled",
      "ai.*", "goal.deleted",
    ])
    return filter
  }

  func isWanted(_ event: StoredEvent, _ filter: EventFilter, _ reader: User) -> Bool {
    let facts = EventFacts(of: event)
    func holds(_ wanted: [EntityID], _ value: EntityID?) -> Bool {
      wanted.isEmpty || value.map(wanted.contains) ?? false
    }
    let isSeen =
      switch reader.role {
      case .learner: event.userID == reader.id
      case .instructor:
        event.userID == reader.id
          || courses.contains { $0.id == facts.courseID && $0.userID == reader.id }
      case .service, .admin: true
      }
    let types = filter.types
    return isSeen && holds(filter.userIDs, event.userID) && holds(filter.goalIDs, facts.goalID)
      && holds(filter.taskIDs, facts.taskID) && holds(filter.courseIDs, facts.courseID)
      && (types.isEmpty || types.contains(event.type) || types.contains("\(event.kind).*"))
  }
}
