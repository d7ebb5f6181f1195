import Domain
import Retrieval
import Testing

/// The order of a search, fused of two.
@Suite struct RankFusionTests {
  private static func key(_ number: UInt64) -> PassageKey {
    PassageKey(kind: .course, entityID: EntityID(high: 1, low: number), chunkNumber: 0)
  }

  private static func meaning(_ number: UInt64, _ similarity: Double) -> Candidate {
    Candidate(key: key(number), similarity: similarity)
  }

  private static func words(
    _ number: UInt64, _ score: Double, similarity: Double? = nil, all: Bool = false
  ) -> Candidate {
    Candidate(
      key: key(number), similarity: similarity, wordScore: score, hasAllWords: all,
      coverage: all ? 1 : 0.2)
  }

  private static func fuse(
    _ meaning: [Candidate], _ words: [Candidate], _ mode: SearchMode = .hybrid
  ) -> [UInt64] {
    RankFusion.fuse([Candidates(byMeaning: meaning, byWords: words, method: .exact)], mode: mode)
      .map(\.key.entityID.low)
  }

  @Test func someWordsDoNotLiftAPassageOverTheBestByMeaning() {
    let meaning = (1...40).map { Self.meaning($0, 1 - Double($0) / 100) }
    #expect(Self.fuse(meaning, [Self.words(27, 9, similarity: 0.73)]).first == 1)
  }

  @Test func aPassageWithAllWordsIsFoundFirst() {
    let meaning = (1...40).map { Self.meaning($0, 1 - Double($0) / 100) }
    let words = [Self.words(30, 9, similarity: 0.7, all: true), Self.words(2, 8, similarity: 0.98)]
    #expect(Self.fuse(meaning, words).first == 30)
  }

  @Test func beingInBothListsCountsForMoreThanInOne() {
    #expect(
      Self.fuse([Self.meaning(1, 0.9), Self.meaning(2, 0.8)], [Self.words(2, 1, all: true)])
        == [2, 1])
  }

  @Test func oneWayAloneIsThatOrder() {
    let meaning = [Self.meaning(1, 0.5), Self.meaning(2, 0.9)]
    let words = [Self.words(1, 1, all: true), Self.words(3, 2)]
    #expect(Self.fuse(meaning, words, .vector) == [2, 1])
    #expect(Self.fuse(meaning, words, .text) == [3, 1])
  }

  @Test func rareWordsDecideBetweenPassagesThatAreAboutEquallySimilar() {
    let meaning = [Self.meaning(1, 0.30), Self.meaning(2, 0.27), Self.meaning(3, 0.1)]
    #expect(
      Self.fuse(meaning, [Self.words(2, 8, similarity: 0.27), Self.words(3, 4, similarity: 0.1)])
        == [2, 1, 3])
  }

  @Test func someWordsSayLessOfAGoal() {
    func key(_ number: UInt64) -> PassageKey {
      PassageKey(kind: .goal, entityID: EntityID(high: 1, low: number), chunkNumber: 0)
    }
    let meaning = [
      Candidate(key: key(1), similarity: 0.30), Candidate(key: key(2), similarity: 0.27),
    ]
    let words = [Candidate(key: key(2), similarity: 0.27, wordScore: 8, coverage: 0.2)]
    let found = Candidates(byMeaning: meaning, byWords: words, method: .exact)
    #expect(RankFusion.fuse([found], mode: .hybrid).map(\.key.entityID.low) == [1, 2])
  }

  @Test func theBestWordsOfAScopeAreWorthWhatTheyCoverOfTheQuestion() {
    // Scores of two scopes are not of one scale.
    let few = Candidates(
      byMeaning: [], byWords: [Self.words(1, 1, all: true), Self.words(2, 0.5)], method: .text)
    let many = Candidates(byMeaning: [], byWords: [Self.words(3, 90)], method: .text)
    #expect(
      RankFusion.fuse([many, few], mode: .text).map(\.key.entityID.low) == [1, 2, 3])
  }

  @Test func equalOnesComeInTheOrderOfTheirKeysAndScopesInAny() {
    let one = Candidates(byMeaning: [Self.meaning(5, 0.5)], byWords: [], method: .exact)
    let two = Candidates(byMeaning: [Self.meaning(4, 0.5)], byWords: [], method: .exact)
    let fused = RankFusion.fuse([one, two], mode: .hybrid)
    #expect(fused == RankFusion.fuse([two, one], mode: .hybrid))
    #expect(fused.map(\.key.entityID.low) == [4, 5] && fused.map(\.vectorRank) == [1, 2])
  }

  @Test func whatIsCloseIsSoInMeaningOrInAllWords() {
    let fused = RankFusion.fuse(
      [
        Candidates(
          byMeaning: [Self.meaning(1, 0.1)],
          byWords: [
            Self.words(2, 1, similarity: 0.1, all: true), Self.words(3, 1, similarity: 0.1),
            Self.words(4, 1),
          ], method: .exact)
      ], mode: .hybrid)
    // One that waits for its vector is not, with some of the words alone.
    let close = fused.filter { $0.isClose(minimumSimilarity: 0.2) }.map(\.key.entityID.low)
    #expect(close.sorted() == [2])
  }
}
