/// FNV-1a of 64 bits: tells texts apart that nobody makes alike on purpose.
struct Checksum {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ text: String) {
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  /// Without leading zeros.
  var hexadecimal: String { String(value, radix: 16) }
}
