import Domain
import Testing

/// What users may use, and what they have stored.
@Suite struct QuotaSuite {
  private func set(_ quota: Quota, in store: any TestedStore) async throws {
    #expect(
      try await store.writes.commit(Write(changes: [.saveQuota(quota)], events: [], reply: nil))
        == .committed)
  }

  @Test(arguments: StoreKind.allCases)
  func aQuotaIsSetAsAWhole(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser()
      #expect(try await store.quotas.quota(of: ada.id) == nil)
      let quota = Quota(
        userID: ada.id, callsPerSecond: 2.5, burst: 7, modelTokensPerDay: -1, streamMax: 3,
        bytesPerDay: 1 << 40)
      try await set(quota, in: store)
      #expect(try await store.quotas.quota(of: ada.id) == quota)
      let other = Quota(userID: ada.id, streamMax: 1)
      try await set(other, in: store)
      #expect(try await store.quotas.quota(of: ada.id) == other)
      let nobody = Quota(userID: store.ids.next(at: StoreFixture.start))
      #expect(
        try await store.writes.commit(
          Write(changes: [.saveQuota(nobody)], events: [], reply: nil)) == .stale)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func quotasAreReadInTheOrderOfTheirChanges(_ kind: StoreKind) async throws {
    try await kind.run { store in
      var users: Set<EntityID> = []
      for name in ["Ada", "Bea", "Cleo"] {
        let user = try await store.addUser(name)
        users.insert(user.id)
        try await set(Quota(userID: user.id, streamMax: 1), in: store)
      }
      var seen: [StoredQuota] = []
      var place = QuotaPlace.start
      while true {
        let page = try await store.quotas.quotas(after: place, limit: 2)
        seen += page
        guard let last = page.last else { break }
        place = last.place
      }
      #expect(Set(seen.map(\.quota.userID)) == users && seen.count == 3)
      #expect(seen.map(\.updatedAt) == seen.map(\.updatedAt).sorted())
    }
  }

  @Test(arguments: StoreKind.allCases)
  func whatIsStoredIsChargedWithTheWriteOrNotAtAll(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      func stored() async throws -> [EntityID: Int64] {
        try await store.quotas.storedByteCounts(of: [ada.id, bob.id], at: store.now)
      }
      #expect(try await stored() == [:])
      let goal = try store.newGoal(owner: ada)
      let reply = KeyedReply(
        request: store.request("k", by: ada), reply: Array(repeating: 7, count: 1000))
      let keyed = Write(
        changes: [.saveGoal(goal)], events: goal.events, reply: reply, chargedTo: ada.id)
      // Whatever an entity has is in its event: nothing is stored for less than that.
      let texts = goal.events.reduce(0) { $0 + $1.payload.text.utf8.count }
      #expect(keyed.storedByteCount > 1000 + texts)
      #expect(try await store.writes.commit(keyed) == .committed)
      #expect(try await stored() == [ada.id: keyed.storedByteCount])
      // A repeat stores nothing, and neither does a write that fails.
      #expect(try await store.writes.commit(keyed) == .replayed(reply.reply))
      let stale = Write(
        changes: keyed.changes, events: keyed.events, reply: nil, chargedTo: ada.id)
      _ = try? await store.writes.commit(stale)
      #expect(try await stored() == [ada.id: keyed.storedByteCount])
      let other = try store.newGoal(owner: bob)
      let plain = Write(
        changes: [.saveGoal(other)], events: other.events, reply: nil, chargedTo: bob.id)
      #expect(try await store.writes.commit(plain) == .committed)
      let uncharged = Write(
        changes: [], events: [],
        reply: KeyedReply(request: store.request("server", by: bob), reply: [1]))
      #expect(try await store.writes.commit(uncharged) == .committed)
      #expect(
        try await stored() == [ada.id: keyed.storedByteCount, bob.id: plain.storedByteCount])
      let tomorrow = store.now.advanced(by: .seconds(86_400))
      #expect(try await store.quotas.storedByteCounts(of: [ada.id], at: tomorrow) == [:])
    }
  }
}
