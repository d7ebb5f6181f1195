import Contract
import Dispatch
import Domain
import RPC
import Synchronization
import Testing
import Wire

@testable import Service

/// Limits, queues and executors around calls, without what the calls do.
@Suite struct `Admission of calls` {
  /// Calls that are inside, until they are let go in the order in which they came.
  private final class Gate: Sendable {
    private struct State {
      var inside: [(caller: String, continuation: CheckedContinuation<Void, Never>)] = []
      var order: [String] = []
    }

    private let state = Mutex(State())

    var order: [String] { state.withLock { $0.order } }

    func pass(_ caller: String) async {
      await withCheckedContinuation { continuation in
        state.withLock { state in
          state.inside.append((caller, continuation))
          state.order.append(caller)
        }
      }
    }

    func letNextGo() {
      state.withLock { $0.inside.isEmpty ? nil : $0.inside.removeFirst() }?.continuation.resume()
    }
  }

  private let ids = UUIDv7Generator()
  private let gate = Gate()

  private func user(_ role: Principal.Role = .learner) -> Principal {
    Principal(
      userID: ids.next(at: SteppingTime.start).description, role: role, tokenID: "")
  }

  private func router(
    _ admission: CallAdmission, _ cost: MethodRule.Cost, kind: MethodKind = .unary,
    _ body: @escaping @Sendable (CallContext) async throws -> Void
  ) throws -> (Router, MethodDescriptor) {
    let method = MethodDescriptor(
      path: "a.B/C", kind: kind, isReadOnly: true,
      rule: MethodRule(callers: .users, cost: cost, timeout: .seconds(30)))
    var router = Router(inner: [AdmissionInterceptor(admission: admission)])
    if kind == .unary {
      try router.unary(method) { (request: GetGoalRequest, context) in
        try await body(context)
        return request
      }
    } else {
      try router.serverStreaming(method) {
        (_: GetGoalRequest, context, _: ResponseWriter<GetGoalRequest>) in
        try await body(context)
      }
    }
    return (router, method)
  }

