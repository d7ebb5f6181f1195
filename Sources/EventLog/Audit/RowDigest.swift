package import Domain
internal import OpenSSL

/// SHA-256 of one row as it is stored: what the seals are made of.
///
/// Every field is written with its length before it, so that no two rows give the same bytes. Personal
/// values are taken as they are stored, sealed or not: forgetting a person breaks no chain. An event's
/// number in the database (`seq`) is not part of it: the lake does not have it, and the position says the
/// order.
package enum RowDigest {
  package static func of(_ event: StoredEvent) -> [UInt8] {
    var row = Row("event")
    row.add(event.position)
    row.add(event.id)
    row.add(event.type)
    row.add(event.entityType)
    row.add(event.entityID)
    row.add(event.version)
    row.add(event.userID)
    row.add(event.payload.sealedText)
    row.add(event.metadata.sealedText)
    row.add(Int64(event.schemaVersion))
    row.add(event.createdAt.microsecondsSinceEpoch)
    return row.digest
  }

  package static func of(_ entry: AuditEntry) -> [UInt8] {
    var row = Row("entry")
    row.add(entry.number)
    row.add(entry.id)
    row.add(entry.kind.rawValue)
    row.add(entry.actorID)
    row.add(entry.tokenID)
    row.add(entry.subjectID)
    row.add(entry.method)
    row.add(Int64(entry.status))
    row.add(entry.reason)
    row.add(entry.peer)
    row.add(entry.count)
    row.add(entry.firstAt.microsecondsSinceEpoch)
    row.add(entry.lastAt.microsecondsSinceEpoch)
    return row.digest
  }
}

/// The bytes of a row, collected.
struct Row {
  private var bytes: [UInt8] = []

  /// - Parameter kind: a row of one kind is never one of another.
  init(_ kind: String) { add(kind) }

  mutating func add(_ text: String) {
    add(Int64(text.utf8.count))
    bytes += text.utf8
  }

  mutating func add(_ part: [UInt8]) {
    add(Int64(part.count))
    bytes += part
  }

  mutating func add(_ id: EntityID?) { add(id?.bytes ?? []) }

  mutating func add(_ number: Int64) {
    withUnsafeBytes(of: number.bigEndian) { bytes += $0 }
  }

  var digest: [UInt8] { SHA256.hash(bytes) }
}
