/// Tells old Western texts from others that are not UTF-8 either.
enum WesternText {
  static func isLikely(_ bytes: [UInt8]) -> Bool {
    var letters = 0
    var high = 0
    /// High letters that stand with two more: few words of the West have three, those of other scripts
    /// have nothing else.
    var crowded = 0
    var run = 0
    for byte in bytes {
      switch byte {
      case 0x00..<0x09, 0x0b, 0x0e..<0x1b, 0x1c..<0x20, 0x7f: return false
      case 0x80...0xff:
        guard Windows1252.isDefined(byte) else { return false }
        high += 1
      default: if byte.isASCIILetter { letters += 1 }
      }
      run = byte >= 0xc0 ? run + 1 : 0
      if run == 3 { crowded += 3 } else if run > 3 { crowded += 1 }
    }
    guard crowded * 10 <= high, high <= letters + 3 else { return false }
    return !isBrokenUTF8(bytes, high: high)
  }

  /// Whether most of the bytes beyond ASCII are characters of UTF-8: then a few are broken, and
  /// reading all as something else would break the rest.
  private static func isBrokenUTF8(_ bytes: [UInt8], high: Int) -> Bool {
    var whole = 0
    var index = 0
    while index < bytes.count {
      let count =
        switch bytes[index] {
        case 0xc2...0xdf: 2
        case 0xe0...0xef: 3
        case 0xf0...0xf4: 4
        default: 1
        }
      let rest = bytes[min(index + 1, bytes.count)..<min(index + count, bytes.count)]
      if count > 1, rest.count == count - 1, rest.allSatisfy({ (0x80...0xbf).contains($0) }) {
        whole += count
        index += count
      } else {
        index += 1
      }
    }
    return whole * 2 > high
  }
}
