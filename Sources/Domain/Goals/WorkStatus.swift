/// Where a goal or a task stands; the raw value is what the `status` columns hold.
package enum WorkStatus: String, Sendable, Hashable, CaseIterable {
  case pending
  case inProgress = "in_progress"
  case completed
  case archived
  case deleted

  /// Whether work can still happen on it.
  package var isOpen: Bool { self == .pending || self == .inProgress }
  /// Whether a task in this state counts towards its goal's progress.
  package var counts: Bool { isOpen || self == .completed }
}

/// What can be asked of a goal or a task.
package enum WorkAction: String, Sendable, Hashable, CaseIterable {
  case start, complete, reopen, archive, delete
}

/// The transition table of goals and tasks:
///
/// | from        | start       | complete  | reopen                | archive  | delete  |
/// |-------------|-------------|-----------|-----------------------|----------|---------|
/// | pending     | in_progress | completed | –                     | archived | deleted |
/// | in_progress | –           | completed | –                     | archived | deleted |
/// | completed   | –           | –         | in_progress           | archived | deleted |
/// | archived    | –           | –         | pending / in_progress | –        | deleted |
/// | deleted     | –           | –         | –                     | –        | –       |
///
/// An archived one reopens as `in_progress` where it had been started, else as `pending`.
package enum WorkTransition {
  /// The state after `action`, or nil where the table has none.
  package static func next(
    _ status: WorkStatus, _ action: WorkAction, wasStarted: Bool
  ) -> WorkStatus? {
    switch (status, action) {
    case (.pending, .start): .inProgress
    case (.pending, .complete), (.inProgress, .complete): .completed
    case (.completed, .reopen): .inProgress
    case (.archived, .reopen): wasStarted ? .inProgress : .pending
    case (.pending, .archive), (.inProgress, .archive), (.completed, .archive): .archived
    case (.deleted, _): nil
    case (_, .delete): .deleted
    default: nil
    }
  }

  /// What a person can do instead of an action that the table refuses.
  package static func hint(_ status: WorkStatus, _ action: WorkAction) -> String {
    switch (status, action) {
    case (.completed, .complete), (.archived, .archive), (.inProgress, .start):
      "it is \(status.rawValue) already"
    case (.completed, .start), (.archived, .start), (.archived, .complete):
      "reopen it first"
    case (.pending, .reopen), (.inProgress, .reopen): "it is open already"
    default: "a deleted one stays deleted"
    }
  }
}
