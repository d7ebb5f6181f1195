package import Domain
package import RPC

/// How many expensive calls run at a time, by what a call costs (`MethodRule.Cost`).
///
/// The classes share the processors and the database's connections, so that together they leave room
/// for the calls that cost little. Those wait here only after many of the same caller.
package struct AdmissionLimits: Sendable {
  package typealias Limits = FairQueueMachine<String>.Limits

  /// Calls of one class that wait, of everybody.
  private static let waitingMax = 1024
  private static let callerWaitingMax = 128

  /// When calls of a class are refused for what they would wait, and how many run at a time.
  struct Shedding: Sendable, Hashable {
    enum Limit: Sendable, Hashable {
      /// By how long they take, and never fewer than this.
      case adapts(min: Int)
      /// By how long the calls take that cost little: these come first.
      case yields
    }

    /// How long a round of all callers that wait may take when more comes than can be done.
    let roundMax: Duration
    let limit: Limit
  }

  private var limits: [MethodRule.Cost: Limits]
  private let rowsMin: Int

  /// - Parameters:
  ///   - heavyCallMax: scans at a time; the other classes follow from it.
  ///   - processorCount: what the calls that cost little share.
  package init(heavyCallMax: Int, processorCount: Int = 2) {
    rowsMin = max(1, processorCount) * 32
    let most = max(1, heavyCallMax)
    let half = max(1, most / 2)
    limits = [
      // Short, but each waits in the database for those before it: a caller's thousands would be
      // before everybody's.
      .rows: Limits(
        insideMax: 512, callerInsideMax: 64, waitingMax: 8192, callerWaitingMax: 1024),
      // Bounded work each. A report may take a second: half of the places stay for others.
      .scan: Self.limits(inside: most, ofCaller: half),
      // Some milliseconds each on a processor of its own.
      .search: Self.limits(inside: half, ofCaller: half),
      // These wait for a model most of the time, and last.
      .model: Limits(
        insideMax: most * 4, callerInsideMax: 4, waitingMax: 256, callerWaitingMax: 16),
      // A turn is one document.
      .bulk: Self.limits(inside: half, ofCaller: half),
    ]
  }

  /// What suits a machine: two scans for each processor, and no more than a quarter of the database's
  /// connections.
  package static func heavyCallMax(processorCount: Int, databaseConnectionCount: Int) -> Int {
    max(1, min(processorCount * 2, databaseConnectionCount / 4))
  }

  package subscript(cost: MethodRule.Cost) -> Limits? { limits[cost] }

  /// Nil where calls wait as long as their deadlines let them.
  func shedding(_ cost: MethodRule.Cost) -> Shedding? {
    switch cost {
    case .rows: Shedding(roundMax: .milliseconds(500), limit: .adapts(min: rowsMin))
    case .search: Shedding(roundMax: .milliseconds(500), limit: .yields)
    case .scan: Shedding(roundMax: .seconds(1), limit: .yields)
    case .memory, .model, .bulk, .subscription: nil
    }
  }

  private static func limits(inside: Int, ofCaller caller: Int) -> Limits {
    Limits(
      insideMax: inside, callerInsideMax: caller, waitingMax: waitingMax,
      callerWaitingMax: callerWaitingMax)
  }
}
