internal import Contract
internal import Domain
internal import Retrieval

extension SearchResponse {
  init(_ outcome: SearchOutcome) {
    self.init(
      hits: outcome.hits.map(SearchHit.init), method: outcome.method.rawValue,
      truncated: outcome.isTruncated, abstained: outcome.hits.isEmpty, model: outcome.model)
  }
}

extension SearchHit {
  init(_ hit: RetrievedPassage) {
    var attributes = hit.attributes
    if hit.duplicateCount > 0 { attributes["duplicates"] = "\(hit.duplicateCount)" }
    self.init(
      citation: Citation(hit), score: hit.score, vectorRank: Int32(clamping: hit.vectorRank),
      textRank: Int32(clamping: hit.textRank), attributes: attributes)
  }
}

extension Citation {
  /// Characters of an excerpt at most.
  static let excerptMax = 2000

  /// The source of an answer. It names the entity, never whose it is.
  init(_ hit: RetrievedPassage) {
    let passage = hit.passage
    self.init(
      entityType: passage.kind.rawValue, entityId: passage.entityID.description,
      title: passage.title,
      excerpt: String(
        String.UnicodeScalarView(passage.content.unicodeScalars.prefix(Self.excerptMax))),
      anchor: passage.anchor, similarity: hit.similarity ?? 0,
      documentPath: passage.documentPath)
  }
}

extension EmbeddingFailure {
  init(_ problem: EmbeddingProblem) {
    self.init(
      entityType: problem.key.kind.rawValue, entityId: problem.key.entityID.description,
      error: problem.error, attempts: Int32(clamping: problem.attemptCount),
      nextAttemptUs: problem.nextAttemptAt.microsecondsSinceEpoch)
  }
}
