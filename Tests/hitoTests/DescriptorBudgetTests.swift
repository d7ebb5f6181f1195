import Testing

@testable import hito

@Suite("Descriptor budget")
struct DescriptorBudgetTests {
  private let reserve = [
    DescriptorBudget.Part(name: "database", count: 40),
    DescriptorBudget.Part(name: "lake", count: 60),
  ]

  private func budget(
    soft: Int, hard: Int, connections: Int = 10_000
  ) throws(DescriptorShortage) -> DescriptorBudget {
    try DescriptorBudget(
      limits: .init(soft: soft, hard: hard), connectionCount: connections, reserve: reserve)
  }

  @Test("raises the soft limit to the hard one, but not without end")
  func raise() throws {
    #expect(try budget(soft: 1024, hard: 4096).softLimit == 4096)
    #expect(try budget(soft: 1024, hard: 1 << 30).softLimit == 65_536)
    #expect(try budget(soft: 1024, hard: 1 << 30, connections: 200_000).softLimit == 200_100)
    #expect(try budget(soft: 100_000, hard: 1 << 30).softLimit == 100_000)
    #expect(try budget(soft: 400, hard: 400).softLimit == 400)
  }

  @Test("gives connections what the reserve leaves, and no more than is wanted")
  func connections() throws {
    #expect(try budget(soft: 400, hard: 400).connectionCount == 300)
    #expect(try budget(soft: 1024, hard: 20_000).connectionCount == 10_000)
    #expect(try budget(soft: 400, hard: 400, connections: 70).connectionCount == 70)
  }

  @Test("refuses a limit that leaves too few, and says what to do")
  func floor() throws {
    #expect(try budget(soft: 164, hard: 164).connectionCount == 64)
    let error = #expect(throws: DescriptorShortage.self) { _ = try budget(soft: 163, hard: 163) }
    #expect(error?.needed == 164)
    #expect(error?.description.contains("`ulimit -n 164`") == true)
    #expect(error?.description.contains("database 40, lake 60") == true)
  }

  @Test("says the limits, each part of the reserve and what results")
  func description() throws {
    let shared = try budget(soft: 300, hard: 400)
    #expect(
      "\(shared)"
        == "limit 400 (soft 300, hard 400), reserved 100 (database 40, lake 60), connections 300")
    #expect(shared.neededCount(for: 10_000) == 10_100)
  }

  @Test("reserves for the pool, the loops and the places of the sandbox that there are")
  func parts() {
    func count(_ threads: Int, _ connections: Int, slots: Int = 0) -> Int {
      DescriptorBudget.reserve(
        threadCount: threads, databaseConnectionCount: connections, slotCount: slots
      ).reduce(0) { $0 + $1.count }
    }
    #expect(count(2, 32, slots: 2) == count(2, 32) + 64)
    #expect(count(2, 40) == count(2, 32) + 8)
    #expect(count(4, 32) == count(2, 32) + 6)
    // The smallest limit that is common, 256, is enough for one loop and a few sessions.
    #expect(count(1, 8) + DescriptorBudget.connectionCountMin <= 256)
  }
}
