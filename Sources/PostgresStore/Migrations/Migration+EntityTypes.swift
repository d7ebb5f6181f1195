extension Migration {
  /// Documents of courses and runs of agents have events too.
  static let entityTypes = Migration(
    version: 7, name: "events of documents and runs",
    up: """
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (entity_type IN (
        'user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot', 'document', 'agent_run'));
      """,
    // Refused where such events are in the log: it is never edited.
    down: .sql(
      """
      ALTER TABLE events DROP CONSTRAINT events_entity_type_check;
      ALTER TABLE events ADD CONSTRAINT events_entity_type_check CHECK (
        entity_type IN ('user', 'course', 'enrolment', 'goal', 'task', 'code_snapshot'));
      """))
}
