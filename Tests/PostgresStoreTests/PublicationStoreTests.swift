import Domain
import Testing

@testable import PostgresStore

/// Who publishes, how far, and what an earlier one can no longer do.
@Suite struct PublicationStoreTests {
  private static let name = "hito.events"
  private static let long = Duration.seconds(600)
  private static let status = PublicationStatus(
    condition: .blocked, since: StoreFixture.start, unconfirmedCount: 7,
    lastError: "the broker takes nothing: memory")

  private static func position(_ store: PostgresPublicationStore) async throws -> Int64? {
    try await store.publication(name)?.position
  }

  @Test func oneAtATimeHasTheLeaseAndTheCursorGoesFromOneToTheNext() async throws {
    try await StoreFixture.run { fixture in
      let store = PostgresPublicationStore(fixture.database)
      let (one, other) = (
        fixture.ids.next(at: StoreFixture.start), fixture.ids.next(at: StoreFixture.start)
      )
      _ = try await fixture.addUser()
      _ = try await fixture.addUser("Berta")
      _ = try await fixture.sequenceAll()
      #expect(try await store.publication(Self.name) == nil)
      let first = try #require(try await store.acquire(Self.name, owner: one, for: Self.long))
      #expect(first.position == 0 && first.generation == 1)
      #expect(try await store.acquire(Self.name, owner: other, for: Self.long) == nil)
      #expect(try await store.advance(first, to: 1, status: Self.status, for: Self.long))
      #expect(
        try await store.publication(Self.name) == Publication(position: 1, status: Self.status))
      // Given back, and taken.
      try await store.release(first)
      let second = try #require(try await store.acquire(Self.name, owner: other, for: Self.long))
      #expect(second.position == 1 && second.generation == 2)
      // The first one is fenced off, whatever it believes.
      #expect(try await store.advance(first, to: 2, status: Self.status, for: Self.long) == false)
      try await store.release(first)
      #expect(try await store.acquire(Self.name, owner: one, for: Self.long) == nil)
      #expect(try await store.advance(second, to: 2, status: Self.status, for: Self.long))
      // The cursor never goes back.
      #expect(try await store.advance(second, to: 1, status: Self.status, for: Self.long))
      #expect(try await Self.position(store) == 2)
      // Another exchange is another publication.
      let elsewhere = try await store.acquire("acme.events", owner: one, for: Self.long)
      #expect(elsewhere?.position == 0)
    }
  }

  @Test func aLeaseThatRunsOutIsAnothers() async throws {
    try await StoreFixture.run { fixture in
      let store = PostgresPublicationStore(fixture.database)
      let (one, other) = (
        fixture.ids.next(at: StoreFixture.start), fixture.ids.next(at: StoreFixture.start)
      )
      let first = try #require(
        try await store.acquire(Self.name, owner: one, for: .microseconds(1)))
      var second: PublicationLease?
      while second == nil {
        second = try await store.acquire(Self.name, owner: other, for: Self.long)
      }
      #expect(second?.generation == 2)
      #expect(try await store.advance(first, to: 0, status: Self.status, for: Self.long) == false)
      // Who has it gets another one, as after an answer that was lost.
      let again = try await store.acquire(Self.name, owner: other, for: Self.long)
      #expect(again?.generation == 3)
    }
  }

  /// A database that lost its last commits: what was published of them must not be passed over when their
  /// positions are given again.
  @Test func aCursorIsNeverMovedInAnotherEpochNorBeyondTheEnd() async throws {
    try await StoreFixture.run { fixture in
      let store = PostgresPublicationStore(fixture.database)
      _ = try await fixture.addUser()
      _ = try await fixture.sequenceAll()
      let owner = fixture.ids.next(at: StoreFixture.start)
      let lease = try #require(try await store.acquire(Self.name, owner: owner, for: Self.long))
      #expect(lease.epoch == (try await fixture.log.history()).current.id)
      #expect(try await store.advance(lease, to: 2, status: Self.status, for: Self.long) == false)
      #expect(try await Self.position(store) == 0)
      let script = try await fixture.script()
      try await script.run(
        """
        INSERT INTO log_epochs (number, id, began_after, reason, system_id, timeline, database_id)
        SELECT h.number + 1, (h.id + 1) % 4294967296, 0, 'loss', 0, 0, 0 FROM log_epochs h
        ORDER BY h.number DESC LIMIT 1
        """)
      #expect(try await store.advance(lease, to: 1, status: Self.status, for: Self.long) == false)
      let next = try #require(try await store.acquire(Self.name, owner: owner, for: Self.long))
      #expect(next.epoch != lease.epoch && next.position == 0)
      #expect(try await store.advance(next, to: 1, status: Self.status, for: Self.long))
    }
  }
}
