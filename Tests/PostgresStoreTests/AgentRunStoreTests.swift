import Domain
import PostgresStore
import Testing

/// Runs that another build, or a fault, has left in the table.
@Suite struct AgentRunStoreTests {
  @Test func aRunThatCannotBeReadKeepsNoneOfTheOthersFromBeingTaken() async throws {
    try await StoreFixture.run { store in
      let ada = try await store.addUser("Ada")
      let broken = try await RunSuite.add(store, learner: ada)
      let run = try await RunSuite.add(store, learner: ada)
      try await store.script().run(
        "UPDATE agent_runs SET request = '{}' WHERE id = '\(broken.id)'")
      let runs = store.runs
      try await store.letTimePass(.seconds(31))
      let left = try await runs.abandoned(by: "two", isAlone: false, limit: 9)
      #expect(Set(left.map(\.id)) == [broken.id, run.id])
      #expect(left.allSatisfy { $0.kind == .goal && $0.overFor >= .seconds(1) })
      let later = AgentLease(owner: "two", duration: .seconds(60))
      await #expect(throws: StoreError.self) {
        try await runs.takeOver(broken.id, later, isAlone: false)
      }
      #expect(try await runs.takeOver(run.id, later, isAlone: false)?.id == run.id)
    }
  }
}
