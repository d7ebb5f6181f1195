import CProtobufC
import RPC
import Testing

@testable import Contract

@Suite("Hostile bytes")
struct HostileTests {
  /// `Tree`, nested as deep as its type goes: Tree, Branch, Twig, Leaf.
  private let deepTree = Tree(
    branches: [.init(twigs: [.init(leaves: [Leaf(name: "leaf", id: 1)], name: "twig")])])

  @Test(
    "A message cut at any byte is refused or is a shorter message, never the whole one",
    arguments: ["tree full", "lists full", "maps full", "scalars greatest", "names"])
  func truncation(name: String) throws {
    let vector = try #require(Vector.accepted.first { $0.name == name })
    let type = try #require(messageTypes[vector.type])
    try truncate(type, Vector.bytes(vector.bytes))
  }

  private func truncate<Message: TestMessage>(_ type: Message.Type, _ bytes: [UInt8]) throws {
    let whole = try Message.decode(bytes)
    var refusals = 0
    for count in bytes.indices {
      do throws(DecodeError) {
        let part = try Message.decode(Array(bytes[..<count]))
        if part == whole { Issue.record("\(count) bytes are enough for the whole message") }
      } catch {
        refusals += 1
        if error.reason != .truncated, error.reason != .malformed { Issue.record(error) }
      }
    }
    #expect(refusals > bytes.count / 2)
  }

  @Test("Nesting is counted exactly")
  func depth() throws {
    let bytes = deepTree.encodedBytes()
    #expect(try Tree.decode(bytes, limits: DecodeLimits(depthMax: 3)) == deepTree)
    for depth in [2, 1, 0, -1] {
      let error = #expect(throws: DecodeError.self) {
        try Tree.decode(bytes, limits: DecodeLimits(depthMax: depth))
      }
      #expect(error?.reason == .tooDeep)
    }
  }

  @Test("A depth bomb in an unknown field is only skipped, because nobody reads it")
  func unknownBomb() throws {
    var bomb: [UInt8] = []
    for _ in 0..<1000 { bomb = [0xA2, 0x06] + length(bomb.count) + bomb }
    let bytes = Leaf(name: "n").encodedBytes() + bomb
    #expect(try Leaf.decode(bytes) == Leaf(name: "n"))
  }

  @Test("4 MiB of empty sub-messages are refused before anything is unpacked")
  func emptyMessages() throws {
    // Field 18 of Lists, length 0: three bytes each.
    let bytes = repeated([0x92, 0x01, 0x00])
    let report = check(Lists.self, bytes)
    #expect(report.status == HITO_DECODE_TOO_LARGE)
    // The budget ends the reading early: 24 bytes of struct, 8 of pointer, notes of up to 64.
    #expect(report.memory <= 8 << 20)
    #expect(report.offset < 700_000)
    let error = #expect(throws: DecodeError.self) { try Lists.decode(bytes) }
    #expect(error?.reason == .tooLarge)
    #expect(error?.field == "nothing_values")
  }

  @Test(
    "4 MiB of the smallest fields of any kind cost no more than the budget",
    arguments: [
      [0x72, 0x00], [0x7A, 0x00], [0xF2, 0x02, 0x00], [0xF0, 0x02, 0x00], [0x08, 0x00],
    ] as [[UInt8]])
  func smallFields(field: [UInt8]) {
    let bytes = repeated(field)
    let report = check(Lists.self, bytes)
    #expect(report.status == HITO_DECODE_TOO_LARGE)
    #expect(report.memory <= 8 << 20)
  }

  @Test("4 MiB of useful bytes fit the default budget")
  func largeMessage() throws {
    let scalars = Scalars(
      stringValue: String(repeating: "ñ", count: 1 << 20),
      bytesValue: [UInt8](repeating: 7, count: 2 << 20))
    #expect(try Scalars.decode(scalars.encodedBytes()) == scalars)
    let packed = Lists(doubleValues: [Double](repeating: 1.5, count: 1 << 19))
    #expect(try Lists.decode(packed.encodedBytes()) == packed)
  }

  @Test("The budget is exact: what the guard counted suffices, one step less does not")
  func exactBudget() throws {
    let bytes = try Vector.named("tree full")
    let needed = check(Tree.self, bytes).memory
    let whole = try Tree.decode(bytes)
    let limits = DecodeLimits(memoryBudgetByteCount: needed)
    #expect(try Tree.decode(bytes, limits: limits) == whole)
    for budget in [needed - 1, needed / 2, 1, 0, -1] {
      let error = #expect(throws: DecodeError.self) {
        try Tree.decode(bytes, limits: DecodeLimits(memoryBudgetByteCount: budget))
      }
      #expect(error?.reason == .tooLarge)
    }
  }

  @Test("Hundreds of fields in one message are counted with protobuf-c's notes about them")
  func manyFields() {
    for count in [15, 16, 17, 47, 48, 49, 111, 112, 113, 1000] {
      let lists = Lists(stringValues: (0..<count).map { "value \($0)" })
      expectMemoryWithinCount(Lists.self, lists.encodedBytes())
    }
  }

  @Test("Unpacking never allocates more than the guard counted", arguments: Vector.accepted)
  func memoryBound(vector: Vector) throws {
    let type = try #require(messageTypes[vector.type])
    expectMemoryWithinCount(type, Vector.bytes(vector.bytes))
  }

  @Test("A message that protobuf-c cannot get memory for is refused")
  func outOfMemory() throws {
    let bytes = try Vector.named("tree full")
    for budget in stride(from: 0, to: check(Tree.self, bytes).memory, by: 8) {
      var arena = hito_arena()
      // Less than the guard was told: unpacking itself runs into the end.
      hito_arena_begin(&arena, budget)
      defer { hito_arena_end(&arena) }
      var report = hito_decode_report()
      let message = hito_unpack(
        Codec.descriptor(of: Tree.self), bytes, bytes.count,
        hito_decode_limits(depth_max: 32, memory_max: 1 << 20), &arena, &report)
      if message == nil { #expect(report.status == HITO_DECODE_OUT_OF_MEMORY) }
      #expect(arena.used <= budget)
    }
  }

  @Test("The path to a refused field is cut when it does not fit")
  func longPath() throws {
    let bytes: [UInt8] = [0x0A, 0x06, 0x0A, 0x04, 0x0A, 0x02, 0x0A, 0x7F]
    var report = check(Tree.self, bytes)
    #expect(report.status == HITO_DECODE_TRUNCATED)
    for capacity in [0, 1, 2, 9, 10, 64] {
      let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: max(capacity, 1)) {
        buffer -> String in
        buffer.initialize(repeating: 0)
        let written = hito_decode_path(&report, buffer.baseAddress, capacity)
        #expect(written < max(capacity, 1))
        return buffer.baseAddress.map { String(cString: $0) } ?? ""
      }
      #expect("branches.twigs.leaves.name".hasPrefix(text))
    }
  }
}

