package import Domain
internal import OpenSSL

/// The chain of seals as arithmetic: what the next one is, and what is wrong with one that is there.
///
/// A seal holds a hash of everything that it vouches for and of the seal before it, so that whoever edits,
/// removes or adds a row has to make every later seal anew; and who has kept one hash outside of the
/// database sees even that.
package struct SealChain: Sendable {
  /// How much of a row's digest a seal keeps to name it by.
  package static let markByteCount = 8

  /// Where the chain is.
  package struct Place: Sendable, Hashable {
    package var number: Int64
    package var lastPosition: Int64
    package var lastEntry: Int64
    package var hash: [UInt8]

    /// Before the first seal of a log.
    package init(beginningOf logID: EntityID) {
      var row = Row("log")
      row.add(logID)
      (number, lastPosition, lastEntry, hash) = (0, 0, 0, row.digest)
    }

    package init(_ seal: LogSeal) {
      number = seal.number
      lastPosition = seal.lastPosition
      lastEntry = seal.lastEntry
      hash = seal.hash
    }
  }

  /// The operator's; nil: seals are not signed.
  private let key: [UInt8]?

  package init(key: [UInt8]? = nil) { self.key = key }

  /// The seal after `place` over what comes next; nil where that is nothing.
  ///
  /// - Parameters:
  ///   - events: those after the place, by position and without gaps.
  ///   - entries: likewise, by number.
  package func seal(
    after place: Place, events: [StoredEvent], entries: [AuditEntry], at time: Timestamp
  ) -> LogSeal? {
    guard !events.isEmpty || !entries.isEmpty else { return nil }
    let digests = events.map(RowDigest.of) + entries.map(RowDigest.of)
    var seal = LogSeal(
      number: place.number + 1, lastPosition: events.last?.position ?? place.lastPosition,
      lastEntry: entries.last?.number ?? place.lastEntry, madeAt: time,
      rowsHash: SHA256.hash(digests.flatMap { $0 }),
      marks: digests.flatMap { $0.prefix(Self.markByteCount) }, hash: [], signature: [])
    seal.hash = hash(of: seal, after: place)
    seal.signature = signature(of: seal)
    return seal
  }

  /// What is wrong with a seal by itself; nil where it follows `place` and is as it was made.
  package func fault(of seal: LogSeal, after place: Place) -> AuditFault? {
    guard seal.number == place.number + 1 else { return .sealMissing(place.number + 1) }
    let rowCount = seal.lastPosition - place.lastPosition + seal.lastEntry - place.lastEntry
    guard seal.lastPosition >= place.lastPosition, seal.lastEntry >= place.lastEntry,
      Int64(seal.marks.count) == rowCount * Int64(Self.markByteCount),
      seal.hash == hash(of: seal, after: place)
    else { return .sealEdited(seal.number) }
    if key != nil, !isEqualSecret(seal.signature, signature(of: seal)) {
      return .sealNotSigned(seal.number)
    }
    return nil
  }

  /// The first row that is not what a seal vouches for; nil where all are.
  ///
  /// - Parameters:
  ///   - events: what is there now after the place before, up to the seal's position, in order; nil
  ///     where they cannot be read.
  ///   - entries: likewise, those after `removed`.
  ///   - removed: up to which number entries were removed because they were old.
  package func fault(
    of events: [StoredEvent]?, _ entries: [AuditEntry], removed: Int64 = 0,
    sealedBy seal: LogSeal, after place: Place
  ) -> AuditFault? {
    var mark = seal.marks[...]
    var digests: [UInt8] = []
    func isNext(_ digest: [UInt8]) -> Bool {
      digests += digest
      defer { mark = mark.dropFirst(Self.markByteCount) }
      return mark.prefix(Self.markByteCount) == digest.prefix(Self.markByteCount)
    }
    if let events {
      var position = place.lastPosition
      for event in events {
        position += 1
        guard event.position == position else { return .eventMissing(position) }
        guard isNext(RowDigest.of(event)) else { return .eventEdited(position, event.id) }
      }
      guard position == seal.lastPosition else { return .eventMissing(position + 1) }
    } else {
      mark = mark.dropFirst(Int(seal.lastPosition - place.lastPosition) * Self.markByteCount)
    }
    var number = max(place.lastEntry, min(removed, seal.lastEntry))
    mark = mark.dropFirst(Int(number - place.lastEntry) * Self.markByteCount)
    let isWhole = events != nil && number == place.lastEntry
    for entry in entries {
      number += 1
      guard entry.number == number else { return .entryMissing(number) }
      guard isNext(RowDigest.of(entry)) else { return .entryEdited(number, entry.id) }
    }
    guard number == seal.lastEntry else { return .entryMissing(number + 1) }
    return !isWhole || SHA256.hash(digests) == seal.rowsHash ? nil : .sealEdited(seal.number)
  }

  private func hash(of seal: LogSeal, after place: Place) -> [UInt8] {
    var row = Row("seal")
    row.add(place.hash)
    row.add(seal.number)
    row.add(seal.lastPosition)
    row.add(seal.lastEntry)
    row.add(seal.madeAt.microsecondsSinceEpoch)
    row.add(seal.rowsHash)
    row.add(seal.marks)
    return row.digest
  }

  private func signature(of seal: LogSeal) -> [UInt8] {
    key.map { HMACSHA256(key: $0).code(of: seal.hash) } ?? []
  }
}

/// The first thing that is not as it was sealed.
package enum AuditFault: Error, Sendable, Hashable, CustomStringConvertible {
  case eventEdited(Int64, EntityID)
  case eventMissing(Int64)
  /// It stands in the table, and no server wrote it.
  case eventInserted(EntityID)
  case entryEdited(Int64, EntityID)
  case entryMissing(Int64)
  /// It stands where entries were removed because they were old: it was put back, made up, or never removed.
  case entryInserted(Int64, EntityID)
  case sealMissing(Int64)
  case sealEdited(Int64)
  /// It was not made with the operator's key.
  case sealNotSigned(Int64)
  /// No seal has the hash that was kept outside: the chain was made anew, or is another log's.
  case headUnknown

  package var description: String {
    switch self {
    case .eventEdited(let position, let id):
      "event \(id) at position \(position) is not what was sealed"
    case .eventMissing(let position): "the event at position \(position) is missing"
    case .eventInserted(let id): "event \(id) was written past the servers: it has no position"
    case .entryEdited(let number, let id):
      "audit entry \(number) (\(id)) is not what was sealed"
    case .entryMissing(let number): "audit entry \(number) is missing"
    case .entryInserted(let number, let id):
      "audit entry \(number) (\(id)) stands where old entries were removed"
    case .sealMissing(let number): "seal \(number) is missing"
    case .sealEdited(let number): "seal \(number) is not what was made"
    case .sealNotSigned(let number): "seal \(number) was not made with this key"
    case .headUnknown:
      "no seal has the expected hash: seals were made anew or taken away, or this is another log"
    }
  }
}
