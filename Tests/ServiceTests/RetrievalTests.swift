import Contract
import Domain
import InMemoryStore
import Logging
import RPC
import Retrieval
import Service
import Synchronization
import Testing

/// RetrievalService: who finds what, and what is said when nothing is.
@Suite struct RetrievalTests {
  private func search(
    _ fixture: ServiceFixture, _ request: SearchRequest, as user: Domain.User
  ) async throws -> SearchResponse {
    try await fixture.call(RetrievalServiceMethods.search, request, as: user)
  }

  private func complete(_ goal: CreateGoalResponse, _ fixture: ServiceFixture, as user: Domain.User)
    async throws
  {
    let _: CompleteGoalResponse = try await fixture.call(
      GoalServiceMethods.completeGoal, CompleteGoalRequest(goalId: goal.goal?.id ?? ""), as: user)
  }

  @Test func aGoalIsFoundAsSoonAsItIsCommitted() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let goal = try await fixture.createGoal("Aprender FastAPI", as: ada)
    let found = try await search(fixture, SearchRequest(query: "FastAPI aprender"), as: ada)
    #expect(found.hits.map { $0.citation?.entityId } == [goal.goal?.id])
    #expect(found.method == "exact" && found.model == "words" && !found.abstained)
    #expect(found.hits[0].vectorRank == 1 && found.hits[0].textRank == 1)
    #expect(found.hits[0].attributes["status"] == "pending")
  }

  @Test func onlyCompletedGoalsOfTheLearnerAreSimilarGoals() async throws {
    let fixture = ServiceFixture()
    let (ada, bob) = (fixture.user(), fixture.user(name: "Bob"))
    let done = try await fixture.createGoal("Aprender FastAPI", as: ada)
    _ = try await fixture.createGoal("Aprender FastAPI otra vez", as: ada)
    let theirs = try await fixture.createGoal("Aprender FastAPI", as: bob)
    try await complete(done, fixture, as: ada)
    try await complete(theirs, fixture, as: bob)
    let found: SearchResponse = try await fixture.call(
      RetrievalServiceMethods.searchSimilarGoals,
      SearchSimilarGoalsRequest(query: "FastAPI aprender"),
      as: ada)
    #expect(found.hits.map { $0.citation?.entityId } == [done.goal?.id])
    let error = await failure {
      try await fixture.call(
        RetrievalServiceMethods.searchSimilarGoals,
        SearchSimilarGoalsRequest(query: "x", userId: bob.id.description), as: ada,
        returning: SearchResponse.self)
    }
    #expect(error.code == .permissionDenied)
    let admin = fixture.user(.admin)
    let forBob: SearchResponse = try await fixture.call(
      RetrievalServiceMethods.searchSimilarGoals,
      SearchSimilarGoalsRequest(query: "FastAPI aprender", userId: bob.id.description), as: admin)
    #expect(forBob.hits.map { $0.citation?.entityId } == [theirs.goal?.id])
  }

  @Test func nothingCloseIsSaidAndNotFilledUp() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    _ = try await fixture.createGoal("Cocinar paella", as: ada)
    let found = try await search(
      fixture, SearchRequest(query: "ramas de git y conflictos"), as: ada)
    #expect(found.abstained && found.hits.isEmpty)
    let all = try await search(
      fixture, SearchRequest(query: "ramas de git", minSimilarity: -1), as: ada)
    #expect(all.hits.count == 1)
  }

  @Test func coursesAreFoundByThoseWhoMayReadThem() async throws {
    let fixture = ServiceFixture()
    let (ines, ada) = (fixture.user(.instructor), fixture.user())
    let course = try await fixture.createCourse("Curso de FastAPI", as: ines)
    try await fixture.embedAll()
    func find(_ user: Domain.User, courseID: String = "") async throws -> [String?] {
      let found: SearchResponse = try await fixture.call(
        RetrievalServiceMethods.searchCourseDocuments,
        SearchCourseDocumentsRequest(query: "curso FastAPI", courseId: courseID), as: user)
      return found.hits.map { $0.citation?.entityId }
    }
    #expect(try await find(ines) == [course.id])
    #expect(try await find(ada) == [])
    let error = await failure { try await find(ada, courseID: course.id) }
    #expect(error.code == .permissionDenied)
    try await fixture.enrol(in: course.id, as: ada)
    #expect(try await find(ada, courseID: course.id) == [course.id])
  }

  @Test func whatIsWrongWithARequestIsSaid() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    for request in [
      SearchRequest(query: ""), SearchRequest(query: " \n"),
      SearchRequest(query: String(repeating: "x", count: 4001)),
      SearchRequest(query: "x", entityTypes: ["user"]),
      SearchRequest(query: "x", courseId: "no"), SearchRequest(query: "x", limit: 101),
      SearchRequest(query: "x", limit: -1), SearchRequest(query: "x", minSimilarity: 1.5),
      SearchRequest(query: "x", minSimilarity: .nan),
      SearchRequest(query: "x", language: String(repeating: "x", count: 33)),
    ] {
      let error = await failure { try await search(fixture, request, as: ada) }
      #expect(error.code == .invalidArgument, "\(request)")
    }
    let unknown = SearchRequest(query: "x", courseId: EntityID(high: 1, low: 1).description)
    let error = await failure { try await search(fixture, unknown, as: ada) }
    #expect(error.code == .notFound)
  }

  @Test func anEmbedderThatIsAwayLeavesWordsAndFailsNoWrite() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    fixture.embedder.fail(.unavailable("away"))
    let goal = try await fixture.createGoal("Aprender FastAPI", as: ada)
    let found = try await search(fixture, SearchRequest(query: "FastAPI aprender"), as: ada)
    #expect(found.method == "text" && found.model.isEmpty)
    #expect(found.hits.map { $0.citation?.entityId } == [goal.goal?.id])
    let error = await failure {
      try await search(fixture, SearchRequest(query: "FastAPI", mode: .vector), as: ada)
    }
    #expect(error.code == .unavailable)
    fixture.embedder.fail(nil)
    try await fixture.embedAll()
    let later = try await search(
      fixture, SearchRequest(query: "FastAPI aprender", mode: .vector), as: ada)
    #expect(later.hits.count == 1 && later.method == "exact")
  }

  @Test func minCursorWaitsForTheVector() async throws {
    let fixture = ServiceFixture(embedsImmediately: false)
    let ada = fixture.user()
    let goal = try await fixture.createGoal("Aprender FastAPI", as: ada)
    let cursor = goal.receipt?.cursor ?? ""
    let request = SearchRequest(query: "FastAPI", mode: .vector, minCursor: cursor)
    let error = await failure {
      try await fixture.call(
        RetrievalServiceMethods.search, request, as: ada, deadline: .now + .milliseconds(200),
        returning: SearchResponse.self)
    }
    #expect(error.code == .deadlineExceeded && error.decodedDetails.laggingPart == "embeddings")
    async let waiting = search(fixture, request, as: ada)
    try await fixture.embedAll()
    #expect(try await waiting.hits.count == 1)
  }

  @Test func unchangedTextIsNotEmbeddedAgainAndAChangedOneIs() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let goal = try await fixture.createGoal("Aprender FastAPI", tasks: ["Leer"], as: ada)
    _ = try await fixture.completeTask(goal.tasks.first?.id, as: ada)
    #expect(fixture.embedder.embedded == ["Aprender FastAPI"])
    let _: UpdateGoalResponse = try await fixture.call(
      GoalServiceMethods.updateGoal,
      UpdateGoalRequest(
        goalId: goal.goal?.id ?? "", goal: Contract.Goal(title: "Aprender Django"),
        updateMask: FieldMask(paths: ["title"])), as: ada)
    #expect(fixture.embedder.embedded == ["Aprender FastAPI", "Aprender Django"])
    let old = try await search(fixture, SearchRequest(query: "FastAPI"), as: ada)
    #expect(old.abstained)
    let _: DeleteGoalResponse = try await fixture.call(
      GoalServiceMethods.deleteGoal, DeleteGoalRequest(goalId: goal.goal?.id ?? ""), as: ada)
    let gone = try await search(
      fixture, SearchRequest(query: "Django aprender", minSimilarity: -1), as: ada)
    #expect(gone.hits.isEmpty)
  }

  @Test func reRankingPutsTheClosestPartFirst() async throws {
    let fixture = ServiceFixture()
    let ada = fixture.user()
    let filler = (0..<40).map { "palabra\($0) distinta\($0) más\($0)." }.joined(separator: " ")
    for (title, text) in [("uno", "ramas git ramas. otra cosa"), ("dos", "ramas git. \(filler)")] {
      let _: CreateGoalResponse = try await fixture.call(
        GoalServiceMethods.createGoal, CreateGoalRequest(title: title, description: text), as: ada)
    }
    let request = SearchRequest(query: "ramas git", rerank: true, minSimilarity: -1)
    let found = try await search(fixture, request, as: ada)
    #expect(found.hits.count == 2)
    #expect(found.hits[0].score >= found.hits[1].score)
    #expect(found.hits[0].score > 0.5, "the score is a similarity now")
  }
}

