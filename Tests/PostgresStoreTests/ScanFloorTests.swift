import Domain
import Testing

@testable import PostgresStore

/// A filtered list of everybody's looks at so many rows for a page, and finds all of it page by page.
@Suite struct ScanFloorTests {
  /// Reads all pages; what was found, how many pages there were, and the longest.
  private static func all<Item: Sendable>(
    _ read: (PageRequest) async throws -> Page<Item>
  ) async throws -> (items: [Item], pageCount: Int) {
    var (items, count): ([Item], Int) = ([], 0)
    var request = PageRequest(limit: 4)
    repeat {
      let page = try await read(request)
      items += page.items
      count += 1
      try #require(count < 1000)
      request.after = page.next
    } while request.after != nil
    return (items, count)
  }

  @Test func aFilteredListIsFoundWholeHoweverLittleAPageLooksAt() async throws {
    try await StoreFixture.run { store in
      let admin = try await store.addUser("Root", role: .admin)
      let ada = try await store.addUser("Ada")
      let scope = AccessScope(callerID: admin.id, role: .admin)
      var (goals, courses): ([EntityID], [EntityID]) = ([], [])
      for number in 0..<60 {
        // Three of one moment, more than a page looks at.
        let now = StoreFixture.start.advanced(by: .seconds(number / 3))
        let isRare = number % 7 == 0
        let goal = try await store.addGoal(
          owner: ada, title: isRare ? "Aprender COBOL" : "Python", taskCount: 1, at: now)
        let course = try await store.addCourse(
          owner: admin, technologies: isRare ? ["cobol", "jcl"] : ["python"], at: now)
        if isRare {
          goals.append(goal.goal.id)
          courses.append(course.id)
        }
      }
      let some = PostgresGoalRepository(store.database, scanMax: 5)
      var filter = GoalFilter()
      filter.titleContains = "cobol"
      let found = try await Self.all { request in
        try await some.goals(filter, page: request, scope: scope)
      }
      #expect(Set(found.items.map(\.id)) == Set(goals) && found.items.count == goals.count)
      #expect(found.pageCount > 5)
      // As without the bound, in order; and within a range of time.
      let whole = PostgresGoalRepository(store.database)
      #expect(
        try await whole.goals(filter, page: PageRequest(limit: 50), scope: scope).items
          == found.items)
      filter.createdAfter = StoreFixture.start.advanced(by: .seconds(3))
      filter.createdBefore = StoreFixture.start.advanced(by: .seconds(16))
      #expect(
        try await Self.all { try await some.goals(filter, page: $0, scope: scope) }.items
          == (try await whole.goals(filter, page: PageRequest(limit: 50), scope: scope).items))

      filter = GoalFilter()
      filter.statuses = [.archived]
      filter.titleContains = "cobol"
      #expect(
        try await Self.all { try await some.goals(filter, page: $0, scope: scope) }.items.isEmpty)

      var courseFilter = CourseFilter()
      courseFilter.technology = "cobol"
      let someCourses = PostgresCourseRepository(store.database, scanMax: 5)
      let foundCourses = try await Self.all { request in
        try await someCourses.courses(courseFilter, page: request, scope: scope)
      }
      #expect(Set(foundCourses.items.map(\.id)) == Set(courses))
      #expect(foundCourses.items.count == courses.count && foundCourses.pageCount > 5)

      let tasks = try await Self.all { request in
        try await some.tasks(owner: nil, statuses: [.pending], page: request, scope: scope)
      }
      #expect(tasks.items.count == 60 && Set(tasks.items.map(\.id)).count == 60)
      let users = try await Self.all { request in
        try await PostgresUserRepository(store.database, scanMax: 1).users(
          role: nil, includeInactive: false, page: request, scope: scope)
      }
      #expect(users.items.count == 2)
      let learners = try await PostgresUserRepository(store.database, scanMax: 1).users(
        role: .learner, includeInactive: false, page: PageRequest(limit: 4), scope: scope)
      #expect(learners.items.map(\.id) == [ada.id] && learners.next == nil)
    }
  }

  @Test func aListThatAnIndexServesIsNotCutIntoPieces() async throws {
    try await StoreFixture.run { store in
      let admin = try await store.addUser("Root", role: .admin)
      let ada = try await store.addUser("Ada")
      for number in 0..<20 {
        _ = try await store.addGoal(
          owner: ada, at: StoreFixture.start.advanced(by: .seconds(number)))
      }
      let page = try await PostgresGoalRepository(store.database, scanMax: 2).goals(
        GoalFilter(), page: PageRequest(limit: 20),
        scope: AccessScope(callerID: admin.id, role: .admin))
      #expect(page.items.count == 20 && page.next == nil)
    }
  }
}
