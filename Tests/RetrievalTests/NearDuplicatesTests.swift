import Domain
import Testing

@testable import Retrieval

/// One result for nearly the same texts.
@Suite struct NearDuplicatesTests {
  private static func hit(_ number: UInt64, _ content: String, _ kind: PassageKind = .codeSnapshot)
    -> RetrievedPassage
  {
    RetrievedPassage(
      passage: Passage(
        kind: kind, entityID: EntityID(high: 1, low: number), userID: EntityID(high: 1, low: 0),
        title: "", content: content, language: ""),
      similarity: 0.5, score: 1)
  }

  private static func results(_ hits: [RetrievedPassage]) -> [[UInt64]] {
    var different = NearDuplicates()
    for hit in hits { different.add(hit) }
    return different.hits.map { [$0.passage.entityID.low, UInt64($0.duplicateCount)] }
  }

  private static let code = """
    def media(valores):
        total = sum(valores)
        return total / len(valores)
    """

  @Test func theSameCodeIsOneResultWithACount() {
    let spaced = "# \n" + Self.code.replacing("    ", with: "\t").uppercased()
    let results = Self.results([
      Self.hit(1, Self.code), Self.hit(2, "def otra(): return 1"), Self.hit(3, Self.code),
      Self.hit(4, spaced),
    ])
    #expect(results == [[1, 2], [2, 0]])
  }

  @Test func whatIsMuchAlikeComesAfterTheRest() {
    let longer = Self.code + "\nmedia()"
    let results = Self.results([
      Self.hit(1, Self.code), Self.hit(2, longer), Self.hit(3, "def otra(): return 1"),
      Self.hit(4, longer),
    ])
    #expect(results == [[1, 0], [3, 0], [2, 1]])
  }

  @Test func shortTextsAreTheSameOnlyWhereTheyAre() {
    let results = Self.results([
      Self.hit(1, "Meta 5", .goal), Self.hit(2, "Meta 6", .goal), Self.hit(3, "meta 5.", .goal),
      Self.hit(4, "Meta 5", .course), Self.hit(5, "", .goal), Self.hit(6, "", .goal),
    ])
    #expect(results == [[1, 1], [2, 0], [4, 0], [5, 1]])
  }

  @Test func aHugeTextCostsNoMoreThanItsBeginning() {
    let huge = (0..<20_000).map { "w\($0)" }.joined(separator: " ")
    #expect(NearDuplicates.shingles(of: huge).count <= 2_000)
  }
}