/// The worker that follows the log.
@Suite struct EmbeddingWorkerTests {
  @Test func oneBadTextDoesNotHoldUpTheOthers() async throws {
    let fixture = ServiceFixture(embedsImmediately: false)
    let ada = fixture.user()
    for title in ["uno", "veneno", "tres"] { _ = try await fixture.createGoal(title, as: ada) }
    fixture.embedder.refuse("veneno")
    try await fixture.embedAll()
    let counts = try await fixture.store.counts()
    #expect(counts.storedCount == 2 && counts.waitingCount == 1)
    #expect(counts.problems.map(\.attemptCount) == [1])
    #expect(counts.problems.map(\.error) == ["not this text"])
    let status: GetEmbeddingStatusResponse = try await fixture.call(
      RetrievalServiceMethods.getEmbeddingStatus, GetEmbeddingStatusRequest(),
      as: fixture.user(.admin))
    #expect(status.stored == 2 && status.pending == 1 && status.failures.count == 1)
    let error = await failure {
      try await fixture.call(
        RetrievalServiceMethods.getEmbeddingStatus, GetEmbeddingStatusRequest(), as: ada,
        returning: GetEmbeddingStatusResponse.self)
    }
    #expect(error.code == .permissionDenied)
  }

  @Test func aBatchIsHalvedDownToTheTextThatItFailsFor() async throws {
    let fixture = ServiceFixture(embedsImmediately: false)
    let ada = fixture.user()
    for number in 0..<32 { _ = try await fixture.createGoal("meta \(number)", as: ada) }
    fixture.embedder.refuse("meta 5")
    fixture.embedder.refuse("meta 21")
    let before = fixture.embedder.callCount
    try await fixture.embedAll()
    let counts = try await fixture.store.counts()
    #expect(counts.storedCount == 30 && counts.waitingCount == 2)
    // Two paths of five halvings with their other halves, and not each text by itself.
    #expect(fixture.embedder.callCount - before <= 21)
  }

