import Contract
import Domain
import InMemoryStore
import RPC
import Service
import Testing

/// GetQuota, SetQuota, and what comes of them.
@Suite struct QuotaTests {
  private func set(
    _ quota: Contract.Quota, as admin: Domain.User, _ fixture: ServiceFixture, key: String? = nil
  ) async throws -> SetQuotaResponse {
    try await fixture.call(
      ServerServiceMethods.setQuota, SetQuotaRequest(quota: quota), as: admin, key: key)
  }

  private func get(
    _ user: Domain.User? = nil, as caller: Domain.User, _ fixture: ServiceFixture
  ) async throws -> GetQuotaResponse {
    try await fixture.call(
      ServerServiceMethods.getQuota, GetQuotaRequest(userId: user?.id.description ?? ""),
      as: caller)
  }

  @Test func everybodySeesTheirOwnAndAdminsEverybodys() async throws {
    let fixture = ServiceFixture(
      quotas: QuotaDefaults(callsPerSecond: 50, streamMax: 4, modelTokensPerDay: 9))
    let (ada, bob, admin) = (fixture.user(), fixture.user(.service), fixture.user(.admin))
    let own = try await get(as: ada, fixture)
    #expect(own.quota == Contract.Quota(userId: ada.id.description))
    #expect(
      own.effective
        == Contract.Quota(
          userId: ada.id.description, callsPerSecond: 50, burst: 100, modelTokensPerDay: 9,
          maxStreams: 4, bytesPerDay: -1))
    // One that acts for many has no limit but what is set.
    let service = try await get(bob, as: admin, fixture)
    #expect(service.effective?.callsPerSecond == -1 && service.effective?.maxStreams == -1)
    #expect(service.effective?.modelTokensPerDay == 9)
    let refused = await failure { try await get(bob, as: ada, fixture) }
    #expect(refused.code == .permissionDenied)
    let missing = await failure {
      try await fixture.call(
        ServerServiceMethods.getQuota,
        GetQuotaRequest(userId: fixture.ids.next(at: SteppingTime.start).description), as: admin,
        returning: GetQuotaResponse.self)
    }
    #expect(missing.code == .notFound)
  }

  @Test func whatIsSetHoldsAtOnceAndForEveryToken() async throws {
    let fixture = ServiceFixture()
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    let quota = Contract.Quota(userId: ada.id.description, callsPerSecond: 0.001, burst: 2)
    #expect(try await set(quota, as: admin, fixture, key: "k").quota == quota)
    for _ in 0..<2 { _ = try await fixture.readEvents(as: ada) }
    let error = await failure { try await fixture.readEvents(as: ada) }
    #expect(error.code == .resourceExhausted)
    #expect(error.decodedDetails.reason == .quota)
    #expect(error.decodedDetails.retryDelayUs > 1_000_000)
    #expect(error.decodedDetails.quota?.subject == "calls per second")
    // The key names the request: setting it again later does not undo what came between.
    let none = Contract.Quota(userId: ada.id.description)
    _ = try await set(none, as: admin, fixture)
    #expect(try await set(quota, as: admin, fixture, key: "k").quota == quota)
    #expect(try await get(ada, as: admin, fixture).quota == none)
    _ = try await fixture.readEvents(as: ada)
  }

  @Test(arguments: [
    Contract.Quota(), Contract.Quota(userId: "x"),
    Contract.Quota(callsPerSecond: .nan), Contract.Quota(callsPerSecond: -2),
    Contract.Quota(callsPerSecond: 1e-9), Contract.Quota(callsPerSecond: .infinity),
    Contract.Quota(burst: -1), Contract.Quota(modelTokensPerDay: -2),
    Contract.Quota(maxStreams: .max), Contract.Quota(bytesPerDay: .max),
  ])
  func whatMakesNoSenseIsRefused(_ quota: Contract.Quota) async throws {
    let fixture = ServiceFixture()
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    var quota = quota
    if quota.userId.isEmpty, quota != Contract.Quota() { quota.userId = ada.id.description }
    let error = await failure { try await set(quota, as: admin, fixture) }
    #expect(error.code == .invalidArgument)
    let refused = await failure {
      try await set(Contract.Quota(userId: ada.id.description), as: ada, fixture)
    }
    #expect(refused.code == .permissionDenied)
  }

  @Test func whatTakesAwayIsNotRefused() async throws {
    let fixture = ServiceFixture()
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    let teacher = fixture.user(.instructor)
    let course = try await fixture.createCourse(as: teacher)
    try await fixture.enrol(in: course.id, as: ada)
    let made = try await fixture.createGoal(as: ada)
    for user in [ada, admin] {
      _ = try await set(
        Contract.Quota(userId: user.id.description, bytesPerDay: 1), as: admin, fixture)
    }
    #expect(await failure { try await fixture.createGoal(as: ada) }.code == .resourceExhausted)
    let _: LeaveResponse = try await fixture.call(
      CourseServiceMethods.leave, LeaveRequest(courseId: course.id), as: ada)
    let _: DeleteGoalResponse = try await fixture.call(
      GoalServiceMethods.deleteGoal, DeleteGoalRequest(goalId: made.goal?.id ?? ""), as: ada)
    // Nobody locks themselves out.
    _ = try await set(Contract.Quota(userId: admin.id.description), as: admin, fixture)
  }

  @Test func bytesAreCountedAndRefusedUntilTheDayIsOver() async throws {
    let fixture = ServiceFixture(quotas: QuotaDefaults(bytesPerDay: 20_000))
    let (ada, bob) = (fixture.user(), fixture.user())
    var made: [CreateGoalResponse] = []
    var refusal: RPCError?
    for number in 0..<100 {
      do {
        made.append(try await fixture.createGoal("Goal \(number)", as: ada, key: "k\(number)"))
      } catch {
        refusal = error as? RPCError
        break
      }
    }
    let error = try #require(refusal)
    #expect(error.code == .resourceExhausted && !made.isEmpty)
    let details = error.decodedDetails
    #expect(details.reason == .quota && details.quota?.maximum == 20_000)
    #expect(details.quota?.subject == "bytes stored per day")
    #expect((details.quota?.used ?? 0) >= 20_000 && details.retryDelayUs > 0)
    let usage = try await get(as: ada, fixture).usage
    #expect(usage?.bytesToday == details.quota?.used)
    #expect(usage?.resetsAt == details.quota?.resetsAt)
    // What was done is answered as before, and what others do is theirs.
    let again = try await fixture.createGoal("Goal 0", as: ada, key: "k0")
    #expect(again.goal?.id == made[0].goal?.id && again.receipt?.replayed == true)
    _ = try await fixture.createGoal("Another", as: bob)
    _ = try await fixture.readEvents(as: ada)
  }

  @Test func aServerThatStartsKnowsWhatWasStoredBefore() async throws {
    let store = InMemoryStore()
    let ada: Domain.User
    do {
      let fixture = ServiceFixture(store: store)
      ada = fixture.user()
      for _ in 0..<5 { _ = try await fixture.createGoal(as: ada) }
    }
    let now = WallClock()
    let book = QuotaBook(
      store: store, defaults: QuotaDefaults(bytesPerDay: 1000), clock: now)
    let fixture = ServiceFixture(store: store, book: book)
    let error = await failure { try await fixture.createGoal(as: ada) }
    #expect(error.code == .resourceExhausted)
  }

  @Test func whatAnotherServerSetIsReadFromTheStore() async throws {
    let fixture = ServiceFixture()
    let (ada, admin) = (fixture.user(), fixture.user(.admin))
    let other = QuotaBook(
      store: fixture.store, defaults: QuotaDefaults(callsPerSecond: 9), clock: WallClock())
    try await other.refresh()
    let caller = Principal(userID: ada.id.description, role: .learner, tokenID: "")
    #expect(other.limits(of: caller).callsPerSecond == 9)
    _ = try await set(
      Contract.Quota(
        userId: ada.id.description, callsPerSecond: 3, modelTokensPerDay: 5, maxStreams: -1),
      as: admin, fixture)
    try await other.refresh()
    #expect(other.limits(of: caller) == CallerLimits(callsPerSecond: 3, burst: 6))
    #expect(other.modelTokensPerDay(of: ada.id) == 5)
    _ = try await set(Contract.Quota(userId: ada.id.description), as: admin, fixture)
    try await other.refresh()
    #expect(other.limits(of: caller).callsPerSecond == 9)
    // A store that is away leaves what was known.
    fixture.store.fail(.read, .unavailable("test", maybeCommitted: false))
    await #expect(throws: StoreError.self) { try await other.refresh() }
    #expect(other.limits(of: caller).callsPerSecond == 9)
  }
}
