internal import RPC
internal import Wire

/// What the calls of one event loop came to: a table by the index of the route, so that to count costs a call
/// neither a lock nor memory. On that loop only; who reads asks the loop.
///
/// A method's numbers take 1.2 KiB, from its first call on. Only methods that there are have any.
final class LoopStatistics {
  /// Where the numbers of a method are.
  private enum Place {
    static let started = 0
    static let finished = 1
    static let byteCountIn = 2
    static let byteCountOut = 3
    static let total = 4
    static let maximum = 5
    static let statuses = 6
    static let buckets = statuses + 17
    static let count = buckets + LatencyHistogram.bucketCount
  }

  private typealias Numbers = UnsafeMutablePointer<UInt64>

  // No access to these lasts while another begins: the checks for that would be most of what counting costs.
  @exclusivity(unchecked) private var methods: [Numbers?] = []
  private var refusals = [UInt64](repeating: 0, count: RefusalReason.allCases.count)
  /// Bytes of frames, before TLS.
  @exclusivity(unchecked) private var byteCountIn: UInt64 = 0
  @exclusivity(unchecked) private var byteCountOut: UInt64 = 0
  private var lag = Duration.zero
  private var lagPeak = Duration.zero

  deinit {
    for method in methods { method?.deallocate() }
  }

  // MARK: On the path of each call

  func started(_ route: Int) {
    numbers(of: route)[Place.started] += 1
  }

  /// Message bytes of a call came.
  func received(_ byteCount: Int, for route: Int) {
    numbers(of: route)[Place.byteCountIn] &+= UInt64(truncatingIfNeeded: byteCount)
  }

  /// Message bytes of a call go out.
  func sent(_ byteCount: Int, for route: Int) {
    numbers(of: route)[Place.byteCountOut] &+= UInt64(truncatingIfNeeded: byteCount)
  }

  /// A call that began is over.
  func finished(_ route: Int, _ status: StatusCode, microseconds: UInt64) {
    let numbers = numbers(of: route)
    numbers[Place.finished] += 1
    numbers[Place.statuses + Int(status.rawValue)] += 1
    numbers[Place.buckets + LatencyHistogram.bucket(of: microseconds)] += 1
    numbers[Place.total] &+= microseconds
    if microseconds > numbers[Place.maximum] { numbers[Place.maximum] = microseconds }
  }

  /// A read or a write of a connection.
  func moved(byteCountIn read: Int = 0, byteCountOut written: Int = 0) {
    byteCountIn &+= UInt64(truncatingIfNeeded: read)
    byteCountOut &+= UInt64(truncatingIfNeeded: written)
  }

  // MARK: Off it

  /// A call was not let in, or not served.
  ///
  /// - Parameter route: nil where there is none, or nobody looked.
  func refused(_ route: Int?, _ status: StatusCode, _ reason: RefusalReason?) {
    if let reason { refusals[reason.index] += 1 }
    if let route { numbers(of: route)[Place.statuses + Int(status.rawValue)] += 1 }
  }

  /// The loop came to something so much later than it was due.
  func late(by lag: Duration) {
    self.lag = max(.zero, lag)
    lagPeak = max(self.lag, lagPeak * 9 / 10)
  }

  private func numbers(of route: Int) -> Numbers {
    if route < methods.count, let numbers = methods[route] { return numbers }
    return makeNumbers(of: route)
  }

  @inline(never) private func makeNumbers(of route: Int) -> Numbers {
    while methods.count <= route { methods.append(nil) }
    let numbers = Numbers.allocate(capacity: Place.count)
    numbers.initialize(repeating: 0, count: Place.count)
    methods[route] = numbers
    return numbers
  }

  // MARK: To be read

  /// What there is so far.
  struct Reading: Sendable {
    /// By the index of the route.
    var methods: [(route: Int, statistics: MethodTotals)] = []
    var refusals: [UInt64] = []
    var byteCountIn: UInt64 = 0
    var byteCountOut: UInt64 = 0
    var loop: ServerTotals.LoopState
  }

  /// - Parameter routes: by their index.
  func reading(_ routes: [MethodDescriptor]) -> Reading {
    var reading = Reading(
      refusals: refusals, byteCountIn: byteCountIn, byteCountOut: byteCountOut,
      loop: ServerTotals.LoopState(lag: lag, lagPeak: lagPeak))
    for (route, numbers) in methods.enumerated() where route < routes.count {
      guard let numbers else { continue }
      var method = MethodTotals(routes[route])
      method.startedCount = numbers[Place.started]
      method.finishedCount = numbers[Place.finished]
      method.byteCountIn = numbers[Place.byteCountIn]
      method.byteCountOut = numbers[Place.byteCountOut]
      method.endedByStatus = Array(
        UnsafeBufferPointer(start: numbers + Place.statuses, count: 17))
      method.latency = LatencyHistogram(
        counts: Array(
          UnsafeBufferPointer(
            start: numbers + Place.buckets, count: LatencyHistogram.bucketCount)),
        totalMicroseconds: numbers[Place.total], maximumMicroseconds: numbers[Place.maximum])
      reading.methods.append((route, method))
    }
    return reading
  }
}
