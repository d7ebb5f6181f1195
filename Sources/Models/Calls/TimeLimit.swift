/// Runs `operation` and cancels it when `limit` is over. The operation's own result comes back in
/// both cases, as soon as it has ended; `isLate` says that it was cancelled for its time.
func withTimeLimit<Value: Sendable>(
  _ limit: Duration, _ operation: @escaping @Sendable () async -> Value
) async -> (value: Value, isLate: Bool) {
  await withTaskGroup(of: Value?.self) { group in
    group.addTask { await operation() }
    group.addTask {
      try? await Task.sleep(for: max(limit, Duration.zero), clock: .continuous)
      return nil
    }
    var isLate = false
    while let next = await group.next() {
      if let value = next {
        group.cancelAll()
        return (value, isLate)
      }
      // Where the whole task was cancelled the alarm ends early, and nobody is late.
      isLate = !Task.isCancelled
      group.cancelAll()
    }
    // Not reached: the operation is in the group until it has returned.
    return (await operation(), isLate)
  }
}
