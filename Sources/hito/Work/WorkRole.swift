/// What a worker does.
enum WorkRole: String, CaseIterable, Sendable {
  /// Gives events their positions, and publishes them where a broker is configured.
  case relay
  /// Keeps a lake.
  case lake
  /// Makes the vectors of what was written.
  case embedder
  /// Runs learners' code.
  case validate
}
