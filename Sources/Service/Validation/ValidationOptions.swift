internal import Domain

/// How this server validates code.
package struct ValidationOptions: Sendable {
  /// Names this process among the workers of a deployment; another one after each start. Empty: the
  /// server's id.
  package var owner = ""
  /// Whether validations run here; otherwise other workers take them (`hito work --roles validate`).
  package var runsHere = true
  /// Whether no other worker can use the database, so that what this one left behind before it died can
  /// be taken over at once.
  package var isAlone = false
  /// How many validations run at a time.
  package var slotCount = 2
  /// How long a validation stays with a worker that says nothing any more.
  package var leaseDuration = Duration.seconds(20)
  package var heartbeatInterval = Duration.seconds(3)
  /// The longest that a validation runs in one go.
  package var runTimeout = Duration.seconds(900)
  /// Between two looks for validations that were asked for elsewhere.
  package var pollInterval = Duration.milliseconds(250)
  /// How long steps wait for others before they are written.
  package var flushInterval = Duration.milliseconds(100)
  /// How often a follower looks at the log itself, whatever the hub says.
  package var followInterval = Duration.seconds(1)
  /// How long a validation that is let go may take to be written as such.
  package var releaseTimeout = Duration.seconds(5)
  package var clock: any Clock<Duration> = ContinuousClock()

  package init() {}

  var lease: AgentLease { AgentLease(owner: owner, duration: leaseDuration) }
}
