/// Appends the fields of one message.
struct ProtobufWriter {
  private(set) var bytes: [UInt8] = []

  enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  mutating func tag(_ number: Int, _ wireType: WireType) {
    varint(UInt64(number) << 3 | wireType.rawValue)
  }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func fixed(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func raw(_ other: some Collection<UInt8>) {
    bytes.append(contentsOf: other)
  }

  mutating func field(_ number: Int, _ content: some Collection<UInt8>) {
    tag(number, .bytes)
    varint(UInt64(content.count))
    raw(content)
  }
}
