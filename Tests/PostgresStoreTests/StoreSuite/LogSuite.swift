import Domain
import SeededRandom
import Testing

/// The log: its order, its pages, and the part of it that the lake does not hold.
@Suite struct LogSuite {
  @Test(arguments: StoreKind.allCases)
  func sequencingTakesAtMostItsLimit(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      _ = try await store.addGoal(owner: owner, taskCount: 5)
      #expect(try await store.sequencer.sequence(limit: 3)?.map(\.position) == [1, 2, 3])
      #expect(try await store.sequencer.sequence(limit: 3)?.map(\.position) == [4, 5, 6])
      #expect(try await store.sequencer.sequence(limit: 3)?.map(\.position) == [7])
      #expect(try await store.sequencer.sequence(limit: 3) == [])
      #expect(try await store.log.events(after: 2, limit: 2).map(\.position) == [3, 4])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aWindowGivesWhatIsWantedOfIt(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      _ = try await store.addGoal(owner: ada, taskCount: 2)
      _ = try await store.addGoal(owner: bob, taskCount: 1)
      _ = try await store.sequenceAll()
      // 1 and 2 are the users, 3 to 5 Ada's goal and tasks, 6 and 7 Bob's.
      func positions(
        _ filter: EventFilter = EventFilter(), after: Int64 = 0, through: Int64 = 7,
        limit: Int = 100, as role: Role = .service
      ) async throws -> [Int64] {
        let page = try await store.log.events(
          in: EventWindow(after: after, through: through, filter: filter),
          limits: WindowLimits(eventCount: limit, lookedCount: 100),
          scope: AccessScope(callerID: ada.id, role: role))
        if page.events.count < limit { #expect(page.completeTo == through) }
        return page.events.map(\.position)
      }
      #expect(try await positions() == Array(1...7))
      #expect(try await positions(limit: 2) == [1, 2])
      #expect(try await positions(after: 2, through: 6) == [3, 4, 5, 6])
      var filter = EventFilter()
      filter.userIDs = [ada.id, ada.id]
      #expect(try await positions(filter) == [1, 3, 4, 5])
      filter.types = ["task.*"]
      #expect(try await positions(filter) == [4, 5])
      filter.types = ["goal.created", "user.created"]
      #expect(try await positions(filter) == [1, 3])
      filter.userIDs = []
      #expect(try await positions(filter) == [1, 2, 3, 6])
      filter.types = ["task.*", "user.*", "task.created", "goal.deleted"]
      #expect(try await positions(filter) == [1, 2, 4, 5, 7])
      filter.types = ["goal.deleted"]
      #expect(try await positions(filter) == [])
      filter = EventFilter()
      filter.userIDs = [bob.id]
      #expect(try await positions(filter, after: 3, through: 5) == [])
      // A learner gets no other one's, whatever is asked for.
      #expect(try await positions(as: .learner) == [1, 3, 4, 5])
      #expect(try await positions(filter, as: .learner) == [])
    }
  }

