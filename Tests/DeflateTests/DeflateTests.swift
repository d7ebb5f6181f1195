import SeededRandom
import Testing

@testable import Deflate

@Suite struct `Compression` {
  private func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    bytes.withUnsafeBytes(Deflate.compressed)
  }

  private func expanded(_ data: [UInt8], _ byteCount: Int) -> [UInt8]? {
    data.withUnsafeBytes { Deflate.expanded($0, byteCount: byteCount) }
  }

  private static let text = Array("una meta, otra meta, and another goal; ".utf8)

  @Test(arguments: [3, 100, 26_000])
  func `gives back what it took`(count: Int) throws {
    let bytes = Array(repeatElement(Self.text, count: count).joined())
    let data = try #require(compressed(bytes))
    #expect(data.count < bytes.count / 2)
    #expect(expanded(data, bytes.count) == bytes)
  }

  @Test func `leaves what grows or hardly shrinks as it is`() {
    var random = SeededGenerator(state: 7)
    #expect(compressed([]) == nil)
    #expect(compressed([1]) == nil)
    #expect(compressed((0..<10_000).map { _ in UInt8.random(in: 0...255, using: &random) }) == nil)
  }

  @Test func `refuses every other size, what is cut, what follows, and what is damaged`() throws {
    let bytes = Array(repeatElement(Self.text, count: 50).joined())
    let data = try #require(compressed(bytes))
    for wrong in [0, 1, bytes.count - 1, bytes.count + 1, 1 << 20] {
      #expect(expanded(data, wrong) == nil)
    }
    for end in 0..<data.count { #expect(expanded(Array(data[..<end]), bytes.count) == nil) }
    #expect(expanded(data + [0], bytes.count) == nil)
    for place in data.indices {
      var other = data
      other[place] ^= 0x41
      #expect(expanded(other, bytes.count) != bytes)
    }
  }

  @Test func `takes no more memory than it is allowed`() throws {
    let zeros = [UInt8](repeating: 0, count: 64 << 20)
    let bomb = try #require(compressed(zeros))
    #expect(bomb.count < 400_000)
    #expect(expanded(bomb, 1 << 20) == nil)
  }
}
