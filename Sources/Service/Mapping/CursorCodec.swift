internal import Digits
package import Domain
internal import OpenSSL
internal import RPC

/// A place in the log that a client may name.
enum LogPoint: Sendable, Hashable {
  case position(LogPlace)
  /// Behind this event, which may not be sequenced yet: the receipt of a write. With the epoch in which
  /// it was committed; nil where the text is of a version that knew none.
  case event(EntityID, epoch: UInt32?)
  /// In a run of an agent, after so many of the messages that show this event of it.
  case step(EntityID, messageCount: Int)
}

/// Behind the event of this position, as it was in one history of the log; 0 is the beginning.
struct LogPlace: Sendable, Hashable {
  var position: Int64
  /// The epoch that the position is of; nil for the log's first one.
  var epoch: UInt32?
  /// Where that history was cut first, if that is at or before the position.
  var firstCut: Int64?
}

/// The text of cursors and of write receipts: opaque to clients, versioned, and sealed, so that one
/// that this installation did not make is refused: nobody waits for, or counts from, an invented one.
/// Log and epoch are 8 hex digits each.
///
///     c3_<log><epoch><position, hex>[-<first cut, hex>]_<mark, 32 hex>   a position
///     r3_<log><epoch><event id, 32 hex>_<mark, 32 hex>                   a receipt
///     s1_<event id, 32 hex><messages, hex>_<mark, 32 hex>                a step of a run
///     g1_<group, 32 hex><count, 8 hex><mask, hex>_<mark, 32 hex>         a place in a group of validations
///     c2_<position, hex>_<mark>, r2_<event id>_<mark>                    of versions before epochs
///
/// Those of before were made by servers of this installation, as their seal says, when the log had its
/// first epoch only: they are places in it, and one that is beyond its end is refused as any other.
package struct CursorCodec: Sendable {
  private static let lengthMax = 128
  let seal: Seal
  /// The log's history as this server knows it.
  private let history: @Sendable () -> LogHistory
  /// Of the tokens of pages.
  let pageSeal: Seal

  /// - Parameter secret: the installation's; the same on every server of it.
  package init(secret: [UInt8], history: @escaping @Sendable () -> LogHistory) {
    self.history = history
    seal = Seal(secret: secret, purpose: "cursor")
    pageSeal = Seal(secret: secret, purpose: "page token")
  }

  package func cursor(_ position: Int64) -> String { cursor(position, in: history()) }

  /// - Parameter history: of which the position was read.
  package func cursor(_ position: Int64, in history: LogHistory) -> String {
    let position = max(0, position)
    var body = "c3_" + tags(history, history.epoch(of: position).id) + String(position, radix: 16)
    if let cut = history.firstCut, cut < position { body += "-" + String(cut, radix: 16) }
    return sealed(body)
  }

  package func receipt(_ eventID: EntityID) -> String {
    let history = history()
    return sealed(
      "r3_" + tags(history, history.current.id) + Digits.hexadecimal(eventID.high)
        + Digits.hexadecimal(eventID.low))
  }

  private func tags(_ history: LogHistory, _ epoch: UInt32) -> String {
    Digits.hexadecimal(history.tag) + Digits.hexadecimal(epoch)
  }

  func step(_ eventID: EntityID, messageCount: Int) -> String {
    sealed(
      "s1_" + Digits.hexadecimal(eventID.high) + Digits.hexadecimal(eventID.low)
        + String(max(0, messageCount), radix: 16))
  }

  /// What a cursor or a receipt names, whichever history it is of; nil where it is none of this
  /// installation.
  package func namedPlace(_ text: String) -> NamedPlace? {
    switch try? point(text) {
    case .position(let place): .position(place.position)
    case .event(let id, _): .event(id)
    case .step, nil: nil
    }
  }

  /// Behind an event, by its position or by its id.
  package enum NamedPlace: Sendable, Hashable {
    case position(Int64)
    case event(EntityID)
  }

  func point(_ text: String) throws(RPCError) -> LogPoint {
    guard text.utf8.count <= CursorCodec.lengthMax else { throw .badCursor("is too long") }
    let parts = text.split(separator: "_", omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .badCursor("is not one of this server's") }
    if parts[0] == "c1" || parts[0] == "r1" { throw .unsealedCursor() }
    let body = parts[1]
    if parts[0] == "c3" || parts[0] == "r3" {
      // Said before the seal is looked at: another installation's does not fit either.
      guard body.utf8.count > 16, let log = UInt32(body.prefix(8), radix: 16) else {
        throw .badCursor("is not one of this server's")
      }
      guard log == history().tag else { throw .badCursor("is of another log") }
    }
    let mark = Digits.hexadecimal(seal.mark(of: Array("\(parts[0])_\(body)".utf8)))
    guard isEqualSecret(Array(mark.utf8), Array(parts[2].utf8)) else {
      throw .badCursor("is damaged or of another deployment")
    }
    switch parts[0] {
    case "c3":
      let numbers = body.dropFirst(16).split(separator: "-", omittingEmptySubsequences: false)
      guard let epoch = UInt32(body.dropFirst(8).prefix(8), radix: 16), numbers.count <= 2,
        let position = numbers.first.flatMap({ Int64($0, radix: 16) })
      else { break }
      return .position(
        LogPlace(
          position: position, epoch: epoch,
          firstCut: numbers.count == 2 ? Int64(numbers[1], radix: 16) : nil))
    case "r3":
      guard let epoch = UInt32(body.dropFirst(8).prefix(8), radix: 16),
        let id = EntityID(hexadecimal: body.dropFirst(16))
      else { break }
      return .event(id, epoch: epoch)
    case "c2":
      guard let position = Int64(body, radix: 16), position >= 0 else { break }
      return .position(LogPlace(position: position, epoch: nil, firstCut: nil))
    case "r2":
      guard body.utf8.count == 32, let id = EntityID(hexadecimal: body) else { break }
      return .event(id, epoch: nil)
    case "s1":
      guard let id = EntityID(hexadecimal: body.prefix(32)),
        let count = UInt8(body.dropFirst(32), radix: 16)
      else { break }
      return .step(id, messageCount: Int(count))
    default: break
    }
    throw .badCursor("is of a version that this server does not know")
  }

  func sealed(_ body: String) -> String {
    body + "_" + Digits.hexadecimal(seal.mark(of: Array(body.utf8)))
  }
}

extension EntityID {
  /// An id out of its 32 digits.
  init?(hexadecimal digits: Substring) {
    guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
      let low = UInt64(digits.suffix(16), radix: 16)
    else { return nil }
    self.init(high: high, low: low)
  }
}
