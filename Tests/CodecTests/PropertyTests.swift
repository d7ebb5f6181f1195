import RPC
import Testing

@testable import Contract

/// SplitMix64: the same sequence for a seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite("Random messages")
struct PropertyTests {
  @Test("come back as they went", arguments: 0..<8)
  func roundTrip(seed: Int) throws {
    var random = MessageGenerator(seed: UInt64(seed))
    for _ in 0..<10 {
      try expectRoundTrip(random.scalars())
      try expectRoundTrip(random.lists())
      try expectRoundTrip(random.maps())
      try expectRoundTrip(random.choices())
      try expectRoundTrip(random.tree())
    }
  }

  private func expectRoundTrip<Message: TestMessage>(_ message: Message) throws {
    let bytes = message.encodedBytes()
    #expect(try Message.decode(bytes) == message)
    #expect(message.encodedBytes() == bytes)
  }

  @Test(
    "with flipped, lost and added bytes decode or are refused, within the memory counted",
    arguments: 0..<8)
  func mutations(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    for vector in Vector.accepted {
      let type = try #require(messageTypes[vector.type])
      var bytes = Vector.bytes(vector.bytes)
      mutate(&bytes, &random)
      expectMemoryWithinCount(type, bytes)
      try expectStable(type, bytes)
    }
  }

  /// What is accepted must encode to something that means the same.
  private func expectStable<Message: TestMessage>(
    _ type: Message.Type, _ bytes: [UInt8]
  ) throws {
    let message: Message
    do throws(DecodeError) {
      message = try Message.decode(bytes)
    } catch {
      return
    }
    let again = message.encodedBytes()
    let second = try Message.decode(again)
    // Compared as bytes: a mutation may well make a NaN.
    #expect(second.encodedBytes() == again)
  }

  private func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let position = Int.random(in: 0...bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0 where position < bytes.count:
        bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1 where position < bytes.count:
        bytes.remove(at: position)
      case 2:
        bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: position)
      default:
        bytes.replaceSubrange(position..., with: bytes[..<position].suffix(9))
      }
    }
  }
}

/// Makes messages of the fixture with values of every size.
struct MessageGenerator {
  private var random: SeededGenerator

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
  }

  private mutating func chance() -> Bool { Bool.random(using: &random) }

  private mutating func number<N: FixedWidthInteger>() -> N {
    switch Int.random(in: 0..<5, using: &random) {
    case 0: 0
    case 1: .max
    case 2: .min
    case 3: N(truncatingIfNeeded: Int.random(in: 0..<200, using: &random))
    default: N.random(in: .min ... .max, using: &random)
    }
  }

  private mutating func real() -> Double {
    chance() ? Double.random(in: -1e300...1e300, using: &random) : 0
  }

  private mutating func text() -> String {
    let letters = Array("ab 0_ñ漢😀\u{301}\u{7F}\u{80}\u{7FF}\u{800}\u{FFFF}")
    let count = Int.random(in: 0..<20, using: &random)
    return String((0..<count).map { _ in letters[Int(random.next() % UInt64(letters.count))] })
  }

  private mutating func bytes() -> [UInt8] {
    (0..<Int.random(in: 0..<20, using: &random)).map { _ in number() }
  }

  private mutating func mood() -> Mood { Mood(rawValue: number()) }

  private mutating func leaf() -> Leaf { Leaf(name: text(), id: number()) }

  private mutating func list<Element>(_ make: (inout Self) -> Element) -> [Element] {
    // Now and then enough for protobuf-c to leave its fixed arrays.
    let isLong = Int.random(in: 0..<20, using: &random) == 0
    let count = Int.random(in: 0..<(isLong ? 150 : 5), using: &random)
    return (0..<count).map { _ in make(&self) }
  }

  mutating func scalars() -> Scalars {
    Scalars(
      int32Value: number(), int64Value: number(), uint32Value: number(), uint64Value: number(),
      sint32Value: number(), sint64Value: number(), fixed32Value: number(),
      fixed64Value: number(), sfixed32Value: number(), sfixed64Value: number(),
      floatValue: Float(real() / 1e290), doubleValue: real(), boolValue: chance(),
      stringValue: text(), bytesValue: bytes(), moodValue: mood())
  }

  mutating func lists() -> Lists {
    Lists(
      int32Values: list { $0.number() }, int64Values: list { $0.number() },
      uint32Values: list { $0.number() }, uint64Values: list { $0.number() },
      sint32Values: list { $0.number() }, sint64Values: list { $0.number() },
      fixed32Values: list { $0.number() }, fixed64Values: list { $0.number() },
      sfixed32Values: list { $0.number() }, sfixed64Values: list { $0.number() },
      floatValues: list { Float($0.real() / 1e290) }, doubleValues: list { $0.real() },
      boolValues: list { $0.chance() }, stringValues: list { $0.text() },
      bytesValues: list { $0.bytes() }, moodValues: list { $0.mood() },
      leafValues: list { $0.leaf() }, nothingValues: list { _ in Nothing() },
      unpackedValues: list { $0.number() })
  }

  private mutating func map<Key: Hashable, Value>(
    _ key: (inout Self) -> Key, _ value: (inout Self) -> Value
  ) -> [Key: Value] {
    Dictionary(list { (key(&$0), value(&$0)) }) { $1 }
  }

  mutating func maps() -> Maps {
    Maps(
      labels: map({ $0.text() }, { $0.text() }), leaves: map({ $0.number() }, { $0.leaf() }),
      totals: map({ $0.chance() }, { $0.number() }), moods: map({ $0.number() }, { $0.mood() }),
      blobs: map({ $0.text() }, { $0.bytes() }), weights: map({ $0.number() }, { $0.real() }))
  }

  mutating func choices() -> Choices {
    let choice: Choices.Choice? =
      switch Int.random(in: 0..<9, using: &random) {
      case 0: .text(text())
      case 1: .blob(bytes())
      case 2: .leaf(leaf())
      case 3: .number(number())
      case 4: .flag(chance())
      case 5: .mood(mood())
      case 6: .ratio(real())
      case 7: .nothing(Nothing())
      default: nil
      }
    return Choices(
      choice: choice, score: chance() ? real() : nil, note: chance() ? text() : nil)
  }

  private mutating func twig() -> Tree.Branch.Twig {
    Tree.Branch.Twig(leaves: list { $0.leaf() }, name: text())
  }

  private mutating func branch() -> Tree.Branch {
    Tree.Branch(twigs: list { $0.twig() }, main: chance() ? twig() : nil)
  }

  mutating func tree() -> Tree {
    Tree(
      branches: list { $0.branch() }, root: chance() ? branch() : nil,
      plantedAt: chance() ? Timestamp(seconds: number(), nanos: number()) : nil,
      age: chance() ? ProtoDuration(seconds: number(), nanos: number()) : nil,
      mask: chance() ? FieldMask(paths: list { $0.text() }) : nil, empty: chance() ? Empty() : nil,
      last: text(), oldName: text())
  }
}
