internal import Digits
package import Domain
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

/// The text of cursors and of write receipts: opaque to clients, versioned, and checked, so that a
/// typing error or another deployment's cursor is refused instead of silently misread.
///
///     c1_<position, hex>_<check, 8 hex>      a position
///     r1_<event id, 32 hex>_<check, 8 hex>   a receipt
///     s1_<event id, 32 hex><messages, hex>_<check, 8 hex>   a step of a run
package struct CursorCodec: Sendable {
  private static let lengthMax = 64
  private let seed: FNV1a

  /// - Parameter logName: tells the logs of deployments apart; the same on every replica of one.
  package init(logName: String = "") {
    seed = FNV1a(logName)
  }

  package func cursor(_ position: Int64) -> String {
    sealed("c1_" + String(UInt64(bitPattern: max(0, position)), radix: 16))
  }

  package func receipt(_ eventID: EntityID) -> String {
    sealed("r1_" + Digits.hexadecimal(eventID.high) + Digits.hexadecimal(eventID.low))
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
    guard sealed("\(parts[0])_\(parts[1])") == text else {
      throw .badCursor("is damaged or of another deployment")
    }
    let body = parts[1]
    switch parts[0] {
    case "c1":
      guard let position = Int64(body, radix: 16), position >= 0 else { break }
      return .position(position)
    case "r1":
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

  /// FNV-1a: against accidents, not against people. A forged cursor shows nothing that a guessed
  /// position would not, since every event is checked against the caller.
  private func sealed(_ body: String) -> String {
    var check = seed
    check.mix(body)
    let folded = UInt32(truncatingIfNeeded: check.value ^ check.value >> 32)
    return body + "_" + Digits.hexadecimal(folded)
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
