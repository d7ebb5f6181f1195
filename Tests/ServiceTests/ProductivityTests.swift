import Contract
import Domain
import InMemoryStore
import RPC
import Synchronization
import Testing

/// A lake that holds what it was given, and can be told to fail.
private final class FakeArchive: EventArchive {
  private let state = Mutex((events: [StoredEvent](), fault: StoreError?.none))

  func publish(_ events: [StoredEvent]) { state.withLock { $0.events = events } }
  func fail(_ error: StoreError) { state.withLock { $0.fault = error } }

  func archivedPosition(in history: LogHistory) async throws(StoreError) -> Int64 {
    state.withLock { $0.events.last?.position ?? 0 }
  }

  func events(
    user: EntityID, in period: ReportPeriod, upTo position: Int64
  ) async throws(StoreError) -> [ArchivedEvent] {
    let (events, fault) = state.withLock { $0 }
    if let fault { throw fault }
    return events.filter {
      $0.userID == user && period.contains($0.createdAt) && $0.position <= position
    }.map {
      ArchivedEvent(
        position: $0.position, type: $0.type, createdAt: $0.createdAt, validationScore: nil)
    }
  }
}

@Suite(.timeLimit(.minutes(1))) struct `GetProductivity` {
  private let archive = FakeArchive()
  private let fixture: ServiceFixture

  init() { fixture = ServiceFixture(archive: archive) }

  private func report(
    _ request: GetProductivityRequest = GetProductivityRequest(), as user: Domain.User
  ) async throws -> GetProductivityResponse {
    try await fixture.call(AnalyticsServiceMethods.getProductivity, request, as: user)
  }

  @Test func `of nobody's work is empty`() async throws {
    let report = try await report(as: fixture.user())
    #expect(report.totalEvents == 0)
    #expect(report.avgValidationScore == nil)
    #expect(report.mostActiveDay == "")
    #expect(report.eventsByType.isEmpty)
  }

  @Test func `is exact to the last commit, wherever the events are`() async throws {
    let ada = fixture.user()
    let bea = fixture.user(name: "Bea")
    let created = try await fixture.createGoal(tasks: ["uno", "dos"], as: ada)
    _ = try await fixture.createGoal(as: bea)
    try await fixture.relay()
    archive.publish(fixture.store.allEvents)
    _ = try await fixture.completeTask(created.tasks[0].id, as: ada)
    try await fixture.relay()
    // Committed, but not sequenced yet.
    _ = try await fixture.completeTask(created.tasks[1].id, as: ada)
    let report = try await report(as: ada)
    #expect(report.totalEvents == 7)
    #expect(report.goalsCreated == 1)
    #expect(report.goalsCompleted == 1)
    #expect(report.tasksCompleted == 2)
    #expect(report.mostActiveDay == "Thursday")
    #expect(
      report.eventsByType == [
        EventTypeCount(type: "task.completed", count: 2),
        EventTypeCount(type: "task.created", count: 2),
        EventTypeCount(type: "goal.completed", count: 1),
        EventTypeCount(type: "goal.created", count: 1),
        EventTypeCount(type: "goal.started", count: 1),
      ])
  }

  @Test func `has the same numbers without a lake, and with a broken one`() async throws {
    let ada = fixture.user()
    _ = try await fixture.createGoal(tasks: ["uno"], as: ada)
    try await fixture.relay()
    let without = try await report(as: ada)
    archive.publish(fixture.store.allEvents)
    let with = try await report(as: ada)
    archive.fail(.corrupt("a file"))
    let broken = try await report(as: ada)
    for report in [with, broken] {
      #expect(report.totalEvents == without.totalEvents)
      #expect(report.eventsByType == without.eventsByType)
      #expect(report.cursor == without.cursor)
    }
  }

  @Test func `counts the days before as_of, whose moment is not part of it`() async throws {
    let ada = fixture.user()
    _ = try await fixture.createGoal("1", as: ada)
    fixture.time.advance(by: .seconds(86_400))
    _ = try await fixture.createGoal("2", as: ada)
    let last = try #require(fixture.store.allEvents.last).createdAt
    func count(_ days: Int32, until: Domain.Timestamp) async throws -> Int64 {
      let micros = until.microsecondsSinceEpoch
      return try await report(
        GetProductivityRequest(
          days: days,
          asOf: Contract.Timestamp(
            seconds: micros / 1_000_000, nanos: Int32(micros % 1_000_000) * 1000)),
        as: ada
      ).totalEvents
    }
    #expect(try await count(30, until: last) == 1)
    #expect(try await count(30, until: last.advanced(by: .microseconds(1))) == 2)
    #expect(try await count(1, until: last.advanced(by: .microseconds(1))) == 1)
    #expect(try await report(as: ada).totalEvents == 2)
  }

  @Test func `sees the write whose receipt it is given, and refuses bad ones`() async throws {
    let ada = fixture.user()
    let receipt = try await fixture.createGoal(as: ada).receipt?.cursor ?? ""
    let seen = try await report(GetProductivityRequest(minCursor: receipt), as: ada)
    #expect(seen.goalsCreated == 1)
    let error = await failure {
      try await report(GetProductivityRequest(minCursor: "nonsense"), as: ada)
    }
    #expect(error.code == .outOfRange)
  }

  @Test(arguments: [-1, 3661, Int32.max])
  func `goes back at most ten years`(days: Int32) async {
    let ada = fixture.user()
    let error = await failure { try await report(GetProductivityRequest(days: days), as: ada) }
    #expect(error.decodedDetails.fieldViolations.map(\.field) == ["days"])
  }

  @Test func `of another user is for services and admins`() async throws {
    let ada = fixture.user()
    _ = try await fixture.createGoal(as: ada)
    let request = GetProductivityRequest(userId: ada.id.description)
    #expect(try await report(request, as: fixture.user(.admin)).goalsCreated == 1)
    let nobody = GetProductivityRequest(userId: EntityID(high: 7, low: 7).description)
    let error = await failure { try await report(nobody, as: fixture.user(.admin)) }
    #expect(error.code == .notFound)
  }
}
