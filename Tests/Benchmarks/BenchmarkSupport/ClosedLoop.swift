/// Calls one after another on each of a number of workers.
package struct ClosedLoop: Sendable {
  package struct Result: Sendable {
    package var callCount: Int
    package var seconds: Double
    /// Of each call, in microseconds.
    package var latencies: Samples

    package var rate: Double { Double(callCount) / seconds }
  }

  package var workerCount: Int
  package var duration: Duration

  package init(workerCount: Int, duration: Duration) {
    self.workerCount = workerCount
    self.duration = duration
  }

  /// Runs `call` (given the worker's number) for the duration; the first failure ends it all.
  package func run(_ call: @escaping @Sendable (Int) async throws -> Void) async throws -> Result {
    let start = ContinuousClock.now
    let end = start + duration
    let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
      for worker in 0..<workerCount {
        group.addTask {
          var latencies: [Double] = []
          var last = ContinuousClock.now
          while last < end {
            try await call(worker)
            let now = ContinuousClock.now
            latencies.append((now - last).inMicroseconds)
            last = now
          }
          return latencies
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    return Result(
      callCount: latencies.count, seconds: (ContinuousClock.now - start).inSeconds,
      latencies: Samples(latencies))
  }
}
