import Synchronization

/// A 128-bit identifier; those that Hito makes are version 7 (RFC 9562 §5.7): they sort by creation
/// time, and are known before the round trip to the database, so that statements can be pipelined.
///
/// Any RFC 9562 UUID can be held, whatever its version: ids given from outside are only parsed.
package struct EntityID: Sendable, Hashable, Comparable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Parses the canonical form of 36 characters (either case); nil for anything else.
  package init?(_ text: some StringProtocol) {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var index = 0
    var digitCount = 0
    for byte in text.utf8 {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
      } else {
        guard index < 36, let digit = EntityID.hexDigit(byte) else { return nil }
        if digitCount < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
        digitCount += 1
      }
      index += 1
    }
    guard index == 36, digitCount == 32 else { return nil }
    self.init(high: high, low: low)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The canonical lower-case text of 36 characters.
  package var description: String {
    String(unsafeUninitializedCapacity: 36) { output in
      let digits: StaticString = "0123456789abcdef"
      return digits.withUTF8Buffer { digits in
        var at = 0
        for nibble in 0..<32 {
          if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
            output[at] = UInt8(ascii: "-")
            at += 1
          }
          let word = nibble < 16 ? high : low
          output[at] = digits[Int(word >> UInt64((15 - nibble % 16) * 4) & 15)]
          at += 1
        }
        return at
      }
    }
  }

  /// The sixteen bytes, most significant first.
  package var bytes: [UInt8] {
    (0..<16).map { index in
      let word = index < 8 ? high : low
      return UInt8(truncatingIfNeeded: word >> UInt64((7 - index % 8) * 8))
    }
  }

  /// One of version 4: it says nothing of when it was made.
  package static func random() -> EntityID {
    EntityID(
      high: .random(in: 0 ... .max) & 0xffff_ffff_ffff_0fff | 0x4000,
      low: .random(in: 0 ... .max) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
  }

  /// When an id of version 7 was made, to the millisecond; nil for those of others.
  package var creationTime: Timestamp? {
    guard high >> 12 & 0xf == 7 else { return nil }
    return Timestamp(microsecondsSinceEpoch: Int64(high >> 16) * 1000)
  }

  package static func < (left: EntityID, right: EntityID) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }
}

/// Makes UUIDs of version 7 that never repeat and never go backwards within one process, also when
/// the clock does (RFC 9562 §6.2, method 1: the 12 bits of rand_a are a counter).
package final class UUIDv7Generator: IDGenerator {
  private struct State {
    var milliseconds: UInt64 = 0
    var counter: UInt64 = 0
  }

  private let state = Mutex(State())

  package init() {}

  package func next(at now: Timestamp) -> EntityID {
    let wanted = UInt64(max(0, now.microsecondsSinceEpoch)) / 1000
    let (milliseconds, counter) = state.withLock { state in
      if wanted > state.milliseconds {
        state = State(milliseconds: wanted, counter: UInt64.random(in: 0..<0x400))
      } else if state.counter == 0xfff {
        state = State(milliseconds: state.milliseconds + 1, counter: 0)
      } else {
        state.counter += 1
      }
      return (state.milliseconds, state.counter)
    }
    let high = milliseconds << 16 | 0x7000 | counter
    let low = UInt64.random(in: 0...UInt64.max) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
    return EntityID(high: high, low: low)
  }
}
