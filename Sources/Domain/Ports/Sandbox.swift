/// Runs programs that nobody trusts, so that they can reach nothing but what their job gives them.
///
/// A job sees a machine of its own: no network, no other process, no file of the host but a read-only
/// `/usr` (and the mounts that it names), an empty `/tmp` and its files in `/work`, both of limited size.
/// Nothing that it does outlives it. Two jobs never see each other, so that what one of them made can
/// reach another only through `SandboxJob.collects`.
package protocol Sandbox: Sendable {
  /// Waits for the turn of `callerID` among all callers, and runs a job.
  ///
  /// `received` is told what happens meanwhile, in order and from a thread of the sandbox: it must
  /// return at once and not block. Nothing more comes once this has returned.
  ///
  /// Cancelling the task ends the job, wherever it is; this returns when nothing of it is left. A job
  /// changes nothing outside, so that every repeat is safe.
  ///
  /// - Parameter deadline: until when the job must have begun; it does not bound the run, which
  ///   `SandboxLimits.wallTime` does.
  func run(
    _ job: SandboxJob, for callerID: EntityID, until deadline: ContinuousClock.Instant?,
    received: @escaping @Sendable (SandboxEvent) -> Void
  ) async throws(SandboxError) -> SandboxResult

  /// Tries every promise with programs that would break it: the canary. Takes some seconds, and does
  /// not wait for a turn. Jobs are refused from the moment that a promise is found broken until an
  /// inspection finds all of them kept.
  func inspect() async -> SandboxInspection
}

extension Sandbox {
  package func run(
    _ job: SandboxJob, for callerID: EntityID, until deadline: ContinuousClock.Instant? = nil
  ) async throws(SandboxError) -> SandboxResult {
    try await run(job, for: callerID, until: deadline) { _ in }
  }
}

/// What happens with a job before it ends.
package enum SandboxEvent: Sendable, Hashable {
  /// It waits, and this many jobs would have their turn before it. Told when it begins to wait, and again
  /// when that has changed, at most once per second.
  case waiting(ahead: Int)
  /// Its command runs. The wall limit counts from here.
  case began
  /// More of what came on the report's descriptor, as it came: not cut at lines.
  case report([UInt8])
}

/// Why a job was not run to an end. Nothing in it says anything about the code.
package enum SandboxError: Error, Sendable, Hashable {
  /// The sandbox does not hold what it promises here, and so refuses: the promises that are broken, each
  /// with the right that is missing. A repeat fails until an operator has mended that.
  case unavailable([SandboxFinding])
  /// As many jobs as this wait already, of this caller or of all.
  case overloaded(maximum: Int)
  /// The deadline passed before it was the job's turn.
  case expired
  /// The task was cancelled.
  case cancelled
  /// The job asks for what no job may have; the text says what. A repeat fails as well.
  case invalid(String)
  /// The sandbox itself failed; a repeat may succeed. The text is for the log.
  case failed(String)
}