/// About 4 MiB of the same bytes. Doubles: debug builds take seconds for a loop.
func repeated(_ field: [UInt8]) -> [UInt8] {
  var bytes = field
  while bytes.count < 3 << 20 { bytes += bytes }
  return bytes
}

func length(_ count: Int) -> [UInt8] {
  var count = count
  var bytes: [UInt8] = []
  while count > 0x7F {
    bytes.append(UInt8(count & 0x7F | 0x80))
    count >>= 7
  }
  return bytes + [UInt8(count)]
}

/// What the guard says of the bytes with the default limits.
func check<Message: CodedMessage>(_ type: Message.Type, _ bytes: [UInt8]) -> hito_decode_report {
  hito_guard_check(
    Codec.descriptor(of: type), bytes, bytes.count,
    hito_decode_limits(depth_max: 32, memory_max: 8 << 20))
}

/// Unpacks accepted bytes and compares what that took with what the guard counted.
func expectMemoryWithinCount<Message: CodedMessage>(_ type: Message.Type, _ bytes: [UInt8]) {
  var arena = hito_arena()
  hito_arena_begin(&arena, 8 << 20)
  defer { hito_arena_end(&arena) }
  var report = hito_decode_report()
  let message = hito_unpack(
    Codec.descriptor(of: type), bytes, bytes.count,
    hito_decode_limits(depth_max: 32, memory_max: 8 << 20), &arena, &report)
  guard report.status == HITO_DECODE_OK else { return }
  #expect(message != nil)
  #expect(arena.used <= report.memory)
}
