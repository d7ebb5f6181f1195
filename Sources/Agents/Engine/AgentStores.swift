package import Domain
package import Retrieval

/// What runs are made of: where they and what they work on are kept, who answers and who finds.
package struct AgentStores: Sendable {
  package var runs: any AgentRunStore
  package var users: any UserRepository
  package var courses: any CourseRepository
  package var goals: any GoalRepository
  /// Nil where this server has none: what needs a model then says so.
  package var model: (any LanguageModel)?
  /// Nil where this server has none: agents know nothing then.
  package var retriever: (any ContextRetriever)?

  package init(
    runs: any AgentRunStore, users: any UserRepository, courses: any CourseRepository,
    goals: any GoalRepository, model: (any LanguageModel)?, retriever: (any ContextRetriever)?
  ) {
    self.runs = runs
    self.users = users
    self.courses = courses
    self.goals = goals
    self.model = model
    self.retriever = retriever
  }
}
