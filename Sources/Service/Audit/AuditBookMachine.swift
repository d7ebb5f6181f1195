package import Domain

/// What happened and is not written down yet, counted: the same thing again within a while is a number and
/// no entry more.
///
///   note ──▶ new ── next take ──▶ an entry, at once
///                 └─ again ──▶ counted ── end of the while, or the end of all ──▶ an entry more
///
/// What there can be of it is bounded, whatever callers do: what is beyond is counted together, without
/// saying who and what.
package struct AuditBookMachine: Sendable {
  /// What is counted together.
  package struct Key: Sendable, Hashable {
    package var kind: AuditEntry.Kind
    package var actorID: EntityID?
    package var tokenID: EntityID?
    package var subjectID: EntityID?
    package var method: String
    package var status: Int32
    package var reason: String
    package var peer: String

    package init(
      kind: AuditEntry.Kind, actorID: EntityID? = nil, tokenID: EntityID? = nil,
      subjectID: EntityID? = nil, method: String, status: Int32 = 0, reason: String = "",
      peer: String = ""
    ) {
      self.kind = kind
      self.actorID = actorID
      self.tokenID = tokenID
      self.subjectID = subjectID
      self.method = method
      self.status = status
      self.reason = reason
      self.peer = peer
    }

    /// What it is counted as where there is no room for more.
    fileprivate var coarse: Key {
      Key(kind: kind, method: "", status: status, reason: "and others")
    }

    /// One search reads everybody who shares code: bounded apart, so that it takes no room from
    /// what else is read.
    fileprivate var isExample: Bool { reason == AuditEntry.exampleReason }

    /// What it is counted as where one reader has read the code of very many: without saying of whom.
    fileprivate var withoutSubject: Key {
      var key = self
      key.subjectID = nil
      return key
    }

    fileprivate var room: Room { Room(kind: kind, isExample: isExample) }
  }

  /// What is bounded together.
  fileprivate struct Room: Sendable, Hashable {
    var kind: AuditEntry.Kind
    var isExample: Bool
  }

  /// How often, since it was last taken.
  package struct Tally: Sendable, Hashable {
    package var count: Int64
    package var firstAt: Timestamp
    package var lastAt: Timestamp
  }

  private struct Entry {
    var tally: Tally?
    var until: Timestamp
  }

  /// For how long the same thing is counted together, and how many things at most.
  package struct Limit: Sendable {
    package var window: Duration
    package var keyMax: Int
  }

  package static func limit(_ kind: AuditEntry.Kind) -> Limit {
    switch kind {
    case .refusal: Limit(window: .seconds(60), keyMax: 100)
    case .read: Limit(window: .seconds(3600), keyMax: 10_000)
    case .signIn: Limit(window: .seconds(86_400), keyMax: 10_000)
    case .export: Limit(window: .seconds(60), keyMax: 100)
    case .notice: Limit(window: .seconds(60), keyMax: 10)
    }
  }

  /// How many things at most are reads of shared code.
  package static let exampleKeyMax = 5_000
  /// And how many of one reader's are kept apart by author.
  package static let exampleKeyMaxOfOne = 100

  /// Between two looks at everything.
  private static let sweepInterval = Duration.seconds(10)

  private var entries: [Key: Entry] = [:]
  /// Those of which nothing was taken yet.
  private var fresh: [Key] = []
  private var nextSweep = Timestamp(microsecondsSinceEpoch: .min)
  private var counts: [Room: Int] = [:]
  /// Of those who read shared code, how many things are kept of each.
  private var examples: [EntityID?: Int] = [:]

  package init() {}

  /// How many things are kept.
  package var keyCount: Int { entries.count }

  package mutating func note(_ key: Key, at now: Timestamp) {
    if count(key, at: now) { return }
    if key.isExample, key.subjectID != nil,
      examples[key.actorID, default: 0] >= Self.exampleKeyMaxOfOne
    {
      return note(key.withoutSubject, at: now)
    }
    let limit = Self.limit(key.kind)
    guard counts[key.room, default: 0] < (key.isExample ? Self.exampleKeyMax : limit.keyMax) else {
      if !count(key.coarse, at: now) { begin(key.coarse, limit, at: now) }
      return
    }
    counts[key.room, default: 0] += 1
    if key.isExample { examples[key.actorID, default: 0] += 1 }
    begin(key, limit, at: now)
  }

  /// It has gone, and leaves its room to another.
  private mutating func leave(_ key: Key) {
    guard key != key.coarse else { return }
    counts[key.room, default: 1] -= 1
    guard key.isExample, let count = examples.removeValue(forKey: key.actorID), count > 1 else {
      return
    }
    examples[key.actorID] = count - 1
  }

  private mutating func begin(_ key: Key, _ limit: Limit, at now: Timestamp) {
    entries[key] = Entry(
      tally: Tally(count: 1, firstAt: now, lastAt: now), until: now.advanced(by: limit.window))
    fresh.append(key)
  }

  /// False where there is no such entry.
  private mutating func count(_ key: Key, at now: Timestamp) -> Bool {
    guard var entry = entries.removeValue(forKey: key) else { return false }
    if var tally = entry.tally {
      tally.count += 1
      tally.lastAt = max(tally.lastAt, now)
      entry.tally = tally
    } else {
      entry.tally = Tally(count: 1, firstAt: now, lastAt: now)
    }
    entries[key] = entry
    return true
  }

  /// What is to be written now, the oldest first. Looks at what is new, and now and then at everything.
  ///
  /// - Parameter isLast: nothing is taken after this.
  package mutating func take(at now: Timestamp, isLast: Bool = false) -> [(Key, Tally)] {
    var taken: [(key: Key, tally: Tally)] = []
    for key in fresh {
      guard let tally = entries[key]?.tally else { continue }
      taken.append((key, tally))
      entries[key]?.tally = nil
    }
    fresh = []
    if isLast || now >= nextSweep {
      nextSweep = now.advanced(by: Self.sweepInterval)
      for key in entries.filter({ isLast || $0.value.until <= now }).keys {
        guard let entry = entries.removeValue(forKey: key) else { continue }
        if let tally = entry.tally { taken.append((key, tally)) }
        leave(key)
      }
    }
    return taken.sorted { ($0.tally.firstAt, $0.key.method) < ($1.tally.firstAt, $1.key.method) }
  }
}
