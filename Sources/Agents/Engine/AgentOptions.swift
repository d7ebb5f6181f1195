package import Domain

/// How this server runs agents.
package struct AgentOptions: Sendable {
  /// Names this process among the servers of a deployment; another one after each start. Empty: the
  /// server's id.
  package var owner = ""
  /// Whether no other server can use the database, so that what others left behind can be taken
  /// over at once.
  package var isAlone = false
  /// How long a run stays with a server that says nothing any more.
  package var leaseDuration = Duration.seconds(30)
  package var heartbeatInterval = Duration.seconds(10)
  /// The longest that a run is driven in one go.
  package var runTimeout = Duration.seconds(600)
  /// Between two looks for runs that others left behind.
  package var resumeInterval = Duration.seconds(5)
  /// How many of them are driven at a time.
  package var resumedMax = 4
  /// How long after its lease a run that needs its caller is kept for a repeat of the call.
  package var abandonedRunTimeout = Duration.seconds(600)
  /// How long the end of a run may take to be written once its caller has gone.
  package var releaseTimeout = Duration.seconds(5)
  /// How often a follower looks at the log itself, whatever the hub says.
  package var pollInterval = Duration.seconds(1)
  package var clock: any Clock<Duration> = ContinuousClock()

  package init() {}

  package var lease: AgentLease { AgentLease(owner: owner, duration: leaseDuration) }
}