  private func call(
    _ router: Router, _ method: MethodDescriptor, as principal: Principal,
    deadline: ContinuousClock.Instant? = nil
  ) async throws {
    let context = CallContext(
      method: method, deadline: deadline.map { Moment($0) }, principal: principal)
    switch try #require(router[method.path]).body {
    case .unary(let decode):
      let bytes = GetGoalRequest(goalId: "x").encodedBytes()
      _ = try await bytes.withUnsafeBytes { try decode($0, DecodeLimits()) }(context)
    case .streaming(let body):
      try await body(OneRequest(), context)
    }
  }

  private struct OneRequest: ServerStream {
    func nextRequest<Message: WireMessage>(as type: Message.Type) async throws(RPCError) -> Message?
    {
      try? Message.decode(GetGoalRequest(goalId: "x").encodedBytes())
    }
    func write<Message: WireMessage>(
      _ message: Message, resumeCursor: String?
    ) async throws(RPCError) {}
    func offer(_ message: [UInt8], resumeCursor: String?) async throws(RPCError) -> Bool { true }
  }

  private func until(_ isSo: () -> Bool) async {
    while !isSo() { await Task.yield() }
  }

  private func unlimited(_ heavyCallMax: Int) -> CallAdmission {
    CallAdmission(AdmissionLimits(heavyCallMax: heavyCallMax)) { _ in CallerLimits() }
  }

  @Test(arguments: [MethodRule.Cost.search, .scan])
  func `lets another caller in after one call of a caller with many`(
    _ cost: MethodRule.Cost
  ) async throws {
    let admission = unlimited(1)
    let (ada, bea) = (user(), user())
    let (router, method) = try router(admission, cost) { [gate] context in
      await gate.pass(context.principal?.userID ?? "")
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for count in 0..<20 {
        group.addTask { try await call(router, method, as: ada) }
        await until { admission.waitingCount(cost) + gate.order.count == count + 1 }
      }
      // From another token of hers: it is her call all the same.
      var token = ada
      token.tokenID = "other"
      group.addTask { [token] in try await call(router, method, as: token) }
      group.addTask { try await call(router, method, as: bea) }
      await until { admission.waitingCount(cost) == 21 }
      for count in 1...22 {
        gate.letNextGo()
        await until { gate.order.count == min(count + 1, 22) }
      }
      try await group.waitForAll()
    }
    let place = try #require(gate.order.firstIndex(of: bea.userID))
    #expect(place <= 2)
  }

  @Test func `gives the place to others while a call waits for something else`() async throws {
    let admission = unlimited(1)
    let (ada, bea) = (user(), user())
    let isThere = Gate()
    let (router, method) = try router(admission, .search) { context in
      guard context.principal == ada else { return }
      try await HeldPlace.givenBack { await isThere.pass("ada") }
    }
    let waiting = Task { try await call(router, method, as: ada) }
    await until { !isThere.order.isEmpty }
    try await call(router, method, as: bea)
    isThere.letNextGo()
    try await waiting.value
    // All places are free again.
    try await call(router, method, as: bea)
  }

  @Test func `refuses what does not fit into the queue, and says when to come again`() async throws
  {
    let admission = unlimited(1)
    let ada = user()
    let (router, method) = try router(admission, .model) { [gate] _ in await gate.pass("") }
    let calls = (0..<20).map { _ in Task { try await call(router, method, as: ada) } }
    await until { admission.waitingCount(.model) == 16 && gate.order.count == 4 }
    do {
      try await call(router, method, as: ada)
      Issue.record("it was let in")
    } catch let error as QuotaExceeded {
      let seen = error.rpcError
      #expect(seen.code == .resourceExhausted)
      let details = seen.decodedDetails
      #expect(details.reason == .quota && details.retryDelayUs > 0)
      #expect(details.quota?.maximum == 16 && details.quota?.used == 16)
    }
    for count in 1...20 {
      gate.letNextGo()
      await until { gate.order.count == min(4 + count, 20) }
    }
    for call in calls { try await call.value }
  }

  @Test func `drops a call whose deadline passed in the queue`() async throws {
    let admission = unlimited(1)
    let (ada, bea) = (user(), user())
    let (router, method) = try router(admission, .search) { [gate] _ in await gate.pass("") }
    let first = Task { try await call(router, method, as: ada) }
    await until { gate.order.count == 1 }
    let late = Task { try await call(router, method, as: bea, deadline: .now) }
    await until { admission.waitingCount(.search) == 1 }
    gate.letNextGo()
    try await first.value
    let error = await failure { try await late.value }
    #expect(error.code == .deadlineExceeded)
    #expect(gate.order.count == 1)
  }

  @Test func `keeps callers to their rate, each by itself`() async throws {
    let admission = CallAdmission(AdmissionLimits(heavyCallMax: 1)) { principal in
      principal.role == .admin
        ? CallerLimits() : CallerLimits(callsPerSecond: 0.001, burst: 2)
    }
    let (ada, bea, admin) = (user(), user(), user(.admin))
    let (router, method) = try router(admission, .memory) { _ in }
    for caller in [ada, ada, bea, bea, admin, admin, admin] {
      try await call(router, method, as: caller)
    }
    await #expect(throws: QuotaExceeded.self) { try await call(router, method, as: ada) }
    await #expect(throws: QuotaExceeded.self) { try await call(router, method, as: bea) }
  }

  @Test func `keeps callers to their streams, also where those fail`() async throws {
    let admission = CallAdmission(AdmissionLimits(heavyCallMax: 1)) { _ in
      CallerLimits(streamMax: 1)
    }
    let ada = user()
    let (router, method) = try router(admission, .subscription, kind: .serverStreaming) {
      [gate] _ in
      await gate.pass("")
      throw CancellationError()
    }
    let first = Task { try await call(router, method, as: ada) }
    await until { gate.order.count == 1 }
    #expect(admission.streamCount(of: try #require(EntityID(ada.userID))) == 1)
    await #expect(throws: QuotaExceeded.self) { try await call(router, method, as: ada) }
    gate.letNextGo()
    await #expect(throws: CancellationError.self) { try await first.value }
    #expect(admission.streamCount(of: try #require(EntityID(ada.userID))) == 0)
  }

  private final class Notes: Sendable {
    private let notes = Mutex<[Bool]>([])
    func add(_ note: Bool) { notes.withLock { $0.append(note) } }
    var all: [Bool] { notes.withLock { $0 } }
  }

  /// An event loop, as far as tasks can tell.
  private final class Loop: TaskExecutor {
    private static let key = DispatchSpecificKey<Bool>()
    private let queue = DispatchQueue(label: "loop")

    init() { queue.setSpecific(key: Self.key, value: true) }

    static var isCurrent: Bool { DispatchQueue.getSpecific(key: key) ?? false }

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }

  @Test(arguments: MethodRule.Cost.allCases)
  func `runs expensive calls off the event loops`(_ cost: MethodRule.Cost) async throws {
    let admission = unlimited(1)
    let ada = user()
    let wasOnLoop = Notes()
    let (router, method) = try router(admission, cost) { context in
      wasOnLoop.add(Loop.isCurrent)
      await Task.yield()
      wasOnLoop.add(Loop.isCurrent)
      #expect((CallOrigin.caller == nil) == (context.method.rule?.cost == .memory))
    }
    try await Task(executorPreference: Loop()) {
      try await call(router, method, as: ada)
      #expect(Loop.isCurrent)
    }.value
    let isCheap = [.memory, .rows, .subscription].contains(cost)
    #expect(wasOnLoop.all == [isCheap, isCheap])
  }
}
