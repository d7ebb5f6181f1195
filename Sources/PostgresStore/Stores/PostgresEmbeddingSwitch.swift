package import Domain

/// Moves `embeddings` to another model: the next one's vectors fill a table of their own, which takes
/// the name in one transaction, so that whoever reads the table finds one whole set of vectors at any
/// time.
package struct PostgresEmbeddingSwitch: EmbeddingSwitch {
  private let database: PostgresDatabase
  private let owner: ConnectionSettings

  /// - Parameter owner: logs in as the owner of the tables.
  package init(_ database: PostgresDatabase, owner: ConnectionSettings) {
    self.database = database
    var owner = owner
    owner.applicationName = "hito embeddings"
    owner.limits = .bulk(lock: .seconds(10))
    self.owner = owner
  }

  package func begin(_ model: StoredModel) async throws(StoreError) {
    guard Self.isName(model.name), (1...2000).contains(model.dimensionCount) else {
      throw .corrupt("no model of the name \(model.name) can be stored")
    }
    if try await PostgresEmbeddingStore(database).models().next == model { return }
    try await run(
      SwitchScripts.begin(model: model.name, dimensionCount: model.dimensionCount))
  }

  /// What a script can hold between quotes, and people can read.
  private static func isName(_ name: String) -> Bool {
    (1...200).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  package func missing(
    after key: PassageKey?, limit: Int
  ) async throws(StoreError) -> [WaitingPassage] {
    try await database.rows(
      // Before every key where there is none.
      SwitchStatements.missing(
        key?.kind.rawValue ?? "", key?.entityID ?? EntityID(high: 0, low: 0), key?.chunkNumber ?? 0,
        Int64(limit)),
      as: .system(.embedding), on: .long
    ).map(WaitingPassage.init)
  }

  package func storeNext(
    _ made: [MadeEmbedding], model: String, at now: Timestamp
  ) async throws(StoreError) {
    let calls = made.map { made in
      SwitchStatements.store(
        made.key.parameters, Bytes(made.contentHash), VectorParameter(made.vector), model)
    }
    _ = try await database.run(StatementUnit(writing: calls, for: .embedding), on: .long)
  }

  package func buildIndex() async throws(StoreError) {
    guard let next = try await PostgresEmbeddingStore(database).models().next else {
      throw .corrupt("no switch to another model is under way")
    }
    try await run(SwitchScripts.buildIndexes(dimensionCount: next.dimensionCount))
  }

  package func complete(_ model: StoredModel) async throws(StoreError) {
    guard Self.isName(model.name) else {
      throw .corrupt("no model of the name \(model.name) can be stored")
    }
    let session = try await session()
    do throws(ServerError) {
      try await session.run(SwitchCompletion.list)
      try await session.repeatedly { (session) throws(ServerError) in
        try await session.untilFew(SwitchCompletion.catchUp)
        try await session.run(SwitchCompletion.swap(model: model.name))
      }
      try await Self.finish(session)
    } catch {
      throw error.storeError
    }
  }

  package func finish() async throws(StoreError) {
    let session = try await session()
    do throws(ServerError) {
      guard try await session.run(SwitchCompletion.isUnfinished) == [["t"]] else { return }
      try await Self.finish(session)
    } catch {
      throw error.storeError
    }
  }

  private static func finish(_ session: ScriptSession) async throws(ServerError) {
    try await session.repeatedly { (session) throws(ServerError) in
      while try await session.run(SwitchCompletion.settle) != [["0"]] {}
    }
    try await session.repeatedly { (session) throws(ServerError) in
      try await session.run(SwitchCompletion.finish)
    }
  }

  private func run(_ script: String) async throws(StoreError) {
    let session = try await session()
    do throws(ServerError) {
      try await session.repeatedly { (session) throws(ServerError) in
        try await session.run(script)
      }
    } catch {
      throw error.storeError
    }
  }

  /// It ends with whoever uses it, and with it what it began.
  private func session() async throws(StoreError) -> ScriptSession {
    do throws(ConnectFailure) {
      return try await ScriptSession(owner)
    } catch {
      throw .unavailable("\(error)", maybeCommitted: false)
    }
  }
}

extension ScriptSession {
  /// Tries again while others hold what is wanted, so that nobody waits behind us for long: up to some
  /// minutes.
  fileprivate func repeatedly(
    _ body: (ScriptSession) async throws(ServerError) -> Void
  ) async throws(ServerError) {
    var triesLeft = 600
    while true {
      do throws(ServerError) {
        return try await body(self)
      } catch {
        _ = try? await run("ROLLBACK")
        triesLeft -= 1
        let states = ["55P03", "40P01", "57014", SwitchCompletion.tooMany]
        guard states.contains(error.sqlState), triesLeft > 0, !Task.isCancelled else { throw error }
        try? await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
      }
    }
  }

  /// Until a portion is not a full one.
  fileprivate func untilFew(_ portion: String) async throws(ServerError) {
    while !Task.isCancelled, try await run(portion) == [["\(SwitchCompletion.changeMax)"]] {}
  }
}
