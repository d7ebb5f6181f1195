import JSON

/// A large content that events name by its hash: it belongs to them and is kept beside them.
///
/// Each has an owner. The same content of two people is kept twice, so that one of them can be
/// forgotten without taking anything from the other.
package struct BlobReference: Sendable, Hashable {
  package var ownerID: EntityID
  /// SHA-256 of the content's UTF-8.
  package var hash: [UInt8]

  package init(ownerID: EntityID, hash: [UInt8]) {
    self.ownerID = ownerID
    self.hash = hash
  }
}

extension BlobReference: Comparable {
  package static func < (left: BlobReference, right: BlobReference) -> Bool {
    left.ownerID == right.ownerID
      ? left.hash.lexicographicallyPrecedes(right.hash) : left.ownerID < right.ownerID
  }
}

/// A reference and how many bytes its content takes, as the event says.
package struct NamedBlob: Sendable, Hashable {
  package var reference: BlobReference
  package var byteCount: Int

  package init(reference: BlobReference, byteCount: Int) {
    self.reference = reference
    self.byteCount = byteCount
  }
}

/// A content with what names it.
package struct EventBlob: Sendable, Hashable {
  package var reference: BlobReference
  package var content: String

  package init(reference: BlobReference, content: String) {
    self.reference = reference
    self.content = content
  }
}

extension StoredEvent {
  /// The types that bring contents with them. Others may name them again.
  private static let blobTypes: Set<String> = Set(
    [EventType.codeSubmitted, .courseDocumentAdded, .courseDocumentChanged].map(\.rawValue))

  /// The contents that were committed with this event. None where it is sealed and its key has gone.
  package var blobs: [NamedBlob] {
    guard Self.blobTypes.contains(type), let userID,
      let payload = JSONValue(parsing: openedPayload)
    else { return [] }
    func blob(_ object: JSONValue, _ hash: String, _ byteCount: String) -> NamedBlob? {
      guard let hash = object[hash]?.stringValue.flatMap(EventBlob.hash(ofHexadecimal:)) else {
        return nil
      }
      return NamedBlob(
        reference: BlobReference(ownerID: userID, hash: hash),
        byteCount: Int(clamping: object[byteCount]?.integerValue ?? 0))
    }
    if kind == "course" { return [blob(payload, "content_hash", "byte_count")].compactMap { $0 } }
    let files = payload["files"]?.arrayValue ?? []
    return
      ([blob(payload, "code_hash", "code_byte_count")]
      + files.map { blob($0, "hash", "byte_count") }).compactMap { $0 }
  }
}

extension EventBlob {
  /// Nil where the text is not the 64 digits of a SHA-256.
  package static func hash(ofHexadecimal text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count == 64 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digit(digits[index]), let low = digit(digits[index + 1]) else { return nil }
      bytes.append(high << 4 | low)
    }
    return bytes
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
