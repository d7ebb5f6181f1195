import Domain
import Testing

/// The large contents that events name.
@Suite struct BlobSuite {
  private static func hash(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: 32) }

  private static func snapshot(
    _ store: any TestedStore, of user: User, _ content: String, _ byte: UInt8
  ) -> CodeSnapshot {
    CodeSnapshot(
      id: store.ids.next(at: StoreFixture.start), userID: user.id, filePath: "main.py",
      language: "",
      content: content, contentHash: hash(byte),
      files: [
        SourceFile(path: "a.py", content: "it's \\ ñ\n"), SourceFile(path: "b.py", content: ""),
      ], fileHashes: [hash(1), hash(2)], createdAt: StoreFixture.start,
      updatedAt: StoreFixture.start)
  }

  private static func commit(
    _ snapshot: CodeSnapshot, _ store: any TestedStore
  ) async throws -> NewEvent {
    let event = snapshot.event(.codeSubmitted, goalCourseID: nil, context: store.context())
    #expect(
      try await store.writes.commit(
        Write(changes: [.insertSnapshot(snapshot)], events: [event], reply: nil)) == .committed)
    return event
  }

  @Test(arguments: StoreKind.allCases)
  func whatAnEventNamesIsThereOnceForEachOwner(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let (ada, bob) = (try await store.addUser("Ada"), try await store.addUser("Bob"))
      let first = Self.snapshot(store, of: ada, "x = 1", 3)
      let event = try StoredEvent(sealing: try await Self.commit(first, store))
      _ = try await Self.commit(Self.snapshot(store, of: ada, "x = 1", 3), store)
      _ = try await Self.commit(Self.snapshot(store, of: bob, "x = 1", 3), store)
      let named = event.blobs
      #expect(named.map(\.reference.hash) == [Self.hash(3), Self.hash(1), Self.hash(2)])
      #expect(named.map(\.byteCount) == [5, 10, 0])
      let found = try await store.blobs.blobs(named.map(\.reference))
      #expect(Set(found) == Set(first.blobs))
      let other = BlobReference(ownerID: ada.id, hash: Self.hash(9))
      #expect(try await store.blobs.blobs([other]) == [])
      #expect(try await store.blobs.blobs([]) == [])
      // Three of each owner, in pages.
      var all: [EventBlob] = []
      while true {
        let page = try await store.blobs.blobs(after: all.last?.reference, limit: 2)
        if page.isEmpty { break }
        #expect(page.count <= 2)
        all += page
      }
      #expect(all.map(\.reference) == all.map(\.reference).sorted() && Set(all).count == 6)
      #expect(all.count { $0.reference.ownerID == bob.id } == 3)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func nothingIsLeftOfAWriteThatFails(_ kind: StoreKind) async throws {
    try await kind.run { store in
      let ada = try await store.addUser("Ada")
      let first = Self.snapshot(store, of: ada, "x", 3)
      let event = try await Self.commit(first, store)
      var second = Self.snapshot(store, of: ada, "y", 4)
      second.id = first.id
      // The same version of the same entity a second time.
      let outcome = try? await store.writes.commit(
        Write(changes: [.insertSnapshot(second)], events: [event], reply: nil))
      #expect(outcome != .committed)
      let reference = BlobReference(ownerID: ada.id, hash: Self.hash(4))
      #expect(try await store.blobs.blobs([reference]) == [])
    }
  }
}
