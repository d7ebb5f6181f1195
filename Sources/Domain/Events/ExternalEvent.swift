package import JSON

/// An event of another system, as it is published.
package struct ExternalEvent: Sendable, Hashable {
  /// `external.<past tense>`.
  package var type: String
  package var source: String
  /// The same one of a source is stored once.
  package var externalID: String
  /// What it is about in the other system; empty: nothing else.
  package var subject: String
  package var userID: EntityID?
  package var payload: JSONValue
  package var occurredAt: Timestamp
  /// Tells another event of the same id from a repeat: 32 bytes over all that its sender said.
  package var contentHash: [UInt8]

  package init(
    type: String, source: String, externalID: String, subject: String, userID: EntityID?,
    payload: JSONValue, occurredAt: Timestamp, contentHash: [UInt8]
  ) {
    self.type = type
    self.source = source
    self.externalID = externalID
    self.subject = subject
    self.userID = userID
    self.payload = payload
    self.occurredAt = occurredAt
    self.contentHash = contentHash
  }

  package static let kind = "external"
  package static let batchMax = 500
  package static let payloadByteMax = 64 << 10
  package static let batchByteMax = 1 << 20
  package static let depthMax = 16
  /// How far the other system's clock may be ahead of ours.
  package static let aheadMax = Duration.seconds(600)
  /// Nothing happened before 1970.
  package static let earliest = Timestamp(microsecondsSinceEpoch: 0)

  /// `external.` and 1 to 60 characters of a-z and `_`, as filters name types.
  package static func isType(_ type: String) -> Bool {
    let prefix = "\(kind)."
    guard type.utf8.count <= 100, type.hasPrefix(prefix) else { return false }
    let name = type.utf8.dropFirst(prefix.utf8.count)
    return (1...60).contains(name.count)
      && name.allSatisfy { isLetter($0) || $0 == UInt8(ascii: "_") }
  }

  /// 1 to 60 characters of a-z, 0-9, `-`, `_` and `.`.
  package static func isSource(_ source: String) -> Bool {
    (1...60).contains(source.utf8.count)
      && source.utf8.allSatisfy {
        isLetter($0) || isDigit($0) || "-_.".utf8.contains($0)
      }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

/// What names an event of another system.
package struct ExternalKey: Sendable, Hashable {
  package var source: String
  package var externalID: String

  package init(source: String, externalID: String) {
    self.source = source
    self.externalID = externalID
  }
}

/// An event of another system that is in the log, or was.
package struct ExternalRecord: Sendable, Hashable {
  package var key: ExternalKey
  package var eventID: EntityID
  package var contentHash: [UInt8]

  package init(key: ExternalKey, eventID: EntityID, contentHash: [UInt8]) {
    self.key = key
    self.eventID = eventID
    self.contentHash = contentHash
  }
}

/// What names something of another system.
package struct SubjectKey: Sendable, Hashable {
  package var source: String
  package var subject: String

  package init(source: String, subject: String) {
    self.source = source
    self.subject = subject
  }
}

/// Something of another system that has events.
package struct ExternalSubject: Sendable, Hashable {
  package var key: SubjectKey
  package var entityID: EntityID
  package var version: Int64
  /// The version that was read; 0: there was none.
  package var loadedVersion: Int64

  package init(key: SubjectKey, entityID: EntityID, version: Int64, loadedVersion: Int64) {
    self.key = key
    self.entityID = entityID
    self.version = version
    self.loadedVersion = loadedVersion
  }
}
