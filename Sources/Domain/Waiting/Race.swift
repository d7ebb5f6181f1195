/// Runs `body`, which must end soon after its task is cancelled, for at most `duration`.
package func race(
  upTo duration: Duration, clock: any Clock<Duration>, _ body: @escaping @Sendable () async -> Void
) async {
  await withTaskGroup(of: Void.self) { group in
    group.addTask { await body() }
    group.addTask { try? await clock.sleep(for: duration) }
    await group.next()
    group.cancelAll()
  }
}
