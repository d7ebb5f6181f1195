internal import Glibc
internal import NIOCore
package import RPC
internal import Synchronization
internal import Wire

extension HitoServer {
  /// How often each loop is asked how late it is.
  private static let probeInterval = Duration.seconds(1)

  /// The server in numbers. Each loop is asked for its own.
  package func statistics() async -> ServerTotals {
    if let last = lastStatistics.withLock({ $0 }) { return last }
    var statistics = ServerTotals()
    let routes = core.router.routesByIndex
    var methods: [Int: MethodTotals] = [:]
    for executor in loopExecutors {
      let asked = executor.loop.submit { executor.statistics.reading(routes) }
      guard let reading = try? await asked.get() else { continue }
      for (route, method) in reading.methods {
        methods[route, default: MethodTotals(method.method)].add(method)
      }
      for (index, count) in reading.refusals.enumerated() { statistics.refusals[index] += count }
      statistics.byteCountIn += reading.byteCountIn
      statistics.byteCountOut += reading.byteCountOut
      statistics.loops.append(reading.loop)
    }
    statistics.methods = methods.values.sorted { $0.method.path < $1.method.path }
    let totals = core.registry.totals
    statistics.connectionCount = core.registry.count
    statistics.acceptedConnectionCount = totals.accepted
    statistics.refusedConnectionCount = totals.refused
    statistics.memory = core.accounts.use
    statistics.slowCalls = core.slowCalls.all
    statistics.slowCallMin = core.configuration.slowCallMin
    statistics.processorTime = ProcessUsage.processorTime
    statistics.residentByteCount = ProcessUsage.residentByteCount
    return statistics
  }

  /// Has each loop say how late it is, again and again. Ends with the loops.
  func beginProbes() {
    let interval = TimeAmount(Self.probeInterval)
    for executor in loopExecutors {
      let probe = LoopProbe(due: .now + Self.probeInterval)
      executor.loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
        let now = Moment.now
        executor.statistics.late(by: probe.due.duration(to: now))
        probe.due = now + Self.probeInterval
      }
    }
  }
}

/// When a loop should have come to its next probe.
///
/// `@unchecked Sendable`: only the task of one loop has it.
private final class LoopProbe: @unchecked Sendable {
  var due: Moment

  init(due: Moment) { self.due = due }
}

/// What the process uses of its machine.
enum ProcessUsage {
  /// Of all threads, in the program and in the system.
  static var processorTime: Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }

  /// 0 where the system does not say.
  static var residentByteCount: UInt64 {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 128)
    guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
    let text = String(
      decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { UInt64($0) } ?? 0
    return pages * UInt64(max(0, sysconf(Int32(_SC_PAGESIZE))))
  }
}
