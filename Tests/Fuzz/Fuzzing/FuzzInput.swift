/// The bytes of one input, taken from the front as the numbers and choices that a script needs. When they
/// are used up every choice is the first one.
struct FuzzInput {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func flag() -> Bool { byte() & 1 == 1 }

  mutating func number16() -> Int { Int(byte()) << 8 | Int(byte()) }

  mutating func number32() -> UInt32 {
    (0..<4).reduce(0) { sum, _ in sum << 8 | UInt32(byte()) }
  }

  mutating func number64() -> UInt64 {
    (0..<8).reduce(0) { sum, _ in sum << 8 | UInt64(byte()) }
  }

  /// Small, except where the input asks for a large one: what matters is mostly near zero.
  mutating func size() -> Int {
    let first = Int(byte())
    return first < 224 ? first : (first - 223) * 1024 + Int(byte())
  }

  mutating func choice<Element>(of elements: [Element]) -> Element {
    elements[Int(byte()) % elements.count]
  }

  /// So many of the bytes that follow as one byte says.
  mutating func bytes() -> [UInt8] {
    let count = Int(byte())
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }
}
