import Domain
import Testing

@testable import Retrieval

@Suite struct RecentVectorsTests {
  private let ada = EntityID(high: 1, low: 1)

  @Test func aTextIsKnownToItsOwnerAndForItsModelOnly() {
    let recent = RecentVectors()
    recent.keep([1, 2], of: [7], owner: ada, model: "m")
    #expect(recent.vector(of: [7], owner: ada, model: "m") == [1, 2])
    #expect(recent.vector(of: [7], owner: EntityID(high: 1, low: 2), model: "m") == nil)
    #expect(recent.vector(of: [7], owner: ada, model: "n") == nil)
    #expect(recent.vector(of: [8], owner: ada, model: "m") == nil)
  }

  /// The oldest go first, and one that is kept twice takes one place.
  @Test func thereAreNeverMoreThanAllowed() {
    let recent = RecentVectors()
    let count = RecentVectors.countMax
    func known(_ numbers: Range<Int>) -> Int {
      numbers.count { recent.vector(of: Self.hash($0), owner: ada, model: "m") != nil }
    }
    for number in 0..<count { recent.keep([0], of: Self.hash(number), owner: ada, model: "m") }
    recent.keep([1], of: Self.hash(0), owner: ada, model: "m")
    #expect(known(0..<count) == count)
    for number in count..<2 * count + 3 {
      recent.keep([0], of: Self.hash(number), owner: ada, model: "m")
    }
    #expect(known(0..<count + 3) == 0)
    #expect(known(count + 3..<2 * count + 3) == count)
  }

  private static func hash(_ number: Int) -> [UInt8] {
    [UInt8(number >> 8), UInt8(number & 255)]
  }
}
