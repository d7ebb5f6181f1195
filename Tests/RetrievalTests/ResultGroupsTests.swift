import Domain
import Testing

@testable import Retrieval

/// Parts of one section are one result.
@Suite struct ResultGroupsTests {
  private static func add(
    _ groups: inout ResultGroups, _ number: Int32, anchor: String, meaning: Double,
    words: Double = 0
  ) {
    let course = EntityID(high: 1, low: 1)
    let key = PassageKey(kind: .course, entityID: course, chunkNumber: number)
    let passage = Passage(
      kind: .course, entityID: course, userID: course, chunkNumber: number, title: "",
      content: "", language: "", documentPath: "a.md", anchor: anchor)
    groups.add(
      RankedCandidate(
        key: key, similarity: meaning, score: meaning + words, vectorRank: 1, textRank: 1,
        hasAllWords: false, coverage: 0, wordPart: words),
      DescribedPassage(passage: passage, attributes: [:]))
  }

  @Test func aSectionHasTheBestOfItsParts() {
    var groups = ResultGroups()
    Self.add(&groups, 1, anchor: "one", meaning: 0.4)
    Self.add(&groups, 2, anchor: "two", meaning: 0.35)
    Self.add(&groups, 3, anchor: "two", meaning: 0.1, words: 0.2)
    Self.add(&groups, 4, anchor: "three", meaning: 0.2)
    let hits = groups.hits
    #expect(groups.count == 3 && hits.map(\.passage.anchor) == ["two", "one", "three"])
    #expect(hits[0].passage.chunkNumber == 2 && abs(hits[0].score - 0.55) < 1e-9)
  }

  @Test func equalOnesStayAsTheyCame() {
    var groups = ResultGroups()
    for number in 1...20 { Self.add(&groups, Int32(number), anchor: "\(number)", meaning: 0.3) }
    #expect(groups.hits.map(\.passage.chunkNumber) == Array(1...20))
  }
}
