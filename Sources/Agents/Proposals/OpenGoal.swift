/// A goal that the learner has open, as far as a proposal is compared with it.
package struct OpenGoal: Sendable, Hashable {
  package var title: String
  /// Title, description and criteria; the title alone where nobody knows more.
  package var content: String
  /// In meaning, to the proposal.
  package var similarity: Double

  package init(title: String, content: String? = nil, similarity: Double) {
    self.title = title
    self.content = content ?? title
    self.similarity = similarity
  }
}
