package import Domain
package import Retrieval

/// What a comment on code is made from, beside the code and what tools said of it.
package enum FeedbackContext {
  private static let codeLimit = 5
  private static let sectionLimit = 3

  /// Validated code that is like the subject's, and sections of its course about its task or the question;
  /// nothing that `learnerID` may not see.
  ///
  /// - Parameters:
  ///   - excluded: the snapshot that it is for.
  ///   - question: what the author wants to know; may be empty.
  /// - Throws: what the retriever throws.
  package static func found(
    by retriever: any ContextRetriever, for subject: RunSubject, codeLanguage: String,
    question: String, learnerID: EntityID, excluding excluded: EntityID?
  ) async throws -> AgentContext {
    let code = try await retriever.validatedCode(
      like: subject.code, language: codeLanguage, learnerID: learnerID, excluding: excluded,
      limit: codeLimit)
    let query = [question, subject.task].filter { !$0.isEmpty }.joined(separator: "\n")
    guard let courseID = subject.courseID, !query.isEmpty else { return AgentContext(code: code) }
    let sections = try await retriever.documents(
      for: query, learnerID: learnerID, courseID: courseID, limit: sectionLimit)
    return AgentContext(documents: sections, code: code)
  }
}
