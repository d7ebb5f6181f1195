package import Domain

/// Results out of passages: the parts of one section are one result, as similar as the most similar of them and
/// with the words of the one that has most. A question may be near to one part of a section in
/// meaning and share its words with another.
package struct ResultGroups {
  private struct Group {
    var hit: RetrievedPassage
    var meaningPart: Double
    var wordPart: Double
  }

  private var groups: [Group] = []
  private var places: [ResultPart: Int] = [:]

  package init() {}

  package var count: Int { groups.count }

  /// Best first; of equal ones, the one that came first. Each is shown by its first passage.
  package var hits: [RetrievedPassage] {
    groups.indices.map { (score: groups[$0].meaningPart + groups[$0].wordPart, index: $0) }
      .sorted { ($1.score, $0.index) < ($0.score, $1.index) }
      .map { place in
        var hit = groups[place.index].hit
        hit.score = place.score
        return hit
      }
  }

  /// Candidates come best first.
  package mutating func add(_ candidate: RankedCandidate, _ text: DescribedPassage) {
    let meaningPart = candidate.score - candidate.wordPart
    let part = ResultPart(text.passage)
    if let place = places[part] {
      groups[place].meaningPart = max(groups[place].meaningPart, meaningPart)
      groups[place].wordPart = max(groups[place].wordPart, candidate.wordPart)
      return
    }
    places[part] = groups.count
    groups.append(
      Group(
        hit: RetrievedPassage(
          passage: text.passage, similarity: candidate.similarity, score: candidate.score,
          vectorRank: candidate.vectorRank, textRank: candidate.textRank,
          attributes: text.attributes),
        meaningPart: meaningPart, wordPart: candidate.wordPart))
  }
}

/// What counts as one result: a goal, a file of code, a section of a document.
private struct ResultPart: Hashable {
  let kind: PassageKind
  let entityID: EntityID
  let documentPath: String
  let anchor: String

  init(_ passage: Passage) {
    kind = passage.kind
    entityID = passage.entityID
    documentPath = passage.documentPath
    anchor = passage.anchor
  }
}
