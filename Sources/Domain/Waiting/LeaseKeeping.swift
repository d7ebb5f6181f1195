/// Renews a lease while the task runs; returns when it is not its owner's any more. A store that cannot be
/// reached for a while is not a reason to let go before the lease is over.
///
/// - Parameter renew: false where the lease has gone to another owner, or what it is on has ended.
package func keepLease<Time: Clock>(
  _ lease: AgentLease, every interval: Duration, by clock: Time,
  renew: (AgentLease) async throws(StoreError) -> Bool
) async throws where Time.Duration == Duration {
  var end = clock.now.advanced(by: lease.duration)
  while true {
    try await clock.sleep(for: interval)
    // Before it is asked for: what the store gives begins no earlier.
    let asked = clock.now
    do throws(StoreError) {
      guard try await renew(lease) else { return }
      end = asked.advanced(by: lease.duration)
    } catch {
      if asked >= end { return }
    }
  }
}
