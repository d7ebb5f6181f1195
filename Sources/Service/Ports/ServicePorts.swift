package import Domain
package import Retrieval

/// The ports that the services work on.
package struct ServicePorts: Sendable {
  package var users: any UserRepository
  package var courses: any CourseRepository
  package var goals: any GoalRepository
  package var snapshots: any SnapshotRepository
  package var writes: any WriteStore
  package var tokens: any TokenStore
  package var log: any EventLog
  package var runs: any AgentRunStore
  package var validation: ValidationPorts
  /// Nil where this server has none: what needs a model then says so.
  package var model: (any LanguageModel)?
  /// Nil where this server has none: agents are UNAVAILABLE then.
  package var retriever: (any ContextRetriever)?
  /// The lake; nil where this server has none: then reports read the log alone.
  package var archive: (any EventArchive)?
  /// Nil where this server does not search.
  package var retrieval: (any RetrievalStore)?
  package var embeddings: (any EmbeddingStore)?
  /// Nil where this server keeps no quotas.
  package var quotas: (any QuotaStore)?
  package var usage: (any ModelUsageStore)?
  /// Nil where this server keeps no audit.
  package var audit: (any AuditStore)?
  /// Nil where this server has no consumer groups.
  package var groups: (any ConsumerGroupStore)?
  /// Nil where this server takes no events of other systems.
  package var externals: (any ExternalEventStore)?
  /// Nil where this server takes no documents.
  package var documents: CourseDocuments?
  /// What users' time zones are looked up in.
  package var timeZones = TimeZoneNames.utcOnly

  package init(
    users: any UserRepository, courses: any CourseRepository, goals: any GoalRepository,
    snapshots: any SnapshotRepository, writes: any WriteStore, tokens: any TokenStore,
    log: any EventLog, archive: (any EventArchive)?, runs: any AgentRunStore,
    validation: ValidationPorts, model: (any LanguageModel)? = nil,
    retriever: (any ContextRetriever)? = nil
  ) {
    self.users = users
    self.courses = courses
    self.goals = goals
    self.snapshots = snapshots
    self.writes = writes
    self.tokens = tokens
    self.log = log
    self.archive = archive
    self.runs = runs
    self.validation = validation
    self.model = model
    self.retriever = retriever
  }
}
