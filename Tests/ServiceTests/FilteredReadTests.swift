import Contract
import Domain
import SeededRandom
import Testing

/// What is read of the log by a filter, in pages and as the past of a subscription.
@Suite(.timeLimit(.minutes(1))) struct `Filtered reads` {
  /// Both are the same, and what looking at each event gives.
  @Test func `skip and double nothing, in pages of any size`() async throws {
    let fixture = ServiceFixture()
    var random = SeededGenerator(state: 3)
    let (iris, ivo) = (fixture.user(.instructor, name: "Iris"), fixture.user(.instructor))
    let (ada, bea) = (fixture.user(), fixture.user(name: "Bea"))
    let users = [iris, ivo, ada, bea, fixture.user(.admin)]
    let courses = [
      try await fixture.createCourse(as: iris), try await fixture.createCourse(as: ivo),
    ]
    for course in courses { try await fixture.enrol(in: course.id, as: ada) }
    try await fixture.enrol(in: courses[0].id, as: bea)
    for number in 0..<60 {
      let owner = Bool.random(using: &random) ? ada : bea
      // Bea is in the first course only.
      let course = owner.id == bea.id ? courses[0] : courses.randomElement(using: &random)
      _ = try await fixture.createGoal(
        "\(number)", tasks: number % 3 == 0 ? ["uno", "dos"] : [],
        courseID: number % 2 == 0 ? course?.id ?? "" : "", as: owner)
    }
    try await fixture.relay()
    let all = try await pages(of: Contract.EventFilter(), size: 200, fixture, as: users[4])
    #expect(all.count == fixture.store.allEvents.count)
    for _ in 0..<15 {
      var filter = Contract.EventFilter()
      if Int.random(in: 0..<3, using: &random) == 0 {
        filter.userIds = [users.randomElement(using: &random)?.id.description ?? ""]
      }
      if Int.random(in: 0..<3, using: &random) == 0 {
        filter.courseIds = [courses.randomElement(using: &random)?.id ?? ""]
      }
      if Int.random(in: 0..<4, using: &random) == 0 {
        filter.goalIds = all.filter { $0.entityType == "goal" }.map(\.entityId).suffix(7)
      }
      if Int.random(in: 0..<2, using: &random) == 0 { filter.types = ["goal.*", "task.created"] }
      for user in users {
        let size = Int32.random(in: 9...40, using: &random)
        let found = try await pages(of: filter, size: size, fixture, as: user)
        let watch = WatchProbe(
          fixture, WatchRequest(filter: filter, start: .fromBeginning(true)), as: user)
        #expect(try await watch.events(until: .caughtUp) == found)
        watch.cancel()
        if user.role == .admin {
          let wanted = all.filter { event in
            (filter.userIds.isEmpty || filter.userIds.contains(event.userId))
              && (filter.types.isEmpty || event.type == "task.created"
                || event.type.hasPrefix("goal."))
          }
          if filter.courseIds.isEmpty && filter.goalIds.isEmpty { #expect(found == wanted) }
        }
        if user.role == .learner {
          #expect(found.allSatisfy { $0.userId == user.id.description })
        }
      }
    }
  }

  private func pages(
    of filter: Contract.EventFilter, size: Int32, _ fixture: ServiceFixture, as user: Domain.User
  ) async throws -> [Contract.Event] {
    var events: [Contract.Event] = []
    var cursor = ""
    while true {
      let page = try await fixture.readEvents(
        ReadEventsRequest(filter: filter, afterCursor: cursor, pageSize: size), as: user)
      events += page.events
      if page.atEnd { return events }
      #expect(page.nextCursor != cursor)
      cursor = page.nextCursor
    }
  }
}
