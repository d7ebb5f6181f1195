import Domain
import InMemoryStore
import Retrieval
import Synchronization
import Testing
import Writes

@Suite struct `The executor of decisions` {
  private final class Time: TimeSource {
    func now() -> Timestamp { Timestamp(microsecondsSinceEpoch: 1_767_225_600_000_000) }
  }

  private let store = InMemoryStore()
  private let ids = UUIDv7Generator()
  private let seen = Seen()

  /// What the executor told its owner.
  private final class Seen: Sendable {
    let commitCount = Mutex(0)
    let pauses = Mutex<[Int]>([])
  }

  private var executor: DecisionExecutor {
    let seen = seen
    return DecisionExecutor(
      store: store, clock: Time(), ids: ids,
      committed: { seen.commitCount.withLock { $0 += 1 } },
      indexer: PassageIndexer(models: nil),
      pause: { attempt in seen.pauses.withLock { $0.append(attempt) } })
  }

  private func key(_ hash: UInt8 = 1) -> RequestKey {
    RequestKey(
      callerID: EntityID(high: 1, low: 1), method: "/Goals/Create", key: "k", requestHash: [hash])
  }

  private func user(_ name: String? = nil, version: Int64 = 1) -> User {
    User(
      id: EntityID(high: 2, low: 2), externalID: name, displayName: "Ada", email: nil,
      role: .learner,
      language: "es", timeZone: "UTC", version: version, createdAt: Time().now(),
      updatedAt: Time().now())
  }

  /// Performs one write whose reply is the text that `decide` answers.
  private func perform(
    _ request: RequestKey?, retriesDuplicates: Bool = false,
    _ decide: (ChangeContext) throws -> ([Change], String)
  ) async throws -> String {
    let encode = { (reply: String) in Array(reply.utf8) }
    let written = try await executor.perform(
      request, metadata: .object([]), retriesDuplicates: retriesDuplicates, encode: encode
    ) { context in
      let (changes, reply) = try decide(context)
      return Decision(changes: changes, events: [], response: reply)
    }
    switch written {
    case .committed(let reply): return reply
    case .repeated(let bytes): return "again: " + String(decoding: bytes, as: UTF8.self)
    }
  }

  @Test func `commits once under a key, and answers a repeat with the first reply`() async throws {
    #expect(try await perform(key()) { _ in ([.insertUser(user())], "one") } == "one")
    #expect(try await perform(key()) { _ in ([.insertUser(user())], "two") } == "again: one")
    #expect(seen.commitCount.withLock { $0 } == 1)
    #expect(try await executor.reply(to: key()) == Array("one".utf8))
    #expect(try await executor.isTaken(key(2)))
    await #expect(throws: WriteError.keyConflict) {
      try await perform(key(2)) { _ in ([], "other") }
    }
    await #expect(throws: WriteError.keyConflict) { try await executor.reply(to: key(2)) }
  }

  @Test func `answers a repeat that is refused on the state that the first time made`() async throws
  {
    _ = try await perform(key()) { _ in ([.insertUser(user())], "one") }
    let reply = try await perform(key()) { _ in throw DomainError.forbidden("no") }
    #expect(reply == "again: one")
    await #expect(throws: DomainError.forbidden("no")) {
      try await perform(nil) { _ in throw DomainError.forbidden("no") }
    }
  }

  @Test func `decides again where the state has changed, and gives up in the end`() async throws {
    _ = try await perform(nil) { _ in ([.insertUser(user())], "") }
    var attempts = 0
    let reply = try await perform(nil) { _ in
      attempts += 1
      return ([.updateUser(user(version: attempts < 3 ? 9 : 2))], "\(attempts)")
    }
    #expect(reply == "3")
    #expect(seen.pauses.withLock { $0 } == [1, 2])
    attempts = 0
    await #expect(throws: WriteError.contention) {
      try await perform(key()) { _ in
        attempts += 1
        return ([.updateUser(user(version: 9))], "")
      }
    }
    #expect(attempts == DecisionExecutor.attemptMax)
    #expect(try await executor.reply(to: key()) == nil)
  }

  @Test func `decides again on a taken value where that is asked for`() async throws {
    _ = try await perform(nil) { _ in ([.insertUser(user("ada"))], "") }
    var other = user("ada")
    other.id = EntityID(high: 3, low: 3)
    var attempts = 0
    let reply = try await perform(nil, retriesDuplicates: true) { _ in
      attempts += 1
      return attempts == 1 ? ([.insertUser(other)], "") : ([], "found")
    }
    #expect(reply == "found")
    await #expect(throws: StoreError.duplicate(constraint: "users_external_id_key")) {
      try await perform(nil) { _ in ([.insertUser(other)], "") }
    }
  }

  @Test func `writes nothing for a decision that changes nothing, and leaves its key free`()
    async throws
  {
    #expect(try await perform(nil) { _ in ([], "same") } == "same")
    #expect(try await perform(key()) { _ in ([], "one") } == "one")
    #expect(try await perform(key(2)) { _ in ([], "two") } == "two")
    #expect(seen.commitCount.withLock { $0 } == 0 && store.replyCount == 0)
    // The key is taken by the first request that changes something.
    #expect(try await perform(key()) { _ in ([.insertUser(user())], "made") } == "made")
    #expect(try await perform(key()) { _ in ([], "nothing left") } == "again: made")
    await #expect(throws: WriteError.keyConflict) {
      try await perform(key(2)) { _ in ([], "other") }
    }
  }

  @Test func `remembers the reply of a request whose parts were committed before`() async throws {
    func perform(_ reply: String) async throws -> Written<String> {
      func encode(_ reply: String) -> [UInt8] { Array(reply.utf8) }
      return try await executor.perform(key(), metadata: .object([]), encode: encode) { _ in
        Decision(changes: [], events: [], response: reply, isRemembered: true)
      }
    }
    guard case .committed("one") = try await perform("one"),
      case .repeated(let bytes) = try await perform("two")
    else { return #expect(Bool(false), "not remembered") }
    #expect(String(decoding: bytes, as: UTF8.self) == "one")
  }

  @Test func `passes a fault of the store on, and looks for no reply`() async throws {
    store.fail(.commit, .timedOut(maybeCommitted: true))
    await #expect(throws: StoreError.timedOut(maybeCommitted: true)) {
      try await perform(key()) { _ in ([.insertUser(user())], "") }
    }
  }

  @Test func `commits once on a state that the caller holds`() async throws {
    let ada = user()
    #expect(try await executor.commit(changes: [.insertUser(ada)], events: [], chargedTo: ada.id))
    #expect(
      try await !executor.commit(
        changes: [.updateUser(user(version: 9))], events: [], chargedTo: ada.id))
    #expect(seen.commitCount.withLock { $0 } == 1)
  }
}
