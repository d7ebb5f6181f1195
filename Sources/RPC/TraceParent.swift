/// W3C trace context: which trace a call belongs to, and what in it led to the call.
package struct TraceParent: Sendable, Hashable {
  package var traceIDHigh: UInt64
  package var traceIDLow: UInt64
  /// What led to the call.
  package var spanID: UInt64
  package var isSampled: Bool

  package init(traceIDHigh: UInt64, traceIDLow: UInt64, spanID: UInt64, isSampled: Bool) {
    self.traceIDHigh = traceIDHigh
    self.traceIDLow = traceIDLow
    self.spanID = spanID
    self.isSampled = isSampled
  }

  /// Reads `00-<32 hex>-<16 hex>-<2 hex>`, and what later versions may append; nil for anything else, and for ids
  /// of zeros: the recommendation has such a header ignored.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    let dash = UInt8(ascii: "-")
    guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
      let version = Self.hex(bytes[0..<2]), version != 0xFF,
      bytes.count == 55 || (version > 0 && bytes[55] == dash),
      let high = Self.hex(bytes[3..<19]), let low = Self.hex(bytes[19..<35]),
      let span = Self.hex(bytes[36..<52]), let flags = Self.hex(bytes[53..<55]),
      high | low != 0, span != 0
    else { return nil }
    self.init(
      traceIDHigh: high, traceIDLow: low, spanID: span, isSampled: flags & 1 == 1)
  }

  /// As version 00 writes it.
  package var text: String { "00-\(traceID)-\(Self.hex(spanID))-\(isSampled ? "01" : "00")" }

  /// 32 hexadecimal digits.
  package var traceID: String { Self.hex(traceIDHigh) + Self.hex(traceIDLow) }

  /// 16 hexadecimal digits.
  package static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// In lower case only, as the recommendation has it.
  private static func hex(_ digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"):
        value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return value
  }
}
