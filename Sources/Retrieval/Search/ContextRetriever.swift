package import Domain

/// What agents ask of retrieval. Everything it returns, the learner may see.
package protocol ContextRetriever: Sendable {
  /// Completed goals of `learnerID`, sections of course documents (of `courseID`, else of all courses
  /// that the learner is enrolled in or owns), and validated code, all close to `query`; nothing that
  /// is not close.
  func context(
    for query: String, learnerID: EntityID, courseID: EntityID?
  ) async throws -> AgentContext

  /// Sections of one course's documents; empty where nothing is close.
  func documents(
    for query: String, learnerID: EntityID, courseID: EntityID, limit: Int
  ) async throws -> [RetrievedPassage]

  /// Validated code similar to `code`, in the same language where one is named; without
  /// `excluding`, the snapshot that it is for.
  func validatedCode(
    like code: String, language: String, learnerID: EntityID, excluding: EntityID?, limit: Int
  ) async throws -> [RetrievedPassage]

  /// The learner's open goals that are closest in meaning to `text`, which is made as goals' passages
  /// are; empty where there is none, or vectors cannot be made right now.
  func closestOpenGoals(
    to text: String, learnerID: EntityID, limit: Int
  ) async throws -> [RetrievedPassage]
}
