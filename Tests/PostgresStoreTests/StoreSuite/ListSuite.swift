import Domain
import Testing

/// Users' and courses' lists, and tokens.
@Suite struct ListSuite {
  @Test(arguments: StoreKind.allCases)
  func inactiveUsersAreListedOnlyOnRequest(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let root = try await store.addUser("Root", role: .admin)
      var gone = try await store.addUser("Ada", at: StoreFixture.start.advanced(by: .seconds(1)))
      gone.isActive = false
      gone.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateUser(gone)], events: [], reply: nil))
      for (includeInactive, expected) in [(true, [gone, root]), (false, [root])] {
        let list = try await store.users.users(
          role: nil, includeInactive: includeInactive, page: PageRequest(limit: 10),
          scope: AccessScope(root))
        #expect(list.items == expected)
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func usersComeInPagesByRole(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let root = try await store.addUser("Root", role: .admin)
      for index in 0..<5 { _ = try await store.addUser("L\(index)") }
      var page = PageRequest(limit: 2)
      var names: [String] = []
      var sizes: [Int] = []
      repeat {
        let list = try await store.users.users(
          role: .learner, includeInactive: false, page: page, scope: AccessScope(root))
        names += list.items.map(\.displayName)
        sizes.append(list.items.count)
        page.after = list.next
      } while page.after != nil
      #expect(names == ["L4", "L3", "L2", "L1", "L0"])
      #expect(sizes == [2, 2, 1])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func pagesAreBounded(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let root = try await store.addUser("Root", role: .admin)
      _ = try await store.addUser("Ada")
      for limit in [Int.min, -1, 0, 1] {
        let list = try await store.users.users(
          role: nil, includeInactive: true, page: PageRequest(limit: limit),
          scope: AccessScope(root))
        #expect(list.items.count == 1)
      }
      let list = try await store.users.users(
        role: nil, includeInactive: true, page: PageRequest(limit: .max),
        scope: AccessScope(root))
      #expect(list.items.count == 2)
    }
  }

  @Test(
    arguments: StoreKind.allCases,
    [Int64.min, .min + 1, -1 << 62, -211_000_000_000_000_001, .max - 1, .max])
  func everyPageKeyIsOneThatTheServerTakes(_ kind: StoreKind, micros: Int64) async throws {
    try await kind.run { store in
      let root = try await store.addUser("Root", role: .admin)
      let key = PageKey(time: Timestamp(microsecondsSinceEpoch: micros), id: root.id)
      let list = try await store.users.users(
        role: nil, includeInactive: true, page: PageRequest(limit: 10, after: key),
        scope: AccessScope(root))
      #expect(list.items == (micros < 0 ? [] : [root]))
    }
  }

  @Test(arguments: StoreKind.allCases)
  func coursesAreFoundByOwnerAndTechnology(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let tom = try await store.addUser("Tom", role: .instructor)
      let ute = try await store.addUser("Ute", role: .instructor)
      let api = try await store.addCourse(
        owner: tom, technologies: ["python", "fastapi"],
        attributes: ["nivel": "básico", "a\"b": "c\\d"])
      let web = try await store.addCourse(
        owner: ute, technologies: [], at: StoreFixture.start.advanced(by: .seconds(1)))
      func list(_ edit: (inout CourseFilter) -> Void) async throws -> [Course] {
        var filter = CourseFilter()
        edit(&filter)
        return try await store.courses.courses(
          filter, page: PageRequest(limit: 10), scope: AccessScope(tom)
        ).items
      }
      #expect(try await list { _ in } == [web, api])
      #expect(try await list { $0.ownerID = tom.id } == [api])
      #expect(try await list { $0.technology = "fastapi" } == [api])
      #expect(try await list { $0.technology = "fast" } == [])
      #expect(try await list { $0.statuses = [.archived] } == [])
    }
  }

  private let everybody = AccessScope(callerID: EntityID(high: 0, low: 0), role: .admin)

  @Test(arguments: StoreKind.allCases)
  func tokensAreFoundByHashWhileTheirUserIsActive(_ kind: StoreKind) async throws {
    try await kind.run { store in
      var ada = try await store.addUser()
      let token = TokenRecord(
        id: store.ids.next(at: StoreFixture.start), userID: ada.id, role: .learner,
        hash: (0..<32).map { $0 }, label: "portátil", scopes: ["goals", "{\"x\"}"],
        createdAt: StoreFixture.start, expiresAt: StoreFixture.start.advanced(by: .seconds(60)))
      try await store.tokens.insert(token)
      await #expect(throws: StoreError.self) { try await store.tokens.insert(token) }
      #expect(try await store.tokens.token(hash: token.hash) == token)
      #expect(try await store.tokens.token(hash: [UInt8](repeating: 0, count: 32)) == nil)
      #expect(try await store.tokens.token(token.id, scope: everybody) == token)
      #expect(try await store.tokens.token(ada.id, scope: everybody) == nil)
      #expect(try await store.tokens.tokens(user: nil, scope: everybody) == [token])
      #expect(try await store.tokens.tokens(user: ada.id, scope: everybody) == [token])
      #expect(try await store.tokens.tokens(user: token.id, scope: everybody) == [])
      let later = StoreFixture.start.advanced(by: .seconds(5))
      #expect(try await store.tokens.revoke(token.id, at: later))
      // The first revocation counts.
      #expect(try await store.tokens.revoke(token.id, at: later.advanced(by: .seconds(5))))
      #expect(try await store.tokens.token(hash: token.hash)?.revokedAt == later)
      #expect(try await !store.tokens.revoke(ada.id, at: later))
      ada.isActive = false
      ada.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateUser(ada)], events: [], reply: nil))
      #expect(try await store.tokens.token(hash: token.hash) == nil)
      // By id it can still be looked at and revoked.
      #expect(try await store.tokens.token(token.id, scope: everybody)?.revokedAt == later)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func tokensStandForNoMoreThanTheirUserIs(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let now = StoreFixture.start
      var made: [EntityID] = []
      func add(_ user: User, _ role: Role, lifetime: Int64 = 60) async throws -> EntityID {
        var record = token(UInt8(made.count), of: user, lifetime: lifetime, in: store)
        record.role = role
        try await store.tokens.insert(record)
        made.append(record.id)
        return record.id
      }
      let tom = try await store.addUser("Tom", role: .instructor)
      let ada = try await store.addUser("Ada")
      var gone = try await store.addUser("Eve")
      let full = try await add(tom, .instructor)
      let lowered = try await add(tom, .learner)
      let demoted = try await add(ada, .admin)
      let revoked = try await add(ada, .learner)
      #expect(try await store.tokens.revoke(revoked, at: now))
      _ = try await add(ada, .learner, lifetime: 0)
      _ = try await add(gone, .learner)
      gone.isActive = false
      gone.version = 2
      _ = try await store.writes.commit(
        Write(changes: [.updateUser(gone)], events: [], reply: nil))
      let roles: [EntityID: Role] = [full: .instructor, lowered: .learner, demoted: .learner]
      #expect(try await store.tokens.roles(of: made + [ada.id], at: now) == roles)
      #expect(try await store.tokens.roles(of: [full], at: now) == [full: .instructor])
      #expect(try await store.tokens.roles(of: [], at: now) == [:])
    }
  }

  private func token(
    _ number: UInt8, of user: User, parent: TokenRecord? = nil, lifetime: Int64 = 60,
    in store: any TestedStore
  ) -> TokenRecord {
    TokenRecord(
      id: store.ids.next(at: StoreFixture.start), userID: user.id, parentID: parent?.id,
      role: .learner, hash: [UInt8](repeating: number, count: 32), label: "", scopes: [],
      createdAt: StoreFixture.start,
      expiresAt: StoreFixture.start.advanced(by: .seconds(lifetime)))
  }

  @Test(arguments: StoreKind.allCases)
  func tokensThatAreMadeAtOnceKeepToTheLimit(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bea) = (try await store.addUser(), try await store.addUser())
      // Those that do not work any more do not count.
      for number in UInt8(200)..<210 {
        try await store.tokens.insert(token(number, of: ada, lifetime: 0, in: store))
      }
      let tokens = (UInt8(0)..<24).map { token($0, of: ada, in: store) }
      let insertions = try await withThrowingTaskGroup(of: TokenInsertion.self) { group in
        for token in tokens {
          group.addTask { try await store.tokens.insert(token, workingCountMax: 10) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(insertions.count { $0 == .inserted } == 10)
      #expect(insertions.count { $0 == .limitReached } == 14)
      #expect(try await store.tokens.tokens(user: ada.id, scope: everybody).count == 20)
      let other = token(100, of: bea, in: store)
      #expect(try await store.tokens.insert(other, workingCountMax: 10) == .inserted)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func tokensAreRevokedWithTheirParents(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bea) = (try await store.addUser(), try await store.addUser())
      let parent = token(1, of: ada, in: store)
      let child = token(2, of: bea, parent: parent, in: store)
      let grandchild = token(3, of: bea, parent: child, in: store)
      let other = token(4, of: ada, in: store)
      for token in [parent, child, grandchild, other] {
        #expect(try await store.tokens.insert(token, workingCountMax: 10) == .inserted)
      }
      #expect(try await store.tokens.token(child.id, scope: everybody) == child)
      let (first, second) = (
        StoreFixture.start.advanced(by: .seconds(5)), StoreFixture.start.advanced(by: .seconds(6))
      )
      #expect(try await store.tokens.revoke(child.id, at: first))
      #expect(try await store.tokens.revoke(parent.id, at: second))
      #expect(try await store.tokens.token(grandchild.id, scope: everybody)?.revokedAt == first)
      #expect(try await store.tokens.token(child.id, scope: everybody)?.revokedAt == first)
      #expect(try await store.tokens.token(parent.id, scope: everybody)?.revokedAt == second)
      #expect(try await store.tokens.token(other.id, scope: everybody)?.revokedAt == nil)
      // None is made with one that does not work.
      let late = token(5, of: ada, parent: parent, in: store)
      #expect(try await store.tokens.insert(late, workingCountMax: 10) == .parentEnded)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func noTokenOutlivesAParentThatIsRevokedMeanwhile(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      for round in UInt8(0)..<8 {
        let parent = token(round * 10, of: ada, in: store)
        try await store.tokens.insert(parent)
        let children = (1..<8).map { token(round * 10 + $0, of: ada, parent: parent, in: store) }
        try await withThrowingTaskGroup(of: Void.self) { group in
          for child in children {
            group.addTask { _ = try await store.tokens.insert(child, workingCountMax: 100) }
          }
          group.addTask { _ = try await store.tokens.revoke(parent.id, at: StoreFixture.start) }
          try await group.waitForAll()
        }
      }
      let tokens = try await store.tokens.tokens(user: ada.id, scope: everybody)
      #expect(tokens.count >= 8 && tokens.allSatisfy { $0.revokedAt != nil })
    }
  }
}
