internal import Wire

/// What the calls of a method came to since the server started.
package struct MethodTotals: Sendable, Hashable {
  package var method: MethodDescriptor
  /// Calls that began: those that were refused by their head are not among them.
  package var startedCount: UInt64 = 0
  /// Of those, the ones that are over.
  package var finishedCount: UInt64 = 0
  /// Ends by status code, refused calls too.
  package var endedByStatus = [UInt64](repeating: 0, count: StatusCode.allCases.count)
  /// Bytes of messages, as they were on the wire.
  package var byteCountIn: UInt64 = 0
  package var byteCountOut: UInt64 = 0
  /// Of the calls that are over, of streams from beginning to end.
  package var latency = LatencyHistogram()

  package init(_ method: MethodDescriptor) {
    self.method = method
  }

  /// The statuses that calls ended with, by their canonical names.
  package var ends: [(status: String, count: UInt64)] {
    StatusCode.allCases.compactMap { status in
      let count = endedByStatus[Int(status.rawValue)]
      return count > 0 ? ("\(status)", count) : nil
    }
  }

  /// Calls under way.
  package var openCount: UInt64 { startedCount - min(finishedCount, startedCount) }

  package mutating func add(_ other: MethodTotals) {
    startedCount += other.startedCount
    finishedCount += other.finishedCount
    for code in endedByStatus.indices { endedByStatus[code] += other.endedByStatus[code] }
    byteCountIn += other.byteCountIn
    byteCountOut += other.byteCountOut
    latency.add(other.latency)
  }
}

/// A server in numbers: since it started, or now.
package struct ServerTotals: Sendable {
  package init() {}

  /// Those that were called, by path.
  package var methods: [MethodTotals] = []
  /// By the index of the reason.
  package var refusals = [UInt64](repeating: 0, count: RefusalReason.allCases.count)
  /// The last ones, newest first.
  package var slowCalls: [SlowCallRecord] = []
  package var slowCallMin: Duration?

  package var connectionCount = 0
  package var acceptedConnectionCount = 0
  package var refusedConnectionCount = 0
  /// Bytes of frames, before TLS.
  package var byteCountIn: UInt64 = 0
  package var byteCountOut: UInt64 = 0

  package var memory: [MemoryUse] = []
  package var loops: [LoopState] = []
  /// What the process has used of processors.
  package var processorTime = Duration.zero
  package var residentByteCount: UInt64 = 0

  /// Calls under way.
  package var openCallCount: UInt64 { methods.reduce(0) { $0 + $1.openCount } }

  /// What a part of the peers makes the server keep, and what it may.
  package struct MemoryUse: Sendable, Hashable {
    /// `callers` or `strangers`.
    package var name: String
    package var byteCount: Int
    package var byteCountMax: Int

    package init(name: String, byteCount: Int, byteCountMax: Int) {
      self.name = name
      self.byteCount = byteCount
      self.byteCountMax = byteCountMax
    }
  }

  /// How late an event loop is with what is due.
  package struct LoopState: Sendable, Hashable {
    package var lag: Duration
    /// The worst lately: it is forgotten by a tenth each second.
    package var lagPeak: Duration

    package init(lag: Duration, lagPeak: Duration) {
      self.lag = lag
      self.lagPeak = lagPeak
    }
  }
}
