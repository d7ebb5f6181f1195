package import Domain

/// A passage as a search found it.
package struct RetrievedPassage: Sendable, Hashable {
  package var passage: Passage
  /// Cosine similarity to the query, -1 to 1; nil where the passage has no vector (yet).
  package var similarity: Double?
  /// What the results are ordered by.
  package var score: Double
  /// Place by meaning, from 1; 0 where it was not found so.
  package var vectorRank: Int
  /// Place by words, from 1; 0 where it was not found so.
  package var textRank: Int
  /// How many other results say nearly the same, which this one stands for.
  package var duplicateCount = 0
  /// More of the entity, by name (`status`, `technologies`, `validation_score`, …).
  package var attributes: [String: String]

  package init(
    passage: Passage, similarity: Double?, score: Double, vectorRank: Int = 0, textRank: Int = 0,
    attributes: [String: String] = [:]
  ) {
    self.passage = passage
    self.similarity = similarity
    self.score = score
    self.vectorRank = vectorRank
    self.textRank = textRank
    self.attributes = attributes
  }
}