  /// Whatever is asked, by whomever, in pages of whatever size: the same as looking at each event.
  @Test(arguments: StoreKind.allCases)
  func pagesOfAWindowSkipAndDoubleNothing(_ kind: StoreKind) async throws {
    try await kind.run { store in
      var random = SeededGenerator(state: 9)
      let log = try await RandomLog.make(in: store, &random)
      for round in 0..<150 {
        let filter = log.filter(&random)
        let user = log.users.randomElement(using: &random)!
        let scope = AccessScope(user)
        var window = EventWindow(after: 0, through: log.head, filter: filter)
        let limits = WindowLimits(
          eventCount: Int.random(in: 1...40, using: &random),
          byteCount: Bool.random(using: &random) ? .max : Int.random(in: 1...3000, using: &random),
          lookedCount: Int.random(in: 1...60, using: &random))
        var found: [StoredEvent] = []
        while window.after < window.through {
          let page = try await store.log.events(in: window, limits: limits, scope: scope)
          #expect(page.events.count <= limits.eventCount && page.completeTo > window.after)
          #expect(page.events.allSatisfy { $0.position > window.after })
          #expect((page.events.last?.position ?? 0) <= page.completeTo)
          // A share of eight for each of at most a dozen values.
          #expect(page.lookedCount <= max(limits.lookedCount, 100))
          found += page.events
          window.after = page.completeTo
        }
        #expect(window.after == log.head)
        #expect(
          found == log.events.filter { log.isWanted($0, filter, user) },
          "round \(round): \(filter) as \(user.role)")
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theTailIsWhatTheLakeDoesNotHold(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let bob = try await store.addUser("Bob")
      let second = StoreFixture.start.advanced(by: .seconds(1))
      _ = try await store.addGoal(owner: ada, taskCount: 0, at: second)
      _ = try await store.sequenceAll()
      let unsequenced = try await store.addGoal(owner: ada, taskCount: 1, at: second)
      _ = try await store.addGoal(owner: bob, at: second)
      func tail(_ from: Timestamp, _ to: Timestamp, after: Int64) async throws -> [Int64] {
        try await store.log.tail(
          user: ada.id, from: from, to: to, after: after, scope: AccessScope(ada)
        ).map(\.position)
      }
      let end = second.advanced(by: .seconds(1))
      #expect(try await tail(StoreFixture.start, end, after: 0) == [1, 3, 0, 0])
      #expect(try await tail(StoreFixture.start, end, after: 1) == [3, 0, 0])
      #expect(try await tail(second, end, after: 3) == [0, 0])
      #expect(try await tail(StoreFixture.start, second, after: 0) == [1])
      let events = try await store.log.tail(
        user: ada.id, from: second, to: end, after: 3, scope: AccessScope(ada))
      #expect(events.map(\.entityID) == [unsequenced.goal.id, unsequenced.tasks[0].id])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func anEventHasNoPositionUntilItIsSequenced(_ kind: StoreKind) async throws {
    try await kind.run { store in
      _ = try await store.addUser()
      let newest = try #require(try await store.log.newestUnsequenced())
      #expect(try await store.log.position(of: newest) == nil)
      #expect(try await store.log.events(after: 0, limit: 10).isEmpty)
      #expect(try await store.log.head() == 0)
      _ = try await store.sequenceAll()
      #expect(try await store.log.position(of: newest) == 1)
      #expect(try await store.log.newestUnsequenced() == nil)
      #expect(try await store.log.head() == 1)
      #expect(try await store.log.position(at: StoreFixture.start) == 1)
      #expect(try await store.log.position(at: StoreFixture.start.advanced(by: .seconds(-1))) == 0)
      #expect(try await store.log.position(of: store.ids.next(at: StoreFixture.start)) == nil)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func aPageEndsAtItsBytesAndHoldsOneEventOfAnySize(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      // 40,000 bytes each that compress well, and as many that do not.
      for number in 0..<6 {
        var text = String(repeating: "x", count: 40_000)
        if number >= 3 {
          text = String((0..<40_000).map { _ in Character(Unicode.Scalar(.random(in: 97...122))) })
        }
        _ = try await store.addCourse(owner: owner, attributes: ["text": text])
      }
      _ = try await store.sequenceAll()
      func page(after position: Int64, limit: Int = 100, _ byteCountMax: Int) async throws
        -> LogPage
      {
        try await store.log.page(after: position, limit: limit, byteCountMax: byteCountMax)
      }
      let all = try await page(after: 0, 1 << 20)
      #expect(all.events.map(\.position) == Array(1...7) && all.isEnd)
      for start in [1, 4] as [Int64] {
        let size = all.events[Int(start)].payload.byteCount
        let bounded = try await page(after: start, size + size / 2)
        #expect(bounded.events.map(\.position) == [start + 1, start + 2])
        #expect(bounded.isEnd == false)
        #expect(try await page(after: start, 1).events.map(\.position) == [start + 1])
      }
      #expect(try await page(after: 0, limit: 2, 1 << 20).events.count == 2)
      #expect(try await page(after: 5, 1 << 20).isEnd)
      let nothing = try await page(after: 7, 1 << 20)
      #expect(nothing.events.isEmpty && nothing.isEnd)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func pagesOfEverySizeGiveTheWholeLog(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let owner = try await store.addUser()
      for _ in 0..<40 { _ = try await store.addGoal(owner: owner, taskCount: 2) }
      let sequenced = try await store.sequenceAll()
      for (limit, byteCountMax) in [(1, 1 << 20), (7, 1 << 20), (50, 3000), (1000, 1 << 20)] {
        var events: [StoredEvent] = []
        var isEnd = false
        while !isEnd {
          let page = try await store.log.page(
            after: events.last?.position ?? 0, limit: limit, byteCountMax: byteCountMax)
          #expect(page.events.count <= limit && (page.isEnd || !page.events.isEmpty))
          events += page.events
          isEnd = page.isEnd
        }
        #expect(events == sequenced)
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func theEndOfTheLogNamesWhatHasNoPosition(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let empty = try #require(try await store.log.end(unsequencedMax: 10))
      #expect(empty.position == 0 && empty.unsequencedCount == 0)
      let owner = try await store.addUser()
      let sequenced = try await store.sequenceAll()
      _ = try await store.addGoal(owner: owner, taskCount: 2)
      let end = try #require(try await store.log.end(unsequencedMax: 3))
      #expect(end.position == 1 && end.unsequencedCount == 3)
      #expect(!end.isUnsequenced(sequenced[0].seq))
      #expect(try await store.log.end(unsequencedMax: 2) == nil)
      for event in try await store.sequenceAll() { #expect(end.isUnsequenced(event.seq)) }
      let last = try #require(try await store.log.end(unsequencedMax: 0))
      #expect(last.position == 4 && last.unsequencedCount == 0)
    }
  }
}
