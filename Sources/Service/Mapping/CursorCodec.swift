internal import Digits
package import Domain
internal import OpenSSL
internal import RPC

/// A place in the log that a client may name.
enum LogPoint: Sendable, Hashable {
  /// Behind the event of this position; 0 is the beginning.
  case position(Int64)
  /// Behind this event, which may not be sequenced yet: the receipt of a write.
  case event(EntityID)
  /// In a run of an agent, after so many of the messages that show this event of it.
  case step(EntityID, messageCount: Int)
}

/// The text of cursors and of write receipts: opaque to clients, versioned, and sealed, so that one
/// that this installation did not make is refused: nobody waits for, or counts from, an invented one.
///
///     c2_<position, hex>_<mark, 32 hex>      a position
///     r2_<event id, 32 hex>_<mark, 32 hex>   a receipt
///     s1_<event id, 32 hex><messages, hex>_<mark, 32 hex>   a step of a run
package struct CursorCodec: Sendable {
  private static let lengthMax = 80
  private let seal: Seal
  /// Of the tokens of pages.
  let pageSeal: Seal

  /// - Parameter secret: the installation's; the same on every server of it.
  package init(secret: [UInt8]) {
    seal = Seal(secret: secret, purpose: "cursor")
    pageSeal = Seal(secret: secret, purpose: "page token")
  }

  package func cursor(_ position: Int64) -> String {
    sealed("c2_" + String(UInt64(bitPattern: max(0, position)), radix: 16))
  }

  package func receipt(_ eventID: EntityID) -> String {
    sealed("r2_" + Digits.hexadecimal(eventID.high) + Digits.hexadecimal(eventID.low))
  }

  func step(_ eventID: EntityID, messageCount: Int) -> String {
    sealed(
      "s1_" + Digits.hexadecimal(eventID.high) + Digits.hexadecimal(eventID.low)
        + String(max(0, messageCount), radix: 16))
  }

  func point(_ text: String) throws(RPCError) -> LogPoint {
    guard text.utf8.count <= CursorCodec.lengthMax else { throw .badCursor("is too long") }
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .badCursor("is not one of this server's") }
    if parts[0] == "c1" || parts[0] == "r1" { throw .unsealedCursor() }
    let body = parts[1]
    let mark = Digits.hexadecimal(seal.mark(of: Array("\(parts[0])_\(body)".utf8)))
    guard isEqualSecret(Array(mark.utf8), Array(parts[2].utf8)) else {
      throw .badCursor("is damaged or of another deployment")
    }
    switch parts[0] {
    case "c2":
      guard let position = Int64(body, radix: 16), position >= 0 else { break }
      return .position(position)
    case "r2":
      guard body.utf8.count == 32, let id = EntityID(hexadecimal: body) else { break }
      return .event(id)
    case "s1":
      guard let id = EntityID(hexadecimal: body.prefix(32)),
        let count = UInt8(body.dropFirst(32), radix: 16)
      else { break }
      return .step(id, messageCount: Int(count))
    default: break
    }
    throw .badCursor("is of a version that this server does not know")
  }

  private func sealed(_ body: String) -> String {
    body + "_" + Digits.hexadecimal(seal.mark(of: Array(body.utf8)))
  }
}

extension EntityID {
  /// An id out of its 32 digits.
  fileprivate init?(hexadecimal digits: Substring) {
    guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
      let low = UInt64(digits.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}