  @Test func aProviderThatFailsAtEverythingIsNotAskedForEveryText() async throws {
    let fixture = ServiceFixture(embedsImmediately: false)
    let ada = fixture.user()
    for number in 0..<32 { _ = try await fixture.createGoal("meta \(number)", as: ada) }
    fixture.embedder.fail(.failed("no vector"))
    let before = fixture.embedder.callCount
    let worker = fixture.makeWorker()
    await #expect(throws: EmbedderError.failed("no vector")) { _ = try await worker.step() }
    #expect(fixture.embedder.callCount - before <= 12)
    // Those that were not tried are due at once.
    fixture.embedder.fail(nil)
    while try await worker.step() > 0 {}
    let counts = try await fixture.store.counts()
    #expect(counts.storedCount == 28 && counts.waitingCount == 4)
  }

  @Test func theWorkerFollowsTheLogAndSaysHowFarItIs() async throws {
    let fixture = ServiceFixture(embedsImmediately: false)
    let ada = fixture.user()
    let worker = fixture.makeWorker()
    fixture.hub.begin(at: 0)
    let running = Task { try await worker.run() }
    _ = try await fixture.createGoal("uno", as: ada)
    try await fixture.relay()
    try await until { worker.position == 1 }
    #expect(try await fixture.store.counts().storedCount == 1)
    fixture.embedder.fail(.unavailable("away"))
    _ = try await fixture.createGoal("dos", as: ada)
    try await fixture.relay()
    try await until { worker.lastError != nil }
    fixture.embedder.fail(nil)
    fixture.time.advance(by: .seconds(3600))
    try await until { try await fixture.store.counts().storedCount == 2 }
    running.cancel()
    _ = await running.result
  }

  /// What is written while it rests is left alone for a moment: one look then serves all of it.
  @Test func whatIsWrittenIsLookedAtAfterAMoment() async throws {
    let fixture = ServiceFixture(embedsImmediately: false)
    let ada = fixture.user()
    fixture.hub.begin(at: 0)
    let clock = RecordingClock()
    let worker = fixture.makeWorker(clock: clock)
    let running = Task { try await worker.run() }
    try await until {
      _ = try await fixture.createGoal("meta", as: ada)
      try await fixture.relay()
      // What it rests otherwise is half a second.
      return clock.pauses.contains { $0 > .zero && $0 <= .milliseconds(100) }
    }
    running.cancel()
    _ = await running.result
  }

  private func until(_ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while try await !isSo() {
      try #require(ContinuousClock.now < end, "waited in vain")
      await Task.yield()
    }
  }
}

extension ServiceFixture {
  func makeWorker(clock: any Clock<Duration> = InstantClock()) -> EmbeddingWorker {
    EmbeddingWorker(
      models: models, store: store, log: store, live: hub, time: time,
      clock: clock, logger: Logger(label: "test"))
  }

  /// What the worker does until nothing is due.
  func embedAll() async throws {
    let worker = makeWorker()
    while try await worker.step() > 0 {}
  }
}

/// Lets every pause pass at once, and remembers how long it was to be.
private final class RecordingClock: Clock {
  private let recorded = Mutex<[Duration]>([])

  var pauses: [Duration] { recorded.withLock { $0 } }
  var now: ContinuousClock.Instant { .now }
  var minimumResolution: Duration { .nanoseconds(1) }

  func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
    recorded.withLock { $0.append(deadline - .now) }
    try await InstantClock().sleep(until: deadline, tolerance: tolerance)
  }
}
