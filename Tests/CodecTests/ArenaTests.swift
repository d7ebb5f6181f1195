import CProtobufC
import RPC
import Testing

@testable import Contract

@Suite("The arena")
struct ArenaTests {
  private func withArena<Result>(
    budget: Int, _ body: (UnsafeMutablePointer<hito_arena>) throws -> Result
  ) rethrows -> Result {
    var arena = hito_arena()
    hito_arena_begin(&arena, budget)
    defer { hito_arena_end(&arena) }
    return try body(&arena)
  }

  @Test("hands out aligned memory that does not overlap")
  func disjoint() throws {
    try withArena(budget: .max) { arena in
      var ranges: [Range<UInt>] = []
      for size in [0, 1, 7, 8, 9, 100, 4000, 5000, 8192, 8193, 70_000, 3, 65_536, 200_000, 1] {
        let memory = try #require(hito_arena_allocate(arena, size))
        memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size)
        let start = UInt(bitPattern: memory)
        #expect(start % UInt(HITO_ARENA_ALIGNMENT) == 0)
        ranges.append(start..<start + UInt(max(size, 1)))
      }
      let sorted = ranges.sorted { $0.lowerBound < $1.lowerBound }
      for (left, right) in zip(sorted, sorted.dropFirst()) {
        #expect(left.upperBound <= right.lowerBound)
      }
    }
  }

  @Test("gives nothing beyond its budget, and continues with what is left")
  func budget() {
    withArena(budget: 100) { arena in
      #expect(hito_arena_allocate(arena, 96) != nil)
      #expect(hito_arena_allocate(arena, 8) == nil)
      #expect(hito_arena_allocate(arena, .max) == nil)
      #expect(arena.pointee.used == 96)
    }
    withArena(budget: 0) { arena in
      #expect(hito_arena_allocate(arena, 0) == nil)
    }
  }

  @Test("keeps its first block for the next arena of the thread, never for two at once")
  func firstBlock() {
    let first = withArena(budget: .max) { hito_arena_allocate($0, 8) }
    withArena(budget: .max) { outer in
      let again = hito_arena_allocate(outer, 8)
      #expect(again == first)
      withArena(budget: .max) { inner in
        let other = hito_arena_allocate(inner, 8)
        #expect(other != nil)
        #expect(other != again)
      }
    }
  }

  @Test("serves messages of every size, one after the other")
  func sizes() throws {
    for count in [0, 1, 100, 4000, 4096, 5000, 70_000, 1 << 20] {
      let message = Scalars(
        stringValue: String(repeating: "x", count: count),
        bytesValue: [UInt8](repeating: 1, count: count))
      #expect(try Scalars.decode(message.encodedBytes()) == message)
    }
  }

  @Test("U+0000 in a text goes out as U+FFFD instead of cutting the text")
  func nulInText() throws {
    let bytes = Leaf(name: "a\0b").encodedBytes()
    #expect(try Leaf.decode(bytes).name == "a\u{FFFD}b")
  }
}
