import Digits
import Testing

@Suite struct DigitsTests {
  @Test func `decimals get zeros up to their width, and keep what is wider`() {
    #expect(Digits.decimal(7, width: 4) == "0007")
    #expect(Digits.decimal(Int64(12345), width: 4) == "12345")
    #expect(Digits.decimal(0, width: 0) == "0")
    #expect(Digits.decimal(UInt8.max, width: 6) == "000255")
  }

  @Test func `hexadecimals have all digits of their type`() {
    #expect(Digits.hexadecimal(UInt32(0xab)) == "000000ab")
    #expect(Digits.hexadecimal(UInt64.max) == "ffffffffffffffff")
    #expect(Digits.hexadecimal(UInt64(0)) == "0000000000000000")
    #expect(Digits.hexadecimal(UInt16(0x9f)) == "009f")
  }

  @Test func `bytes are two digits each`() {
    #expect(Digits.hexadecimal([UInt8]()) == "")
    #expect(Digits.hexadecimal([0x00, 0x09, 0x0a, 0xff, 0xf0]) == "00090afff0")
    let all = Digits.hexadecimal(Array(UInt8.min...UInt8.max))
    #expect(all.utf8.count == 512)
    #expect(all.hasPrefix("000102") && all.hasSuffix("fdfeff"))
  }

  /// The published test vectors of FNV-1a, 64 bits.
  @Test(arguments: [
    ("", 0xcbf2_9ce4_8422_2325 as UInt64), ("a", 0xaf63_dc4c_8601_ec8c),
    ("foobar", 0x8594_4171_f739_67e8),
  ])
  func `FNV-1a agrees with its vectors`(text: String, expected: UInt64) {
    #expect(FNV1a(text).value == expected)
    var hash = FNV1a()
    for character in text { hash.mix(String(character)) }
    #expect(hash.value == expected)
  }
}
