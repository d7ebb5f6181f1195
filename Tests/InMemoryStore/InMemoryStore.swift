package import Domain
internal import Glibc
internal import Synchronization

/// Every port of the stores in memory, with faults to order.
///
/// For tests of what stands above the stores. The store suite holds it to what PostgreSQL does.
package final class InMemoryStore: Sendable {
  struct ReplyKey: Hashable {
    var callerID: EntityID
    var method: String
    var key: String
  }

  struct PassageKey: Hashable {
    var kind: PassageKind
    var entityID: EntityID
    var number: Int32
  }

  struct RememberedReply {
    var reply: KeyedReply
    var time: Timestamp
  }

  /// What no two events share.
  struct EventKey: Hashable {
    var entityType: String
    var entityID: EntityID
    var version: Int64
  }

  struct Attempt {
    var count: Int
    var error: String
    var next: Timestamp
  }

  struct State {
    var activeModel = StoredModel(name: "words", dimensionCount: 64)
    var attempts: [PassageKey: Attempt] = [:]
    var users: [EntityID: User] = [:]
    var courses: [EntityID: Course] = [:]
    var enrolments: [EntityID: Enrolment] = [:]
    var goals: [EntityID: Goal] = [:]
    var tasks: [EntityID: LearningTask] = [:]
    var snapshots: [EntityID: CodeSnapshot] = [:]
    var documents: [EntityID: CourseDocument] = [:]
    var blobs: [BlobReference: String] = [:]
    var passages: [PassageKey: PassageUpsert] = [:]
    var runs: [EntityID: AgentRun] = [:]
    var validations: [EntityID: ValidationRun] = [:]
    var turns: [EntityID: Int64] = [:]
    var fullReports: [EntityID: FullReport] = [:]
    var suites: [EntityID: StoredSuite] = [:]
    var taskTests: [EntityID: [TaskTests]] = [:]
    var leaseEnds: [EntityID: Timestamp] = [:]
    var usages: [(callerID: EntityID, time: Timestamp, usage: ModelUsage)] = []
    var tokens: [EntityID: TokenRecord] = [:]
    var auditEntries: [AuditEntry] = []
    var seals: [LogSeal] = []
    var replies: [ReplyKey: RememberedReply] = [:]
    var quotas: [EntityID: StoredQuota] = [:]
    var groups: [EntityID: HeldGroup] = [:]
    var externals: [ExternalKey: ExternalRecord] = [:]
    var subjects: [SubjectKey: ExternalSubject] = [:]
    var charges: [(userID: EntityID, day: Int64, byteCount: Int64)] = []
    var waiting: [StoredEvent] = []
    var sequenced: [StoredEvent] = []
    var history = LogHistory.unnamed
    var eventKeys: Set<EventKey> = []
    var nextSeq: Int64 = 1
    var faults: [Operation: [StoreError]] = [:]
    var commitHooks: [@Sendable () async -> Void] = []
    var isLockedByOther = false
  }

  /// Where a fault can be put.
  package enum Operation: Sendable, Hashable {
    case read
    case commit
    /// The write is committed, but its answer is lost.
    case commitAnswer
    case readLog
    case sequence
    /// The positions are given, but the answer is lost.
    case sequenceAnswer
  }

  let state = Mutex(State())
  let clock: any TimeSource

  /// - Parameter clock: what the age of remembered replies and the ends of leases are told by.
  package init(clock: any TimeSource = WallClock()) { self.clock = clock }

  /// The next call of `operation` fails, after those ordered before.
  package func fail(_ operation: Operation, _ error: StoreError) {
    state.withLock { $0.faults[operation, default: []].append(error) }
  }

  /// Runs once, before the next commit that has no hook yet: what others do between a read and a
  /// write.
  package func beforeNextCommit(_ hook: @escaping @Sendable () async -> Void) {
    state.withLock { $0.commitHooks.append(hook) }
  }

  /// Whether another server holds the sequencer's lock.
  package func setLockedByOther(_ isLocked: Bool) {
    state.withLock { $0.isLockedByOther = isLocked }
  }

  /// Gives positions as that other server would.
  package func sequenceElsewhere() {
    state.withLock { _ = $0.sequence(limit: .max) }
  }

  /// Every event committed so far, in the order of commit; those not sequenced have position 0.
  package var allEvents: [StoredEvent] { state.withLock { $0.sequenced + $0.waiting } }

  package var replyCount: Int { state.withLock { $0.replies.count } }

  /// Puts a user in place, without events.
  package func seed(_ user: User) { state.withLock { $0.users[user.id] = user } }

  /// Puts a token in place, without its event.
  package func seed(_ token: TokenRecord) { state.withLock { $0.tokens[token.id] = token } }

  /// Puts sequenced events of a log in place, positions and all.
  package func seed(_ events: [StoredEvent]) {
    state.withLock { state in
      for var event in events {
        event.position = Int64(state.sequenced.count) + 1
        state.sequenced.append(event)
        state.eventKeys.insert(event.key)
      }
    }
  }

  /// Runs `body` on the state, unless a fault is due.
  func access<Output: Sendable>(
    _ operation: Operation, _ body: (inout State) -> Output
  ) throws(StoreError) -> Output {
    let result: Result<Output, StoreError> = state.withLock { state in
      if let fault = state.takeFault(operation) { return .failure(fault) }
      return .success(body(&state))
    }
    return try result.get()
  }
}

extension StoredEvent {
  var key: InMemoryStore.EventKey {
    InMemoryStore.EventKey(entityType: entityType, entityID: entityID, version: version)
  }
}

/// The time of day.
package struct WallClock: TimeSource {
  package init() {}

  package func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(
      microsecondsSinceEpoch: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }
}

extension InMemoryStore.State {
  mutating func takeFault(_ operation: InMemoryStore.Operation) -> StoreError? {
    guard let due = faults[operation], !due.isEmpty else { return nil }
    return faults[operation]?.removeFirst()
  }
}
