import Domain
import Retrieval
import Testing

/// When a scope has something to say, and which passages may say it.
@Suite struct ClosenessTests {
  private static func key(_ number: Int) -> PassageKey {
    PassageKey(
      kind: .course, entityID: EntityID(high: 1, low: 1), chunkNumber: Int32(number))
  }

  /// The numbers of what is close, of passages with these similarities; the first few are found by words
  /// too, with these shares of the question.
  private static func close(
    _ similarities: [Double], coverage: [Double] = [], kind: PassageKind = .course,
    everyday: Double? = 0.5
  ) -> [Int32] {
    let candidates = similarities.enumerated().map {
      Candidate(key: key($0.offset), similarity: $0.element)
    }
    let words = coverage.enumerated().map {
      Candidate(
        key: key($0.offset), similarity: similarities[$0.offset], wordScore: $0.element,
        hasAllWords: $0.element == 1, coverage: $0.element)
    }
    let found = Candidates(byMeaning: candidates, byWords: words, method: .exact)
    return Closeness(threshold: 0.2, everyday: everyday).close(
      RankFusion.fuse([found], mode: .hybrid), found, kind: kind
    ).map(\.key.chunkNumber)
  }

  @Test func aScopeThatIsNearAnswersThoughNoPassageIsVerySimilar() {
    #expect(Self.close([0.22, 0.18, 0.13, 0.12, 0.02]) == [0, 1, 2, 3])
    // One passage alone in a scope that is about something else does not.
    #expect(Self.close([0.22] + [Double](repeating: 0.02, count: 30)).isEmpty)
  }

  @Test func wordsTipTheBalance() {
    let similarities = [0.16, 0.15, 0.13, 0.11]
    #expect(Self.close(similarities).isEmpty)
    #expect(Self.close(similarities, coverage: [0.8]).first == 0)
  }

  @Test func goalsMustBeNearerThanSections() {
    let similarities = [0.19, 0.17, 0.15]
    #expect(!Self.close(similarities).isEmpty)
    #expect(Self.close(similarities, kind: .goal).isEmpty)
  }

  @Test func whatIsNearerToEverydayLifeIsNotAnswered() {
    let similarities = [0.22, 0.18, 0.17]
    #expect(!Self.close(similarities, everyday: 0.5).isEmpty)
    #expect(Self.close(similarities, everyday: 0.9).isEmpty)
    // Where that is not known, it is taken for what it usually is.
    #expect(Self.close([0.2, 0.17, 0.16], everyday: nil).isEmpty)
    #expect(!Self.close([0.24, 0.17, 0.16], everyday: nil).isEmpty)
  }

  @Test func nearnessIsOfTheGreatestAndTheNextOnes() throws {
    #expect(Closeness.nearness(of: []) == nil)
    #expect(Closeness.nearness(of: [0.5]) == 1)
    let nearness = try #require(Closeness.nearness(of: [0.5, 0.4, 0.3, 0.1]))
    #expect(abs(nearness - 0.9) < 1e-12)
  }

  @Test func whatHasAllWordsIsCloseWhateverElse() {
    #expect(Self.close([0.02, 0.01], coverage: [1]) == [0])
  }

  @Test func whatIsFarInACloseScopeIsLeftOutUnlessItHasMostOfTheWords() {
    #expect(Self.close([0.3, 0.2, 0.05, 0.04], coverage: [0, 0, 0.6]) == [0, 2, 1])
  }
}
