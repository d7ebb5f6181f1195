import Domain
import EventLog
import Testing

@Suite struct `A chain of seals` {
  private let logID = EntityID(high: 9, low: 9)
  private let now = Timestamp(microsecondsSinceEpoch: 1_700_000_000_000_000)

  private func event(_ position: Int64, payload: String = #"{"title": "ñ"}"#) -> StoredEvent {
    StoredEvent(
      id: EntityID(high: 5, low: UInt64(position)), seq: position * 3, position: position,
      type: "goal.created", entityType: "goal", entityID: EntityID(high: 6, low: 6),
      version: position, userID: nil, payload: SealedJSON(sealedText: payload), metadata: "{}",
      createdAt: now)
  }

  private func entry(_ number: Int64, count: Int64 = 1) -> AuditEntry {
    AuditEntry(
      number: number, id: EntityID(high: 7, low: UInt64(number)), kind: .read,
      method: "hito.v1.GoalService/GetGoal", count: count, firstAt: now, lastAt: now)
  }

  /// Two seals: over events 1 to 3 and entry 1, then over event 4.
  private func seals(_ chain: SealChain = SealChain()) throws -> [LogSeal] {
    let first = try #require(
      chain.seal(
        after: .init(beginningOf: logID), events: (1...3).map { event($0) }, entries: [entry(1)],
        at: now))
    let second = try #require(
      chain.seal(after: .init(first), events: [event(4)], entries: [], at: now))
    return [first, second]
  }

  @Test func `vouches for rows as they were`() throws {
    let chain = SealChain()
    let seals = try seals()
    let start = SealChain.Place(beginningOf: logID)
    #expect(chain.fault(of: seals[0], after: start) == nil)
    #expect(chain.fault(of: seals[1], after: .init(seals[0])) == nil)
    #expect(
      chain.fault(of: (1...3).map { event($0) }, [entry(1)], sealedBy: seals[0], after: start)
        == nil)
    // The number in the database is not part of it: the lake does not have it.
    var moved = event(4)
    moved.seq = 1
    #expect(chain.fault(of: [moved], [], sealedBy: seals[1], after: .init(seals[0])) == nil)
    #expect(chain.seal(after: .init(seals[1]), events: [], entries: [], at: now) == nil)
  }

  @Test func `names the row that was edited or is missing`() throws {
    let chain = SealChain()
    let seal = try seals()[0]
    let start = SealChain.Place(beginningOf: logID)
    func fault(_ events: [StoredEvent]?, _ entries: [AuditEntry]) -> AuditFault? {
      chain.fault(of: events, entries, sealedBy: seal, after: start)
    }
    let (one, two, three) = (event(1), event(2), event(3))
    let edited = event(2, payload: #"{"title": "n"}"#)
    #expect(fault([one, edited, three], [entry(1)]) == .eventEdited(2, edited.id))
    #expect(fault([one, three], [entry(1)]) == .eventMissing(2))
    #expect(fault([one, two], [entry(1)]) == .eventMissing(3))
    #expect(fault([one, two, three], []) == .entryMissing(1))
    #expect(fault([one, two, three], [entry(1, count: 2)]) == .entryEdited(1, entry(1).id))
    // Where events have left for a lake that is not here, entries are compared all the same.
    #expect(fault(nil, [entry(1)]) == nil)
    #expect(fault(nil, [entry(1, count: 2)]) == .entryEdited(1, entry(1).id))
  }

  @Test func `names the seal that was edited or is missing`() throws {
    let chain = SealChain()
    let seals = try seals()
    let start = SealChain.Place(beginningOf: logID)
    #expect(chain.fault(of: seals[1], after: start) == .sealMissing(1))
    var edits: [(inout LogSeal) -> Void] = [
      { $0.lastPosition -= 1 }, { $0.lastEntry += 1 }, { $0.marks[0] ^= 1 },
      { $0.rowsHash[0] ^= 1 }, { $0.hash[31] ^= 1 },
    ]
    edits.append { $0.madeAt = $0.madeAt.advanced(by: .microseconds(1)) }
    for edit in edits {
      var seal = seals[0]
      edit(&seal)
      #expect(chain.fault(of: seal, after: start) == .sealEdited(1))
    }
    // A row and what the seal says of it, both edited, do not fit the next seal: nor does another log.
    #expect(
      chain.fault(of: seals[0], after: .init(beginningOf: EntityID(high: 1, low: 1)))
        == .sealEdited(1))
  }

  @Test func `that is signed cannot be made anew without the key`() throws {
    let keyed = SealChain(key: Array("secret".utf8))
    let start = SealChain.Place(beginningOf: logID)
    let (mine, theirs) = (try seals(keyed)[0], try seals()[0])
    #expect(keyed.fault(of: mine, after: start) == nil)
    #expect(keyed.fault(of: theirs, after: start) == .sealNotSigned(1))
    #expect(
      SealChain(key: Array("other".utf8)).fault(of: mine, after: start) == .sealNotSigned(1))
    // Who has no key can still follow the chain.
    #expect(SealChain().fault(of: mine, after: start) == nil)
  }

  @Test func `gives no two rows the same digest by moving text between fields`() {
    var (one, two) = (entry(1), entry(1))
    (one.reason, one.peer) = ("ab", "c")
    (two.reason, two.peer) = ("a", "bc")
    #expect(RowDigest.of(one) != RowDigest.of(two))
  }
}
