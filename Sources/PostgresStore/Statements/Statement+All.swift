extension Statement {
  /// Every statement that the store runs; a test prepares each on a real server.
  package static let all = [
    [Viewer.announce, Viewer.announceSystem], UserStatements.all, CourseStatements.all,
    GoalStatements.all,
    SnapshotStatements.all, ReplyStatements.all, EventStatements.all, SequencerStatements.all,
    EpochStatements.all, BlobStatements.all,
    TokenStatements.all, PassageStatements.all, SearchStatements.all, ReaderRole.all,
    EmbeddingStatements.all, AgentRunStatements.all,
    DocumentStatements.all, UsageStatements.all, CourseCopyStatements.all,
    RetentionStatements.all, ValidationStatements.all, TaskTestsStatements.all,
    AuditStatements.statements, GroupStatements.all, ExternalStatements.all,
    PublicationStatements.all, ProcessReportStatements.all,
  ].flatMap { $0.map(\.statement) }
}
