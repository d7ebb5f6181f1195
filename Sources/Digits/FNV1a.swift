/// The 64-bit FNV-1a hash: the same in every process and on every machine. It tells texts apart by
/// accident, not against an attacker who looks for two that are alike.
package struct FNV1a: Sendable, Hashable {
  package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  package init() {}

  package init(_ text: String) {
    mix(text)
  }

  package mutating func mix(_ text: String) {
    for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}
