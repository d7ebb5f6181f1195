package import Domain

/// On whose behalf the statements of a unit run. Each unit begins by saying so, and row-level
/// security (`RowSecurity`) then shows no more than they may see, whatever the statements ask for.
package enum Viewer: Sendable, Hashable {
  /// A user, who sees what is their own.
  case own(EntityID)
  /// An instructor, who also sees what learners do in the instructor's courses.
  case instructor(EntityID)
  /// A user who also sees, as examples, code that others share with them.
  case withExamples(EntityID)
  /// A service or an admin, who sees everybody.
  case everybody(EntityID)
  /// The server itself, which sees and writes everything.
  case system(SystemWork)
  /// Nobody is named, and no learner's row is seen: for tables that hold none.
  case nobody

  /// - Parameter forUpdate: an instructor changes nothing through a course.
  package init(_ scope: AccessScope, forUpdate: Bool = false) {
    switch scope.role {
    case .learner: self = .own(scope.callerID)
    case .instructor: self = forUpdate ? .own(scope.callerID) : .instructor(scope.callerID)
    case .service, .admin: self = .everybody(scope.callerID)
    }
  }

  /// Says to the server what `hito.scope` and `hito.caller` are until the end of the unit; nil where
  /// they stay as the session has them: "none", and nobody.
  var announcement: StatementCall? {
    switch self {
    case .own(let id): Self.announce("own", id.description)
    case .instructor(let id): Self.announce("courses", id.description)
    case .withExamples(let id): Self.announce("examples", id.description)
    case .everybody(let id): Self.announce("all", id.description)
    case .system: Self.announceSystem()
    case .nobody: nil
    }
  }

  static let announce = Query<String, String>(
    "viewer.announce",
    "SELECT set_config('hito.scope', $1, true), set_config('hito.caller', $2, true)")

  /// The server works for nobody, and each write begins with it: one setting is half the cost.
  static let announceSystem = Statement(
    "viewer.announce_system", "SELECT set_config('hito.scope', 'system', true)")
}

/// All that runs for no caller in particular: the units that row-level security lets everything pass.
/// Every use is found by looking for `.system(`.
package enum SystemWork: Sendable, Hashable, CaseIterable {
  /// Finds the user of a presented token by its hash.
  case authentication
  /// Writes what was decided on rows that were read as their caller, where those have not changed.
  case commit
  /// Reads the log for everybody who follows it; `EventVisibility` says who gets what.
  case log
  /// Gives events their positions.
  case sequencing
  /// Says how far the log is published, and by whom.
  case publishing
  /// Ranks passages. Only keys and similarities come of it: texts are read as the caller.
  case search
  /// Makes vectors of what waits for them.
  case embedding
  /// Compares an ingested document with the stored one.
  case ingestion
  /// Keeps, passes on and takes over runs of agents.
  case agents
  /// Runs validations of code, and reads the tests that they need.
  case validation
  /// Counts what users have used and stored, and reads what they may.
  case usage
  /// Says how far down a list of everybody's looks; nothing comes of it but a time.
  case lists
  /// Keeps the audit's entries, and compares them and the log with their seals.
  case audit
  /// Hands out and settles the events of consumer groups.
  case groups
  /// Removes what is too old.
  case housekeeping
}
